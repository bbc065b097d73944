"""Values that a server takes only once, such as the codes of an authenticator app."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from inspect import iscoroutinefunction
from typing import Any

from relogin.client.logins.base import kind_of
from relogin.client.logins.exchange import Steps
from relogin.client.logins.request import Pause
from relogin.errors import LoginUnavailable

__all__ = ["NEXT_CODE", "OneTime", "has_codes", "new_codes"]

NEXT_CODE = 30.0
"""In seconds, how long most codes are good (RFC 6238 §5.2)."""
_POLL = 1.0
_NEXT_TRY = 5.0
# How long a code that was asked for may wait to be sent, if a login fails in between.
_KEPT_FOR = 10.0


class OneTime:
    """A function that returns one-time codes; as the value of a field, no code is sent twice.

    If the function still returns the last code, `FormLogin` and `JSONLogin` wait for the next one,
    as long as a login may take (`SessionAuth(login_timeout=60)`). Other logins fail, and may be
    tried again after a few seconds.

    If a page of `FormLogin` asks for nothing but codes, and the server refuses one, the next code
    is tried too, once and half a minute later. All other refusals are final, because the server may
    have refused the password.

    >>> code = OneTime(lambda: "123456")  # with pyotp: OneTime(pyotp.TOTP(secret).now)
    >>> fields = [{"user": "ada", "password": "…"}, {"code": code}]

    Raises `TypeError` for anything but a plain function.
    """

    __slots__ = ("_asked", "_function", "_last", "_lock", "_next")

    def __init__(self, function: Callable[[], str]) -> None:
        given: object = function
        if not callable(given) or iscoroutinefunction(given):
            raise TypeError(
                f"OneTime() takes a plain function that returns a code, not {kind_of(function)}"
            )
        self._function = function
        self._last: str | None = None
        self._next: str | None = None
        self._asked = 0.0
        self._lock = threading.Lock()  # never held while the function runs

    def comes(self) -> bool:
        """Ask for a code, unless one is waiting to be sent; tell whether there is a new one."""
        now, last = time.monotonic(), self._last
        if self._next is None or now - self._asked > _KEPT_FOR:
            code = self._function()
            with self._lock:  # meanwhile, another login may have sent it, or even the one after it
                self._next = None if code in {last, self._last} else code
                self._asked = now
        return self._next is not None

    def __call__(self) -> str:
        """Return a new code; raise `LoginUnavailable` if there is none yet."""
        self.comes()
        with self._lock:
            code, self._next = self._next, None
            self._last = code or self._last
        if code is None:
            text = "the one-time code was sent before, and the next one has not come yet"
            raise LoginUnavailable(text, retry_after=_NEXT_TRY)
        return code

    def __reduce__(self) -> tuple[Any, ...]:
        return OneTime, (self._function,)

    def __repr__(self) -> str:
        return "<OneTime>"


def new_codes(fields: object, seconds: float) -> Steps[None]:
    """Wait until each one-time code in these fields is a new one; at most so many seconds."""
    waited = 0.0
    while not all(map(OneTime.comes, _codes(fields))) and waited < seconds:
        waited += _POLL
        yield Pause(_POLL)


def has_codes(fields: object) -> bool:
    """Tell whether a request with these fields uses up a code, so that it may be sent only once."""
    return any(True for _ in _codes(fields))


def _codes(value: object) -> Iterator[OneTime]:
    if isinstance(value, OneTime):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _codes(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _codes(inner)
