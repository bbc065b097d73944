"""The cookies that a response of aiohttp sets: for the next request, the jar and the grant."""

from __future__ import annotations

from http.cookies import Morsel, SimpleCookie

from aiohttp import ClientRequest, ClientResponse, CookieJar

__all__ = ["set_by", "take_in"]


def set_by(response: ClientResponse) -> dict[str, str]:
    """Return the cookies that a response sets for its URL, as they will be sent.

    `response.cookies` has only one of each name, even if the response deletes another one.
    """
    jar = CookieJar(unsafe=True, quote_cookie=False)
    jar.update_cookies_from_headers(response.headers.getall("Set-Cookie", []), response.url)
    return _sent_to(jar, response)


def take_in(request: ClientRequest, refused: ClientResponse) -> tuple[dict[str, str], set[str]]:
    """Return which cookies a 401 sets for the repeated request, and which it deletes.

    aiohttp sees only the last response, so this updates the jar of the session too.
    """
    if not refused.cookies:
        return {}, set()
    request.session.cookie_jar.update_cookies(refused.cookies, refused.url)
    lasting = SimpleCookie()
    for name, morsel in refused.cookies.items():
        lasting[name] = _lasting(morsel)
    now, ever = _sent_back(refused.cookies, refused), _sent_back(lasting, refused)
    return now, ever.keys() - now.keys()


def _sent_back(cookies: SimpleCookie, refused: ClientResponse) -> dict[str, str]:
    jar = CookieJar(unsafe=True, quote_cookie=False)
    jar.update_cookies(cookies, refused.url)
    return _sent_to(jar, refused)


def _sent_to(jar: CookieJar, response: ClientResponse) -> dict[str, str]:
    return {name: m.coded_value for name, m in jar.filter_cookies(response.url).items()}


def _lasting(morsel: Morsel[str]) -> Morsel[str]:
    copied: Morsel[str] = morsel.copy()
    copied["max-age"] = copied["expires"] = ""
    return copied
