"""The Cookie header of a signed request, and of the request after a redirect."""

from __future__ import annotations

import copy
from collections.abc import Collection, Mapping
from http.cookiejar import eff_request_host  # type: ignore[attr-defined]  # not in the stubs
from typing import Any
from urllib.parse import urlsplit

from requests import PreparedRequest, Response
from requests.cookies import (
    MockRequest,
    RequestsCookieJar,
    create_cookie,
    extract_cookies_to_jar,
    get_cookie_header,
)

from relogin.client.driver.cookie_text import values, with_cookies
from relogin.client.requests.fields import has

__all__ = ["carry_over_redirect", "leave_behind", "rebuild"]


def rebuild(prepared: PreparedRequest, refused: Response, owned: Collection[str]) -> None:
    """Rebuild the Cookie header of a request that is sent again, without the cookies `owned`.

    requests never replaces an existing Cookie header, so it would ignore cookies that the 401 set
    or deleted. A header that the user wrote keeps its cookies.
    """
    # A plain dict of the user may have it in another case: then it stays as it is.
    header = prepared.headers.pop("Cookie", None) if has(prepared.headers, "cookie") else None
    if has(refused.headers, "set-cookie"):  # the check of who wrote it costs a quarter of a request
        header = _after(refused, prepared, header, owned)
    kept = "" if header is None else with_cookies(header, {}, without=owned)
    if kept:
        prepared.headers["Cookie"] = kept


def _after(
    refused: Response, prepared: PreparedRequest, header: str | None, owned: Collection[str]
) -> str | None:
    jar: RequestsCookieJar = _jar_of(prepared).copy()
    made = get_cookie_header(jar, prepared)
    if _without(values(header), owned) != _without(values(made), owned):
        return header
    extract_cookies_to_jar(jar, refused.request, refused.raw)
    prepared._cookies = jar  # type: ignore[attr-defined]
    fresh: str | None = get_cookie_header(jar, prepared)
    return fresh


def _without(pairs: Mapping[str, str], owned: Collection[str]) -> dict[str, str]:
    return {name: value for name, value in pairs.items() if name not in owned}


def carry_over_redirect(prepared: PreparedRequest, cookies: Mapping[str, str], target: str) -> None:
    """Let a redirect to `target`, which is within the origin, carry the cookies of the grant.

    requests builds the next Cookie header from the jar of the request. Cookies apply to all ports
    by default, so these are bound to one port, and to https if the target uses it.
    """
    url = urlsplit(target)
    # For http.cookiejar a URL without a port has port 80, whatever its scheme is.
    https = url.scheme == "https"
    port = "80,443" if https and url.port in {None, 443} else str(url.port or 80)
    following = copy.copy(prepared)  # with its Host field, if the user wrote one
    following.url = target
    mock: Any = MockRequest(following)
    jar = _jar_of(prepared).copy()
    for name, value in cookies.items():
        jar.set_cookie(
            create_cookie(
                name,
                value,
                domain=eff_request_host(mock)[1],
                port=port,
                secure=https,
            )
        )
    prepared._cookies = jar  # type: ignore[attr-defined]


def leave_behind(prepared: PreparedRequest) -> None:
    """Remove the cookies of `carry_over_redirect` before a redirect to another origin.

    The jar would send them to every host whose name ends like that of the origin.
    """
    jar: Any = _jar_of(prepared).copy()  # the stubs take it for one of names
    for cookie in list(jar):
        if cookie.port_specified:  # no server sets such a cookie
            jar.clear(cookie.domain, cookie.path, cookie.name)
    prepared._cookies = jar  # type: ignore[attr-defined]


def _jar_of(prepared: PreparedRequest) -> RequestsCookieJar:
    jar = getattr(prepared, "_cookies", None)
    if isinstance(jar, RequestsCookieJar):
        return jar
    own = RequestsCookieJar()
    if jar is not None:  # a plain CookieJar that the user passed
        own.update(jar)
    return own
