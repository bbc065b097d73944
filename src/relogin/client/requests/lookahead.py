"""Reading the start of an unread body of requests, which you can still read as a whole."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import suppress
from typing import Any

from requests import Response
from urllib3.exceptions import HTTPError
from urllib3.response import HTTPResponse

__all__ = ["Lookahead"]

PIECE = 16 * 1024


class Lookahead:
    """Reads the start of a body, a piece with each call of `more`.

    A streamed body is put together again: you can read every octet from `response.raw`, or anything
    above it, as it was sent. Any other body is read to its end, as requests would do next.
    """

    def __init__(self, response: Response, *, streamed: bool) -> None:
        self._response = response
        self._streamed = streamed
        self._pieces: Iterator[bytes] | None = None

    def more(self) -> bytes:
        """Return the next piece of the decoded body when it comes; empty at its end."""
        if self._pieces is None:
            self._pieces = self._begin()
        return next(self._pieces, b"")

    def _begin(self) -> Iterator[bytes]:
        response, raw = self._response, self._response.raw
        if not self._streamed or response._content_consumed:  # type: ignore[attr-defined]
            return iter((response.content,))
        # The response of a special adapter, such as a cache; or of urllib3-future, which niquests
        # installs in place of urllib3, and which cannot read a body from an object of ours.
        special = not isinstance(raw, HTTPResponse) or not hasattr(raw._fp, "read1")
        if special or hasattr(raw, "extension"):
            return iter(())
        tape = _Tape(raw)
        response.raw = _copy(_Whole, tape, response)
        return _read(_copy(HTTPResponse, _Recorder(tape), response))


def _read(decoded: HTTPResponse) -> Iterator[bytes]:
    # If it breaks off or is malformed here, it will be so for its reader too.
    with suppress(HTTPError):
        while piece := decoded.read1(PIECE, decode_content=True):
            yield piece


class _Tape:
    """The octets of a body as received: recorded first, and replayed before the rest."""

    def __init__(self, raw: HTTPResponse) -> None:
        self._raw = raw
        self._kept = bytearray()
        self._broken: HTTPError | None = None

    def record(self, most: int) -> bytes:
        try:
            piece = self._raw.read1(most, decode_content=False)
        except HTTPError as error:
            self._broken = error
            raise
        self._kept += piece
        return piece

    def read(self, most: int | None = None) -> bytes:
        played = self._play(most)
        if most is not None and len(played) == most:
            return played
        rest = None if most is None else most - len(played)
        return played + self._live().read(rest, decode_content=False)

    def read1(self, most: int | None = None) -> bytes:
        return self._play(most) or self._live().read1(most, decode_content=False)

    def _play(self, most: int | None) -> bytes:
        played = bytes(self._kept[:most])
        del self._kept[: len(played)]
        return played

    def _live(self) -> HTTPResponse:
        if self._broken is not None:
            raise self._broken
        return self._raw

    @property
    def connection(self) -> Any:
        return self._raw.connection

    @property
    def closed(self) -> bool:
        return not self._kept and self._broken is None and self._raw.closed

    def close(self) -> None:
        self._kept.clear()
        self._broken = None
        self._raw.close()
        self._raw.release_conn()


class _Recorder:
    """The tape during recording. It ignores `close`, since the body is read on afterwards."""

    closed = False

    def __init__(self, tape: _Tape) -> None:
        self.read = self.read1 = tape.record

    def close(self) -> None:
        pass


class _Whole(HTTPResponse):
    """A body that starts with what was recorded."""

    @property
    def connection(self) -> Any:
        """The connection of the rest, if it is not released yet."""
        tape: Any = self._fp
        return tape.connection

    def stream(
        self, amt: int | None = 2**16, decode_content: bool | None = None
    ) -> Generator[bytes, None, None]:
        """Yield chunks as they come: it may be an event stream."""
        if not self.chunked:
            yield from super().stream(amt, decode_content)
            return
        while piece := self.read1(amt, decode_content):
            yield piece


def _copy(kind: type[HTTPResponse], body: _Tape | _Recorder, response: Response) -> HTTPResponse:
    raw: Any = response.raw
    return kind(
        body=body,  # type: ignore[arg-type]  # any file will do
        headers=raw.headers,
        status=raw.status,
        version=raw.version,
        reason=raw.reason,
        preload_content=False,
        decode_content=raw.decode_content,
        original_response=raw._original_response,
        retries=raw.retries,
        enforce_content_length=False,  # the original response does that
        request_method=response.request.method,
        request_url=raw.url,
    )
