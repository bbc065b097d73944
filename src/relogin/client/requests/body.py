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


class _Chunks:
    """An iterable body that notices when a second pass does not give what the first gave.

    Nobody can tell from outside whether an object can be iterated twice: a progress bar around a
    generator looks the same, and would upload nothing. What raises in the middle of a body cannot
    be taken for a whole one by any server: no last chunk, or too few octets.
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
            # Not of requests' own kind, which is an OSError: urllib3 would try the request again.
            raise BodyNotReplayable("the body cannot be read a second time: it is not sent short")

    def can_repeat(self) -> bool:
        # A generator, a file or any other iterator is its own iterator: it is spent.
        return iter(self._source) is not iter(self._source)


def watch(prepared: PreparedRequest) -> None:
    """Prepare a body for being sent twice; called before it is sent for the first time."""
    body: Any = prepared.body
    if isinstance(body, str | bytes | None):
        return
    if hasattr(body, "read"):
        _keep_position(prepared, body)
    elif isinstance(body, Iterable) and not (isinstance(body, _Chunks) or _is_buffer(body)):
        prepared.body = _Chunks(body)  # type: ignore[assignment]


def _keep_position(prepared: PreparedRequest, body: Any) -> None:
    # requests has done this for what can be iterated over; a memory map, say, cannot.
    if getattr(prepared, "_body_position", None) is None and hasattr(body, "tell"):
        with suppress(OSError):
            prepared._body_position = body.tell()  # type: ignore[attr-defined]


def rewind(prepared: PreparedRequest) -> bool:
    """Put the body back to where it was when the request was prepared; `False` if that fails."""
    body: Any = prepared.body
    if isinstance(body, str | bytes | None):
        return True
    if isinstance(body, _Chunks):
        return body.can_repeat()
    if hasattr(body, "read"):
        position = getattr(prepared, "_body_position", None)
        # It is no number where requests could not tell.
        return isinstance(position, int) and seek(body, position)
    return _is_buffer(body)


def pieces(prepared: PreparedRequest) -> Iterable[bytes] | None:
    """Read the body before it is sent, as it goes on the wire; `None` if it cannot be read twice.

    To be called after `watch`.
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
    """Tell whether urllib3 would send this object's octets as they lie in memory."""
    try:
        memoryview(body)  # type: ignore[arg-type]
    except TypeError:
        return False
    return True
