"""A login for the Digest scheme (RFC 7616), which has no login server."""

from __future__ import annotations

from dataclasses import dataclass, field

from relogin.client.logins.base import Account, Text, called, check_text, checked_text
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

    `user` and `password` may be functions; they are called once, and again after `reset()`.

    It knows MD5, SHA-256, SHA-512-256 and their ``-sess`` forms, and SHA-512, which some servers
    use; of several challenges it answers the strongest. It signs each request in advance with the
    nonce of the last one, so there is one challenge for each nonce. A nonce that is too old costs
    one more request and no login. ``qop=auth-int`` protects content that can be read twice; a
    generator is sent with ``auth``, or unsigned if the server accepts nothing else.

    A server that sends `rspauth` proves that it knows the password; if the proof is wrong, you get
    `LoginUnavailable`. Pass `check_server=False` for a server that computes it wrongly.

    Digest does not encrypt anything. Raises `TypeError` for a user or password of the wrong type.
    It names no origin, so pass one to `SessionAuth`.

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
        check_text("DigestLogin: user", self.user)
        check_text("DigestLogin: password", self.password)

    @property
    def responders(self) -> tuple[Responder, ...]:
        """The responders of a `SessionAuth`, unless you pass others."""
        return (digest(self._account, check_server=self.check_server),)

    def _account(self) -> tuple[str, str] | None:
        return self._known.account

    def __call__(self, context: Context) -> Grant | None:
        """Answer a challenge; return `None` if there is none."""
        if context.challenge is None:
            return None
        user = checked_text("DigestLogin: user", called(self.user))
        self._known.account = user, checked_text("DigestLogin: password", called(self.password))
        return nonce_of(context.challenge)

    def _secrets(self) -> tuple[object, ...]:
        return (self.password,)
