"""One request of a login over aiohttp, and the cookies that its session keeps."""

from __future__ import annotations

from collections.abc import Iterator
from http.cookiejar import Cookie, CookieJar
from http.cookies import Morsel
from typing import Any

import anyio
from aiohttp import ClientHandlerType, ClientRequest, ClientResponse, ClientTimeout
from aiohttp.abc import AbstractCookieJar

from relogin.client.logins.sending.request import MOST_OCTETS, SENT_ONCE, Request
from relogin.client.terms.answer import Answer

__all__ = ["Jar", "sent"]


async def sent(http: Any, request: Request, left: float) -> Answer:
    """Send a request and read its response, within bounds."""
    before = SENT_ONCE.set(request.once)
    try:
        return await _sent(http, request, left)
    finally:
        SENT_ONCE.reset(before)


async def _sent(http: Any, request: Request, left: float) -> Answer:
    kept = bytearray()
    async with http.request(
        request.method,
        request.url,
        headers=request.headers,
        data=request.content,
        allow_redirects=False,
        raise_for_status=False,
        timeout=ClientTimeout(total=left),
        **_only_its_cookies(http, request),
    ) as response:
        with anyio.move_on_after(left) as bound:
            while len(kept) <= MOST_OCTETS and (piece := await response.content.readany()):
                kept += piece
        cut = bound.cancelled_caught or not response.content.at_eof()
        if cut:
            response.close()
    set_now = {name: morsel.value for name, morsel in response.cookies.items()}
    return Answer(response.status, response.headers, str(response.url), bytes(kept), cut, set_now)


def _only_its_cookies(http: Any, request: Request) -> dict[str, Any]:
    """Keep the jar out of a request with cookies of its own, as the other libraries do.

    A logout would end the session that the client has now, instead of its own.
    """
    cookies = request.headers.get("Cookie")
    if cookies is None:
        return {}

    async def with_its_own(sent: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
        sent.headers["Cookie"] = cookies
        return await handler(sent)

    return {"middlewares": (*http._middlewares, with_its_own)}


class Jar(CookieJar):
    """The jar of an aiohttp session, as the logins read one: a live view."""

    def __init__(self, jar: AbstractCookieJar) -> None:
        super().__init__()
        self._theirs = jar

    def __iter__(self) -> Iterator[Cookie]:
        return map(_cookie, self._theirs)

    def clear(
        self, domain: str | None = None, path: str | None = None, name: str | None = None
    ) -> None:
        """Remove one cookie."""
        key = domain, path, name

        def is_this(morsel: Morsel[str]) -> bool:
            cookie = _cookie(morsel)
            return (cookie.domain, cookie.path, cookie.name) == key

        self._theirs.clear(is_this)


def _cookie(morsel: Morsel[str]) -> Cookie:
    domain = morsel["domain"]
    return Cookie(
        version=0,
        name=morsel.key,
        value=morsel.coded_value,
        port=None,
        port_specified=False,
        # To http.cookiejar a host without a dot is one of this network.
        domain=domain if "." in domain or ":" in domain else f"{domain}.local",
        domain_specified=False,
        domain_initial_dot=False,
        path=morsel["path"] or "/",
        path_specified=True,
        secure=bool(morsel["secure"]),
        expires=None,
        discard=True,
        comment=None,
        comment_url=None,
        rest={"value": morsel.value},
    )
