"""The Digest scheme (RFC 7616): a typed view of a `Challenge`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Self

from relogin.schemes.digest_hash import algorithm_named
from relogin.schemes.views import received, stated, words
from relogin.wire.abnf import TOKEN
from relogin.wire.model import Challenge, check_scheme

__all__ = ["DigestChallenge"]

SCHEME = "Digest"

_token = re.compile(TOKEN).fullmatch
_separators = re.compile(r"[\s,]++")


@dataclass(frozen=True, slots=True)
class DigestChallenge:
    """A challenge of the Digest scheme, as a server sends it or a client received it.

    The client computes its response with `nonce`. `algorithm` is the name of a hash function in its
    usual spelling, ``"MD5"`` if the server named none. `qop` is the set of protections on offer:
    ``auth``, ``auth-int``, or none from a server that follows the old RFC 2069. `stale` says that
    only the nonce was too old. `domain` lists the URIs that the same account can access. `userhash`
    asks for a hashed user name, `charset` for user and password in UTF-8.

    Raises `ValueError` for values that RFC 7616 §3.3 does not let a server send.

    >>> import relogin
    >>> field = 'Digest realm="x", nonce="n", qop="auth,auth-int", algorithm=sha-256, stale=TRUE'
    >>> seen = relogin.DigestChallenge.from_challenge(relogin.parse(field)[0])
    >>> seen.algorithm, sorted(seen.qop), seen.stale
    ('SHA-256', ['auth', 'auth-int'], True)
    >>> str(relogin.DigestChallenge(realm="x", nonce="n", algorithm="SHA-256"))
    'Digest realm="x", nonce="n", algorithm=SHA-256, qop="auth"'
    """

    realm: str
    nonce: str
    algorithm: str = "MD5"
    qop: AbstractSet[str] = frozenset({"auth"})
    stale: bool = False
    opaque: str | None = None
    domain: tuple[str, ...] = field(default=())
    charset: str | None = None
    userhash: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "qop", _qop(self.qop))
        object.__setattr__(self, "domain", _uris(self.domain))
        object.__setattr__(self, "algorithm", _spelled(self.algorithm))
        self._check()

    def _check(self) -> None:
        for name in ("realm", "nonce", "opaque", "charset"):
            text, optional = getattr(self, name), name in {"opaque", "charset"}
            if not isinstance(text, str) and not (optional and text is None):
                raise TypeError(f"{name} must be a str, not {type(text).__name__}")
        if not self.nonce:
            raise ValueError("a Digest challenge needs a nonce (RFC 7616 §3.3)")
        if not self.qop:
            raise ValueError("qop must be auth, auth-int or both (RFC 7616 §3.3)")
        if not all(map(_token, (self.algorithm, *self.qop))):
            raise ValueError("algorithm and each qop must be tokens (RFC 7616 §3.3)")
        if self.charset is not None and self.charset.upper() != "UTF-8":
            raise ValueError("the only charset of Digest is UTF-8 (RFC 7616 §3.3)")
        if any(" " in uri or not uri for uri in self.domain):
            raise ValueError("domain is a list of URIs, and a URI contains no space")

    @property
    def strength(self) -> int:
        """The strength of its hash function; 0 if the challenge cannot be answered.

        A challenge cannot be answered if it has no nonce or no known qop, or if its hash function
        is unknown or missing from this Python's OpenSSL.

        >>> DigestChallenge("x", "n", "SHA-256").strength > DigestChallenge("x", "n").strength
        True
        """
        algorithm = algorithm_named(self.algorithm)
        answerable = self.nonce and (not self.qop or self.qop & {"auth", "auth-int"})
        return algorithm.strength if algorithm is not None and answerable else 0

    def to_challenge(self) -> Challenge:
        """Build the challenge to send.

        Raises `ValueError` if this was read from a challenge that no server may send.
        """
        self._check()
        optional = {
            "domain": " ".join(self.domain) or None,
            "nonce": self.nonce,
            "opaque": self.opaque,
            "stale": "true" if self.stale else None,
            "algorithm": self.algorithm,
            "qop": ", ".join(sorted(self.qop)),
            "charset": self.charset,
            "userhash": "true" if self.userhash else None,
        }
        return Challenge(SCHEME, {"realm": self.realm} | stated(optional))

    @classmethod
    def from_challenge(cls, challenge: Challenge) -> Self:
        """Read a received challenge. Missing parameters get their default or are empty.

        Names and flags can be in any case, with or without quotes. Raises `ValueError` if it is of
        another scheme.
        """
        check_scheme(challenge, SCHEME)
        values = {
            "realm": challenge.get("realm", ""),
            "nonce": challenge.get("nonce", ""),
            "algorithm": _spelled(challenge.get("algorithm", "MD5")),
            "qop": _qop(challenge.get("qop", "")),
            "stale": _is_true(challenge.get("stale")),
            "opaque": challenge.get("opaque"),
            "domain": _uris(challenge.get("domain", "")),
            "charset": challenge.get("charset"),
            "userhash": _is_true(challenge.get("userhash")),
        }
        return received(cls, values)

    def __str__(self) -> str:
        return str(self.to_challenge())


def _spelled(name: str) -> str:
    known = algorithm_named(name)
    return name if known is None else known.name


def _qop(given: str | Iterable[str]) -> frozenset[str]:
    text = _separators.sub(" ", given.lower()) if isinstance(given, str) else given
    return words(text)


def _uris(given: str | Iterable[str]) -> tuple[str, ...]:
    return tuple(given.split() if isinstance(given, str) else given)


def _is_true(text: str | None) -> bool:
    return text is not None and text.lower() == "true"
