"""One request of a login over httpx or httpx2, in a thread or in a task."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import aclosing, closing
from typing import Any

from relogin.client.logins.sending.request import MOST_OCTETS, ONCE, Request
from relogin.client.terms.answer import Answer

__all__ = ["sent", "sent_async"]


def sent(http: Any, request: Request, left: float) -> Answer:
    """Send a request and read its response, within bounds."""
    response = http.send(_built(http, request, left), **_UNSIGNED)
    kept, until = bytearray(), time.monotonic() + left
    with closing(response):
        for piece in response.iter_bytes():
            kept += piece
            if len(kept) > MOST_OCTETS or time.monotonic() > until:
                return _answer(response, kept, cut=True)
    return _answer(response, kept)


async def sent_async(http: Any, request: Request, left: float) -> Answer:
    """Send a request and read its response, as `sent` does."""
    import anyio

    response = await http.send(_built(http, request, left), **_UNSIGNED)
    kept = bytearray()
    async with aclosing(response):
        with anyio.move_on_after(left) as bound:
            async for piece in response.aiter_bytes():
                kept += piece
                if len(kept) > MOST_OCTETS:
                    # Not `break`: cancelled in their next read, the generators within end in order.
                    bound.cancel()
    return _answer(response, kept, cut=bound.cancelled_caught)


_UNSIGNED: Mapping[str, Any] = {"auth": None, "stream": True, "follow_redirects": False}


def _built(http: Any, request: Request, left: float) -> Any:
    return http.build_request(
        request.method,
        request.url,
        headers=request.headers,
        content=request.content,
        timeout=left,
        extensions={ONCE: request.once},
    )


def _answer(response: Any, octets: bytearray, *, cut: bool = False) -> Answer:
    cookies = {cookie.name: cookie.value or "" for cookie in response.cookies.jar}
    return Answer(
        response.status_code, response.headers, str(response.url), bytes(octets), cut, cookies
    )
