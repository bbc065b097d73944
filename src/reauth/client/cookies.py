"""The Cookie header of a signed request, and what requests makes of it on a redirect."""

from __future__ import annotations

from collections.abc import Mapping
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

from reauth.client.cookie_text import values, with_cookies

__all__ = ["carry_over_redirect", "rebuild", "values", "with_cookies"]


def rebuild(prepared: PreparedRequest, refused: Response, owned: Mapping[str, str]) -> None:
    """Bring what the 401 set into the Cookie header of the request that is sent again.

    requests never replaces a Cookie header that is there, so the dead one would go out once more.
    A header that the user wrote is the user's, and is left alone.
    """
    if not len(refused.cookies):
        return
    jar: RequestsCookieJar = _jar_of(prepared).copy()
    written = values(prepared.headers.pop("Cookie", None))
    if _without(written, owned) == _without(values(get_cookie_header(jar, prepared)), owned):
        extract_cookies_to_jar(jar, refused.request, refused.raw)
        prepared._cookies = jar  # type: ignore[attr-defined]
        header = get_cookie_header(jar, prepared)
    else:
        header = "; ".join(f"{name}={value}" for name, value in written.items())
    if header:
        prepared.headers["Cookie"] = header


def _without(pairs: Mapping[str, str], owned: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in pairs.items() if name not in owned}


def carry_over_redirect(prepared: PreparedRequest, cookies: Mapping[str, str]) -> None:
    """Let a redirect within the origin carry the grant's cookies, and none to another.

    requests builds the next Cookie header from the request's own jar. A cookie knows no port of
    itself, so these are bound to it, and to https where the request used that.
    """
    url = urlsplit(prepared.url or "")
    port = url.port or (443 if url.scheme == "https" else 80)
    mock: Any = MockRequest(prepared)
    jar = _jar_of(prepared).copy()
    for name, value in cookies.items():
        jar.set_cookie(
            create_cookie(
                name,
                value,
                domain=eff_request_host(mock)[1],
                port=str(port),
                secure=url.scheme == "https",
            )
        )
    prepared._cookies = jar  # type: ignore[attr-defined]


def _jar_of(prepared: PreparedRequest) -> RequestsCookieJar:
    jar = getattr(prepared, "_cookies", None)
    if isinstance(jar, RequestsCookieJar):
        return jar
    own = RequestsCookieJar()
    if jar is not None:  # a plain CookieJar that the user passed
        own.update(jar)
    return own
