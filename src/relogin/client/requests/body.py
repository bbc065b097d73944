"""Whether the body of a request can be sent a second time, whole."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any

from requests import PreparedRequest

from relogin.client.driver.bodies import Chunks, Passes, seek
from relogin.errors import BodyNotReplayable

__all__ = ["pieces", "rewind", "watch"]

_PIECE = 64 * 1024
_WHOLE = (str, bytes, type(None))  # a tuple, because `|` would make a union for each request


def watch(prepared: PreparedRequest) -> None:
    """Prepare a body to be sent twice; call this before it is sent for the first time."""
    body: Any = prepared.body
    if isinstance(body, _WHOLE):
        return
    if hasattr(body, "read"):
        _keep_position(prepared, body)
    elif isinstance(body, Iterable) and not (isinstance(body, Chunks) or _is_buffer(body)):
        # Its error is not the class for requests: that is an OSError, and urllib3 would try again.
        prepared.body = Chunks(body, Passes())  # type: ignore[assignment]


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
    if isinstance(body, Chunks):
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
    if isinstance(body, str):
        return (body.encode(),)
    if not rewind(prepared):
        return None
    if isinstance(body, Chunks):
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
