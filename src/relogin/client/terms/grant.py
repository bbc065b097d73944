"""What a login gets, and what it returns."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Collection, Mapping, MutableMapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from math import isfinite
from types import MappingProxyType
from typing import Any, Protocol, TypeAlias
from urllib.parse import urlsplit

from relogin.client.terms.fields import check_field_name, is_field_value
from relogin.client.terms.progress import Progress
from relogin.client.terms.scopes import scope_tokens
from relogin.errors import InvalidGrant
from relogin.reasons import SessionError
from relogin.wire.model import Challenge

__all__ = ["Context", "CookieJar", "Grant", "granted", "is_cookie_value", "with_refresh_of"]


class _Jar(Protocol):
    """A jar of `http.cookiejar`, as requests and httpx have it."""

    def add_cookie_header(self, request: Any, /) -> None: ...


class _AiohttpJar(Protocol):
    def filter_cookies(self, url: Any, /) -> Any: ...


CookieJar: TypeAlias = _Jar | _AiohttpJar
"""The cookie jar of a client: requests, httpx, niquests or aiohttp."""


@dataclass(frozen=True, slots=True, repr=False)
class Grant:
    """A session that a login obtained: a token, cookies, header fields, or several of these.

    `token` is sent in Authorization, or as `carry=` says. `cookies` is a mapping of names to
    values, or the cookie jar of the client that logged in; cookies of other hosts are dropped.
    `headers` are header fields to send with each request, such as a CSRF token; they are secrets
    too. `expires_in` is how many seconds the session lives if no request comes. With None, 0 or
    less it is renewed only when the server refuses it. `refresh`, such as a refresh token, is kept
    for the next login and never sent with a request. `scope` is what the token may be used for, if
    known: a str such as ``"read write"``, or several. `location` is the session's own URL, if it
    has one, for `Logout()`.

    Raises `InvalidGrant`, which is a `ValueError` and a `TypeError`, for an empty grant and for
    values of other types.

    >>> Grant(token="secret", expires_in=600)
    <Grant with token, expires_in=600>
    """

    token: str | None = None
    cookies: Mapping[str, str] | CookieJar = field(default_factory=dict)
    expires_in: float | None = None
    refresh: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    scope: Collection[str] = field(default=(), kw_only=True)
    location: str | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        for name in ("token", "refresh", "location"):
            value = getattr(self, name)
            if value is not None and not isinstance(value, str):
                raise InvalidGrant(f"Grant.{name} must be a str, not {_kind(value)}")
        if not (isinstance(self.cookies, (dict, Mapping)) or _is_jar(self.cookies)):
            kind = _kind(self.cookies)
            raise InvalidGrant(f"Grant.cookies must be a mapping or a cookie jar, not {kind}")
        if self.headers or not isinstance(self.headers, dict):
            _check_headers(self.headers)
        if self.token == "" or not (self.token or self.cookies or self.headers):
            raise InvalidGrant(
                "a Grant needs a token, cookies or headers; a login that declines returns None"
            )
        if self.expires_in is not None and not _is_seconds(self.expires_in):
            raise InvalidGrant(
                "Grant.expires_in must be a finite number of seconds, or None if it is not known"
            )
        if self.scope == ():
            return
        try:
            object.__setattr__(self, "scope", scope_tokens(self.scope))
        except (TypeError, ValueError) as error:
            raise InvalidGrant(f"Grant.scope: {error}") from None

    def __repr__(self) -> str:
        names = ("token", "cookies", "headers", "refresh")
        credential = [name for name in names if getattr(self, name)]
        expiry = [] if self.expires_in is None else [f"expires_in={self.expires_in:g}"]
        return f"<Grant with {', '.join(credential + expiry)}>"


def with_refresh_of(grant: Grant | None, newest: Grant) -> Grant:
    """Return a grant with another refresh token."""
    if grant is not None:
        return replace(grant, refresh=newest.refresh)
    return Grant(newest.token, refresh=newest.refresh, scope=newest.scope)


def _closed() -> None:
    """Open no client."""


def _unsigned(_: MutableMapping[str, str], url: str) -> str:
    return url


@dataclass(frozen=True, init=False, repr=False)
class Context:
    """Why a login is needed, and a client to do it with.

    `challenge` is the challenge in the 401, or `None` if there was none; `error` is its code and
    `realm` its realm (empty if it has none). `method` and `url` are those of the request that was
    refused, or that waits for this login. `attempt` counts the logins since the last success, from
    1. `previous` is the grant that died, if there was one; use its `refresh` for a refresh token.
    `scope` is what the new token should be good for, after a 403 `insufficient_scope`: the scopes
    held and demanded, together. `timeout` is how many seconds the login may take.

    A logout gets one too: there `previous` is the grant of the session to end, and `http` sends it
    along to its origin. It does not if `SessionAuth` got an `http=`, and never to other origins:
    ``url = context.sign(headers, url)`` puts the session on a request by hand.

    Everything but the origin of `url` comes from the server, so do not use it to decide where a
    secret goes.

    >>> def login(context):
    ...     response = context.http.post("https://api.example.com/login", json={"user": "ada"})
    ...     response.raise_for_status()
    ...     return response.json()["access_token"]
    """

    challenge: Challenge | None
    error: SessionError | str | None
    realm: str
    method: str
    url: str
    attempt: int
    previous: Grant | None
    scope: tuple[str, ...]
    timeout: float
    open_http: Callable[[], Any] = field(compare=False)
    sign: Callable[[MutableMapping[str, str], str], str] = field(compare=False)
    progress: Progress = field(compare=False)

    def __init__(
        self,
        *,
        challenge: Challenge | None,
        error: SessionError | str | None,
        realm: str,
        method: str,
        url: str,
        attempt: int = 1,
        previous: Grant | None = None,
        scope: tuple[str, ...] = (),
        timeout: float = 20.0,
        open_http: Callable[[], Any] = _closed,
        sign: Callable[[MutableMapping[str, str], str], str] = _unsigned,
        progress: Progress | None = None,
    ) -> None:
        self.__dict__.update(  # at once: a frozen dataclass sets each field by a slow call
            challenge=challenge,
            error=error,
            realm=realm,
            method=method,
            url=url,
            attempt=attempt,
            previous=previous,
            scope=scope,
            timeout=timeout,
            open_http=open_http,
            sign=sign,
            progress=Progress() if progress is None else progress,
        )

    @cached_property
    def http(self) -> Any:
        """A client of the driver's own library for the login to use, made when first asked for.

        It shares the request's connections, proxies and TLS settings, and neither its cookies
        nor its credentials: no netrc, no auth, no hooks.
        """
        self.progress.opened = True
        return self.open_http()

    def with_http(self, open_http: Callable[[], Any]) -> Context:
        """Return a copy that opens `http` in this way; drivers do so for each login."""
        context = object.__new__(type(self))
        context.__dict__.update(self.__dict__, open_http=open_http)
        return context

    def __repr__(self) -> str:
        return f"<Context {self.method} {self.error or 'no session'} realm={self.realm!r}>"


def granted(result: object, url: str) -> Grant | None:
    """Turn what a login returned into a grant for requests to `url`; `None` if it declined.

    Raises `InvalidGrant`, a `TypeError`, for what cannot sign a request. The error shows types and
    names, never a value.
    """
    if result is None:
        return None
    if isinstance(result, Grant):
        return result if _is_plain(result) else _with_plain_cookies(result, url)
    if isinstance(result, str) and result:
        return Grant(token=result)
    if inspect.iscoroutine(result):
        result.close()
        raise InvalidGrant("the login is a coroutine function, so it needs an asynchronous client")
    returned = "an empty str" if result == "" else _kind(result)
    raise InvalidGrant(
        f"a login must return a relogin.Grant, a token (str) or None; this one returned {returned}"
    )


def _is_plain(grant: Grant) -> bool:
    """Tell whether there are neither cookies nor header fields to copy; a jar may fill later."""
    return type(grant.cookies) is dict and not grant.cookies and not grant.headers


def _with_plain_cookies(grant: Grant, url: str) -> Grant:
    jar: Any = getattr(grant.cookies, "jar", grant.cookies)  # httpx.Cookies keeps its jar inside
    plain = _cookies_for(jar, url) if _is_jar(jar) else dict(jar)
    # aiohttp gives morsels of http.cookies, which know how their values are sent.
    plain = {name: getattr(value, "coded_value", value) for name, value in plain.items()}
    if not (grant.token or plain or grant.headers):
        raise InvalidGrant(
            f"none of this Grant's cookies can be sent with the request to "
            f"{urlsplit(url).hostname}: they are for other hosts or paths, or Secure (https only)"
        )
    for name, value in plain.items():
        if not (isinstance(name, str) and isinstance(value, str)):
            raise InvalidGrant(
                f"Grant.cookies must map str to str, not {_kind(name)} to {_kind(value)}"
            )
        if not (_is_cookie_name(name) and is_cookie_value(value)):
            raise InvalidGrant("a cookie of this Grant cannot be sent (RFC 6265 §4.1.1)")
    headers = MappingProxyType(dict(grant.headers))
    return replace(grant, cookies=MappingProxyType(plain), headers=headers)


def _check_headers(headers: object) -> None:
    if not isinstance(headers, Mapping):
        raise InvalidGrant(f"Grant.headers must be a mapping, not {_kind(headers)}")
    for name, value in headers.items():
        try:
            check_field_name("Grant.headers", name)
        except (TypeError, ValueError) as error:
            raise InvalidGrant(str(error)) from None
        if not isinstance(value, str):
            raise InvalidGrant(f"Grant.headers: {name} must be a str, not {_kind(value)}")
        if not is_field_value(value):
            raise InvalidGrant(f"Grant.headers: the value of {name} cannot be sent in a header")


def _kind(value: object) -> str:
    return type(value).__name__


def _is_seconds(value: object) -> bool:
    try:
        return isinstance(value, int | float) and type(value) is not bool and isfinite(value)
    except OverflowError:  # an integer of hundreds of digits
        return False


# RFC 6265 §4.1.1, with the spaces, commas and octets that servers set and get back all the same.
_is_cookie_name = re.compile(r"[!#-+\--:<>-\[\]-~]++").fullmatch
is_cookie_value: Callable[[str], re.Match[str] | None] = re.compile(
    r"[ -:<-~\x80-\xff]*+"
).fullmatch


def _is_jar(cookies: object) -> bool:
    return hasattr(cookies, "add_cookie_header") or hasattr(cookies, "filter_cookies")


def _cookies_for(jar: Any, url: str) -> dict[str, Any]:
    """Return what a jar would send to `url`: a login may have visited other hosts."""
    if hasattr(jar, "filter_cookies"):  # of aiohttp
        from yarl import URL

        return dict(jar.filter_cookies(URL(url)))
    from urllib.request import Request  # slow to load, and few grants hold a jar

    request = Request(url)  # noqa: S310 - never opened, only asked for its Cookie header
    jar.add_cookie_header(request)
    pairs = (request.get_header("Cookie") or "").split("; ")
    return {name: value for name, _, value in (pair.partition("=") for pair in pairs) if name}
