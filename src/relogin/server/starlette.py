"""The gate as Starlette middleware, and as a dependency of FastAPI.

>>> import relogin
>>> from typing import Annotated
>>> from fastapi import FastAPI, Security
>>> from relogin.server.starlette import CurrentSession, SessionGate
>>> async def verify(token):
...     if token == "an old one":
...         raise relogin.Refused("session_expired")
...     return {"t1": "Ada"}.get(token)
>>> app = FastAPI()
>>> app.add_middleware(SessionGate, verify=verify, realm="orders", public=["/docs", "/health"])
>>> @app.get("/orders")
... async def orders(session: Annotated[str, Security(CurrentSession())]) -> str:
...     return f"Hello, {session}"
>>> app.openapi()["components"]["securitySchemes"]
{'Session': {'type': 'http', 'scheme': 'Session'}}
"""

import json
from base64 import b64decode
from datetime import datetime
from typing import TYPE_CHECKING, Any, Unpack

try:
    from starlette.datastructures import Secret
    from starlette.requests import HTTPConnection
except ModuleNotFoundError as _missing:
    raise ImportError(
        "relogin.server.starlette needs Starlette: pip install 'relogin[starlette]'",
        name=_missing.name,
    ) from _missing

from relogin.server import asgi
from relogin.server.asgi.scope import Scope
from relogin.server.decisions import SESSION
from relogin.server.options import Options, cookie_name
from relogin.server.schemes import schemes_named
from relogin.server.verdicts import Admitted, Refused
from relogin.server.verifiers import AsyncVerifier, Signed, Verifier

if TYPE_CHECKING:
    from fastapi.openapi.models import APIKey, APIKeyIn, HTTPBase
    from fastapi.security.base import SecurityBase
else:
    try:
        from fastapi.openapi.models import APIKey, APIKeyIn, HTTPBase
        from fastapi.security.base import SecurityBase
    except ImportError:  # Starlette alone: there is no OpenAPI to tell
        SecurityBase = object

__all__ = ["CurrentSession", "OwnSession", "SessionGate"]


class SessionGate(asgi.SessionGate):
    """The ASGI gate, for `app.add_middleware(SessionGate, verify=..., realm=...)`.

    An endpoint finds its session in `request.scope["relogin.session"]`, and may raise `Refused`.
    Add CORSMiddleware after it: the last one added is the outermost. After the response, middleware
    outside the gate finds the session and the route in the scope too, and in
    `scope["relogin.refused"]` the `Refused` that says why a request was refused.
    """

    def __init__(
        self,
        app: asgi.Application,
        verify: Verifier | AsyncVerifier,
        **options: Unpack[Options],
    ) -> None:
        super().__init__(app, verify, **options)
        # As Starlette's own middleware does: access logs and metrics outside look for the route.
        self._writes_to_scope = True

    def begin(self, scope: Scope, *, leaving: bool) -> None:
        """Begin a new session for an application without one; `leaving` one deletes the cookie."""
        if isinstance(self.verify, OwnSession):
            # The application begins a new one; nothing is sent until it writes to that.
            scope["session"] = new = type(scope["session"])()
            if leaving:
                new.mark_modified()  # and left empty, so that the cookie is deleted


class CurrentSession(SecurityBase):
    """A dependency of FastAPI: the session that `SessionGate` admitted, shown in OpenAPI.

    On a public path it requires a session after all. `scheme` is Session or Bearer. With `cookie`,
    OpenAPI shows the cookie of that name instead; declare two dependencies to show both.
    """

    def __init__(self, scheme: str = "Session", *, cookie: str | None = None) -> None:
        if SecurityBase is object:
            raise ImportError("CurrentSession is a dependency of FastAPI: pip install fastapi")
        (known,) = schemes_named([scheme])
        name = known.name
        self.scheme_name: str = name if cookie_name(cookie) is None else f"{name}Cookie"
        self.model: Any = (
            HTTPBase(scheme="bearer" if name == "Bearer" else name)
            if cookie is None
            else APIKey.model_validate({"in": APIKeyIn.cookie, "name": cookie})
        )

    async def __call__(self, connection: HTTPConnection) -> Any:
        """Return the session; raise `Refused` if there is none."""
        try:
            session = connection.scope[SESSION]
        except KeyError:
            raise RuntimeError("SessionGate did not see this request: add the middleware") from None
        if session is None:
            raise Refused
        return session


class OwnSession:
    """Tells why the session of Starlette's own SessionMiddleware, a signed cookie, has ended.

    It expires `max_age` seconds after it was last written. Give the middleware `max_age=None`, so
    that the cookie outlives the session, and put it outside the gate. A session counts only if it
    has the key `user_key`. Raises ImportError under a Starlette before 1.0, whose middleware signs
    every cookie again, an expired one too.

    >>> gate = SessionGate(None, OwnSession("secret", 900), cookie="session", realm="orders")
    """

    blocking = False

    def __init__(self, secret_key: str | Secret, max_age: int, user_key: str = "user") -> None:
        from starlette.middleware import sessions  # which needs itsdangerous, an extra

        if not hasattr(sessions, "Session"):
            raise ImportError(
                "OwnSession needs Starlette 1.0, because older ones renew expired sessions: "
                "pip install 'starlette>=1.0'"
            )
        self._judge = Signed(_Cookie(secret_key), max_age)
        self._user_key = user_key

    def __call__(self, token: str) -> Admitted[dict[str, Any]] | None:
        """Return what the cookie holds; raise `Refused` if it is too old or has no user."""
        admitted = self._judge(token)
        if admitted is not None and self._user_key not in admitted.session:
            raise Refused
        return admitted


class _Cookie:
    """Reads the middleware's cookie as a serializer of itsdangerous reads its own."""

    def __init__(self, secret_key: str | Secret) -> None:
        from itsdangerous import TimestampSigner  # an extra, which the middleware needs too

        if not isinstance(secret_key, str | Secret):  # the middleware would sign with its text
            raise TypeError(f"a secret_key is a str or a Secret, not {type(secret_key).__name__}")
        self._signer = TimestampSigner(str(secret_key))

    def loads(
        self,
        token: str,
        /,
        max_age: int,
        return_timestamp: bool,  # noqa: ARG002  Timed has it
    ) -> tuple[Any, datetime]:
        signed, at = self._signer.unsign(token, max_age, return_timestamp=True)
        return json.loads(b64decode(signed)), at
