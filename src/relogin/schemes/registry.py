"""The token challenge of container registries: a typed view of a `Challenge`.

It is the Bearer scheme with a special meaning (distribution's token authentication): the realm is
the URL of a token server, and a scope lists which actions to allow on which resource.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import NamedTuple, Self
from urllib.parse import urlsplit

from relogin.schemes.views import check, oauth_text, received, stated
from relogin.wire.model import Challenge, check_scheme

__all__ = ["Access", "RegistryChallenge", "accesses", "scopes"]

SCHEME = "Bearer"

_part = re.compile(r"[!#-+\--\[\]-~]++").fullmatch  # printable ASCII without comma
_PART = "must be printable ASCII without spaces, quotes, commas and backslashes"


class Access(NamedTuple):
    """One action on one resource of a registry, such as `pull` on `library/alpine`.

    >>> Access("repository", "library/alpine", "pull").name
    'library/alpine'
    """

    type: str
    name: str
    action: str


def accesses(text: str) -> frozenset[Access]:
    """Read the scope of a challenge or a token; ignore entries without three parts.

    A name can contain colons; types and actions cannot.

    >>> sorted(accesses("repository:a/b:push,pull"))[0]
    Access(type='repository', name='a/b', action='pull')
    """
    found = set()
    for scope in text.split():
        kind, _, rest = scope.partition(":")
        name, colon, actions = rest.rpartition(":")
        if kind and name and colon:
            found |= {Access(kind, name, action) for action in actions.split(",") if action}
    return frozenset(found)


def scopes(access: Iterable[Access]) -> list[str]:
    """Write accesses as scopes, one for each resource, always in the same order.

    >>> scopes(accesses("repository:a:push,pull registry:catalog:*"))
    ['registry:catalog:*', 'repository:a:pull,push']
    """
    actions: dict[tuple[str, str], list[str]] = {}
    for kind, name, action in sorted(access):
        actions.setdefault((kind, name), []).append(action)
    return [f"{kind}:{name}:{','.join(each)}" for (kind, name), each in actions.items()]


@dataclass(frozen=True, slots=True)
class RegistryChallenge:
    """A challenge of a container registry that takes tokens from a token server.

    `realm` is the URL of the token server. The registry chose it: check it before you send a
    password there. `service` is the registry's name at that server. `scope` is the set of `Access`
    that the request needs, so ``pull,push`` and ``push,pull`` are equal. `error` is
    ``"invalid_token"``, ``"insufficient_scope"`` or `None`.

    Raises `ValueError` for a realm that is not an http or https URL, and for values that a registry
    may not send.

    >>> import relogin
    >>> field = 'Bearer realm="https://auth.example.com/token",service="r",scope="repository:a:pull"'
    >>> seen = relogin.RegistryChallenge.from_challenge(relogin.parse(field)[0])
    >>> seen.service, ("repository", "a", "pull") in seen.scope
    ('r', True)
    """

    realm: str
    service: str | None = None
    scope: AbstractSet[Access] = field(default_factory=frozenset)
    error: str | None = None
    error_description: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "scope", _accesses(self.scope))
        self._check()

    def _check(self) -> None:
        check("realm", self.realm, _is_web_url, "is the http or https URL of a token server")
        for access in self.scope:
            for name, text in access._asdict().items():
                check(f"the {name} of an access", text, _part, _PART)
            if ":" in access.type + access.action:
                raise ValueError("the type and the action of an access must not contain a colon")
        for name in ("service", "error", "error_description"):
            text = getattr(self, name)
            if text is not None:
                check(name, text, oauth_text, "must be printable ASCII, no quotes or backslashes")

    def to_challenge(self) -> Challenge:
        """Build the challenge to send.

        Raises `ValueError` if this was read from a challenge that no registry may send.
        """
        self._check()
        optional = {
            "service": self.service,
            "scope": " ".join(scopes(self.scope)) or None,
            "error": self.error,
            "error_description": self.error_description,
        }
        return Challenge(SCHEME, {"realm": self.realm} | stated(optional))

    @classmethod
    def from_challenge(cls, challenge: Challenge) -> Self:
        """Read a received challenge; its values are not checked.

        Raises `ValueError` if it is of another scheme, or has no realm and so no token server.
        """
        check_scheme(challenge, SCHEME)
        if challenge.realm is None:
            raise ValueError("a Bearer challenge without a realm does not name a token server")
        texts = ("realm", "service", "error", "error_description")
        values = {name: challenge.get(name) for name in texts}
        return received(cls, values | {"scope": accesses(challenge.get("scope", ""))})

    def __str__(self) -> str:
        return str(self.to_challenge())


def _accesses(given: str | Iterable[tuple[str, str, str]]) -> frozenset[Access]:
    return accesses(given) if isinstance(given, str) else frozenset(Access(*one) for one in given)


def _is_web_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        return False
