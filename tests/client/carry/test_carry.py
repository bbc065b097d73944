"""A token travels as `carry=` says: there, nowhere else, and no further than its origin."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest

from relogin.client import Outcome, outcome
from relogin.client.carry import Authorization, Header, Query
from tests.client.either import Either
from tests.client.server import Answer, Route, Server, serve
from tests.client.steps import Told
from tests.client.travel import Read, Travel, by_header, by_query

CARRIES: dict[str, tuple[Any, Read]] = {
    "Authorization": (Authorization("Token"), by_header("Authorization", "Token")),
    "Header": (Header("X-Auth-Token"), by_header("X-Auth-Token")),
    "Query": (Query("_sid"), by_query("_sid")),
}


@pytest.fixture(params=CARRIES)
def way(request: pytest.FixtureRequest) -> tuple[Any, Read]:
    return CARRIES[request.param]


@pytest.fixture
def elsewhere() -> Iterator[Server]:
    """Another origin, which answers everything."""
    with serve(Server(answers=lambda _: Answer(200))) as other:
        yield other


def to(location: str, status: int = 302) -> Route:
    return lambda _: Answer(status, (("Location", location),))


def secrets_in(text: object) -> bool:
    return "s3cret" in str(text)


def test_a_dead_token_is_replaced_where_it_was(
    server: Server, either: Either, way: tuple[Any, Read]
) -> None:
    carry, read = way
    travel = Travel(server, read)
    caller = either.attach(travel.login, server.url, carry=carry)
    caller.get(f"{server.url}/orders?a=%20b")
    travel.kill()
    answer = caller.post(f"{server.url}/orders?a=%20b&c", data=None)
    assert (answer.status_code, outcome(answer)) == (200, Outcome.REPLAYED)
    assert [read(request) for request in server.requests] == [
        None, "s3cret-1", "s3cret-1", "s3cret-2",
    ]  # fmt: skip


def test_the_token_is_in_no_other_place(
    server: Server, either: Either, way: tuple[Any, Read]
) -> None:
    carry, read = way
    travel = Travel(server, read)
    either.attach(travel.login, server.url, carry=carry).get(f"{server.url}/orders")
    last = server.requests[-1]
    places = [name for name, value in last.headers.items() if secrets_in(value)]
    places += ["query"] if secrets_in(last.path) else []
    assert len(places) == 1


@pytest.mark.parametrize("status", [302, 303, 307, 308])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_it_is_gone_from_a_redirect_to_another_origin(
    server: Server,
    elsewhere: Server,
    either: Either,
    way: tuple[Any, Read],
    status: int,
    method: str,
) -> None:
    carry, read = way
    travel = Travel(server, read, headers={"X-CSRF-Token": "csrf-s3cret"})
    caller = either.attach(travel.login, server.url, carry=carry)
    caller.get(f"{server.url}/orders")
    travel.routes["/away"] = to(f"{elsewhere.url}/landing", status)
    answer = caller.request(method, f"{server.url}/away")
    assert answer.status_code == 200
    [landed] = elsewhere.requests
    assert not secrets_in(landed.headers.items())
    assert not secrets_in(landed.path)


def test_it_goes_along_a_redirect_within_the_origin(
    server: Server, either: Either, way: tuple[Any, Read]
) -> None:
    carry, read = way
    travel = Travel(server, read)
    caller = either.attach(travel.login, server.url, carry=carry)
    caller.get(f"{server.url}/orders")
    travel.routes["/moved"] = to("/orders?page=2", 307)
    for method in ("GET", "POST"):
        answer = caller.request(method, f"{server.url}/moved")
        assert answer.status_code == 200
        assert read(server.requests[-1]) == "s3cret-1"
    assert travel.logins == 1


def test_after_a_redirect_to_another_origin_and_back_it_is_there_again(
    server: Server, elsewhere: Server, either: Either, way: tuple[Any, Read]
) -> None:
    carry, read = way
    travel = Travel(server, read)
    caller = either.attach(travel.login, server.url, carry=carry)
    caller.get(f"{server.url}/orders")
    travel.routes["/away"] = to(f"{elsewhere.url}/back")
    elsewhere.answers = to(f"{server.url}/orders")
    assert caller.get(f"{server.url}/away").status_code == 200
    assert travel.logins == 1


def test_no_event_message_log_or_repr_shows_it(
    server: Server, either: Either, way: tuple[Any, Read], caplog: pytest.LogCaptureFixture
) -> None:
    carry, read = way
    travel, told = Travel(server, read, headers={"X-CSRF-Token": "csrf-s3cret"}), Told()
    with caplog.at_level(logging.DEBUG, "relogin"):
        caller = either.attach(travel.login, server.url, carry=carry, on_event=told)
        caller.get(f"{server.url}/orders")
        travel.kill()
        caller.get(f"{server.url}/orders")
    records = [record.getMessage() for record in caplog.records if record.name[:7] == "relogin"]
    assert records
    assert not secrets_in(records)
    assert not secrets_in(told.events)
    assert not secrets_in(repr(travel.login(None)))
