"""Values that a server takes only once, such as the codes of an authenticator app."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from inspect import iscoroutinefunction
from typing import Any, NamedTuple, NoReturn

from relogin.client.logins.base import check_refused, kind_of
from relogin.client.logins.keyed_digest import keyed_digest
from relogin.client.logins.sending.exchange import Steps
from relogin.client.logins.sending.request import Pause
from relogin.client.terms.answer import Answer
from relogin.client.terms.sources import Place
from relogin.errors import LoginRefused, LoginUnavailable

__all__ = ["OneTime", "SentCodes", "has_codes", "new_codes", "sent_codes"]

# In seconds, how long most codes are good (RFC 6238 §5.2).
_NEXT_CODE = 30.0
_POLL = 1.0
_NEXT_TRY = 5.0
# How long a code that was asked for may wait to be sent, if a login fails in between.
_KEPT_FOR = 10.0
# How many accounts, or passwords, may share one app; beyond that, the oldest is forgotten.
_MOST_ACCOUNTS = 64


class OneTime:
    """A function that returns one-time codes; as the value of a field, no code is sent twice.

    If the function still returns the last code, `FormLogin` and `JSONLogin` wait for the next one,
    as long as a login may take (`SessionAuth(login_timeout=60)`). Other logins fail, and relogin
    may try them again after a few seconds.

    If the server refuses a code, relogin tries one more, half a minute later. All other refusals
    are final, because relogin never sends a refused password again. It takes the code for wrong if
    a page of `FormLogin` asked for nothing else that is secret, or if the server has accepted the
    same other fields before. If the server says what was wrong, pass `refused`, a function that
    gets the `Answer` and returns true if it was the code. Then this function alone decides.

    >>> code = OneTime(lambda: "123456")  # with pyotp: OneTime(pyotp.TOTP(secret).now)
    >>> fields = [{"user": "ada", "password": "…"}, {"code": code}]

    A server that tells a wrong code from a wrong password in JSON:

    >>> from relogin.client.signals import json_field
    >>> code = OneTime(lambda: "123456", refused=json_field("error", "invalid_otp"))

    Raises `TypeError` for anything but plain functions.
    """

    __slots__ = ("_accepted_with", "_asked", "_function", "_last", "_lock", "_next", "_refused")

    def __init__(
        self,
        function: Callable[[], str],
        *,
        refused: Callable[[Answer], object] | None = None,
    ) -> None:
        given: object = function
        if not callable(given) or iscoroutinefunction(given):
            raise TypeError(
                f"OneTime() takes a plain function that returns a code, not {kind_of(function)}"
            )
        check_refused(refused)
        self._function = function
        self._refused = refused
        self._accepted_with: dict[bytes, None] = {}
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

    def accept(self, others: bytes) -> None:
        """Remember the digest of the other fields that the server has accepted with a code."""
        with self._lock:
            self._accepted_with[others] = None
            if len(self._accepted_with) > _MOST_ACCOUNTS:
                del self._accepted_with[next(iter(self._accepted_with))]

    @property
    def may_be_to_blame(self) -> bool:
        """Whether nobody can tell a wrong code from a wrong password."""
        return self._refused is None

    def is_to_blame(self, answer: Answer, others: bytes, *, alone: bool) -> bool:
        """Tell whether the server has refused the code, and not what was sent with it."""
        if self._refused is not None:
            return bool(self._refused(answer))
        return alone or others in self._accepted_with

    def __reduce__(self) -> tuple[Any, ...]:
        return partial(OneTime, refused=self._refused), (self._function,)

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


_PERHAPS = (
    ": the password or the one-time code was wrong; if it was the code, call reset(), or pass "
    "OneTime(…, refused=…), which recognises a wrong code"
)


class SentCodes(NamedTuple):
    """The one-time codes of one request, a digest of the `others` that it sent, and whether there
    are none that may be secret.
    """

    codes: tuple[OneTime, ...]
    others: bytes
    alone: bool

    def accept(self) -> None:
        """Remember what was accepted: if it is refused later, the code is to blame."""
        for code in self.codes:
            code.accept(self.others)

    def refused(self, error: LoginRefused, answer: Answer, attempt: int) -> NoReturn:
        """Raise the error of a refusal: the next code may be right, if the first was to blame."""
        blamed = (code.is_to_blame(answer, self.others, alone=self.alone) for code in self.codes)
        if attempt > 1:
            raise error
        if any(blamed):
            text = f"{error}: the next one-time code is tried once"
            raise LoginUnavailable(text, retry_after=_NEXT_CODE) from None
        if any(code.may_be_to_blame for code in self.codes):
            raise LoginRefused(f"{error}{_PERHAPS}") from None
        raise error


def sent_codes(fields: object, values: object, *, alone: bool = False) -> SentCodes:
    """Collect the codes in these fields, which were sent with these values."""
    return SentCodes(tuple(_codes(fields)), keyed_digest(_others(fields, values)), alone)


def _others(fields: object, values: Any) -> object:
    """Return the values that are the same in each login if the user changes nothing."""
    if isinstance(fields, OneTime | Place):
        return None
    if isinstance(fields, Mapping):
        return {name: _others(inner, values[name]) for name, inner in fields.items()}
    if isinstance(fields, list | tuple):
        return [_others(inner, value) for inner, value in zip(fields, values, strict=True)]
    return values
