"""The code that a gate adds to an application called without a server, in µs and instructions.

The peer is Starlette's own middleware, which looks for a token and asks the same store. It adds
nothing to a response; our gates add two fields, and watch for a refusal by the application.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from starlette.authentication import (
    AuthCredentials,
    AuthenticationBackend,
    AuthenticationError,
    SimpleUser,
)
from starlette.middleware.authentication import AuthenticationMiddleware
from starlette.requests import HTTPConnection

from relogin.server import asgi, wsgi
from relogin.server.request import Request
from relogin.server.verifiers import Lookup
from tests.benchmarks.inlined import inlined
from tests.benchmarks.rows import Row, shown
from tests.benchmarks.timing import interleaved

__all__ = [
    "OPTIONS",
    "SESSIONS",
    "TOKEN",
    "asgi_application",
    "pieces",
    "rows",
    "verify",
    "wsgi_application",
]

TOKEN = "bG9uZyBlbm91Z2ggdG8gYmUgYSByZWFsIHRva2Vu"
SESSIONS = {TOKEN: "ada"}
OPTIONS: Any = {"realm": "orders", "public": ["/health", "/docs/*"]}
PEER = "ASGI Starlette's AuthenticationMiddleware"


async def verify(token: str) -> str | None:
    return SESSIONS.get(token)


async def verify_for(token: str, request: Request) -> str | None:
    return SESSIONS.get(token)


def wsgi_application(environ: Any, start_response: Any) -> list[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "2")])
    return [b"ok"]


async def asgi_application(scope: Any, receive: Any, send: Any) -> None:
    headers = [(b"content-type", b"text/plain"), (b"content-length", b"2")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"ok"})


class TokenBackend(AuthenticationBackend):
    """What Starlette's own middleware asks: the same store, and the least that its API lets be."""

    async def authenticate(self, conn: HTTPConnection) -> tuple[AuthCredentials, SimpleUser] | None:
        scheme, _, token = conn.headers.get("Authorization", "").partition(" ")
        user = await verify(token) if scheme == "Bearer" else None
        if user is None:
            raise AuthenticationError("unknown")
        return AuthCredentials(), SimpleUser(user)


def _scope(name: str, value: str, **more: str) -> dict[str, Any]:
    """A scope as uvicorn makes one, for a request as httpx sends it."""
    lines = {"host": "a", "accept": "*/*", "accept-encoding": "gzip, deflate", "user-agent": "b"}
    headers = [(each.encode(), text.encode()) for each, text in (lines | {name: value}).items()]
    connection = {"client": ("127.0.0.1", 1), "server": ("127.0.0.1", 2), "scheme": "http"}
    path = {"path": "/orders", "raw_path": b"/orders", "query_string": b"", "root_path": ""}
    start = {"type": "http", "asgi": {}, "http_version": "1.1", "method": "GET", "state": {}}
    return {**start, **connection, **path, "headers": headers, **more}


async def _send(message: object) -> None:
    """Let the message go nowhere."""


async def _receive() -> dict[str, Any]:
    return {"type": "http.request"}


def _run(app: Any, scope: dict[str, Any]) -> None:
    try:
        app(dict(scope), _receive, _send).send(None)
    except StopIteration:
        return


def _gated(verifier: Any = verify, **options: Any) -> Any:
    return asgi.SessionGate(asgi_application, verifier, **(OPTIONS | options))


def pieces() -> dict[str, Callable[[], object]]:
    """Return what is measured, by name; what is bare comes first."""
    environ = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": "/orders",
        "HTTP_AUTHORIZATION": f'Session token="{TOKEN}"',
    }
    living = _scope("authorization", f'Session token="{TOKEN}"')
    telling = Lookup(SESSIONS, expires_at=lambda _: 1e9, clock=lambda: 1e9 - 60)
    behind_wsgi = wsgi.SessionGate(wsgi_application, SESSIONS.get, **OPTIONS)
    asked: dict[str, tuple[Any, dict[str, Any]]] = {
        "ASGI bare": (asgi_application, living),
        PEER: (
            AuthenticationMiddleware(asgi_application, TokenBackend()),
            _scope("authorization", f"Bearer {TOKEN}"),
        ),
        "ASGI gate": (_gated(), living),
        "ASGI gate, in one function": (inlined(asgi_application, verify, **OPTIONS), living),
        "ASGI gate, Session and Bearer": (_gated(schemes=["Session", "Bearer"]), living),
        "ASGI gate, POST": (_gated(), living | {"method": "POST"}),
        "ASGI gate, mounted": (_gated(), living | {"root_path": "/v1", "path": "/v1/orders"}),
        "ASGI gate, legacy statuses": (_gated(legacy={440: "session_expired"}), living),
        "ASGI gate, verify(token, request)": (_gated(verify_for), living),
        "ASGI gate, Lookup": (_gated(Lookup(SESSIONS)), living),
        "ASGI gate, Lookup that tells lifetimes": (_gated(telling), living),
        "ASGI gate, cookie": (_gated(cookie="sid"), _scope("cookie", f"a=b; sid={TOKEN}")),
        "ASGI gate, public page": (_gated(), living | {"path": "/health"}),
        "ASGI refusal, whole": (_gated(), _scope("authorization", "Session x")),
    }

    def through(app: Any, scope: dict[str, Any]) -> Callable[[], object]:
        return lambda: _run(app, scope)

    return {
        "WSGI bare": lambda: wsgi_application(dict(environ), lambda *_: None),
        "WSGI gate": lambda: behind_wsgi(dict(environ), lambda *_: None),  # type: ignore[arg-type]
        **{name: through(app, scope) for name, (app, scope) in asked.items()},
    }


def rows() -> list[Row]:
    """Print what each gate adds, in µs, and return what is to be reached.

    The rounds are short, so that the shortest of them is one that nothing has disturbed.
    """
    taken = interleaved(pieces(), rounds=600, seconds=0.001)
    times = {name: min(each) for name, each in taken.items()}
    print("the code that is added to a request, in µs (minimum of rounds)")
    for name, each in times.items():
        print(f"  {name:44}{each:8.2f}{each - times[f'{name[:4]} bare']:8.2f}")
    ours, theirs = (times[name] - times["ASGI bare"] for name in ("ASGI gate", PEER))
    detail = f"µs: ours {ours:.2f}, Starlette's {theirs:.2f}"
    refusal = times["ASGI refusal, whole"]
    return [
        shown(
            Row(
                "ASGI gate, added",
                ours / theirs,
                "Starlette's AuthenticationMiddleware",
                1.0,
                detail,
            )
        ),
        shown(Row("ASGI refusal, whole", refusal / 37, "37 µs, as it once took", 0.5)),
    ]
