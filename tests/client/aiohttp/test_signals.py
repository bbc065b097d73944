"""Signals and streams over aiohttp: what is looked at stays readable."""

from __future__ import annotations

import threading
from typing import Any

import aiohttp
import pytest

from relogin.client.signals import json_field
from tests.client.aiohttp.sessions import JSON, an_auth, got, run
from tests.client.server import PATIENCE, Answer, Server

LOST = b'{"success": false, "message": "please log in"}'


def test_a_signal_is_seen_in_the_body_and_nothing_of_it_lost(server: Server) -> None:
    server.answers = lambda _: Answer(200, (JSON,), LOST)
    auth = an_auth(server, lambda _: None, signals=[json_field("success", False)])
    answer = run(auth, lambda s: got(s, f"{server.url}/orders"))
    assert answer == (200, LOST, "declined")


def test_a_signalled_answer_is_renewed_for(server: Server) -> None:
    server.challenges, server.scheme = lambda error: (), "Bearer"
    server.refusal_status, server.refusal_headers = 200, (JSON,)
    server.refusal_body = lambda: LOST
    auth = an_auth(server, signals=[json_field("success", False)])
    answer = run(auth, lambda s: got(s, f"{server.url}/orders"))
    assert answer == (200, b"content", "replayed")


def test_a_stream_is_read_no_further_than_a_signal_looks(server: Server) -> None:
    go_on = threading.Event()

    def stream() -> Any:
        yield b'{"success": true}'
        assert go_on.wait(PATIENCE)
        yield b"\n"

    server.answers = lambda _: Answer(200, (JSON,), stream())

    async def main(session: aiohttp.ClientSession) -> bytes:
        async with session.get(f"{server.url}/rows") as answer:
            go_on.set()
            return await answer.read()

    auth = an_auth(server, signals=[json_field("success", False)])
    assert run(auth, main) == b'{"success": true}\n'


def test_a_broken_answer_breaks_for_its_reader(server: Server) -> None:
    def broken() -> Any:
        yield b"{"
        raise ConnectionAbortedError

    server.answers = lambda _: Answer(200, (JSON,), broken())

    async def main(session: aiohttp.ClientSession) -> None:
        with pytest.raises(aiohttp.ClientPayloadError):
            await got(session, f"{server.url}/rows")

    run(an_auth(server, signals=[json_field("success", False)]), main)


def test_a_signal_leaves_a_long_answer_to_its_reader(server: Server) -> None:
    long = LOST + b" " * 200_000
    server.answers = lambda _: Answer(200, (JSON,), iter([long]))
    auth = an_auth(server, lambda _: None, signals=[json_field("success", False)])
    assert run(auth, lambda s: got(s, f"{server.url}/orders")) == (200, long, "declined")
