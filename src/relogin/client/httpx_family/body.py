"""Whether a request's body can be sent twice, and a refused answer's end."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from functools import partial
from socket import SHUT_RDWR, fromfd
from typing import Any, TypeAlias

from relogin.client.driver.content import has_body
from relogin.client.driver.passes import AsyncChunks, Chunks, Passes
from relogin.client.driver.seek import seek
from relogin.client.httpx_family.library import Library, Request, Response
from relogin.client.renewal.policy import UNAUTHORIZED

__all__ = [
    "MOST_OCTETS",
    "Rewind",
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
"""Puts a body back to where it was before it was sent; `False` where it cannot be sent again."""


def watch(library: Library, request: Request, spent: Callable[[], Exception]) -> Rewind:
    """Prepare a body for being sent twice, before it is sent once.

    Where only a second pass can show that there is none, that pass raises `spent()`.
    """
    stream: Any = request.stream
    if isinstance(stream, library.ByteStream):
        return _always
    if isinstance(stream, library.multipart):
        return partial(_rewind_files, stream)
    source = getattr(stream, "_stream", stream)  # what the user passed; httpx shows it nowhere
    if hasattr(source, "read") or hasattr(source, "aread"):
        return _file(library, stream, source)
    return _repeated(library, request, source, spent)


def _always() -> bool:
    return True


def _never() -> bool:
    return False


def _rewind_files(multipart: Any) -> bool:
    # httpx itself puts each file back to its beginning, but goes on where one has none.
    files = (getattr(field, "file", b"") for field in multipart.fields)
    return all(isinstance(file, str | bytes) or seek(file, 0) for file in files)


def _file(library: Library, stream: object, source: Any) -> Rewind:
    if isinstance(stream, library.AsyncByteStream):
        source = getattr(source, "wrapped", None)  # anyio and trio show the file beneath theirs
        if not isinstance(source, io.IOBase):
            return _never
    try:
        return partial(seek, source, source.tell())
    except Exception:  # noqa: BLE001 - a file of the user's own may raise anything
        return _never


def _repeated(
    library: Library, request: Request, source: Any, spent: Callable[[], Exception]
) -> Rewind:
    """Let a body that can be iterated twice show that it is the same both times."""
    stream = request.stream
    # An iterator is its own iterator, and spent after one pass.
    if not isinstance(stream, library.AsyncByteStream):
        if iter(source) is iter(source):
            return _never
        request.stream = library.streaming(Chunks)(source, Passes(spent))
    elif not isinstance(stream, library.SyncByteStream):
        if aiter(source) is aiter(source):
            return _never
        request.stream = library.streaming(AsyncChunks)(source, Passes(spent))
    else:  # the user's own, for both clients: nobody can say which way it goes
        return _never
    return _always


def pieces(
    library: Library, stream: Any, rewind: Rewind, spent: Callable[[], Exception]
) -> Iterable[bytes] | None:
    """Read a body before it is sent; `None` where it cannot be read twice, or not in a thread.

    Where it turns out at its end that it cannot be, that raises `spent()`.
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

    What was read stays readable. httpx reads a refused response to its end before it sends the
    next request, however long that takes: this leaves it nothing to wait for.
    """
    if is_drained(library, response):
        return
    kept, until = bytearray(), time.monotonic() + MOST_SECONDS / 2
    doubtful = _Doubtful(response)
    with (
        hurried(response),
        closing(_stream(response)) as stream,
        suppress(library.HTTPError),
    ):
        doubtful.end_at(0)
        for piece in stream:
            kept += piece
            doubtful.end_at(len(kept))
            if len(kept) > MOST_OCTETS or time.monotonic() > until:
                break
    _keep(library, response, bytes(kept))


async def drain_async(library: Library, response: Response) -> None:
    """Read what is left of a response, as `drain` does."""
    if is_drained(library, response):
        return
    import anyio

    kept, stream = bytearray(), _stream(response)
    doubtful = _Doubtful(response)
    try:
        with anyio.move_on_after(MOST_SECONDS) as bound, suppress(library.HTTPError):
            doubtful.end_at(0)
            async for piece in stream:
                kept += piece
                doubtful.end_at(len(kept))
                if len(kept) > MOST_OCTETS:
                    # Not `break`: cancelled in their next read, the generators within end in order.
                    bound.cancel()
                if len(kept) > 4 * MOST_OCTETS:  # a transport of the user's that never waits
                    break
    finally:
        await stream.aclose()
    _keep(library, response, bytes(kept))


class _Doubtful:
    """The connection on which a request with a body was refused, and the end of that refusal.

    Its server may not have read the body, and then closes the connection, whatever it said. So we
    end it as soon as we have the answer, before anybody else takes it. It is not closed, because a
    pool asks first whether it is readable, and trio asks that of no closed socket.
    """

    def __init__(self, response: Response) -> None:
        self._connection: Any = response.extensions.get("network_stream")
        self._octets = -1
        length = response.headers.get("Content-Length", "")
        refused = response.status_code == UNAUTHORIZED and has_body(response.request.headers)
        alone = response.http_version.startswith("HTTP/1")
        if self._connection is not None and refused and alone and length.isdecimal():
            self._octets = int(length)

    def end_at(self, octets: int) -> None:
        """End the connection if so many octets are all that the answer has."""
        if octets == self._octets:
            with suppress(OSError):
                _shut_down(self._connection.get_extra_info("socket"))


def _shut_down(connected: Any) -> None:
    try:
        connected.shutdown(SHUT_RDWR)
    except TypeError:  # uvloop's does not: another of the same connection does
        with fromfd(connected.fileno(), connected.family, connected.type) as another:
            another.shutdown(SHUT_RDWR)


def _stream(response: Response) -> Any:
    return response.stream


def is_read(response: Response) -> bool:
    """Tell whether a response has nothing more to read: an event hook may have been first."""
    return response.is_closed or response.is_stream_consumed


def is_drained(library: Library, response: Response) -> bool:
    """Tell whether a response holds no connection any more."""
    return is_read(response) or isinstance(response.stream, library.ByteStream)


@contextmanager
def hurried(response: Response) -> Iterator[None]:
    """Let no read of a 401 take longer than half the time there is: the last may begin late.

    Its transport asks the request for that, when the first octet of a body is read.
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
    """Leave with a response what was read of it, or nothing where httpx would choke on that."""
    took = getattr(response.stream, "elapsed", None)
    if took is not None:  # httpx2 asks the stream, and httpx has been told by it
        response.elapsed = took
    if "Content-Encoding" in response.headers:
        stream = library.ByteStream(octets)
        trial = library.Response(200, headers=response.headers, stream=stream)
        try:
            trial.read()
        except library.DecodingError:
            octets = b""
    response.stream = library.ByteStream(octets)
