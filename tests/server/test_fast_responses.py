"""A common request takes a fast path through the WSGI and ASGI gates, to the same response."""

import asyncio
from collections.abc import Iterable
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest

import relogin
from relogin.server import asgi, wsgi
from relogin.server.gate import Gate, StepUp

RESPONSES: dict[str, tuple[int, list[tuple[str, str]]]] = {
    "/plain": (200, [("Content-Type", "text/plain")]),
    "/bare": (204, []),
    "/varies": (200, [("Vary", "Accept")]),
    "/cached": (200, [("cache-control", "public, max-age=60")]),
    "/sets": (200, [("Set-Cookie", "sid=; Max-Age=0")]),
    "/exposes": (200, [("Access-Control-Expose-Headers", "X-Trace")]),
    "/own": (401, []),
    "/own-bearer": (401, [("WWW-Authenticate", "Bearer")]),
    "/missing": (404, [("Content-Type", "text/plain")]),
    "/old": (440, [("ETag", '"a"')]),
}
TOKENS = {"good": "ada", "empty": {}, "told": relogin.Admitted("ada", expires_in=9)}
Told = tuple[int, set[tuple[str, str]], bytes]

# A step-up somewhere, and there is no fast path.
LONG = {"step_up": {"/elsewhere": StepUp(300)}}


asked: list[str] = []


def verify(token: str) -> Any:
    asked.append(token)
    if token == "dead":
        raise relogin.Refused("session_expired")
    if token == "down":
        raise OSError
    return TOKENS.get(token)


async def averify(token: str) -> Any:
    return verify(token)


def through_wsgi(path: str, field: str, options: dict[str, Any]) -> Told:
    told: list[Any] = []

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if path == "/refuses":
            raise relogin.Refused("session_revoked")
        status, headers = RESPONSES[path]
        start_response(f"{status} Said", headers)
        return [f"{environ['relogin.session']} {environ['relogin.refused']}".encode()]

    def start_response(*said: Any) -> Any:
        told.append(said)

    gate = wsgi.SessionGate(app, verify, realm="a", cookie="sid", **options)
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": path, "HTTP_AUTHORIZATION": field}
    body = b"".join(gate(environ, start_response))
    return int(told[-1][0][:3]), {(name.lower(), value) for name, value in told[-1][1]}, body


def through_asgi(path: str, field: str, options: dict[str, Any]) -> Told:
    sent: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if path == "/refuses":
            raise relogin.Refused("session_revoked")
        status, headers = RESPONSES[path]
        raw = [(name.lower().encode(), value.encode()) for name, value in headers]
        await send({"type": "http.response.start", "status": status, "headers": raw})
        body = f"{scope['relogin.session']} {scope['relogin.refused']}".encode()
        await send({"type": "http.response.body", "body": body})

    async def send(message: Any) -> None:
        sent.append(message)

    gate = asgi.SessionGate(app, averify, realm="a", cookie="sid", **options)
    headers = [(b"authorization", field.encode())]
    scope = {"type": "http", "method": "GET", "path": path, "headers": headers}
    asyncio.run(gate(scope, None, send))
    start, body = sent
    lines = {(name.decode(), value.decode()) for name, value in start["headers"]}
    return start["status"], lines, body["body"]


@pytest.mark.parametrize("through", [through_wsgi, through_asgi])
@pytest.mark.parametrize("path", [*RESPONSES, "/refuses"])
@pytest.mark.parametrize("token", [*TOKENS, "dead", "down", "unknown"])
@pytest.mark.parametrize("options", [{}, {"legacy": {440: "session_expired"}}])
def test_the_fast_path_gives_the_response_of_the_slow_path(
    through: Any, path: str, token: str, options: dict[str, Any]
) -> None:
    field = f'Session token="{token}"'
    fast = through(path, field, options)
    assert through(path, field, options | LONG) == fast
    if token in {"good", "empty"} and path not in {"/refuses", "/old"}:
        assert fast[0] == RESPONSES[path][0]
        assert fast[2] == f"{TOKENS[token]} None".encode()


@pytest.mark.parametrize("through", [through_wsgi, through_asgi])
@pytest.mark.parametrize("token", [*TOKENS, "dead", "down", "unknown"])
def test_a_verifier_is_asked_once(through: Any, token: str) -> None:
    asked.clear()
    through("/plain", f'Session token="{token}"', {})
    assert asked == [token]


@pytest.mark.parametrize("through", [through_wsgi, through_asgi])
def test_credentials_beyond_the_bound_are_refused_unread(through: Any) -> None:
    asked.clear()
    status, headers, _ = through("/plain", f'Session token="{"a" * 16_384}"', {})
    assert status == 401
    assert ("www-authenticate", 'Session realm="a", error="session_invalid"') in headers
    assert asked == []


@pytest.mark.parametrize("through", [through_wsgi, through_asgi])
def test_a_common_request_takes_the_fast_path(
    through: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: object) -> None:
        raise AssertionError("decided on the slow path")

    monkeypatch.setattr(Gate, "claim", never)
    status, headers, _ = through("/plain", 'Session token="good"', {})
    assert status == 200
    assert {("cache-control", "private"), ("vary", "Authorization, Cookie")} <= headers
