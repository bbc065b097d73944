"""Challenges, credentials and Authentication-Info as values: frozen, ordered, compared by meaning.

Schemes and parameter names are case-insensitive (RFC 9110 §11.1, §11.2), so a scheme keeps its
spelling and compares without it, and names are lower-cased. Whatever can be constructed can be
written, and what is written reads back as the same value.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, ClassVar, Self, TypeAlias, overload

from relogin.errors import ChallengeSyntaxError
from relogin.wire.scan import MAX_LENGTH, Scanned, scan_credentials, scan_params, too_long
from relogin.wire.serialize import check_token, check_token68, check_value, write, write_params

__all__ = ["AuthInfo", "Challenge", "Credentials", "Params"]

Params: TypeAlias = Mapping[str, str] | Iterable[tuple[str, str]]


def _checked(params: Params) -> dict[str, str]:
    checked: dict[str, str] = {}
    for name, value in params.items() if isinstance(params, Mapping) else params:
        key = check_token("the parameter name", name).lower()
        if key in checked:
            raise ValueError(f"the parameter {key!r} is given twice (RFC 9110 §11.2)")
        checked[key] = check_value(key, value)
    return checked


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

    def __init__(self, scheme: str, params: Params = (), *, token68: str | None = None) -> None:
        check_token("the scheme", scheme)
        checked = _checked(params)
        if token68 is not None:
            check_token68(token68)
            if checked:
                raise ValueError(
                    "a challenge has either a token68 or parameters, not both (RFC 9110 §11.2)"
                )
        self._scanned = (scheme, token68, checked)

    @classmethod
    def _of(cls, scanned: Scanned) -> Self:
        """Take what a reader has already checked."""
        self = _new(cls)
        self._scanned = scanned
        return self

    @property
    def scheme(self) -> str:
        """The scheme as it was spelled; it compares without regard to case (RFC 9110 §11.1)."""
        return self._scanned[0]

    def is_(self, scheme: str) -> bool:
        """Tell whether it is of this scheme, however that is spelled (RFC 9110 §11.1).

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

    `scheme` keeps its spelling, `params` is an immutable mapping with lower-cased names, `token68`
    is `None` where there is none, and at most one of the two is there. `str()` writes it.

    Raises `ValueError` for what no field can carry: a scheme or name that is no token, a value
    with a control character or one above U+00FF, a parameter given twice.

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

    @property
    def realm(self) -> str | None:
        """The protection space's name (RFC 9110 §11.5), or `None` where the server named none."""
        return self.params.get("realm")

    def __repr__(self) -> str:
        if self.token68 is not None:
            return f"Challenge({self.scheme!r}, token68={self.token68!r})"
        return f"Challenge({self.scheme!r}, {dict(self.params)!r})"


class Credentials(_SchemeValue):
    """What Authorization or Proxy-Authorization holds (RFC 9110 §11.4).

    `str()` writes it, secret and all; `repr()`, and every error about it, shows no value.

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

    @classmethod
    def parse(cls, field: str, *, max_length: int = MAX_LENGTH) -> Credentials:
        """Read one Authorization field of at most `max_length` characters.

        Raises `ChallengeSyntaxError` for anything else; the error does not hold the field.
        """
        scanned = scan_credentials(_bounded(field, max_length))
        if scanned is None:
            raise _refusal("credentials", field)
        return cls._of(scanned)

    def __repr__(self) -> str:
        held = "token68" if self.token68 is not None else ", ".join(self.params) or "nothing"
        return f"<Credentials {self.scheme!r} with {held}>"


class AuthInfo(_Parameters):
    """What Authentication-Info or Proxy-Authentication-Info holds (RFC 9110 §11.6.3).

    `str()` writes it; `repr()`, and every error about it, shows no value.

    >>> AuthInfo.parse("expires_in=540")["expires_in"]
    '540'
    >>> str(AuthInfo({"expires_in": "540"}))
    'expires_in="540"'
    """

    __slots__ = ("_params",)
    _params: dict[str, str]

    def __init__(self, params: Params = ()) -> None:
        self._params = _checked(params)

    @property
    def params(self) -> Mapping[str, str]:
        """The parameters in their order: names in lower case, values unquoted and unescaped."""
        return MappingProxyType(self._params)

    @classmethod
    def parse(cls, field: str, *, lenient: bool = False, max_length: int = MAX_LENGTH) -> AuthInfo:
        """Read one field of at most `max_length` characters.

        Raises `ChallengeSyntaxError` for anything else; the error does not hold the field. With
        `lenient`, a malformed field yields what could be recovered, and only the length raises.

        >>> AuthInfo.parse("authToken=a-b, data=dj02PQ==", lenient=True)["data"]
        'dj02PQ=='
        """
        params = scan_params(_bounded(field, max_length))
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


def _bounded(field: str, max_length: int) -> str:
    if not isinstance(field, str):
        raise TypeError(f"a field is a str, not {type(field).__name__}")
    if len(field) > max_length:
        raise too_long(field, max_length, secret=True)
    return field


def _recovered(field: str) -> dict[str, str]:
    from relogin.wire.recover import Recovery  # loads pyparsing: only when there is a fault

    # Read as the rest of a challenge: what stands behind another scheme is none of it.
    recovery, params = Recovery(), dict[str, str]()
    recovery.take([("Authentication-Info", None, params)])
    recovery.read(field, 0)
    return params


def _refusal(rule: str, field: str) -> ChallengeSyntaxError:
    from relogin.wire.explain import explain  # loads pyparsing: only when there is a fault

    return explain(rule, field)
