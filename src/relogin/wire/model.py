"""Challenges, credentials and Authentication-Info as values: frozen, ordered, compared by meaning.

Schemes and parameter names are case-insensitive (RFC 9110 §11.1, §11.2): a scheme keeps its
spelling but compares without case, and names become lower-case. You can write every value that
you can construct, and reading it back gives an equal value.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar, Never, Self, overload

from relogin import wire
from relogin.errors import ChallengeSyntaxError
from relogin.lazy import importing
from relogin.wire import MAX_LENGTH, Scanned
from relogin.wire.serialize import (
    Params,
    check_keywords,
    check_params,
    check_token,
    check_token68,
    write,
    write_params,
)

__all__ = ["AuthInfo", "Challenge", "Credentials", "Params", "check_scheme", "without_quotes"]

_new = object.__new__


class _Parameters(ABC):
    """Parameters by name: what challenges, credentials and Authentication-Info have in common."""

    __slots__ = ()

    @property
    @abstractmethod
    def params(self) -> Mapping[str, str]:
        """The parameters in their order: names in lower case, values unquoted and unescaped."""

    def __getitem__(self, name: str) -> str:
        return self.params[name.lower()]

    # Without this, iterating would ask for a parameter named 0.
    __iter__: ClassVar[None] = None

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.lower() in self.params

    @overload
    def get(self, name: str) -> str | None: ...
    @overload
    def get(self, name: str, default: str) -> str: ...
    def get(self, name: str, default: str | None = None) -> str | None:
        """Return the value of a parameter, its name in any case, or `default`."""
        return self.params.get(name.lower(), default)


class _SchemeValue(_Parameters):
    """An auth-scheme with a token68 or with parameters (RFC 9110 §11.3, §11.4)."""

    # One slot, with what the scanner found: reading a challenge costs one assignment, and there is
    # nothing to assign to from outside.
    __slots__ = ("_scanned",)
    _scanned: Scanned

    # By scheme: the parameters whose values its specification forbids to quote.
    _plain: ClassVar[Mapping[str, frozenset[str]]] = {}

    def _check(
        self, scheme: str, params: Params, token68: str | None, unknown: Mapping[str, object]
    ) -> None:
        """Keep the arguments of a constructor, which each class has for its own name and types."""
        check_keywords(type(self).__name__, unknown)
        scheme, checked = check_token("the scheme", scheme), check_params(params)
        if token68 is not None:
            token68 = check_token68(token68)
            if checked:
                raise ValueError("write either a token68 or parameters, not both (RFC 9110 §11.2)")
        self._scanned = (scheme, token68, checked)

    @classmethod
    def _of(cls, scanned: Scanned) -> Self:
        """Take what a reader has already checked."""
        self = _new(cls)
        self._scanned = scanned
        return self

    @property
    def scheme(self) -> str:
        """The scheme as the server spelled it. Compare it with `is_`, which ignores case."""
        return self._scanned[0]

    def is_(self, scheme: str) -> bool:
        """Tell whether the scheme is this one; schemes are case-insensitive (RFC 9110 §11.1).

        >>> Challenge("BEARER", {"realm": "api"}).is_("Bearer")
        True
        """
        return self._scanned[0].lower() == scheme.lower()

    @property
    def token68(self) -> str | None:
        """The one value of schemes that have no parameters, or `None` (RFC 9110 §11.2)."""
        return self._scanned[1]

    @property
    def params(self) -> Mapping[str, str]:
        return MappingProxyType(self._scanned[2])

    def __str__(self) -> str:
        return write(*self._scanned, self._plain)

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return self._folded() == other._folded()

    def __hash__(self) -> int:
        scheme, token68, params = self._folded()
        return hash((scheme, token68, frozenset(params.items())))

    def _folded(self) -> Scanned:
        scheme, token68, params = self._scanned
        return scheme.lower(), token68, params

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self)._of, (self._scanned,)


class Challenge(_SchemeValue):
    """One challenge of WWW-Authenticate or Proxy-Authenticate (RFC 9110 §11.3).

    `scheme` keeps its spelling. `params` is an immutable mapping with names in lower case. A
    challenge has parameters or a `token68`, never both; without one, `token68` is `None`. `str()`
    writes the challenge.

    Raises `ValueError` for what a header cannot carry: a scheme or name that is not a token, a
    value with a control character or a character above U+00FF, the same parameter twice.

    >>> challenge = Challenge("Session", {"realm": "api", "error": "session_expired"})
    >>> str(challenge)
    'Session realm="api", error="session_expired"'
    >>> challenge.realm, challenge["ERROR"], challenge.get("max_age")
    ('api', 'session_expired', None)
    >>> challenge == Challenge("session", {"Error": "session_expired", "Realm": "api"})
    True
    """

    __slots__ = ()
    # RFC 7616 §3.3. Some deployed Digest clients do not read `algorithm="MD5"`.
    _plain: ClassVar[Mapping[str, frozenset[str]]] = {"digest": frozenset({"algorithm", "stale"})}

    def __init__(
        self,
        scheme: str,
        params: Params = (),
        *,
        token68: str | None = None,
        **unknown: Never,
    ) -> None:
        self._check(scheme, params, token68, unknown)

    @property
    def realm(self) -> str | None:
        """The name of the protection space (RFC 9110 §11.5), or `None` if the server gave none."""
        return self.params.get("realm")

    def __repr__(self) -> str:
        if self.token68 is not None:
            return f"Challenge({self.scheme!r}, token68={self.token68!r})"
        return f"Challenge({self.scheme!r}, {dict(self.params)!r})"


class Credentials(_SchemeValue):
    """The value of Authorization or Proxy-Authorization (RFC 9110 §11.4).

    `str()` writes it, with its secret. `repr()` and errors never show a value.

    >>> credentials = Credentials.parse('Session token="bG9naW4"')
    >>> credentials.scheme, credentials["token"]
    ('Session', 'bG9naW4')
    >>> credentials
    <Credentials 'Session' with token>
    """

    __slots__ = ()
    # RFC 7616 §3.4.
    _plain: ClassVar[Mapping[str, frozenset[str]]] = {
        "digest": frozenset({"algorithm", "nc", "qop"})
    }

    def __init__(
        self,
        scheme: str,
        params: Params = (),
        *,
        token68: str | None = None,
        **unknown: Never,
    ) -> None:
        self._check(scheme, params, token68, unknown)

    @classmethod
    def parse(cls, field: str, *, max_length: int = MAX_LENGTH) -> Credentials:
        """Read the value of an Authorization header of at most `max_length` characters.

        Raises `ChallengeSyntaxError` if it is malformed or longer; the error does not show it.
        """
        scanned = wire.scan.scan_credentials(_bounded(field, "Authorization", max_length))
        if scanned is None:
            raise _refusal("credentials", field)
        return cls._of(scanned)

    def __repr__(self) -> str:
        held = "token68" if self.token68 is not None else ", ".join(self.params) or "nothing"
        return f"<Credentials {self.scheme!r} with {held}>"


class AuthInfo(_Parameters):
    """The value of Authentication-Info or Proxy-Authentication-Info (RFC 9110 §11.6.3).

    `str()` writes it. `repr()` and errors never show a value.

    >>> AuthInfo.parse("expires_in=540")["expires_in"]
    '540'
    >>> str(AuthInfo({"expires_in": "540"}))
    'expires_in="540"'
    """

    __slots__ = ("_params",)
    _params: dict[str, str]

    def __init__(self, params: Params = (), **unknown: Never) -> None:
        check_keywords("AuthInfo", unknown)
        self._params = check_params(params)

    @property
    def params(self) -> Mapping[str, str]:
        """The parameters in their order: names in lower case, values unquoted and unescaped."""
        return MappingProxyType(self._params)

    @classmethod
    def parse(cls, field: str, *, lenient: bool = False, max_length: int = MAX_LENGTH) -> AuthInfo:
        """Read the value of the header, at most `max_length` characters.

        Raises `ChallengeSyntaxError` if it is malformed or longer; the error does not show it.
        With `lenient`, you get what could be recovered, and only the length raises.

        >>> AuthInfo.parse("authToken=a-b, data=dj02PQ==", lenient=True)["data"]
        'dj02PQ=='
        """
        params = wire.scan.scan_params(_bounded(field, "Authentication-Info", max_length))
        if params is None and lenient:
            params = _recovered(field)
        if params is None:
            raise _refusal("authentication-info", field)
        return cls(params)

    def __str__(self) -> str:
        return write_params(self.params)

    def __repr__(self) -> str:
        return f"<AuthInfo with {', '.join(self.params) or 'nothing'}>"

    def __eq__(self, other: object) -> bool:
        return self.params == other.params if isinstance(other, AuthInfo) else NotImplemented

    def __hash__(self) -> int:
        return hash(frozenset(self.params.items()))

    def __reduce__(self) -> tuple[Any, ...]:
        return AuthInfo, (self._params,)


def check_scheme(challenge: Challenge, scheme: str) -> None:
    """Raise `ValueError` for a challenge of another scheme, `TypeError` for anything else."""
    if not isinstance(challenge, Challenge):
        raise TypeError(
            f"expected a Challenge, not {type(challenge).__name__}: relogin.parse reads a field"
        )
    if not challenge.is_(scheme):
        raise ValueError(f"this is a {challenge.scheme} challenge, not a {scheme} challenge")


def without_quotes(challenge: Challenge) -> Challenge:
    """Remove one pair of single quotes around each value: the server meant to quote it.

    >>> without_quotes(Challenge("Session", {"error": "'session_revoked'"}))["error"]
    'session_revoked'
    """
    if not any(value[:1] == "'" for value in challenge.params.values()):
        return challenge
    params = {name: _in_quotes(value) for name, value in challenge.params.items()}
    return Challenge(challenge.scheme, params)


def _in_quotes(value: str) -> str:
    return value[1:-1] if len(value) > 1 and value[0] == value[-1] == "'" else value


def _bounded(field: str, name: str, max_length: int) -> str:
    if not isinstance(field, str):
        raise TypeError(
            f'a field is a str, not {type(field).__name__}: pass headers.get("{name}", "")'
        )
    if len(field) > max_length:
        raise wire.scan.too_long(field, max_length, secret=True)
    return field


def _recovered(field: str) -> dict[str, str]:
    with importing:
        from relogin.wire.recover import Recovery  # loads pyparsing: only when there is a fault

    # Read as the rest of a challenge: what follows another scheme is not part of it.
    recovery, params = Recovery(), dict[str, str]()
    recovery.take([("Authentication-Info", None, params)])
    recovery.read(field, 0)
    return params


def _refusal(rule: str, field: str) -> ChallengeSyntaxError:
    with importing:
        from relogin.wire.explain import explain  # loads pyparsing: only when there is a fault

    return explain(rule, field)
