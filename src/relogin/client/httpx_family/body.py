"""Whether the body of a request can be sent twice, and reading refused responses to their end."""

from __future__ import annotations

import io
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from functools import partial
from socket import SHUT_RDWR, fromfd
from typing import Any, TypeAlias

from relogin.client.driver.bodies import AsyncChunks, Chunks, Passes, seek
from relogin.client.driver.content import has_body
from relogin.client.httpx_family.library import Library, Request, Response
from relogin.client.renewal.policy import UNAUTHORIZED

__all__ = [
    "MOST_OCTETS",
    "Rewind",
    "always",
    "drain",
    "drain_async",
    "hurried",
    "is_drained",
    "is_read",
    "pieces",
    "watch",
]

MOST_OCTETS = 64 * 1024
MOST_SECONDS = 2.0

Rewind: TypeAlias = Callable[[], bool]
"""Puts a body back to its start; returns `False` if it cannot be sent again."""


def watch(library: Library, request: Request, spent: Callable[[], Exception]) -> Rewind:
    """Prepare a body that is no `ByteStream` to be sent twice, before it is sent the first time.

    If only a second pass can show that the body is spent, that pass raises `spent()`.
    """
    stream: Any = request.stream
    if isinstance(stream, library.multipart):
        return partial(_rewind_files, stream)
    source = getattr(stream, "_stream", stream)  # what the user passed; there is no public access
    if hasattr(source, "read") or hasattr(source, "aread"):
        return _file(library, request, source, spent)
    return _repeated(library, request, source, spent)


def always() -> bool:
    """Rewind a body that needs no rewinding."""
    return True


def _never() -> bool:
    return False


def _rewind_files(multipart: Any) -> bool:
    # httpx puts each file back to its start by itself, but ignores a failure.
    files = (getattr(field, "file", b"") for field in multipart.fields)
    return all(isinstance(file, str | bytes) or seek(file, 0) for file in files)


def _file(
    library: Library, request: Request, source: Any, spent: Callable[[], Exception]
) -> Rewind:
    """Wrap a file so that each pass starts where it was: httpx sends it again after a redirect."""
    stream: Any = request.stream
    asynchronous = isinstance(stream, library.AsyncByteStream)
    rewind = _rewinding(source, wrapped=asynchronous)
    kind: Any = _AsyncFromStart if asynchronous else _FromStart
    request.stream = library.streaming(kind)(stream, rewind, Passes(spent))
    return rewind


def _rewinding(source: Any, *, wrapped: bool) -> Rewind:
    if wrapped:
        source = getattr(source, "wrapped", None)  # anyio and trio wrap a file
        if not isinstance(source, io.IOBase):
            return _never
    try:
        return partial(seek, source, source.tell())
    except Exception:  # noqa: BLE001 - a file object of the user may raise anything
        return _never


class _FromStart:
    """The stream of a file, which is put back before each pass.

    It is no `Chunks`: a pass that has begun would go on from wherever another one ends.
    """

    def __init__(self, stream: Any, rewind: Rewind, passes: Passes) -> None:
        self._chunks = Chunks(stream, passes)
        self._rewind = rewind

    def __iter__(self) -> Iterator[bytes]:
        self._rewind()
        return iter(self._chunks)


class _AsyncFromStart:
    """The same in a task."""

    def __init__(self, stream: Any, rewind: Rewind, passes: Passes) -> None:
        self._chunks = AsyncChunks(stream, passes)
        self._rewind = rewind

    def __aiter__(self) -> AsyncIterator[bytes]:
        self._rewind()
        return aiter(self._chunks)


def _repeated(
    library: Library, request: Request, source: Any, spent: Callable[[], Exception]
) -> Rewind:
    """Wrap a body that can be iterated twice, to check that it is the same both times."""
    stream = request.stream
    # An iterator is its own iterator: one pass spends it.
    if not isinstance(stream, library.AsyncByteStream):
        if iter(source) is iter(source):
            return _never
        request.stream = library.streaming(Chunks)(source, Passes(spent))
    elif not isinstance(stream, library.SyncByteStream):
        if aiter(source) is aiter(source):
            return _never
        request.stream = library.streaming(AsyncChunks)(source, Passes(spent))
    else:  # a class of the user, for both clients: unknown
        return _never
    return always


def pieces(
    library: Library, stream: Any, rewind: Rewind, spent: Callable[[], Exception]
) -> Iterable[bytes] | None:
    """Read a body before it is sent; `None` if it cannot be read twice, or not in a thread.

    If only the end of the body shows that it cannot be read twice, that raises `spent()`.
    """
    if isinstance(stream, library.ByteStream):
        found: Iterable[bytes] = stream
        return found
    if not isinstance(stream, library.SyncByteStream) or not rewind():
        return None
    return _read(stream, rewind, spent)


def _read(
    stream: Iterable[bytes], rewind: Rewind, spent: Callable[[], Exception]
) -> Iterator[bytes]:
    yield from stream
    if not rewind():
        raise spent()


def drain(library: Library, response: Response) -> None:
    """Read what is left of a response, at most 64 KiB for at most 2 s; close it if there is more.

    What was read stays readable. Before httpx sends the next request, it reads a refused response
    to its end, however long that takes: after this, it has nothing to wait for.
    """
    if is_drained(library, response):
        return
    stream: Any = response.stream
    kept, until = bytearray(), time.monotonic() + MOST_SECONDS / 2
    doubtful = _Doubtful(response)
    with hurried(response), closing(stream), suppress(library.HTTPError):
        # Closed before its end, the connection is closed too. To shut it down would be too late in
        # threads: another may take it from the pool between its last check and our end.
        for piece in () if doubtful.is_whole(0) else stream:
            kept += piece
            over = len(kept) > MOST_OCTETS or time.monotonic() > until
            if over or doubtful.is_whole(len(kept)):
                break
    _keep(library, response, bytes(kept))


async def drain_async(library: Library, response: Response) -> None:
    """Do the same as `drain`."""
    if is_drained(library, response):
        return
    import anyio

    stream: Any = response.stream
    kept, doubtful = bytearray(), _Doubtful(response)
    try:
        with anyio.move_on_after(MOST_SECONDS) as bound, suppress(library.HTTPError):
            doubtful.end_at(0)
            async for piece in stream:
                kept += piece
                doubtful.end_at(len(kept))
                if len(kept) > MOST_OCTETS:
                    # Not `break`: a cancelled read ends the inner generators in order.
                    bound.cancel()
                if len(kept) > 4 * MOST_OCTETS:  # a transport of the user that never waits
                    break
    finally:
        await stream.aclose()
    _keep(library, response, bytes(kept))


class _Doubtful:
    """A connection on which a request with a body was refused.

    A server that has not read the body closes the connection, even if it promised to keep it. So no
    other request may use it. On a loop, it is shut down as soon as we have the response: it cannot
    be closed, because the pool first checks whether it is readable, and trio cannot check a closed
    socket.
    """

    def __init__(self, response: Response) -> None:
        self._connection: Any = response.extensions.get("network_stream")
        self._octets = -1
        length = response.headers.get("Content-Length", "")
        refused = response.status_code == UNAUTHORIZED and has_body(response.request.headers)
        alone = response.http_version.startswith("HTTP/1")
        if self._connection is not None and refused and alone and length.isdecimal():
            self._octets = int(length)

    def is_whole(self, octets: int) -> bool:
        """Tell whether the response has this many octets, so all were read."""
        return octets == self._octets

    def end_at(self, octets: int) -> None:
        """Shut down the connection if the response has this many octets."""
        if self.is_whole(octets):
            with suppress(OSError):
                _shut_down(self._connection.get_extra_info("socket"))


def _shut_down(connected: Any) -> None:
    try:
        connected.shutdown(SHUT_RDWR)
    except TypeError:  # a socket of uvloop cannot: use a duplicate
        with fromfd(connected.fileno(), connected.family, connected.type) as another:
            another.shutdown(SHUT_RDWR)


def is_read(response: Response) -> bool:
    """Tell whether a response is read: an event hook may have done so."""
    return response.is_closed or response.is_stream_consumed


def is_drained(library: Library, response: Response) -> bool:
    """Tell whether a response no longer holds a connection."""
    return is_read(response) or isinstance(response.stream, library.ByteStream)


@contextmanager
def hurried(response: Response) -> Iterator[None]:
    """Limit each read of a 401 to half of the total time, since the last read may start late.

    The transport takes this limit from the request when it reads the first octet of the body.
    """
    extensions = response.request.extensions
    before = extensions["timeout"]
    if response.status_code == UNAUTHORIZED:
        seconds = MOST_SECONDS / 2
        extensions["timeout"] = {**before, "read": min(seconds, before.get("read") or seconds)}
    try:
        yield
    finally:
        extensions["timeout"] = before


def _keep(library: Library, response: Response, octets: bytes) -> None:
    """Store in a response what was read of it, or nothing if httpx cannot decode that."""
    took = getattr(response.stream, "elapsed", None)
    if took is not None:  # httpx2 asks the stream; httpx already knows
        response.elapsed = took
    if "Content-Encoding" in response.headers:
        stream = library.ByteStream(octets)
        trial = library.Response(200, headers=response.headers, stream=stream)
        try:
            trial.read()
        except library.DecodingError:
            octets = b""
    response.stream = library.ByteStream(octets)
