"""Reading a response of aiohttp to its end within bounds, or only its start."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import anyio
from aiohttp import ClientError, ClientResponse

from relogin.client.signals import Error, Signal, signalled_async
from relogin.client.terms.answer import Answer

__all__ = ["drain", "free", "look"]

MOST_OCTETS = 64 * 1024
MOST_SECONDS = 2.0
# If it breaks off here, it will do so for its reader too.
_BROKEN = (ClientError, TimeoutError)


async def drain(response: ClientResponse) -> None:
    """Read what is left of a response, at most 64 KiB for at most 2 s; close it if there is more.

    What was read stays readable. The connection is free again, or closed.
    """
    content: Any = response.content
    kept = bytearray()
    try:
        with anyio.move_on_after(MOST_SECONDS), suppress(*_BROKEN):
            while len(kept) <= MOST_OCTETS and (piece := await content.readany()):
                kept += piece
    finally:
        if not content.at_eof():
            response.close()
    if response._body is None:  # an inner middleware may have read it
        vars(response).update(_body=bytes(kept), _released=False)


async def free(response: ClientResponse) -> None:
    """Read a short response to its end to free its connection; you may still get it."""
    length = response.headers.get("Content-Length", "")
    if length.isdecimal() and int(length) <= MOST_OCTETS:
        with suppress(*_BROKEN):
            await response.read()


async def look(signals: Sequence[Signal], response: ClientResponse) -> Error | None:
    """Ask signals about a response; they read no more of it than they need."""
    answer = Answer(response.status, response.headers, str(response.url), reading=True)
    if response._body is not None:
        answer.octets, answer.reading = response._body, False
    seen = bytearray()

    async def more() -> bytes:
        with suppress(*_BROKEN):
            piece = await response.content.readany()
            seen.extend(piece)
            return piece
        return b""

    try:
        return await signalled_async(signals, answer, more)
    finally:
        if seen:
            _put_back(response, bytes(seen))


def _put_back(response: ClientResponse, octets: bytes) -> None:
    with warnings.catch_warnings():  # deprecated, but there is no other way
        warnings.simplefilter("ignore", DeprecationWarning)
        response.content.unread_data(octets)
