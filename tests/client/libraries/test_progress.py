"""A login ends without a grant: what it has sent decides about the budget and its refresh token."""

from __future__ import annotations

import gc
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import anyio
import pytest

from relogin import Grant, LoginUnavailable
from relogin.client.logins import OAuth2Login
from tests.client.libraries.face import Face
from tests.client.server import Server
from tests.client.token_server import TokenServer


async def cancelled(face: Face, client: Any, url: str, until: Callable[[], object]) -> None:
    """Cancel a request once this is so."""
    with anyio.fail_after(10):
        async with anyio.create_task_group() as group:

            async def one() -> None:
                await face.send(client, "GET", url)

            group.start_soon(one)
            while not until():
                await anyio.sleep(0.01)
            group.cancel_scope.cancel()


@pytest.fixture
def silent() -> Iterator[socket.socket]:
    """A server that lets clients connect and never begins its handshake of TLS."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening


# httpx leaves a connection that is cancelled while it is opened to the garbage collector.
@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_leaders_that_are_cancelled_before_their_login_sends_anything_cost_no_budget(
    async_face: Face, server: Server, silent: socket.socket
) -> None:
    accepted: list[socket.socket] = []
    silent.setblocking(False)

    def accepts() -> bool:
        try:
            accepted.append(silent.accept()[0])
        except BlockingIOError:
            return False
        return True

    async def log_in(context: Any) -> Any:
        if len(accepted) == 3:
            return await async_face.log_in(server, context)
        return await context.http.post(f"https://127.0.0.1:{silent.getsockname()[1]}/", data={})

    client = async_face.open(async_face.auth(server, log_in, budget=(1, 3600.0)))
    for _ in range(3):
        async_face.run(cancelled, async_face, client.client, server.url, accepts)
    assert client.get(server.url).status == 200
    for connection in accepted:
        connection.close()
    gc.collect()  # while its warnings are ignored


def test_what_a_cancelled_leader_has_sent_counts(async_face: Face, server: Server) -> None:
    client = async_face.open(async_face.auth(server, budget=(2, 3600.0)))
    gates = [threading.Event() for _ in range(2)]
    server.login_gates.extend(gates)
    for number in (1, 2):
        async_face.run(
            cancelled,
            async_face,
            client.client,
            server.url,
            lambda number=number: len(server.seen("/login")) == number,
        )
    assert client.get(server.url).outcome == "over_budget"
    for gate in gates:
        gate.set()


def followed_by_a_failure(face: Face, log_in: Any, sends: Callable[[], str]) -> Any:
    """A login that goes on to a server which refuses its connection the first time."""

    async def awaited(context: Any) -> Any:
        grant = log_in(context)
        grant = await grant if isinstance(grant, Awaitable) else grant
        try:
            url = sends()
            await context.http.get(url) if url else None
        except Exception as error:
            raise LoginUnavailable(retry_after=0.0) from error
        return grant

    def called(context: Any) -> Any:
        grant = log_in(context)
        try:
            url = sends()
            context.http.get(url) if url else None
        except Exception as error:
            raise LoginUnavailable(retry_after=0.0) from error
        return grant

    return awaited if face.is_async else called


def once(url: str) -> Callable[[], str]:
    urls = [url]
    return lambda: urls.pop() if urls else ""


def nobody() -> str:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return f"http://127.0.0.1:{listening.getsockname()[1]}/"


def test_the_newest_refresh_token_is_kept_whatever_fails_after_it(
    face: Face, server: Server
) -> None:
    tokens = TokenServer(server)
    oauth = OAuth2Login(tokens.url, "app", refresh_token=tokens.issue())
    log_in = followed_by_a_failure(face, oauth.acall if face.is_async else oauth, once(nobody()))
    client = face.open(face.auth(server, log_in))
    with pytest.raises(face.failure):
        client.get(f"{server.url}/orders")
    assert client.get(f"{server.url}/orders").status == 200
    sent = [fields["refresh_token"] for fields in tokens.asked]
    assert (len(sent), len(set(sent)), tokens.reused) == (2, 2, 0)


def test_a_refresh_that_was_accepted_is_not_made_again_whatever_fails_after_it(
    face: Face, server: Server
) -> None:
    tokens = TokenServer(server)
    known: list[Grant | None] = []

    def fields(context: Any) -> dict[str, str]:
        known.append(context.previous)
        refresh = context.previous.refresh if context.previous else tokens.issue()
        if refresh is None:
            raise LoginUnavailable("nothing to log in with")
        return {"grant_type": "refresh_token", "refresh_token": refresh, "client_id": "app"}

    def read(answer: Any) -> Grant:
        found = answer if isinstance(answer, dict) else answer.json()
        return Grant(token=found["access_token"], refresh=found["refresh_token"])

    async def awaited(context: Any) -> Grant:
        answer = await context.http.post(tokens.url, data=fields(context))
        found = answer.json()
        return read(await found if isinstance(found, Awaitable) else found)

    def called(context: Any) -> Grant:
        return read(context.http.post(tokens.url, data=fields(context)))

    failing = once(nobody())
    turns = iter(["", "fails", ""])

    def sends() -> str:
        return failing() if next(turns) else ""

    log_in = followed_by_a_failure(face, awaited if face.is_async else called, sends)
    client = face.open(face.auth(server, log_in))
    assert client.get(f"{server.url}/orders").status == 200
    tokens.kill()
    with pytest.raises(face.failure):
        client.get(f"{server.url}/orders")
    with pytest.raises(face.failure):
        client.get(f"{server.url}/orders")
    assert known[2] is not None
    assert known[2].refresh is None
    assert tokens.reused == 0
