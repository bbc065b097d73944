"""The handshake of a WebSocket is a request: a 401 there is renewed for, and it is tried again."""

from __future__ import annotations

import http
from collections.abc import Iterator
from typing import Any

import anyio
import httpx2
import pytest
from httpx2.websockets import WebSocketUpgradeError
from websockets.sync.server import ServerConnection, serve

from relogin.client import Outcome, outcome
from relogin.client.httpx2 import SessionAuth
from relogin.client.signals import json_field
from relogin.client.terms.answer import Answer
from tests.client.server import Server
from tests.client.server import serve as serve_http
from tests.threads import in_thread


@pytest.fixture
def logins() -> Iterator[Server]:
    with serve_http() as running:
        yield running


@pytest.fixture
def chat(logins: Server) -> Iterator[str]:
    """A WebSocket that greets whoever has the living session, and repeats what it is sent."""

    def admit(connection: ServerConnection, request: Any) -> Any:
        given = request.headers.get("Authorization", "")
        if logins.living is not None and logins.living in given:
            return None
        answer = connection.respond(http.HTTPStatus.UNAUTHORIZED, "refused")
        answer.headers["WWW-Authenticate"] = 'Session realm="api", error="session_expired"'
        return answer

    def greet(connection: ServerConnection) -> None:
        connection.send("hello")
        for message in connection:
            connection.send(message)

    with serve(greet, "127.0.0.1", 0, process_request=admit) as server, in_thread(server):
        yield f"ws://127.0.0.1:{server.socket.getsockname()[1]}"


def session_auth(logins: Server, chat: str, login: Any = None, **options: Any) -> SessionAuth:
    return SessionAuth(login or logins.login, [logins.url, chat], **options)


def test_a_refused_handshake_is_renewed_for_and_tried_again(logins: Server, chat: str) -> None:
    auth = session_auth(logins, chat)
    with httpx2.Client(auth=auth, trust_env=False) as client:
        for _ in range(2):
            with client.websocket(f"{chat}/chat") as ws:
                assert ws.receive_text() == "hello"
            logins.kill()
    assert logins.logins == 2


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_refused_handshake_is_renewed_for_in_a_task(
    logins: Server, chat: str, backend: str
) -> None:
    async def main() -> None:
        auth = session_auth(logins, chat)
        async with (
            httpx2.AsyncClient(auth=auth, trust_env=False) as client,
            client.websocket(f"{chat}/chat") as ws,
        ):
            assert await ws.receive_text() == "hello"

    anyio.run(main, backend=backend)
    assert logins.logins == 1


def test_a_handshake_is_tried_again_no_more_than_a_request(logins: Server, chat: str) -> None:
    auth = session_auth(logins, chat, lambda context: "another-session")
    with (
        httpx2.Client(auth=auth, trust_env=False) as client,
        pytest.raises(WebSocketUpgradeError) as caught,
        client.websocket(f"{chat}/chat"),
    ):
        pass
    assert caught.value.response.status_code == 401
    assert outcome(caught.value.response) is not Outcome.UNTOUCHED


def gone(answer: Answer) -> str | None:
    """A signal that reads any response, whatever its type."""
    return "session_expired" if "gone" in answer.text else None


@pytest.mark.timeout(20)
@pytest.mark.parametrize("signal", [json_field("success", False), gone])
def test_no_signal_reads_the_frames_of_a_websocket(logins: Server, chat: str, signal: Any) -> None:
    async def main() -> None:
        async with (
            httpx2.AsyncClient(auth=auth, trust_env=False) as client,
            client.websocket(f"{chat}/chat") as ws,
        ):
            assert await ws.receive_text() == "hello"
            await ws.send_text("still here")
            assert await ws.receive_text() == "still here"

    auth = session_auth(logins, chat, signals=[signal])
    with (
        httpx2.Client(auth=auth, trust_env=False) as client,
        client.websocket(f"{chat}/chat") as ws,
    ):
        assert ws.receive_text() == "hello"
        ws.send_text("still here")
        assert ws.receive_text() == "still here"
    anyio.run(main)
