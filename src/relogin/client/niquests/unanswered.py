"""Uploads without a response in niquests, and the small request that asks why."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Generator
from typing import Any

from niquests import ConnectTimeout, PreparedRequest, RequestException, Response, Timeout
from niquests.packages import urllib3

from relogin.client.niquests.steps import AnyAdapter, Drain, Look, Send, Sending, Step
from relogin.client.renewal.cache import CredentialCache
from relogin.client.renewal.commands import Check
from relogin.client.renewal.policy import ResponseInfo
from relogin.client.requests.broken import has_stalled, is_broken
from relogin.client.requests.fields import challenge_lines
from relogin.client.requests.unanswered import small_request
from relogin.client.signals import Error
from relogin.client.terms.origins import sent_to

__all__ = ["ask", "doer", "in_place_of_a_response", "is_unanswered", "signalled"]


def is_unanswered(error: RequestException) -> bool:
    """Tell whether a request may have reached its server without getting a response."""
    if isinstance(error, Timeout):
        return not isinstance(error, ConnectTimeout)
    return _is_broken(error) or has_stalled(error, urllib3.exceptions.NewConnectionError)


def _is_broken(error: RequestException) -> bool:
    # Over HTTP/2 and HTTP/3 a server may end a single stream: then no connection breaks.
    return is_broken(error, urllib3.exceptions.ProtocolError)


def doer() -> object:
    """Return the task or thread that sends, which cannot send two requests at once."""
    try:
        task = asyncio.current_task()
    except RuntimeError:  # no loop runs in this thread
        task = None
    return task or threading.current_thread()


def in_place_of_a_response(prepared: PreparedRequest, adapter: AnyAdapter | None) -> Response:
    """Make an internal stand-in for a response that never came."""
    nothing: Any = Response()
    nothing.request, nothing.connection, nothing.url = prepared, adapter, prepared.url
    nothing.status_code, nothing._content, nothing._content_consumed = 0, b"", True
    response: Response = nothing
    return response


def ask(
    cache: CredentialCache, adapter: AnyAdapter, sending: Sending, command: Check
) -> Generator[Step, Any, ResponseInfo]:
    """Send a small request over the route of an upload or a stream; return its response."""
    # A stream may wait forever, a small request may not.
    timeout = sending.get("timeout") or cache.policy.login_timeout
    sending = {**sending, "multiplexed": False, "stream": True, "timeout": timeout}
    asked: Any = small_request(cache, command)
    try:
        response: Any = yield Send(adapter, asked, sending)
    except RequestException as error:
        if not _is_broken(error):
            raise
        # A kept connection may have been closed. This request is safe, so it may be sent twice.
        response = yield Send(adapter, asked, sending)
    signal = yield from signalled(cache, response, whole=False)
    yield Drain(response, bounded=True)
    return command.answered(response, response.status_code, challenge_lines(response), signal)


def signalled(
    cache: CredentialCache, response: Response, *, whole: bool
) -> Generator[Step, Any, Error | None]:
    """Ask the signals about a response; `whole` says whether they see its body."""
    signals = cache.policy.signals_for(response.status_code or 0)
    request = response.request
    if not signals or request is None or sent_to(request.url) not in cache.policy.origins:
        return None
    found: Error | None = yield Look(response, signals, whole)
    return found
