"""Ends the reads of a file together with the request that sends it.

aiohttp reads a file in a thread. If the request is cancelled meanwhile, the thread may read later,
when the file is sent again: the second request would lose what the thread reads.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from typing import Any

from aiohttp.payload import BytesIOPayload, IOBasePayload

__all__ = ["begin"]


class _Sending:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._over = False

    def read(self, read: Callable[..., Any], nothing: object, *arguments: object) -> Any:
        """Read for this request; nothing once it has ended."""
        with self._lock:
            return nothing if self._over else read(*arguments)

    def end(self) -> None:
        """Prevent further reads, and wait for one in progress, which is short."""
        with self._lock:
            self._over = True


def begin(payload: IOBasePayload) -> None:
    """Start to send a file again; left-over reads of the previous request return nothing."""
    if isinstance(payload, BytesIOPayload):  # it is not read in a thread
        return
    attributes, kind = vars(payload), type(payload)
    before = attributes.get("_sending")
    if before is not None:
        before.end()
    sending = attributes["_sending"] = _Sending()
    first, more = partial(kind._read_and_available_len, payload), partial(kind._read, payload)
    # aiohttp looks these up each time it passes one of them to a thread.
    attributes["_read_and_available_len"] = partial(sending.read, first, (None, b""))
    attributes["_read"] = partial(sending.read, more, b"")
