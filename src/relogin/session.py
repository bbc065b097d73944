"""The Session scheme of SPEC.md: a typed view of a `Challenge`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from relogin.reasons import SessionError, known
from relogin.wire.model import Challenge, check_scheme, without_quotes

__all__ = ["SCHEME", "SessionChallenge", "SessionError"]

SCHEME = "Session"


# The values of grammar/session.abnf, under their rule names. A comma is left out on purpose: some
# clients look for `, Basic` in the raw field and would send a password there.
_safe_text = re.compile(r"[ !#-+\--\[\]-~]*+").fullmatch
_acr_values = re.compile(r"[^ \t]++").findall
_acr_value = re.compile(r"[!#-\[\]-~]++").fullmatch
_private_name = re.compile(r"[A-Za-z0-9_-]++(?:\.[A-Za-z0-9_-]++)++").fullmatch
_seconds = re.compile(r"[0-9]{1,10}").fullmatch
MOST_SECONDS = 9_999_999_999


@dataclass(frozen=True, slots=True)
class SessionChallenge:
    """A challenge of the Session scheme, as a server sends it or a client received it.

    `realm` names the protection space; a server always sends it. `error` is `None` if the request
    carried no session. `error_description` is constant text for developers, never user input. With
    `insufficient_user_authentication`, `max_age` (seconds) and `acr_values` say which login would
    be enough (RFC 9470).

    Raises `ValueError` for a value that SPEC.md forbids a server to send: text with a quote, a
    backslash, a comma or a character outside printable ASCII; a code that is neither in
    `SessionError` nor a vendor's own, which has a dot in it.

    >>> challenge = SessionChallenge(realm="api", error="session_expired")
    >>> str(challenge)
    'Session realm="api", error="session_expired"'
    >>> SessionChallenge.from_challenge(challenge.to_challenge()) == challenge
    True
    """

    realm: str = ""
    error: SessionError | str | None = None
    error_description: str | None = None
    max_age: int | None = None
    acr_values: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "error", known(self.error))
        object.__setattr__(self, "acr_values", _split(self.acr_values))
        self._check()

    def _check(self) -> None:
        _check_text("realm", self.realm)
        if self.error_description is not None:
            _check_text("error_description", self.error_description)
        if self.error is not None and not isinstance(self.error, SessionError):
            check_code(self.error)
        if self.max_age is not None:
            check_seconds("max_age", self.max_age)
        if not all(map(_acr_value, self.acr_values)):
            raise ValueError("an acr value is visible ASCII without quotes and backslashes")

    @property
    def effective_error(self) -> SessionError | None:
        """The code that a client acts on: an unknown one counts as `session_invalid`.

        >>> SessionChallenge(error="example.com.flagged").effective_error
        <SessionError.INVALID: 'session_invalid'>
        """
        if self.error is None or isinstance(self.error, SessionError):
            return self.error
        return SessionError.INVALID

    def to_challenge(self) -> Challenge:
        """Build the challenge to send; its parameters are in the order of the fields above.

        Raises `ValueError` if this was read from a challenge that no server may send.
        """
        self._check()
        optional = {
            "error": self.error,
            "error_description": self.error_description,
            "max_age": None if self.max_age is None else str(self.max_age),
            "acr_values": " ".join(self.acr_values) or None,
        }
        said = {name: str(value) for name, value in optional.items() if value is not None}
        return Challenge(SCHEME, {"realm": self.realm} | said)

    @classmethod
    def from_challenge(cls, challenge: Challenge) -> Self:
        """Read a challenge that a server sent. Parameters that are missing become `None`.

        Codes and texts are kept as they are, without single quotes around them; unknown parameters
        and a `max_age` that is not a number are ignored. Raises `ValueError` for a challenge of
        another scheme, and for one with a token68: `Session expired` is just two words.
        """
        check_scheme(challenge, SCHEME)
        if challenge.token68 is not None:
            raise ValueError("a Session challenge must not have a token68")
        challenge = without_quotes(challenge)
        max_age = challenge.get("max_age", "")
        received = {
            "realm": challenge.get("realm", ""),
            "error": known(challenge.get("error")),
            "error_description": challenge.get("error_description"),
            "max_age": int(max_age) if _seconds(max_age) else None,
            "acr_values": _split(challenge.get("acr_values", "")),
        }
        self = object.__new__(cls)
        for name, value in received.items():
            object.__setattr__(self, name, value)
        return self

    def __str__(self) -> str:
        return str(self.to_challenge())


def _split(acr_values: str | Iterable[str]) -> tuple[str, ...]:
    return tuple(_acr_values(acr_values) if isinstance(acr_values, str) else acr_values)


def _check_text(name: str, text: str) -> None:
    if not isinstance(text, str):
        raise TypeError(f"{name} must be a str, not {type(text).__name__}")
    if not _safe_text(text):
        raise ValueError(f"{name} must be printable ASCII without quotes, backslashes and commas")


def check_code(error: str, also: Iterable[str] = ()) -> None:
    """Raise an error unless a server may send `error`; the message lists `also` too."""
    if not isinstance(error, str):
        raise TypeError(f"error must be a str, not {type(error).__name__}")
    if not _private_name(error):
        known = ", ".join([*SessionError, *also])
        raise ValueError(
            f"error {error!r} is not one of {known}; a code of your own must contain a dot"
        )


def check_seconds(name: str, seconds: int) -> None:
    """Raise an error unless `seconds` can be sent (grammar/session.abnf, `seconds`)."""
    if type(seconds) is not int:  # True is an int, and no number of seconds
        raise TypeError(f"{name} must be an int of seconds, not {type(seconds).__name__}")
    if not 0 <= seconds <= MOST_SECONDS:
        raise ValueError(f"{name} is 0 to {MOST_SECONDS} seconds, not {seconds}")
