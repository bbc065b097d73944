"""SPEC.md §6.3 and §6.4: when a client of requests or httpx renews, and what it sends again."""

import io
import threading
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from typing import Any

import pytest
from requests.adapters import HTTPAdapter
from urllib3 import Retry

import relogin
from relogin.client import outcome
from relogin.client.terms.outcomes import Outcome
from tests.client.server import Answer, Request, Server
from tests.scheme.orders import (
    EXPIRED,
    Client,
    Opening,
    Orders,
    RequestsSession,
    open_client,
    refusal,
)

# Renewal


@pytest.mark.requirement("C-17")
def test_many_refused_requests_share_one_login(
    orders: Orders, client: Client, server: Server
) -> None:
    with ThreadPoolExecutor(20) as pool:
        statuses = list(pool.map(lambda _: client.get(server.url).status_code, range(20)))
    assert (statuses, orders.logins) == ([200] * 20, 1)


@pytest.mark.requirement("C-17")
def test_who_waits_for_a_login_has_a_deadline(
    session_for: Opening, orders: Orders, server: Server
) -> None:
    released = threading.Event()

    def login(context: Any) -> str:
        released.wait(10)
        return str(orders.login(context))

    with session_for(login, server.url, login_timeout=0.2) as client, ThreadPoolExecutor(4) as pool:
        pending = [pool.submit(client.get, server.url) for _ in range(4)]
        ended = wait(pending, timeout=10, return_when=FIRST_COMPLETED).done
        hanging = not released.is_set()
        released.set()
    assert hanging
    assert isinstance(ended.pop().exception(), relogin.LoginTimeout)


@pytest.mark.requirement("C-18")
@pytest.mark.parametrize("error", [EXPIRED, 'Session realm="orders", error="session_revoked"'])
def test_a_late_refusal_of_an_old_token_costs_no_login(
    orders: Orders, client: Client, server: Server, error: str
) -> None:
    arrived, go = threading.Event(), threading.Event()

    def late(sent: Request) -> Answer:
        if sent.path == "/slow" and sent.token == "t1":
            arrived.set()
            go.wait(10)
            return refusal(error)
        return orders(sent)

    client.get(server.url)
    server.answers = late
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(client.get, f"{server.url}/slow")
        arrived.wait(10)
        orders.alive += 1
        client.get(server.url)
        go.set()
        assert slow.result(10).status_code == 200
    assert orders.logins == 2


@pytest.mark.requirement("C-19")
def test_one_request_leads_one_login_and_is_replayed_twice_at_most(
    orders: Orders, client: Client, server: Server
) -> None:
    server.answers = lambda sent: refusal(EXPIRED)
    assert client.get(server.url).status_code == 401
    assert orders.logins == 1
    assert len(server.requests) <= 3


@pytest.mark.requirement("C-19")
def test_logins_are_bounded_within_a_time(
    session_for: Opening, orders: Orders, server: Server
) -> None:
    server.answers = lambda sent: refusal(EXPIRED)
    with session_for(orders.login, server.url, budget=(3, 60.0)) as client:
        told = [outcome(client.get(server.url)) for _ in range(5)]
    assert orders.logins == 3
    assert told[-1] is Outcome.OVER_BUDGET


@pytest.mark.requirement("C-20")
def test_a_refused_password_is_not_tried_again(
    session_for: Opening, orders: Orders, server: Server
) -> None:
    def login(context: Any) -> str:
        orders.login(context)
        raise relogin.LoginRefused("wrong password")

    with session_for(login, server.url) as client:
        for _ in range(3):
            with pytest.raises(relogin.LoginRefused):
                client.get(server.url)
    assert orders.logins == 1


@pytest.mark.requirement("C-22")
@pytest.mark.parametrize("code", ["session_expired", "session_invalid"])
def test_a_refused_token_is_not_sent_again(
    orders: Orders, client: Client, server: Server, code: str
) -> None:
    client.get(server.url)
    orders.refused = refusal(f'Session realm="orders", error="{code}"')
    orders.alive += 1
    for _ in range(2):
        client.get(server.url)
    assert server.tokens == [None, "t1", "t1", "t3", "t3"]


# Replay


@pytest.mark.requirement("C-23")
def test_the_hop_that_was_refused_is_replayed_and_no_earlier_one(
    orders: Orders, client: Client, server: Server
) -> None:
    def posted(sent: Request) -> Answer:
        return Answer(303, (("Location", "/done"),)) if sent.method == "POST" else orders(sent)

    server.answers = posted
    assert client.post(server.url, data=b"once").status_code == 200
    assert [sent.method for sent in server.requests] == ["POST", "GET", "GET"]


@pytest.mark.requirement("C-23")
def test_two_principals_share_nothing(session_for: Opening, server: Server) -> None:
    server.answers = lambda sent: Answer() if sent.token else refusal(EXPIRED)
    with (
        session_for(lambda _: "ada", server.url) as ada,
        session_for(lambda _: "bob", server.url) as bob,
    ):
        for client in (ada, bob, ada, bob):
            client.get(server.url)
    assert server.tokens == [None, "ada", None, "bob", "ada", "bob"]


@pytest.mark.requirement("C-24")
@pytest.mark.parametrize(
    ("challenge", "had_token"),
    [(EXPIRED, True), ("Session", True), ("Session", False)],
)
def test_a_post_is_replayed_after_a_401(
    orders: Orders, client: Client, server: Server, challenge: str, had_token: bool
) -> None:
    orders.refused = refusal(challenge)
    if had_token:
        client.get(server.url)
        orders.alive += 1
    response = client.post(server.url, data=b"order")
    assert (response.status_code, outcome(response)) == (200, Outcome.REPLAYED)


@pytest.mark.requirement("C-24")
def test_a_post_that_the_transport_has_sent_twice_is_not_replayed(
    orders: Orders, server: Server
) -> None:
    """The transport of httpx retries only where no connection could be made."""

    def trouble_first(sent: Request) -> Answer:
        return Answer(503) if len(server.requests) == 1 else orders(sent)

    server.answers = trouble_first
    retries = Retry(1, status_forcelist=[503], allowed_methods=None, backoff_factor=0)
    with open_client(RequestsSession, orders.login, server.url) as client:
        client.mount(server.url, HTTPAdapter(max_retries=retries))
        response = client.post(server.url, data=b"order")
    assert (response.status_code, outcome(response)) == (401, Outcome.RENEWED_NOT_REPLAYED)
    assert len(server.requests) == 2


@pytest.mark.requirement("C-25")
@pytest.mark.parametrize(
    ("body", "whole"),
    [
        (lambda: b"content", True),
        (lambda: io.BytesIO(b"content"), True),
        (lambda: (part for part in [b"con", b"tent"]), False),
    ],
    ids=["bytes", "file", "generator"],
)
def test_a_body_is_replayed_whole_or_not_at_all(
    client: Client, server: Server, body: Callable[[], Any], whole: bool
) -> None:
    response = client.put(server.url, data=body())
    assert response.status_code == (200 if whole else 401)
    assert [sent.body for sent in server.requests] == [b"content"] * (2 if whole else 1)
