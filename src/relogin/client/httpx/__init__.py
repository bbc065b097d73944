"""Renewal for httpx: `httpx.Client(auth=SessionAuth(login, …))`, and the same for `AsyncClient`.

This drives `relogin.client.renewal.flow`, in threads and in tasks of asyncio and trio: it sends,
waits and logs in as the flow says, and decides nothing. Needs the extra ``relogin[httpx]``.
"""

from __future__ import annotations

try:
    import anyio as _anyio  # noqa: F401 - httpx brings it, and the tasks need it
    import httpx
except ImportError as _missing:
    raise ImportError(
        "relogin.client.httpx needs httpx: pip install 'relogin[httpx]'", name=_missing.name
    ) from _missing

from relogin import errors
from relogin.client.driver.failures import by_base
from relogin.client.httpx_family.auth import FamilyAuth
from relogin.client.httpx_family.library import Library

__all__ = [
    "BodyNotReplayable",
    "InvalidGrant",
    "LoginRefused",
    "LoginTimeout",
    "LoginUnavailable",
    "SessionAuth",
]


class LoginRefused(errors.LoginRefused, httpx.HTTPError):
    """The login was refused; `response` is the 401 that asked for it."""


class LoginUnavailable(errors.LoginUnavailable, httpx.HTTPError):
    """The login could not be done now; `response` is the 401 that asked for it."""


class InvalidGrant(errors.InvalidGrant, httpx.HTTPError):
    """The login returned what is no grant; `response` is the 401 that asked for it."""


class LoginTimeout(errors.LoginTimeout, httpx.TimeoutException):
    """The renewal took too long; `response` is the 401 that asked for it."""


class BodyNotReplayable(errors.BodyNotReplayable, httpx.HTTPError):
    """The session lives again, but the body is spent; `response` is the 401."""


class SessionAuth(
    FamilyAuth[httpx.Client | httpx.AsyncClient, httpx.Request, httpx.Response], httpx.Auth
):
    """Renews a dead session for httpx, once for all threads and tasks, and sends the request again.

    One class for `httpx.Client` and for `httpx.AsyncClient` on asyncio and trio; one object may
    serve all of them at once. `login` is any callable, and may be a coroutine function where only
    asynchronous clients use it: it gets a `Context` and returns a `relogin.Grant`, a token, or
    `None` to decline. In an asynchronous client a login that cannot be awaited runs in a thread.
    `context.http` is an `httpx.AsyncClient` for what is awaited, and an `httpx.Client` for all
    else.

    `origins` names whose challenges it answers; a ready-made login brings its own. Give `realm`
    where several tenants share an origin. `signals` are other answers that mean a dead session
    (`relogin.client.signals`). One object is one principal: give it to as many clients as you like.

    `strict` raises `BodyNotReplayable` where a body cannot be sent twice, instead of returning
    the 401. `login_timeout`, in seconds, is what a login may take in an asynchronous client, and
    what its own requests may take in any; others take a renewal over after one and a half times
    that, and stop waiting after two and a half. `budget` is how many logins, and in how many
    seconds, are led before a 401 is returned as it is. `actions` says what an error code asks for,
    where that differs from SPEC.md. `on_event` is called with each `relogin.client.events.Event`.
    `insecure` allows origins that are not https.

    `store` lets several processes share one session: see `relogin.client.stores`. Whose it is, if
    they log in as several, `account` tells apart. With `fresh="always"` the store is asked before
    each request, for servers that give the cookie a new value with each answer.

    httpx shows an auth nothing of its client: where a login needs its proxies or certificates,
    give `http`, the client that `context.http` shall be. And httpx follows redirects and calls
    event hooks below its auth. So a hook that raises on a 401 keeps it from being answered, and a
    warning says so. A redirect within the origin sheds a session that is a cookie: a GET or HEAD
    that it led to is sent once more, with it. One from http to https of the same host takes a
    token along, though that is another origin.

    Raises `ValueError` for a bare callable without `origins`, and for an origin that is neither
    https nor loopback.

    >>> import httpx, relogin
    >>> async def login(context):
    ...     return relogin.Grant(token="…", expires_in=600)
    >>> client = httpx.AsyncClient(auth=SessionAuth(login, "https://api.example.com"))
    """

    _library = Library(
        httpx,
        by_base(LoginRefused, LoginUnavailable, InvalidGrant, LoginTimeout, BodyNotReplayable),
    )
