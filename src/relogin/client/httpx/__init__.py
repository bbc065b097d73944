"""Renewal for httpx: `httpx.Client(auth=SessionAuth(login, …))`, and the same for `AsyncClient`.

`relogin.client.renewal.flow` decides what to do; this module sends, waits and logs in, in threads
and in tasks of asyncio and trio. Needs the extra ``relogin[httpx]``.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

try:
    import httpx

    if find_spec("anyio") is None:  # httpx installs it; tasks import it when they need it
        raise ModuleNotFoundError(name="anyio")  # noqa: TRY301
except ModuleNotFoundError as _missing:
    raise ImportError(
        "relogin.client.httpx needs httpx: pip install 'relogin[httpx]'", name=_missing.name
    ) from _missing

if not hasattr(httpx, "Auth"):  # the pre-releases of 1.0 are a library of another design
    raise ImportError(
        "relogin.client.httpx needs httpx below 1.0, because httpx 1.0 takes no auth:"
        " pip install 'httpx<1'",
        name="httpx",
    )

from relogin import errors
from relogin.client.driver.failures import by_base
from relogin.client.httpx_family.auth import FamilyAuth
from relogin.client.httpx_family.library import Library
from relogin.client.httpx_family.transport import Uploads, UploadsAsync

__all__ = [
    "AsyncUploadTransport",
    "BodyNotReplayable",
    "InvalidGrant",
    "LoginRefused",
    "LoginTimeout",
    "LoginUnavailable",
    "MethodNotReplayable",
    "SessionAuth",
    "UploadTransport",
]


class LoginRefused(errors.LoginRefused, httpx.HTTPError):
    """The login was refused; `response` is the 401 that asked for it, if any."""


class LoginUnavailable(errors.LoginUnavailable, httpx.HTTPError):
    """The login could not be done now; `response` is the 401 that asked for it, if any."""


class InvalidGrant(errors.InvalidGrant, httpx.HTTPError):
    """The login returned no valid grant; `response` is the 401 that asked for it, if any."""


class LoginTimeout(errors.LoginTimeout, httpx.TimeoutException):
    """The renewal took too long; `response` is the 401 that asked for it, if any."""


class BodyNotReplayable(errors.BodyNotReplayable, httpx.HTTPError):
    """The session was renewed, but the body cannot be sent again; `response` is the 401."""


class MethodNotReplayable(errors.MethodNotReplayable, httpx.HTTPError):
    """The session was renewed, but the method is not sent twice; `response` is the refusal."""


class SessionAuth(
    FamilyAuth[httpx.Client | httpx.AsyncClient, httpx.Request, httpx.Response], httpx.Auth
):
    """Logs in again when a session dies, once for all threads and tasks, and sends requests again.

    Use it with `httpx.Client` and with `httpx.AsyncClient`, on asyncio and trio. One object is for
    one account. Attach it to as many clients as you like.

    With an asynchronous client, your login can be a coroutine function; it gets an
    `httpx.AsyncClient` as `context.http`. Any other login runs in a thread and gets an
    `httpx.Client`.

    An httpx client hides some things from its auth. If your login needs the client's proxies or
    certificates, pass `http=`. Event hooks see the 401s too: a hook that raises on a 401 prevents
    the login, and a warning says so. httpx follows redirects without asking the auth. So after a
    redirect within the server, a GET or HEAD whose session is a cookie is sent once more; and a
    redirect from http to https on the same host carries the token.

    >>> import httpx, relogin
    >>> async def login(context):
    ...     return relogin.Grant(token="…", expires_in=600)
    >>> client = httpx.AsyncClient(auth=SessionAuth(login, "https://api.example.com"))
    """

    _library = Library(
        httpx,
        by_base(
            LoginRefused,
            LoginUnavailable,
            InvalidGrant,
            LoginTimeout,
            BodyNotReplayable,
            MethodNotReplayable,
        ),
    )


class UploadTransport(Uploads, httpx.BaseTransport):
    """A transport that lets `SessionAuth` repeat an upload that a dead session has broken.

    A server may refuse an upload before it has read it, and close the connection; then the 401 can
    be lost. `SessionAuth` alone renews the session, but cannot repeat a request that has raised an
    error. Pass a `transport`, or the parameters of an `HTTPTransport`: a client does not apply its
    own (`verify`, `http2` and so on) to a transport that you give it.

    >>> import httpx
    >>> client = httpx.Client(transport=UploadTransport(http2=False))
    """

    _bytes = httpx.ByteStream

    def __init__(self, transport: httpx.BaseTransport | None = None, **options: Any) -> None:
        super().__init__(transport or httpx.HTTPTransport(**options))


class AsyncUploadTransport(UploadsAsync, httpx.AsyncBaseTransport):
    """The same as `UploadTransport`, for an `AsyncClient`.

    >>> import httpx
    >>> client = httpx.AsyncClient(transport=AsyncUploadTransport(http2=False))
    """

    _bytes = httpx.ByteStream

    def __init__(self, transport: httpx.AsyncBaseTransport | None = None, **options: Any) -> None:
        super().__init__(transport or httpx.AsyncHTTPTransport(**options))
