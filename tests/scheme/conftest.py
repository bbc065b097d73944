"""What the tests of the client's requirements stand on: servers on loopback, and a client."""

from collections.abc import Iterator

import pytest
import requests

from tests.scheme.orders import EXPIRED, Orders, session_for
from tests.scheme.server import Server, refusal


@pytest.fixture
def orders() -> Orders:
    return Orders()


@pytest.fixture
def server(orders: Orders) -> Iterator[Server]:
    with Server(orders) as server:
        yield server


@pytest.fixture
def foreign(orders: Orders) -> Iterator[Server]:
    with Server(lambda sent: refusal(EXPIRED)) as server:
        yield server


@pytest.fixture
def client(orders: Orders, server: Server) -> Iterator[requests.Session]:
    with session_for(orders.login, server.url) as client:
        yield client
