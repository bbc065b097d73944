"""A login for the Digest scheme (RFC 7616), which has no login server."""

from __future__ import annotations

from dataclasses import dataclass, field

from relogin.client.logins.base import Account, Text, called, kind_of
from relogin.client.responders.digest import digest, nonce_of
from relogin.client.terms.grant import Context, Grant
from relogin.client.terms.responder import Responder

__all__ = ["DigestLogin"]


@dataclass(slots=True, repr=False)
class _Known:
    """User and password, once a login has asked for them."""

    account: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class DigestLogin(Account):
    """Answers Digest challenges (RFC 7616) with user and password; the password never travels.

    `password`, and `user` too, may be a callable: it is asked once, and again after `reset()`.

    MD5, SHA-256, SHA-512-256 and their ``-sess`` forms, and SHA-512, which some servers have; of
    several challenges the strongest is answered. Each request is signed ahead with the nonce of
    the last one, so there is one challenge for each nonce. A nonce that is too old costs its
    request one more trip and no login. ``qop=auth-int`` protects content that can be read twice;
    a generator is sent with ``auth``, or, where the server takes nothing else, unsigned.

    A server that sends `rspauth` proves that it knows the password; an answer whose proof is wrong
    raises `LoginUnavailable`. `check_server=False` is for servers that compute it wrongly.

    Digest does not encrypt anything. Raises `TypeError` for what is no text, and for an account
    without an origin `SessionAuth` raises `ValueError`.

    >>> import requests
    >>> from relogin.client.requests import SessionAuth
    >>> session = requests.Session()
    >>> session.auth = SessionAuth(DigestLogin("ada", "secret"), "https://camera.example.com")
    """

    user: Text
    password: Text
    check_server: bool = field(default=True, kw_only=True)
    _known: _Known = field(default_factory=_Known, init=False)

    def __post_init__(self) -> None:
        for name in ("user", "password"):
            given = getattr(self, name)
            if not (isinstance(given, str) or callable(given)):
                raise TypeError(f"DigestLogin: {name} is a str or a callable, not {kind_of(given)}")

    @property
    def responders(self) -> tuple[Responder, ...]:
        """What `SessionAuth` answers with, unless it is told otherwise."""
        return (digest(self._account, check_server=self.check_server),)

    def _account(self) -> tuple[str, str] | None:
        return self._known.account

    def __call__(self, context: Context) -> Grant | None:
        """Begin to answer a challenge; `None` where there is none."""
        if context.challenge is None:
            return None
        self._known.account = called(self.user), called(self.password)
        return nonce_of(context.challenge)

    def _secrets(self) -> tuple[object, ...]:
        return (self.password,)
