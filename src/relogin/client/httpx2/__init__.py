"""Renewal for httpx2: `httpx2.Client(auth=SessionAuth(login, …))`, and the same for `AsyncClient`.

This drives `relogin.client.renewal.flow`, in threads and in tasks of asyncio and trio: it sends,
waits and logs in as the flow says, and decides nothing. Needs the extra ``relogin[httpx2]``.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

try:
    import httpx2

    if find_spec("anyio") is None:  # httpx2 brings it: it is imported by tasks, which need it
        raise ImportError(name="anyio")  # noqa: TRY301
except ImportError as _missing:
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
    """The login was refused; `response` is the 401 that asked for it."""


class LoginUnavailable(errors.LoginUnavailable, httpx2.HTTPError):
    """The login could not be done now; `response` is the 401 that asked for it."""


class InvalidGrant(errors.InvalidGrant, httpx2.HTTPError):
    """The login returned what is no grant; `response` is the 401 that asked for it."""


class LoginTimeout(errors.LoginTimeout, httpx2.TimeoutException):
    """The renewal took too long; `response` is the 401 that asked for it."""


class BodyNotReplayable(errors.BodyNotReplayable, httpx2.HTTPError):
    """The session lives again, but the body is spent; `response` is the 401."""


class MethodNotReplayable(errors.MethodNotReplayable, httpx2.HTTPError):
    """The session lives again, but the method is not sent twice; `response` is the refusal."""


class SessionAuth(
    FamilyAuth[httpx2.Client | httpx2.AsyncClient, httpx2.Request, httpx2.Response], httpx2.Auth
):
    """Logs in again when a session dies, once for all threads and tasks, and sends requests again.

    One class for `httpx2.Client` and for `httpx2.AsyncClient` on asyncio and trio; one object may
    serve all of them at once. All parameters, and what httpx2 does below its auth, are as for
    `relogin.client.httpx.SessionAuth`; `context.http` is an `httpx2.AsyncClient` for a login that
    is awaited, and an `httpx2.Client` for any other.

    A WebSocket handshake (`client.websocket`) and the request for a stream of events (`client.sse`)
    are repeated after a 401 like any request.

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
    """A transport that lets `SessionAuth` send an upload again that a dead session has broken.

    A server may refuse an upload before it has read it, and close the connection; then the 401 can
    be lost. An auth renews the session all the same, but cannot send again what has raised an
    error. Give `transport`, or the parameters of an `HTTPTransport`: a client uses those of its own
    for no transport that it is given.

    >>> import httpx2
    >>> client = httpx2.Client(transport=UploadTransport(http2=False))
    """

    def __init__(self, transport: httpx2.BaseTransport | None = None, **options: Any) -> None:
        super().__init__(transport or httpx2.HTTPTransport(**options))


class AsyncUploadTransport(UploadsAsync, httpx2.AsyncBaseTransport):
    """The same for an `AsyncClient`.

    >>> import httpx2
    >>> client = httpx2.AsyncClient(transport=AsyncUploadTransport(http2=False))
    """

    def __init__(self, transport: httpx2.AsyncBaseTransport | None = None, **options: Any) -> None:
        super().__init__(transport or httpx2.AsyncHTTPTransport(**options))
