"""What is common to both libraries' SessionAuth: copied, pickled, derived from, listened to."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from pickle import PicklingError
from typing import Any

import httpx
import pytest
import requests

import relogin.client.httpx
import relogin.client.requests
from relogin.client.events import Event, EventKind
from tests.client.httpx_drivers import Driver
from tests.client.server import Server

ORIGIN = "https://api.example.com"


def log_in(_: object) -> str:
    return "t"


class OfRequests(relogin.client.requests.SessionAuth):
    """One that knows whose it is."""

    def __init__(self, user: str, **options: Any) -> None:
        super().__init__(log_in, ORIGIN, **options)
        self.user = user


class OfHttpx(relogin.client.httpx.SessionAuth):
    """One that knows whose it is."""

    def __init__(self, user: str, **options: Any) -> None:
        super().__init__(log_in, ORIGIN, **options)
        self.user = user


def pickled(auth: Any) -> Any:
    return pickle.loads(pickle.dumps(auth))


@pytest.fixture(params=[OfRequests, OfHttpx])
def kind(request: pytest.FixtureRequest) -> Any:
    return request.param


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, pickled])
def test_what_a_derived_class_has_added_travels_along(
    kind: Any, again: Callable[[Any], Any]
) -> None:
    made = again(kind("ada", realm="orders"))
    assert (type(made), made.user, made._cache.policy.realm) == (kind, "ada", "orders")


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, pickled])
def test_the_listener_travels_along(kind: Any, again: Callable[[Any], Any]) -> None:
    made = again(kind("ada", on_event=print))
    assert made._policy == again(made)._policy == kind("ada", on_event=print)._policy


@pytest.mark.parametrize("client", [requests.Session, httpx.Client])
def test_a_copy_logs_in_with_the_same_client_and_a_pickle_with_none(kind: Any, client: Any) -> None:
    with client() as http:
        auth = kind("ada", http=http)
        assert copy.copy(auth)._http is http
        with pytest.raises(PicklingError, match="a SessionAuth with http= cannot be pickled"):
            pickle.dumps(auth)


# Listening


def test_a_request_that_a_listener_of_requests_makes_waits_for_nothing(
    server: Server, session: requests.Session
) -> None:
    def listen(event: Event) -> None:
        if event.kind is EventKind.STARTED:
            assert session.post(f"{server.url}/metrics").status_code == 401

    session.auth = relogin.client.requests.SessionAuth(server.login, server.url, on_event=listen)
    assert session.get(f"{server.url}/orders").status_code == 200
    assert server.logins == 1


def test_a_request_that_a_listener_of_httpx_makes_waits_for_nothing(
    driver: Driver, server: Server
) -> None:
    def listen(event: Event) -> None:
        if event.kind is EventKind.STARTED:
            with httpx.Client(auth=auth, trust_env=False) as client:
                assert client.post(f"{server.url}/metrics").status_code == 401

    auth = relogin.client.httpx.SessionAuth(driver.login(server), server.url, on_event=listen)
    assert driver.open(auth=auth).get(f"{server.url}/orders").status_code == 200
    assert server.logins == 1
