"""An MCP server behind the gate, and its authorization server."""

from collections.abc import Iterator
from contextlib import contextmanager

from mcp.server import MCPServer
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

import relogin
from relogin.server.request import Request as Facts
from relogin.server.starlette import SessionGate
from tests.programs import free_port
from tests.server.serving import serving_asgi

# Not where the client would look without being told.
METADATA = "/somewhere/else"


class Authority:
    """An authorization server that says yes, and the resource's metadata."""

    def __init__(self, origin: str) -> None:
        self.origin = origin
        self.asked: list[str] = []
        self.granted: dict[str, str] = {}  # a token's scopes

    async def answer(self, request: Request) -> Response:
        path, at = request.url.path, self.origin
        self.asked.append(path)
        if path == METADATA:
            return JSONResponse({"resource": f"{at}/mcp", "authorization_servers": [at]})
        if path.startswith("/.well-known/oauth-authorization-server"):
            grants = ["authorization_code", "refresh_token"]
            return JSONResponse(
                {
                    "issuer": at,
                    "authorization_endpoint": f"{at}/authorize",
                    "token_endpoint": f"{at}/token",
                    "registration_endpoint": f"{at}/register",
                    "response_types_supported": ["code"],
                    "grant_types_supported": grants,
                    "code_challenge_methods_supported": ["S256"],
                }
            )
        if path == "/register":
            registered = await request.json()
            return JSONResponse({**registered, "client_id": "c"}, status_code=201)
        if path == "/token":
            form = await request.form()
            token = f"t{len(self.granted)}"
            self.granted[token] = str(form["code"])
            return JSONResponse(
                {"access_token": token, "token_type": "Bearer", "scope": form["code"]}
            )
        return Response(status_code=404)


@contextmanager
def serving() -> Iterator[Authority]:
    port = free_port()
    authority = Authority(f"http://127.0.0.1:{port}")
    server = MCPServer("orders")

    @server.tool()
    def orders() -> str:
        return "seven orders"

    async def verify(token: str, request: Facts) -> str | None:
        scope = authority.granted.get(token)
        if scope is not None and "orders:write" not in scope and request.method == "POST":
            calls = request.header("mcp-method") == "tools/call"
            if calls:
                raise relogin.Refused("insufficient_scope", scope="orders:read orders:write")
        return scope

    def params(request: Facts) -> dict[str, str]:
        return {"resource_metadata": f"http://{request.host}{METADATA}", "scope": "orders:read"}

    app = server.streamable_http_app()
    for path in (METADATA, "/register", "/token", "/.well-known/{rest:path}"):
        app.add_route(path, authority.answer, methods=["GET", "POST"])
    app.add_middleware(
        SessionGate,
        verify=verify,
        realm="orders",
        schemes=["Bearer"],
        params=params,
        public=[METADATA, "/register", "/token", "/.well-known/*"],
    )
    with serving_asgi(app, port, lifespan="auto"):
        yield authority
