"""The cookies that a response sets and deletes, read as octets."""

from __future__ import annotations

from http.cookiejar import CookieJar

from relogin.client.driver.cookie_text import values
from relogin.client.httpx_family.library import Library, Response

__all__ = ["cookies_of", "setting"]


def setting(library: Library, response: Response) -> Response:
    """Make a response with the Set-Cookie fields of one, read as octets, to send them back."""
    lines = [line for line in response.headers.raw if line[0].lower() == b"set-cookie"]
    made = library.Response(response.status_code, headers=lines, request=response.request)
    made.headers.encoding = "latin-1"
    return made


class _Jar(CookieJar):
    """A jar that remembers which cookies it was told to delete."""

    def __init__(self) -> None:
        super().__init__()
        self.gone: set[str] = set()

    def clear(
        self, domain: str | None = None, path: str | None = None, name: str | None = None
    ) -> None:
        self.gone.add(name or "")
        super().clear(domain, path, name)


def cookies_of(library: Library, response: Response) -> tuple[dict[str, str], set[str]]:
    """Return which cookies a response sets for its URL, and which it deletes."""
    if "Set-Cookie" not in response.headers:
        return {}, set()
    jar = _Jar()
    cookies, probe = library.Cookies(jar), library.Request("GET", response.request.url)
    probe.headers.encoding = "latin-1"
    cookies.extract_cookies(setting(library, response))
    cookies.set_cookie_header(probe)
    return values(probe.headers.get("Cookie")), jar.gone
