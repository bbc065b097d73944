"""Renewal for httpx: `httpx.Client(auth=SessionAuth(login, …))`, and the same for `AsyncClient`.

This drives `relogin.client.renewal.flow`, in threads and in tasks of asyncio and trio: it sends,
waits and logs in as the flow says, and decides nothing. Needs the extra ``relogin[httpx]``.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

try:
    import httpx

    if find_spec("anyio") is None:  # httpx brings it: it is imported by tasks, which need it
        raise ImportError(name="anyio")  # noqa: TRY301
except ImportError as _missing:
    raise ImportError(
        "relogin.client.httpx needs httpx: pip install 'relogin[httpx]'", name=_missing.name
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


class MethodNotReplayable(errors.MethodNotReplayable, httpx.HTTPError):
    """The session lives again, but the method is not sent twice; `response` is the refusal."""


class SessionAuth(
    FamilyAuth[httpx.Client | httpx.AsyncClient, httpx.Request, httpx.Response], httpx.Auth
):
    """Logs in again when a session dies, once for all threads and tasks, and sends requests again.

    One class for `httpx.Client` and for `httpx.AsyncClient`, on asyncio and trio. Attach one object
    to as many clients as you like: it stands for one account.

    In an asynchronous client the login may be a coroutine function; any other one runs in a
    thread. `context.http` is an `httpx.AsyncClient` for a coroutine function, and an
    `httpx.Client` for any other.

    An httpx client hides some things from its auth. If a login needs the client's proxies or
    certificates, pass `http=`. Event hooks see the 401s too: a hook that raises on one prevents the
    login, and a warning says so. Redirects are followed below the auth: after one within the
    server, a GET or HEAD whose session is a cookie is sent once more; one from http to https of
    the same host takes the token along.

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
    """A transport that lets `SessionAuth` send an upload again that a dead session has broken.

    A server may refuse an upload before it has read it, and close the connection; then the 401 can
    be lost. An auth renews the session all the same, but cannot send again what has raised an
    error. Give `transport`, or the parameters of an `HTTPTransport`: a client uses those of its own
    for no transport that it is given.

    >>> import httpx
    >>> client = httpx.Client(transport=UploadTransport(http2=False))
    """

    def __init__(self, transport: httpx.BaseTransport | None = None, **options: Any) -> None:
        super().__init__(transport or httpx.HTTPTransport(**options))


class AsyncUploadTransport(UploadsAsync, httpx.AsyncBaseTransport):
    """The same for an `AsyncClient`.

    >>> import httpx
    >>> client = httpx.AsyncClient(transport=AsyncUploadTransport(http2=False))
    """

    def __init__(self, transport: httpx.AsyncBaseTransport | None = None, **options: Any) -> None:
        super().__init__(transport or httpx.AsyncHTTPTransport(**options))
