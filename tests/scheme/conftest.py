"""What the tests of the client's requirements stand on: servers on loopback, and a client."""

from collections.abc import Iterator
from functools import partial

import pytest

from tests.client.server import Server, serve
from tests.scheme.orders import (
    EXPIRED,
    Client,
    HttpxClient,
    Opening,
    Orders,
    RequestsSession,
    open_client,
    refusal,
)


@pytest.fixture
def orders() -> Orders:
    return Orders()


@pytest.fixture
def server(orders: Orders) -> Iterator[Server]:
    with serve(Server(answers=orders)) as server:
        yield server


@pytest.fixture
def foreign(orders: Orders) -> Iterator[Server]:
    with serve(Server(answers=lambda sent: refusal(EXPIRED))) as server:
        yield server


@pytest.fixture(params=[RequestsSession, HttpxClient], ids=["requests", "httpx"])
def session_for(request: pytest.FixtureRequest) -> Opening:
    """Opens a client of either library that logs in so, for this origin."""
    return partial(open_client, request.param)


@pytest.fixture
def client(session_for: Opening, orders: Orders, server: Server) -> Iterator[Client]:
    with session_for(orders.login, server.url) as client:
        yield client
