"""niquests' own schemes for streams of events and WebSockets: `psse://`, `sse://`, `ws://`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import niquests
import pytest

from relogin.client import Outcome, outcome
from relogin.client.niquests import SessionAuth
from relogin.client.signals import json_field
from tests.client.server import Answer, Request, Server


@pytest.fixture
def events(server: Server) -> str:
    """A stream of events without an end, for whoever has the living session."""

    def endless() -> Iterator[bytes]:
        while True:
            yield b"data: one\n\n"

    def answer(request: Request) -> Answer:
        admitted = server.protected(request)
        if admitted.status != 200:
            return admitted
        return Answer(200, (("Content-Type", "text/event-stream"),), endless())

    server.routes["/events"] = answer
    return server.url.replace("http:", "psse:") + "/events"


def first_event(auth: Any, url: str) -> tuple[str, Outcome]:
    with niquests.Session() as session:
        session.trust_env = False
        session.auth = auth
        answer: Any = session.get(url)
        event = answer.extension.next_payload()
        answer.extension.close()
        return event.data, outcome(answer)


async def first_event_async(auth: Any, url: str) -> tuple[str, Outcome]:
    async with niquests.AsyncSession() as session:
        session.trust_env = False
        session.auth = auth
        answer: Any = await session.get(url)
        event = await answer.extension.next_payload()
        await answer.extension.close()
        return event.data, outcome(answer)


FIRST = [first_event, lambda auth, url: asyncio.run(first_event_async(auth, url))]


@pytest.mark.parametrize("first", FIRST, ids=["called", "awaited"])
@pytest.mark.parametrize("named", ["http", "psse"])
def test_a_refused_stream_is_renewed_for_each_time_it_is_opened(
    server: Server, events: str, first: Callable[..., Any], named: str
) -> None:
    auth = SessionAuth(server.login, server.url.replace("http:", f"{named}:"))
    for _ in range(2):
        assert first(auth, events) == ("one", Outcome.REPLAYED)
        server.kill()
    assert server.logins == 2


@pytest.mark.timeout(20)
@pytest.mark.parametrize("first", FIRST, ids=["called", "awaited"])
def test_no_signal_reads_the_events_of_a_stream(
    server: Server, events: str, first: Callable[..., Any]
) -> None:
    auth = SessionAuth(server.login, server.url, signals=[json_field("success", False)])
    assert first(auth, events) == ("one", Outcome.REPLAYED)
