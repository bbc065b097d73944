"""One sending of a file, whose reads end with it.

aiohttp reads a file in a thread. Cancelled in the midst of that, the sending is over, and the
thread may come to its read when the file is being sent again: that one would lose what it takes.
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
        """Read for this sending, and nothing once it is over."""
        with self._lock:
            return nothing if self._over else read(*arguments)

    def end(self) -> None:
        """Let no read begin any more; one that has begun is waited for: it is short."""
        with self._lock:
            self._over = True


def begin(payload: IOBasePayload) -> None:
    """Begin to send a file anew: what is left of its last sending reads nothing any more."""
    if isinstance(payload, BytesIOPayload):  # which is read in no thread
        return
    attributes, kind = vars(payload), type(payload)
    before = attributes.get("_sending")
    if before is not None:
        before.end()
    sending = attributes["_sending"] = _Sending()
    first, more = partial(kind._read_and_available_len, payload), partial(kind._read, payload)
    # aiohttp takes these from the object each time it gives one of them to a thread.
    attributes["_read_and_available_len"] = partial(sending.read, first, (None, b""))
    attributes["_read"] = partial(sending.read, more, b"")
