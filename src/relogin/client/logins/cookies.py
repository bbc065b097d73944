"""The cookies that a login has set, and the jar of its client."""

from __future__ import annotations

import re
from collections.abc import Container, Mapping
from contextlib import suppress
from http.cookiejar import Cookie, CookieJar
from typing import Any

from relogin.client.events import warn
from relogin.client.logins.answers import instead, said
from relogin.client.terms.answer import Answer
from relogin.errors import LoginUnavailable

__all__ = ["check_cookies", "cookies_in", "remove", "set_in", "values_of"]


def check_cookies(answer: Answer, cookies: CookieJar) -> None:
    """Raise if a login that should have set cookies has set none; warn if one was lost.

    A browser keeps a cookie and ignores a quoted age (RFC 6265 §5.2.2); `http.cookiejar` does not.
    """
    fields = [one.headers.get("Set-Cookie", "") for one in (*answer.history, answer)]
    is_quoted = any(map(_has_quoted_age, fields))
    if not len(cookies):
        why = _QUOTED if is_quoted else _LOST if any(fields) else instead(answer)
        raise LoginUnavailable(f"{said(answer)} without a cookie{why}")
    if is_quoted:
        warn("%s without a cookie%s; the session may need it", said(answer), _QUOTED)


_QUOTED = " that is kept: Python drops one whose Max-Age is in quotes"
_LOST = " that is kept: its domain, path or age may be wrong"
_has_quoted_age = re.compile(r';\s*max-age\s*=\s*"', re.IGNORECASE).search


def values_of(cookies: Any) -> dict[str, str]:
    """Return the names and values of the cookies in a jar, or in a mapping."""
    if isinstance(cookies, Mapping):
        return dict(cookies)
    return {cookie.name: cookie.value or "" for cookie in cookies}


def set_in(jar: CookieJar, answer: Answer, known: Container[str] = ()) -> CookieJar:
    """Pick the living cookies that the login set, and `known` ones; a client may have others too.

    `answer` is the last of the login. Raises an error if somebody else has set one meanwhile.
    """
    given: dict[str, set[str]] = {}
    for one in (*answer.history, answer):
        for name, value in one.cookies.items():
            given.setdefault(name, set()).add(value)
    picked = CookieJar()
    for cookie in cookies_in(jar):
        if cookie.name in given or cookie.name in known:
            picked.set_cookie(cookie)
    for name, values in given.items():
        kept = {_value(cookie) for cookie in picked if cookie.name == name}
        if kept and not kept & values:
            raise LoginUnavailable(f"{said(answer)}, {_CHANGED}")
    return picked


_CHANGED = (
    "but meanwhile another request through the client of http= has set other cookies; give each "
    "account a client of its own"
)


def _value(cookie: Cookie) -> str:
    """Return the value as the libraries show it with a response; that of aiohttp is unquoted."""
    return cookie.get_nonstandard_attr("value") or cookie.value or ""


def cookies_in(jar: CookieJar) -> list[Cookie]:
    """Return what is in a jar now: other threads may use it too."""
    with jar._cookies_lock:  # type: ignore[attr-defined]  # http.cookiejar iterates without it
        return list(jar)


def remove(jar: CookieJar, key: tuple[str, str, str]) -> None:
    """Remove a cookie by its domain, path and name, if it is still there."""
    with jar._cookies_lock, suppress(KeyError):  # type: ignore[attr-defined]
        jar.clear(*key)
