"""Reading a refused response of niquests to its end, and signals that look into a response.

`relogin.client.drain` reads to the end in a thread; this module does so in a task.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import anyio
from niquests import AsyncResponse, RequestException, Response
from niquests.packages import urllib3

from relogin.client.signals import Error, Signal, signalled
from relogin.client.terms.answer import Answer

__all__ = ["drain_async", "look", "look_async"]

MOST_OCTETS = 64 * 1024
MOST_SECONDS = 2.0
_BROKEN = (RequestException, urllib3.exceptions.HTTPError, OSError, ValueError)


async def drain_async(response: AsyncResponse) -> None:
    """Read what is left of a response, at most 64 KiB for at most 2 s; close it if there is more.

    What was read stays readable.
    """
    if response._content_consumed:
        return
    raw: Any = response.raw
    kept, ended = bytearray(), False
    try:
        with anyio.move_on_after(MOST_SECONDS), suppress(*_BROKEN):
            while len(kept) <= MOST_OCTETS:
                piece = await raw.read1(MOST_OCTETS, decode_content=True)
                kept += piece
                if not piece:
                    ended = True
                    break
    finally:
        if not ended:
            with anyio.CancelScope(shield=True):
                await raw.close()
        raw.release_conn()
    response._content, response._content_consumed = bytes(kept), True


def look(signals: Sequence[Signal], response: Response, *, whole: bool) -> Error | None:
    """Ask signals about a response; if `whole`, with its body, which niquests reads next."""
    return _signalled(signals, response, response.content if whole else b"")


async def look_async(
    signals: Sequence[Signal], response: AsyncResponse, *, whole: bool
) -> Error | None:
    """Ask signals about a response, as `look` does."""
    return _signalled(signals, response, await response.content if whole else b"")


def _signalled(
    signals: Sequence[Signal], response: Response, content: bytes | None
) -> Error | None:
    status, url = response.status_code or 0, response.url or ""
    answer = Answer(status, response.headers, url, content or b"")
    return signalled(signals, answer, bytes)
