"""A proxy that breaks connections: before, in and after a request, and in and after an answer.

Half of the time with a reset, and half of the time with a proper end: what was sent is cut short.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["BreakingProxy", "breaking_proxy"]

_RESET = struct.pack("ii", 1, 0)  # linger for no time: close with RST


class BreakingProxy:
    """Passes octets on, until a connection's time has come: a number of octets, from a seed."""

    def __init__(self, upstream: int, seed: int) -> None:
        self.port = 0
        self.calm = False
        self.broken = 0
        self.half_refusals: list[float] = []
        """When a 401 was properly ended within its header: `http.client` takes it for complete."""
        self._upstream = upstream
        self._random = random.Random(seed)

    async def serve(self, client: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        try:
            answers, on = await asyncio.open_connection("127.0.0.1", self._upstream)
        except OSError:
            back.close()
            return
        limits = self._limits()
        both = [self._pass(client, on, limits[0]), self._pass(answers, back, limits[1])]
        tasks = [asyncio.ensure_future(each) for each in both]
        try:
            with contextlib.suppress(asyncio.CancelledError):  # the end of the run
                await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            for writer in (on, back):
                with contextlib.suppress(OSError):
                    writer.close()

    def _limits(self) -> tuple[int | None, int | None]:
        """Draw after how many octets which direction breaks: a few, or many requests later."""
        if self.calm:
            return None, None
        octets = int(self._random.expovariate(1 / self._random.choice([2_000, 400_000])))
        return (octets, None) if self._random.randrange(2) else (None, octets)

    async def _pass(
        self, source: asyncio.StreamReader, to: asyncio.StreamWriter, limit: int | None
    ) -> None:
        with contextlib.suppress(OSError):
            while octets := await source.read(65536):
                if limit is not None and len(octets) >= limit and not self.calm:
                    to.write(octets[:limit])
                    if self._break(to) and _is_half_refusal(octets[:limit]):
                        self.half_refusals.append(time.monotonic())
                    return
                limit = None if limit is None else limit - len(octets)
                to.write(octets)
                await to.drain()

    def _break(self, writer: asyncio.StreamWriter) -> bool:
        """End a connection; return whether it ends properly."""
        self.broken += 1
        if self._random.randrange(2):
            writer.close()
            return True
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        writer.transport.abort()
        return False

    async def run(self, ready: threading.Event) -> None:
        """Serve until `stop` is called from another thread."""
        self._stopped = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        server = await asyncio.start_server(self.serve, "127.0.0.1", 0, backlog=512)
        self.port = server.sockets[0].getsockname()[1]
        ready.set()
        await self._stopped.wait()
        server.close()

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._stopped.set)


def _is_half_refusal(octets: bytes) -> bool:
    return octets.startswith(b"HTTP/1.1 401") and b"\r\n\r\n" not in octets


@contextmanager
def breaking_proxy(upstream: int, seed: int) -> Iterator[BreakingProxy]:
    """Run one in a thread of its own."""
    proxy, ready = BreakingProxy(upstream, seed), threading.Event()
    thread = threading.Thread(target=lambda: asyncio.run(proxy.run(ready)))
    thread.start()
    ready.wait(10)
    try:
        yield proxy
    finally:
        proxy.stop()
        thread.join(10)
