"""Event streams of requests: if one ends, the reason may be that its session ended."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any
from weakref import ref

from requests import Response
from urllib3.exceptions import HTTPError

from relogin.client import renewal
from relogin.client.driver.drive import drive
from relogin.client.renewal.cache import CredentialCache
from relogin.client.renewal.commands import Command
from relogin.client.renewal.policy import Credential, ResponseInfo
from relogin.client.terms.outcomes import Outcome, mark

__all__ = ["watch"]


def watch(
    cache: CredentialCache,
    credential: Credential,
    response: Response,
    do: Callable[[Command], object],
) -> None:
    """Find out why a stream has ended, once it has, and mark its response.

    Ignores the response to a POST: it ends when it is complete, and clients do not open it again.
    """
    raw: Any = response.raw
    # The response of a special adapter may have no stream.
    if response.request.method == "GET" and hasattr(type(raw), "stream"):
        # Weak references: if you drop a stream, its connection is closed at once.
        ended = partial(_ended, cache, credential, ref(response), do)
        raw.stream = partial(_stream, ref(raw), ended)


def _stream(raw: ref[Any], ended: Callable[[], None], *args: Any, **kwargs: Any) -> Iterator[bytes]:
    """Take the place of the `stream` of a response of urllib3."""
    watched: Any = raw()
    return _to_its_end(type(watched).stream(watched, *args, **kwargs), ended)


def _to_its_end(stream: Iterator[bytes], ended: Callable[[], None]) -> Iterator[bytes]:
    """Yield what a stream yields. If you close it, that does not count as its end."""
    try:
        yield from stream
    except (HTTPError, OSError):
        ended()
        raise
    ended()


def _ended(
    cache: CredentialCache,
    credential: Credential,
    read: ref[Response],
    do: Callable[[Command], object],
) -> None:
    response = read()
    if response is None:  # nobody could see the mark
        return
    response.raw.close()  # the check may need its connection
    url, origin = response.request.url or "", credential.key.origin
    info = ResponseInfo(response, response.status_code, "GET", url, origin, credential)
    final = drive(renewal.streams.stream_ended(cache, info, cache.clock()), do)
    if final.outcome is Outcome.STREAM_ENDED:
        mark(response, final.outcome)
