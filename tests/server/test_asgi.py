"""What ASGI asks of a gate in between, and what a client learns of a refused WebSocket."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

import relogin
from relogin.server.asgi import SessionGate
from relogin.server.asgi.scope import request
from tests.cli.chromium import browsing
from tests.server.frameworks import under_starlette
from tests.server.orders import SECRET, averify
from tests.server.serving import serving_asgi

# WebSocket

DENIALS = {"/denies": 401, "/denies-in-an-old-way": 440}


async def socket(scope: Any, receive: Any, send: Any) -> None:
    """Accept, say whose session it is, and end it when told so."""
    await receive()
    if scope["path"] == "/refuses":
        raise relogin.Refused("session_revoked")
    if scope["path"] in DENIALS:
        status = DENIALS[scope["path"]]
        await send({"type": "websocket.http.response.start", "status": status, "headers": []})
        await send({"type": "websocket.http.response.body", "body": b"denied"})
        return
    await send({"type": "websocket.accept"})
    if scope["path"] == "/ends":
        raise relogin.Refused("session_expired")
    await send({"type": "websocket.send", "text": f"session={scope['relogin.session']}"})
    if scope["path"] == "/loses-its-rights":
        raise relogin.Refused("csrf_invalid")
    await send({"type": "websocket.close"})


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    gate = SessionGate(
        socket, averify, realm="orders", cookie="sid", legacy={440: "session_expired"}
    )
    with serving_asgi(gate) as port:
        yield port


def handshake(port: int, path: str = "/", **fields: str) -> str:
    """What the socket says first; raises what a program or a page sees instead."""
    url = f"ws://127.0.0.1:{port}{path}"
    with connect(url, additional_headers=fields, proxy=None, open_timeout=10) as websocket:
        return str(websocket.recv(10))


def own(port: int) -> str:
    return f"http://127.0.0.1:{port}"


def test_a_living_session_gets_its_socket(port: int) -> None:
    assert handshake(port, Authorization='Session token="good"') == "session=ada"
    assert handshake(port, Cookie="sid=good", Origin=own(port)) == "session=ada"


@pytest.mark.parametrize(
    ("cookie", "status", "error"),
    [("sid=expired", 401, "session_expired"), ("a=b", 401, None), (f"sid={SECRET}", 503, None)],
)
def test_a_program_gets_the_status_and_the_challenge(
    port: int, cookie: str, status: int, error: str | None
) -> None:
    with pytest.raises(InvalidStatus) as caught:
        handshake(port, Cookie=cookie)
    response = caught.value.response
    assert response.status_code == status
    challenges = relogin.parse(response.headers.get_all("WWW-Authenticate"))
    assert [challenge.get("error") for challenge in challenges] == [error] * (status == 401)


@pytest.mark.parametrize(
    ("cookie", "code", "reason"),
    [("sid=expired", 3000, "session_expired"), ("a=b", 3000, ""), (f"sid={SECRET}", 1013, "")],
)
def test_a_page_of_this_origin_gets_the_reason_as_it_is_closed(
    port: int, cookie: str, code: int, reason: str
) -> None:
    with pytest.raises(ConnectionClosed) as caught:
        handshake(port, Cookie=cookie, Origin=own(port))
    assert caught.value.rcvd is not None
    assert (caught.value.rcvd.code, caught.value.rcvd.reason) == (code, reason)


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://[", ""])
def test_a_page_of_another_origin_learns_nothing_from_a_close_frame(port: int, origin: str) -> None:
    with pytest.raises(InvalidStatus):
        handshake(port, Cookie="sid=expired", Origin=origin)


def test_an_application_may_refuse_the_handshake(port: int) -> None:
    with pytest.raises(InvalidStatus) as caught:
        handshake(port, "/refuses", Cookie="sid=good")
    assert "session_revoked" in caught.value.response.headers["WWW-Authenticate"]


@pytest.mark.parametrize(
    ("path", "challenge", "body"),
    [
        ("/denies", None, b"denied"),  # the session was admitted: it is about something else
        ("/denies-in-an-old-way", 'Session realm="orders", error="session_expired"', b"The sess"),
    ],
)
def test_an_applications_own_denial_gets_a_challenge_where_it_means_the_session(
    port: int, path: str, challenge: str | None, body: bytes
) -> None:
    with pytest.raises(InvalidStatus) as caught:
        handshake(port, path, Cookie="sid=good")
    response = caught.value.response
    assert (response.status_code, response.headers.get("WWW-Authenticate")) == (401, challenge)
    assert response.headers["Cache-Control"] == "private, no-store"
    assert body in response.body


def test_a_session_that_ends_while_the_socket_is_open_closes_it_with_the_reason(port: int) -> None:
    with pytest.raises(ConnectionClosed) as caught:
        handshake(port, "/ends", Cookie="sid=good")
    assert caught.value.rcvd is not None
    assert (caught.value.rcvd.code, caught.value.rcvd.reason) == (3000, "session_expired")


def test_a_403_while_the_socket_is_open_closes_it_with_code_3003(port: int) -> None:
    fields = {"Cookie": "sid=good"}
    url = f"ws://127.0.0.1:{port}/loses-its-rights"
    with connect(url, additional_headers=fields, proxy=None) as websocket:
        assert websocket.recv(10) == "session=ada"
        with pytest.raises(ConnectionClosed) as caught:
            websocket.recv(10)
    assert caught.value.rcvd is not None
    assert (caught.value.rcvd.code, caught.value.rcvd.reason) == (3003, "csrf_invalid")


def test_a_socket_under_starlette_is_guarded_too() -> None:
    with serving_asgi(under_starlette()) as port:
        assert handshake(port, "/socket", Cookie="sid=good") == "session=ada"
        with pytest.raises(InvalidStatus):
            handshake(port, "/socket", Cookie="sid=expired")


# Messages


def messages(gate: SessionGate, **scope: Any) -> list[dict[str, Any]]:
    """What is sent for a request, or a handshake."""
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, str]:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(gate({"type": "http", "path": "/", "headers": []} | scope, receive, send))
    return sent


def test_a_server_that_cannot_answer_a_handshake_closes_it() -> None:
    gate = SessionGate(socket, averify, realm="orders")
    assert messages(gate, type="websocket") == [{"type": "websocket.close"}]


def test_a_handshake_is_received_before_it_is_refused() -> None:
    """Tremolo fails if an application answers a `websocket.connect` that it has not received."""
    order: list[str] = []

    async def receive() -> Any:
        order.append("receive")
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        order.append(message["type"])

    scope = {"type": "websocket", "path": "/", "headers": []}
    asyncio.run(SessionGate(socket, averify, realm="orders")(scope, receive, send))
    assert order == ["receive", "websocket.close"]


def test_other_events_pass_untouched() -> None:
    async def lifespan(scope: Any, receive: Any, send: Any) -> None:
        await send(scope)

    (scope,) = messages(SessionGate(lifespan, averify, realm="orders"), type="lifespan")
    assert scope["type"] == "lifespan"
    assert "relogin.session" not in scope


async def anybody(token: str) -> str:
    """A session just so, as the fast path wants it."""
    return token


def test_no_other_header_is_read_as_credentials() -> None:
    headers = [(b"x-authorization", b'Session token="good"')]
    start, _ = messages(SessionGate(socket, anybody, realm="orders"), headers=headers)
    assert start["status"] == 401


def test_the_servers_scope_is_not_written_to() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        assert scope["relogin.session"] is None

    scope: dict[str, Any] = {"type": "http", "path": "/", "headers": []}
    asyncio.run(SessionGate(app, averify, realm="a", public=["/"])(scope, None, None))
    assert set(scope) == {"type", "path", "headers"}


def test_the_chunks_of_a_response_that_was_replaced_are_not_sent() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 440})
        for more in (True, False):
            await send({"type": "http.response.body", "body": b"old", "more_body": more})

    gate = SessionGate(app, averify, realm="a", public=["/"], legacy={440: "session_expired"})
    start, body = messages(gate)
    assert start["status"] == 401
    assert b"old" not in body["body"]


@pytest.mark.parametrize("status", [200, 440])
@pytest.mark.parametrize("presented", [[], [(b"authorization", b'Session token="good"')]])
def test_no_second_response_follows_one_that_was_replaced(status: int, presented: Any) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        for each in (440, status):
            await send({"type": "http.response.start", "status": each})
            await send({"type": "http.response.body", "body": b"old"})

    options: Any = {"public": ["/"] * (not presented), "legacy": {440: "session_expired"}}
    start, body = messages(SessionGate(app, anybody, realm="a", **options), headers=presented)
    assert start["status"] == 401
    assert b"old" not in body["body"]


def test_a_layer_that_takes_a_refusal_for_its_failure_is_not_heard() -> None:
    async def layer(scope: Any, receive: Any, send: Any) -> None:
        try:
            await socket({"path": "/refuses"}, receive, send)
        except relogin.Refused:
            await send({"type": "http.response.start", "status": 500})
            await send({"type": "http.response.body", "body": b"broken"})
            raise

    start, body = messages(SessionGate(layer, averify, realm="a", public=["/"]))
    assert start["status"] == 401
    assert b"session_revoked" in body["body"]


@pytest.mark.parametrize("other", [b'Session token="other"', b"Basic YTpi"])
def test_two_authorization_lines_are_refused_on_the_fast_path(other: bytes) -> None:
    gate = SessionGate(socket, anybody, realm="a")
    lines = [(b"authorization", b'Session token="good"'), (b"authorization", other)]
    for headers in (lines, lines[::-1]):
        start, body = messages(gate, headers=headers)
        assert start["status"] == 401
        assert b"session_invalid" in body["body"]


def test_a_refusal_that_comes_too_late_is_an_error() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body"})
        raise relogin.Refused("session_expired")

    with pytest.raises(relogin.Refused):
        messages(SessionGate(app, averify, realm="a", public=["/"]))


@pytest.mark.parametrize(
    ("root_path", "path", "below"),
    [
        ("", "/docs/a", "/docs/a"),
        ("/", "/docs/a", "/docs/a"),
        ("/api", "/api/docs/a", "/docs/a"),
        ("/api/", "/api/docs/a", "/docs/a"),
        ("/api", "/docs/a", "/docs/a"),
        ("/api", "/api", ""),
        ("/api", "/apidocs/a", "/apidocs/a"),
        ("/api", "/api/api/docs", "/api/docs"),
    ],
)
def test_patterns_are_matched_below_the_mount(root_path: str, path: str, below: str) -> None:
    scope = {"path": path, "root_path": root_path, "headers": []}
    assert request(scope).path == below


def test_the_path_as_it_was_sent_is_looked_at() -> None:
    scope = {"path": "/docs/a/b", "raw_path": b"/docs/a%2Fb", "headers": []}
    assert request(scope).raw_path == "/docs/a%2Fb"
    assert request({"path": "/", "raw_path": None, "headers": []}).raw_path == ""


@pytest.mark.parametrize(("found", "status"), [(None, 401), (False, 401), ("ada", 200)])
def test_what_a_plain_verifier_returns_is_awaited_where_it_has_to_be(
    found: object, status: int
) -> None:
    """A coroutine that counted as a session would admit everybody."""

    class Quick:
        blocking = False

        def __call__(self, token: str) -> Any:
            async def look() -> object:
                return found

            return look()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body"})

    headers = [(b"authorization", b'Session token="t1"')]
    assert messages(SessionGate(app, Quick(), realm="a"), headers=headers)[0]["status"] == status


# A browser fails a handshake that takes none of the subprotocols which it has offered


@pytest.mark.needs("chromium")
def test_a_page_that_offers_subprotocols_learns_the_reason_too(tmp_path: Path) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"a page"})

    gate = SessionGate(app, averify, realm="orders", cookie="sid", public=["/"])
    with serving_asgi(gate) as port, browsing(tmp_path) as page:
        page.open(f"{own(port)}/")
        closed = page.run(
            "document.cookie = 'sid=expired';"
            f"const socket = new WebSocket('ws://127.0.0.1:{port}/socket', ['mqtt', 'stomp']);"
            "const closed = await new Promise(resolve => { socket.onclose = resolve });"
            "return [closed.code, closed.reason, socket.protocol]"
        )
    assert closed == [3000, "session_expired", "mqtt"]


# The fields that an application writes, and what its verifier raises


class Empty(Exception):
    """Trouble with a list of details, of which there are none."""

    def __len__(self) -> int:
        return 0


@pytest.mark.parametrize("way", [{}, {"recheck": 60.0}], ids=["fast path", "slow path"])
def test_trouble_that_counts_as_false_is_trouble_all_the_same(way: Any) -> None:
    def verify(token: str) -> str:
        raise Empty

    (start, _) = sent_by([], verify, way)
    assert start["status"] == 503


@pytest.mark.parametrize("way", [{}, {"recheck": 60.0}], ids=["fast path", "slow path"])
def test_a_field_is_merged_in_whatever_case_it_is_written(way: Any) -> None:
    """Django writes them so."""
    written = [(b"Cache-Control", b"public, s-maxage=60"), (b"Vary", b"Accept")]
    (start, _) = sent_by(written, lambda _: "ada", way)
    assert start["headers"] == [(b"vary", b"Accept, Authorization"), (b"cache-control", b"private")]


def sent_by(headers: list[tuple[bytes, bytes]], verify: Any, options: Any) -> list[Any]:
    """What a gate sends for an application that responds with these headers."""
    sent: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b""})

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        raise AssertionError

    credentials = [(b"authorization", b'Session token="t"')]
    scope = {"type": "http", "method": "GET", "path": "/", "headers": credentials}
    asyncio.run(SessionGate(app, verify, realm="a", **options)(scope, receive, send))
    return sent
