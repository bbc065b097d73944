"""Reading a refused response to its end, within bounds, so that its connection is free again."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Any

from requests import Response
from urllib3.exceptions import HTTPError
from urllib3.response import HTTPResponse

__all__ = ["drain"]

MOST_OCTETS = 64 * 1024
MOST_SECONDS = 2.0
_LITTLE = 64


def drain(
    response: Response,
    octets: int = MOST_OCTETS,
    seconds: float = MOST_SECONDS,
    *,
    keep: bool = True,
) -> bool:
    """Read what is left of a response, within bounds; close it if there is more.

    What was read stays readable as the response's content; returns whether that is all of it. A
    connection is never handed back with unread octets in it, nor open where `keep` is false.
    """
    if response._content_consumed:  # type: ignore[attr-defined]
        return True
    raw = response.raw
    if not isinstance(raw, HTTPResponse):  # an adapter of the user's own, without a connection
        _ = response.content
        return True
    ended, release = False, raw.release_conn
    if not keep:
        # Reading to the end releases the connection, and another thread could take it at once.
        raw.release_conn = _do_nothing  # type: ignore[method-assign]
    try:
        kept, ended = _read(raw, octets, seconds)
    finally:  # an interrupt must not take a connection out of a pool that has no other
        if not (ended and keep):
            raw.close()
        release()
    response._content = kept
    response._content_consumed = True  # type: ignore[attr-defined]
    return ended


def _do_nothing() -> None:
    pass


def _read(raw: HTTPResponse, octets: int, seconds: float) -> tuple[bytes, bool]:
    """Read within the bounds; tell whether that was all."""
    kept, until = bytearray(), time.monotonic() + seconds
    socket: Any = getattr(raw.connection, "sock", None)
    before = socket.gettimeout() if socket is not None else None
    encoded, ended = "Content-Encoding" in raw.headers, False
    read, most = raw.read1, MOST_OCTETS
    if not hasattr(raw._fp, "read1"):  # hishel's; `read` waits for as much as it is asked for
        read, most = raw.read, _LITTLE
    try:
        # One octet in a while keeps under any bound of octets: the clock decides as well.
        while len(kept) <= octets and (left := until - time.monotonic()) > 0:
            if socket is not None:
                socket.settimeout(left if before is None else min(left, before))
            piece = read(most, decode_content=encoded)
            kept += piece
            # What is compressed may have come whole, and not be read to its end.
            if not piece or (raw.length_remaining == 0 and not encoded):
                if not raw.closed:
                    # Nothing comes, but urllib3-future frees the connection no sooner.
                    read(1, decode_content=encoded)
                ended = True
                break
    except (HTTPError, OSError, ValueError):
        pass  # what was read is enough
    if socket is not None and ended:
        with suppress(OSError):  # it is free again, and closed where its pool was full
            socket.settimeout(before)
    return bytes(kept), ended
