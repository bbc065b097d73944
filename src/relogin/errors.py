"""The errors; the type says whose fault it is.

If the peer sent a malformed field, it is `ChallengeSyntaxError`. If you asked for a value that
cannot be sent, it is `ValueError`. If a login or a retry failed, it is `ReloginError` or one of
its subclasses. No error carries a credential.
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
    """A header field that RFC 9110 §11 does not allow.

    `source` is the field; for credentials and Authentication-Info, which hold secrets, it is empty.
    `start` and `end` are character offsets into the field (`end` is exclusive and may equal
    `start`). `expected` says what could have been there, and `fault` is the stable kind of the
    fault, such as ``"missing-comma"``.

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
    """The login failed, or the request could not be sent again.

    `response` is the 401, if there was one. Each client module raises these errors as its own
    library's kind too (`requests.RequestException`, `httpx.HTTPError`).
    """

    response: Any = None
    refresh_spent: bool = False
    """Set by a login that has sent a refresh token, on whatever it raises: whether the server may
    have used that token up. If so, no login uses it again. If your login does not set it, a token
    counts as used up if its response did not come."""


class LoginRefused(ReloginError):
    """The login server refused the password. Your login raises it; it is not tried again.

    >>> import relogin
    >>> def login(context):
    ...     raise relogin.LoginRefused("the account is locked")
    """


class LoginUnavailable(ReloginError):
    """The login could not be done now: an outage, no response, or a response without a token.

    `retry_after` is how many seconds the server asked you to wait, or `None`. Your login may raise
    it too, so that nobody tries again before.

    >>> import relogin
    >>> def login(context):
    ...     raise relogin.LoginUnavailable("the login server is being updated", retry_after=60)
    """

    def __init__(self, *args: object, retry_after: float | None = None) -> None:
        super().__init__(*args)
        self.retry_after = retry_after


class InvalidGrant(LoginUnavailable, TypeError, ValueError):
    """The login returned a value that is not a grant: a mistake in the login itself.

    >>> import relogin
    >>> relogin.Grant(token=7)
    Traceback (most recent call last):
    relogin.errors.InvalidGrant: Grant.token must be a str, not int
    """


class LoginTimeout(LoginUnavailable):
    """Another request was logging in for this session, and did not finish in time."""


class BodyNotReplayable(ReloginError):
    """You are logged in again, but the request's body is used up: send the request again yourself.

    Raised only with ``strict=True``; otherwise you get the 401, and `outcome` says why.
    """


class MethodNotReplayable(ReloginError):
    """You are logged in again, but the request may have had an effect: repeating it is up to you.

    Raised only with ``strict=True``: for a method that is not idempotent, after a signal on a
    status other than 401, or if the transport had already sent the request twice.
    """
