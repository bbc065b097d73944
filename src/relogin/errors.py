"""What can go wrong, and whose fault it is: the type says it.

The peer sent what the grammar refuses: `ChallengeSyntaxError`. Our own caller asked for what
cannot be written: plain `ValueError`. A renewal did not succeed: a `ReloginError` and the kind
under it. Nothing here ever carries a credential.
"""

from __future__ import annotations

from typing import Any

__all__ = [
    "BodyNotReplayable",
    "ChallengeSyntaxError",
    "InvalidGrant",
    "LoginRefused",
    "LoginTimeout",
    "LoginUnavailable",
    "MethodNotReplayable",
    "ReloginError",
]


class ChallengeSyntaxError(ValueError):
    """A field that RFC 9110 §11 does not allow, and where it stops being one.

    `source` is the field as it was read; for credentials and Authentication-Info, which hold
    secrets, it is always empty. `start` and `end` are character offsets into the field (`end` is
    exclusive and may equal `start`), `expected` says what could have stood there, `fault` is the
    stable kind of the fault, such as ``"missing-comma"``.

    >>> import relogin
    >>> try:
    ...     relogin.parse('Basic realm="api" charset="UTF-8"')
    ... except relogin.ChallengeSyntaxError as error:
    ...     print(error.start, error.fault)
    17 missing-comma
    """

    def __init__(
        self, message: str, *, source: str, start: int, end: int, expected: str, fault: str
    ) -> None:
        super().__init__(message)
        self.source = source
        self.start = start
        self.end = end
        self.expected = expected
        self.fault = fault

    def __reduce__(self) -> tuple[Any, ...]:
        # Exceptions pickle their positional arguments only; these are keywords.
        return _rebuild, (str(self), self.source, self.start, self.end, self.expected, self.fault)


def _rebuild(
    message: str, source: str, start: int, end: int, expected: str, fault: str
) -> ChallengeSyntaxError:
    return ChallengeSyntaxError(
        message, source=source, start=start, end=end, expected=expected, fault=fault
    )


class ReloginError(Exception):
    """A session could not be renewed, or its request could not be sent again.

    `response` is the 401 that asked for it, where there is one: each client module raises these
    as its own library's kind too (`requests.RequestException`, `httpx.HTTPError`).
    """

    response: Any = None
    refresh_spent: bool = False
    """Set by a login that has sent a refresh token, of whatever it raises: whether the server may
    have used it up. If so, no login is handed that one again. Where a login of yours sets nothing,
    a token counts as used whose answer did not come."""


class LoginRefused(ReloginError):
    """The login server answered: not with this password. Raised by a login; never sent twice.

    >>> import relogin
    >>> def login(context):
    ...     raise relogin.LoginRefused("the account is locked")
    """


class LoginUnavailable(ReloginError):
    """The login could not be done now: an outage, no answer, or an answer that makes no sense.

    `retry_after` is the number of seconds the server asked to wait, or `None`.
    """

    def __init__(self, *args: object, retry_after: float | None = None) -> None:
        super().__init__(*args)
        self.retry_after = retry_after


class InvalidGrant(LoginUnavailable, TypeError, ValueError):
    """The login returned what no request can be signed with: a mistake in the login itself."""


class LoginTimeout(LoginUnavailable):
    """Somebody else's renewal of this session did not end before the waiter's deadline."""


class BodyNotReplayable(ReloginError):
    """The session is renewed, but the body of the request is gone: send the request again.

    Raised only where ``strict=True`` was asked for; otherwise the 401 is returned, marked.
    """


class MethodNotReplayable(ReloginError):
    """The session is renewed, but nobody has promised that the request had no effect: send it anew.

    Raised only where ``strict=True`` was asked for: for a method that is not idempotent, after a
    signal on another status than 401, or where the transport had sent the request before.
    """
