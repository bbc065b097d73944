"""Sending the requests of a login, over whichever HTTP library its client belongs to.

It follows no redirects: the login decides. It reads no more than a bound, and waits no longer than
a deadline. How one request is sent, a module for each library knows: `over_requests` and so on.
"""

from __future__ import annotations

import time
from collections.abc import Generator
from http.cookiejar import CookieJar
from importlib import import_module
from typing import Any, TypeAlias, TypeVar

from relogin.client.logins.sending import over_httpx, over_requests
from relogin.client.logins.sending.connections import (
    BAD_GATEWAY,
    chain,
    is_broken,
    kept_by,
    leave_broken,
)
from relogin.client.logins.sending.request import Pause, Request
from relogin.client.logins.sending.spent_token import was_sent
from relogin.client.terms.answer import Answer
from relogin.client.terms.libraries import library_of
from relogin.errors import LoginUnavailable

__all__ = ["NoAnswer", "Steps", "jar_of", "run", "run_async"]

HTTPX = frozenset({"httpx", "httpx2"})


class NoAnswer(LoginUnavailable):
    """No response came; `sent` says whether the request may have reached its server."""

    sent: bool = True
    broken: bool = False
    """Whether an established connection broke before any response."""


T = TypeVar("T")
Steps: TypeAlias = Generator[Request | Pause, Answer, T]


def jar_of(http: Any) -> CookieJar:
    """Return the cookie jar of a client; httpx keeps it inside its own, aiohttp has another."""
    if library_of(http) == "aiohttp":
        from relogin.client.logins.sending.over_aiohttp import Jar

        return Jar(http.cookie_jar)
    jar: CookieJar = getattr(http.cookies, "jar", http.cookies)
    return jar


def run(steps: Steps[T], http: Any, seconds: float) -> T:
    """Run a login over a `requests.Session` or an `httpx.Client`."""
    steps, until = _showing_nothing(steps), time.monotonic() + seconds
    try:
        request = next(steps)
        while True:
            if isinstance(request, Pause):
                time.sleep(_within(request.seconds, until))
                request = next(steps)
                continue
            try:
                answer = _sent(http, request, until)
            except NoAnswer as error:
                request = steps.throw(error)
            else:
                request = steps.send(answer)
    except StopIteration as end:
        result: T = end.value
        return result


async def run_async(steps: Steps[T], http: Any, seconds: float) -> T:
    """Run a login over an `httpx.AsyncClient` or an `aiohttp.ClientSession`."""
    steps, until = _showing_nothing(steps), time.monotonic() + seconds
    try:
        request = next(steps)
        while True:
            if isinstance(request, Pause):
                await _sleep(_within(request.seconds, until))
                request = next(steps)
                continue
            try:
                answer = await _sent_async(http, request, until)
            except NoAnswer as error:
                request = steps.throw(error)
            else:
                request = steps.send(answer)
    except StopIteration as end:
        result: T = end.value
        return result


def _showing_nothing(steps: Steps[T]) -> Steps[T]:
    """Replace Python's error, which contains the whole text: it may be a password."""
    try:
        return (yield from steps)
    except UnicodeEncodeError as error:
        failed = LoginUnavailable(
            f"a value of the login cannot be encoded as {error.encoding}: check the encoding of "
            "the file or environment variable that it comes from"
        )
    raise failed


def _within(seconds: float, until: float) -> float:
    return max(min(seconds, until - time.monotonic()), 0.0)


async def _sleep(seconds: float) -> None:
    import anyio  # every asynchronous client brings it along, and a plain requests does not

    await anyio.sleep(seconds)


def _sent(http: Any, request: Request, until: float) -> Answer:
    """Send a request, and once more if its connection was closed already."""
    kept = kept_by(http)
    try:
        answer = _sent_once(http, request, until)
    except NoAnswer as error:
        if request.once or not (error.broken and leave_broken(kept)):
            raise
    else:
        if request.once or answer.status != BAD_GATEWAY:
            return answer
    return _sent_once(http, request, until)


def _sent_once(http: Any, request: Request, until: float) -> Answer:
    try:
        left, library = _left(until), library_of(http)
        if library in HTTPX:
            return over_httpx.sent(http, request, left)
        if library == "niquests":
            from relogin.client.logins.sending import over_niquests

            return over_niquests.sent(http, request, left)
        return over_requests.sent(http, request, left)
    except _failures(http) as error:
        failed = _no_answer(request, error)
    raise failed


async def _sent_async(http: Any, request: Request, until: float) -> Answer:
    """Send a request, as `_sent` does."""
    kept = kept_by(http)
    try:
        answer = await _sent_once_async(http, request, until)
    except NoAnswer as error:
        if request.once or not (error.broken and leave_broken(kept)):
            raise
    else:
        if request.once or answer.status != BAD_GATEWAY:
            return answer
    return await _sent_once_async(http, request, until)


async def _sent_once_async(http: Any, request: Request, until: float) -> Answer:
    try:
        left, library = _left(until), library_of(http)
        if library == "aiohttp":
            from relogin.client.logins.sending import over_aiohttp

            return await over_aiohttp.sent(http, request, left)
        if library == "niquests":
            from relogin.client.logins.sending import over_niquests

            return await over_niquests.sent_async(http, request, left)
        return await over_httpx.sent_async(http, request, left)
    except _failures(http) as error:
        failed = _no_answer(request, error)
    raise failed


class NoTimeLeft(TimeoutError):
    """The time of the login is over before this request was sent."""


def _left(until: float) -> float:
    left = until - time.monotonic()
    if left <= 0:
        raise NoTimeLeft("the login has used up its time")
    return left


def _no_answer(request: Request, error: BaseException) -> NoAnswer:
    """Return an error that names the root cause; the libraries' own texts show whole URLs.

    Raise it without a cause: the exceptions of the libraries hold the request with its password.
    """
    *_, bottom = errors = list(chain(error))
    plain = type(bottom).__module__ in {__name__, "builtins", "socket", "ssl"}
    shown = isinstance(bottom, OSError) and plain
    reason = str(bottom) if shown else type(bottom).__name__
    if isinstance(error, LoginUnavailable):  # our own session says why
        reason = str(error)
    url = request.url.partition("?")[0]
    failed = NoAnswer(f"no response from {url}: {reason}")
    if any(type(one).__name__ in _UNREADABLE for one in errors):
        failed = NoAnswer(f"{url} answered in a Content-Encoding that cannot be read")
    failed.sent = was_sent(error)
    failed.broken = is_broken(error)
    return failed


# What httpx and aiohttp raise; requests has the body as it came.
_UNREADABLE = frozenset({"DecodingError", "ContentEncodingError"})


def _failures(http: Any) -> tuple[type[Exception], ...]:
    name = library_of(http) or "requests"
    library: Any = import_module(name)
    if name in HTTPX:
        from ssl import SSLError  # on asyncio, httpx does not wrap a TLS alert

        return (library.HTTPError, library.InvalidURL, TimeoutError, SSLError)
    if name == "aiohttp":
        return (library.ClientError, ValueError, TimeoutError)
    # ValueError: requests raises it for some redirects, even if it does not follow them.
    return (library.RequestException, ValueError, TimeoutError)
