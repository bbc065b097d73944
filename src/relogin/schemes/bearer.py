"""The Bearer scheme (RFC 6750), with the metadata of RFC 9728: a typed view of a `Challenge`."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Self

from relogin.schemes.views import (
    check,
    oauth_text,
    oauth_uri,
    received,
    scope_token,
    stated,
    words,
)
from relogin.wire.model import Challenge, check_scheme
from relogin.wire.serialize import check_value

__all__ = ["BearerChallenge"]

SCHEME = "Bearer"
_PRINTABLE = "must be printable ASCII without quotes and backslashes (RFC 6750 §3)"


@dataclass(frozen=True, slots=True)
class BearerChallenge:
    """A challenge of the Bearer scheme, as a server sends it or a client received it.

    `realm` is `None` if the server gave none. `scope` is the set of scopes that the request needs.
    `error` is a code such as ``"invalid_token"`` or ``"insufficient_scope"``, or `None` if the
    request had no token. `resource_metadata` is the URL of the resource's metadata (RFC 9728 §5.1).
    The server chose that URL: check it before you send anything there.

    Raises `ValueError` for values that RFC 6750 §3 does not let a server send.

    >>> import relogin
    >>> (challenge,) = relogin.parse('bearer scope="write read", error="insufficient_scope"')
    >>> seen = relogin.BearerChallenge.from_challenge(challenge)
    >>> seen.error, sorted(seen.scope), seen.realm
    ('insufficient_scope', ['read', 'write'], None)
    >>> str(relogin.BearerChallenge(realm="orders", scope={"write", "read"}))
    'Bearer realm="orders", scope="read write"'
    """

    realm: str | None = None
    scope: AbstractSet[str] = field(default_factory=frozenset)
    error: str | None = None
    error_description: str | None = None
    error_uri: str | None = None
    resource_metadata: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "scope", words(self.scope))
        self._check()

    def _check(self) -> None:
        for name in self.scope:
            check("a scope", name, scope_token, f"{_PRINTABLE}, and no space")
        if self.realm is not None:
            check_value("realm", self.realm)
        for name in ("error", "error_description"):
            text = getattr(self, name)
            if text is not None:
                check(name, text, oauth_text, _PRINTABLE)
        for name in ("error_uri", "resource_metadata"):
            uri = getattr(self, name)
            if uri is not None:
                check(name, uri, oauth_uri, f"{_PRINTABLE}, and no space")

    def to_challenge(self) -> Challenge:
        """Build the challenge to send, with its scopes in alphabetical order.

        Raises `ValueError` if this was read from a challenge that no server may send, or if it is
        empty: RFC 6750 §3 requires at least one parameter.
        """
        self._check()
        optional = {
            "realm": self.realm,
            "scope": " ".join(sorted(self.scope)) or None,
            "error": self.error,
            "error_description": self.error_description,
            "error_uri": self.error_uri,
            "resource_metadata": self.resource_metadata,
        }
        said = stated(optional)
        if not said:
            raise ValueError("a Bearer challenge needs a parameter: give it a realm (RFC 6750 §3)")
        return Challenge(SCHEME, said)

    @classmethod
    def from_challenge(cls, challenge: Challenge) -> Self:
        """Read a received challenge: values are not checked, unknown parameters are ignored.

        Raises `ValueError` if it is of another scheme.
        """
        check_scheme(challenge, SCHEME)
        texts = ("realm", "error", "error_description", "error_uri", "resource_metadata")
        values = {name: challenge.get(name) for name in texts}
        return received(cls, values | {"scope": words(challenge.get("scope", ""))})

    def __str__(self) -> str:
        return str(self.to_challenge())
