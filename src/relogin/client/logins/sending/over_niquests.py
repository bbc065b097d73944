"""One request of a login over niquests, whose two kinds of session differ in `await` only."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from relogin.client.logins.sending.request import MOST_OCTETS, Request
from relogin.client.terms.answer import Answer

if TYPE_CHECKING:
    from niquests import AsyncResponse, AsyncSession, PreparedRequest, Response, Session

__all__ = ["sent", "sent_async"]

_PIECE = 16 * 1024


def sent(http: Session, request: Request, left: float) -> Answer:
    """Send a request and read its response, within bounds."""
    body = _Body(left)

    def read(response: Response, **_: Any) -> None:
        # In a hook: niquests reads a redirect without a bound even if it does not follow it.
        for piece in response.iter_content(_PIECE):
            if body.is_full(piece):
                response.close()
                break
        body.keep_in(response)

    response = http.request(request.method, request.url, **_options(request, left, read))
    return body.answer(response)


async def sent_async(http: AsyncSession, request: Request, left: float) -> Answer:
    """Send a request and read its response, as `sent` does."""
    body = _Body(left)

    async def read(response: AsyncResponse, **_: Any) -> None:
        async for piece in await response.iter_content(_PIECE):
            if body.is_full(piece):
                await response.close()
                break
        body.keep_in(response)

    response = await http.request(request.method, request.url, **_options(request, left, read))
    return body.answer(response)


class _Body:
    """What has been read of a response, and whether there is more."""

    def __init__(self, left: float) -> None:
        self._octets = bytearray()
        self._until = time.monotonic() + left
        self._cut = False

    def is_full(self, piece: bytes) -> bool:
        """Add a piece; tell whether no more may be read."""
        self._octets += piece
        self._cut = len(self._octets) > MOST_OCTETS or time.monotonic() > self._until
        return self._cut

    def keep_in(self, response: Response) -> None:
        """Leave what was read with the response: niquests looks for it there."""
        response._content, response._content_consumed = bytes(self._octets), True

    def answer(self, response: Response) -> Answer:
        """Return the response as a login sees it."""
        set_now = {cookie.name: cookie.value or "" for cookie in response.cookies}
        status, url = response.status_code or 0, response.url or ""
        return Answer(status, response.headers, url, bytes(self._octets), self._cut, set_now)


def _options(request: Request, left: float, read: Callable[..., Any]) -> Mapping[str, Any]:
    return {
        "headers": dict(request.headers),
        "data": request.content,
        "auth": _unsigned,
        "hooks": {"response": [read]},
        "stream": True,
        "allow_redirects": False,
        "timeout": left,
    }


def _unsigned(prepared: PreparedRequest) -> PreparedRequest:
    """Keep netrc and the session's own auth away: niquests uses them only without an auth."""
    return prepared
