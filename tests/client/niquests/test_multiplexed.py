"""Sessions of niquests that multiplex: a response is handed out before it has arrived."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import hypercorn.asyncio
import hypercorn.config
import niquests
import pytest

from relogin import LoginRefused
from relogin.client import Outcome, outcome
from relogin.client.niquests import SessionAuth
from tests.programs import free_port


@contextmanager
def http2(living: set[str]) -> Iterator[str]:
    """A server that speaks HTTP/2 in the clear to who knows that it does."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        given = dict(scope["headers"]).get(b"authorization", b"").decode()
        lives = any(token in given for token in living)
        headers = [] if lives else [(b"www-authenticate", b'Session realm="api"')]
        status = 200 if lives else 401
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": scope["path"].encode()})

    loop, port = asyncio.new_event_loop(), free_port()
    ended = asyncio.Event()
    config = hypercorn.config.Config()
    config.bind = [f"127.0.0.1:{port}"]
    serving = hypercorn.asyncio.serve(app, config, shutdown_trigger=ended.wait)
    thread = threading.Thread(target=loop.run_until_complete, args=(serving,))
    thread.start()
    try:
        _wait_for(port)
        yield f"http://127.0.0.1:{port}"
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join()
        loop.close()


def _wait_for(port: int) -> None:
    import socket

    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            time.sleep(0.02)
        else:
            return


def test_a_response_that_is_handed_out_early_is_renewed_for_when_it_is_gathered() -> None:
    living: set[str] = set()
    logins = []

    def log_in(_: object) -> str:
        logins.append(1)
        living.add("t1")
        return "t1"

    with http2(living) as url, niquests.Session(multiplexed=True, disable_http1=True) as session:
        session.trust_env = False
        session.auth = SessionAuth(log_in, url)
        answers = [session.get(f"{url}/{number}") for number in range(5)]
        assert all(answer.lazy for answer in answers)
        session.gather()
        assert [answer.status_code for answer in answers] == [200] * 5
        assert [answer.content for answer in answers] == [b"/%d" % n for n in range(5)]
        assert {outcome(answer) for answer in answers} == {Outcome.REPLAYED}
        assert [[past.status_code for past in answer.history] for answer in answers] == [[401]] * 5
        assert session.get(f"{url}/living").status_code == 200
    assert len(logins) == 1


def test_a_response_of_an_asynchronous_session_is_renewed_for_when_it_is_gathered() -> None:
    living: set[str] = set()

    def log_in(_: object) -> str:
        living.add("t1")
        return "t1"

    async def main(url: str) -> list[tuple[int, bytes]]:
        async with niquests.AsyncSession(multiplexed=True, disable_http1=True) as session:
            session.trust_env = False
            session.auth = SessionAuth(log_in, url)
            answers = [await session.get(f"{url}/{number}") for number in range(5)]
            await session.gather()
            return [(answer.status_code, answer.content) for answer in answers]

    with http2(living) as url:
        assert asyncio.run(main(url)) == [(200, b"/%d" % number) for number in range(5)]


def test_a_login_that_is_refused_is_told_when_the_response_is_gathered() -> None:
    def refuse(_: object) -> str:
        raise LoginRefused("no")

    with http2(set()) as url, niquests.Session(multiplexed=True, disable_http1=True) as session:
        session.trust_env = False
        session.auth = SessionAuth(refuse, url)
        answer = session.get(f"{url}/orders")
        with pytest.raises(LoginRefused):
            session.gather(answer)
