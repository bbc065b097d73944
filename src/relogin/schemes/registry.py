"""The token challenge of container registries: a typed view of a `Challenge`.

It is the Bearer scheme with a meaning of its own (distribution's token authentication): the realm
is the URL of a token server, and a scope lists what is to be allowed on what.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import NamedTuple, Self
from urllib.parse import urlsplit

from relogin.schemes.views import check, check_scheme, oauth_text, received
from relogin.wire.model import Challenge

__all__ = ["Access", "RegistryChallenge", "accesses", "scopes"]

SCHEME = "Bearer"

_part = re.compile(r"[!#-+\--\[\]-~]++").fullmatch  # printable ASCII without comma
_PART = "must be printable ASCII without space, quote, comma and backslash"


class Access(NamedTuple):
    """One action on one resource of a registry: `pull` on `repository` `library/alpine`, say."""

    type: str
    name: str
    action: str


def accesses(text: str) -> frozenset[Access]:
    """Read the scope of a challenge or a token, and leave out what does not have three parts.

    A name may hold colons, types and actions may not.

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
    """Write what is to be allowed as scopes, one for each resource, always in the same order.

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

    `realm` is the token server's URL, as the registry names it: a server's word, and no reason to
    send a password there. `service` is the registry's name at that server. `scope` is the set of
    `Access` that the request needs, so that ``pull,push`` and ``push,pull`` are one. `error` is
    ``"invalid_token"`` or ``"insufficient_scope"``, or absent.

    Raises `ValueError` for a realm that is not an http or https URL, and for what a registry could
    not send.

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
                check(name, text, oauth_text, "must be printable ASCII without quote, backslash")

    def to_challenge(self) -> Challenge:
        """Build the challenge that says this.

        Raises `ValueError` where the value was received and could not be sent.
        """
        self._check()
        optional = {
            "service": self.service,
            "scope": " ".join(scopes(self.scope)) or None,
            "error": self.error,
            "error_description": self.error_description,
        }
        said = {name: value for name, value in optional.items() if value is not None}
        return Challenge(SCHEME, {"realm": self.realm} | said)

    @classmethod
    def from_challenge(cls, challenge: Challenge) -> Self:
        """Read a challenge that was received: any text is taken as it came.

        Raises `ValueError` for a challenge of another scheme, and for one without a realm: it names
        no token server.
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
