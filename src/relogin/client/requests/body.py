"""Whether the body of a request can be sent a second time, whole."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any

from requests import PreparedRequest

from relogin.client.driver.seek import seek
from relogin.errors import BodyNotReplayable

__all__ = ["pieces", "rewind", "watch"]

_PIECE = 64 * 1024
_WHOLE = (str, bytes, type(None))  # a tuple, because `|` would make a union for each request


class _Chunks:
    """An iterable body that raises an error if a second pass differs from the first.

    You cannot see whether an object can be iterated twice: a progress bar around a generator looks
    as if it could, but the second upload would be empty. An error in the middle of a body is safe:
    without the last chunk, or with too few octets, no server takes it for a whole body.
    """

    def __init__(self, source: Iterable[Any]) -> None:
        self._source = source
        self._first: Any = None
        self._most = 0

    def __iter__(self) -> Iterator[Any]:
        octets = 0
        for index, chunk in enumerate(self._source):
            if index == 0 and self._first is None:
                self._first = chunk
            elif index == 0 and chunk != self._first:
                break
            octets += len(chunk)
            self._most = max(self._most, octets)
            yield chunk
        if octets < self._most:
            # Not the class for requests, which is an OSError: urllib3 would retry the request.
            raise BodyNotReplayable("the body cannot be read a second time: it is not sent short")

    def can_repeat(self) -> bool:
        # A generator, a file or any other iterator is its own iterator: one pass spends it.
        return iter(self._source) is not iter(self._source)


def watch(prepared: PreparedRequest) -> None:
    """Prepare a body to be sent twice; call this before it is sent for the first time."""
    body: Any = prepared.body
    if isinstance(body, _WHOLE):
        return
    if hasattr(body, "read"):
        _keep_position(prepared, body)
    elif isinstance(body, Iterable) and not (isinstance(body, _Chunks) or _is_buffer(body)):
        prepared.body = _Chunks(body)  # type: ignore[assignment]


def _keep_position(prepared: PreparedRequest, body: Any) -> None:
    # requests does this for iterable bodies, but a memory map, for example, is not iterable.
    if getattr(prepared, "_body_position", None) is None and hasattr(body, "tell"):
        with suppress(OSError):
            prepared._body_position = body.tell()  # type: ignore[attr-defined]


def rewind(prepared: PreparedRequest) -> bool:
    """Put the body back to its position when prepared; return `False` if that fails."""
    body: Any = prepared.body
    if isinstance(body, _WHOLE):
        return True
    if isinstance(body, _Chunks):
        return body.can_repeat()
    if hasattr(body, "read"):
        position = getattr(prepared, "_body_position", None)
        # It is not a number if requests could not find it out.
        return isinstance(position, int) and seek(body, position)
    return _is_buffer(body)


def pieces(prepared: PreparedRequest) -> Iterable[bytes] | None:
    """Read the body as it will be sent; return `None` if it cannot be read twice.

    Call this after `watch`.
    """
    body: Any = prepared.body
    if body is None:
        return ()
    if isinstance(body, str | bytes):
        return (_octets(body),)
    if not rewind(prepared):
        return None
    if isinstance(body, _Chunks):
        return map(_octets, body)
    return _read(prepared, body) if hasattr(body, "read") else (bytes(body),)


def _read(prepared: PreparedRequest, file: Any) -> Iterator[bytes]:
    while piece := file.read(_PIECE):
        yield _octets(piece)
    if not rewind(prepared):
        raise BodyNotReplayable("the body was read to sign it, and cannot be read again")


def _octets(piece: str | bytes) -> bytes:
    return piece.encode() if isinstance(piece, str) else piece  # as urllib3 does


def _is_buffer(body: object) -> bool:
    """Tell whether urllib3 would send the memory of this object as it is."""
    try:
        memoryview(body)  # type: ignore[arg-type]
    except TypeError:
        return False
    return True
