"""Whether the body of a request can be sent a second time, whole."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from requests import PreparedRequest

from reauth.errors import BodyNotReplayable

__all__ = ["rewind", "watch"]


class _Chunks:
    """An iterable body that notices when a second pass does not begin like the first.

    Nobody can tell from outside whether an object can be iterated twice: a progress bar around a
    generator looks the same, and would upload nothing.
    """

    def __init__(self, source: Iterable[Any]) -> None:
        self._source = source
        self._first: Any = None

    def __iter__(self) -> Iterator[Any]:
        chunks = iter(self._source)
        first = next(chunks, None)
        if self._first is None:
            self._first = first
        elif first != self._first:
            raise BodyNotReplayable("the body cannot be read a second time: it is not sent short")
        if first is not None:
            yield first
        yield from chunks

    def can_repeat(self) -> bool:
        # A generator, a file or any other iterator is its own iterator: it is spent.
        return iter(self._source) is not iter(self._source)


def watch(prepared: PreparedRequest) -> None:
    """Prepare a body that has no position for being sent twice; all others stay as they are."""
    body: Any = prepared.body
    if isinstance(body, str | bytes | bytearray | None) or hasattr(body, "read"):
        return
    if isinstance(body, Iterable) and not isinstance(body, _Chunks):
        prepared.body = _Chunks(body)  # type: ignore[assignment]


def rewind(prepared: PreparedRequest) -> bool:
    """Put the body back to where it was when the request was prepared; `False` if that fails."""
    body: Any = prepared.body
    if isinstance(body, str | bytes | bytearray | None):
        return True
    if isinstance(body, _Chunks):
        return body.can_repeat()
    position = getattr(prepared, "_body_position", None)
    if not isinstance(position, int):
        return False
    try:
        body.seek(position)
        return bool(body.tell() == position)
    except (AttributeError, OSError, ValueError):  # it has no seek, cannot, or is closed
        return False
