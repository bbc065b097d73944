"""Renewal for httpx2: `httpx2.Client(auth=SessionAuth(login, …))`, and the same for `AsyncClient`.

`relogin.client.renewal.flow` decides what to do; this module sends, waits and logs in, in threads
and in tasks of asyncio and trio. Needs the extra ``relogin[httpx2]``.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

try:
    import httpx2

    if find_spec("anyio") is None:  # httpx2 installs it; tasks import it when they need it
        raise ModuleNotFoundError(name="anyio")  # noqa: TRY301
except ModuleNotFoundError as _missing:
    raise ImportError(
        "relogin.client.httpx2 needs httpx2: pip install 'relogin[httpx2]'", name=_missing.name
    ) from _missing

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


class LoginRefused(errors.LoginRefused, httpx2.HTTPError):
    """The login was refused; `response` is the 401 that asked for it, if any."""


class LoginUnavailable(errors.LoginUnavailable, httpx2.HTTPError):
    """The login could not be done now; `response` is the 401 that asked for it, if any."""


class InvalidGrant(errors.InvalidGrant, httpx2.HTTPError):
    """The login returned no valid grant; `response` is the 401 that asked for it, if any."""


class LoginTimeout(errors.LoginTimeout, httpx2.TimeoutException):
    """The renewal took too long; `response` is the 401 that asked for it, if any."""


class BodyNotReplayable(errors.BodyNotReplayable, httpx2.HTTPError):
    """The session was renewed, but the body cannot be sent again; `response` is the 401."""


class MethodNotReplayable(errors.MethodNotReplayable, httpx2.HTTPError):
    """The session was renewed, but the method is not sent twice; `response` is the refusal."""


class SessionAuth(
    FamilyAuth[httpx2.Client | httpx2.AsyncClient, httpx2.Request, httpx2.Response], httpx2.Auth
):
    """Logs in again when a session dies, once for all threads and tasks, and sends requests again.

    Use it with `httpx2.Client` and with `httpx2.AsyncClient`, on asyncio and trio; one object can
    serve all of them at once. All parameters, and the notes on hooks and redirects, are as for
    `relogin.client.httpx.SessionAuth`. `context.http` is an `httpx2.AsyncClient` for a login that
    is a coroutine function, and an `httpx2.Client` for any other.

    After a 401, a WebSocket handshake (`client.websocket`) and the request for an event stream
    (`client.sse`) are repeated like any request.

    >>> import httpx2, relogin
    >>> async def login(context):
    ...     return relogin.Grant(token="…", expires_in=600)
    >>> client = httpx2.AsyncClient(auth=SessionAuth(login, "https://api.example.com"))
    """

    _library = Library(
        httpx2,
        by_base(
            LoginRefused,
            LoginUnavailable,
            InvalidGrant,
            LoginTimeout,
            BodyNotReplayable,
            MethodNotReplayable,
        ),
    )


class UploadTransport(Uploads, httpx2.BaseTransport):
    """A transport that lets `SessionAuth` repeat an upload that a dead session has broken.

    A server may refuse an upload before it has read it, and close the connection; then the 401 can
    be lost. `SessionAuth` alone renews the session, but cannot repeat a request that has raised an
    error. Pass a `transport`, or the parameters of an `HTTPTransport`: a client does not apply its
    own (`verify`, `http2` and so on) to a transport that you give it.

    >>> import httpx2
    >>> client = httpx2.Client(transport=UploadTransport(http2=False))
    """

    _bytes = httpx2.ByteStream

    def __init__(self, transport: httpx2.BaseTransport | None = None, **options: Any) -> None:
        super().__init__(transport or httpx2.HTTPTransport(**options))


class AsyncUploadTransport(UploadsAsync, httpx2.AsyncBaseTransport):
    """The same as `UploadTransport`, for an `AsyncClient`.

    >>> import httpx2
    >>> client = httpx2.AsyncClient(transport=AsyncUploadTransport(http2=False))
    """

    _bytes = httpx2.ByteStream

    def __init__(self, transport: httpx2.AsyncBaseTransport | None = None, **options: Any) -> None:
        super().__init__(transport or httpx2.AsyncHTTPTransport(**options))
