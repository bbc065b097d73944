"""A session is given back: once, by itself, alive, and not while a request carries it."""

from __future__ import annotations

import inspect
import threading
from typing import Any

import anyio
import httpx
import pytest
import requests

from relogin.client import Outcome, outcome
from relogin.client.httpx import SessionAuth as HttpxAuth
from relogin.client.logins import Logout
from relogin.client.requests import SessionAuth
from tests.client.either import Either
from tests.client.logout.devices import attach, brief
from tests.client.seats import CARRY, Device
from tests.client.steps import Told

# When


def test_a_session_is_given_back_when_asked_for_and_the_next_request_logs_in(
    device: Device, either: Either
) -> None:
    auth = attach(either, device)
    client = either.client(auth)
    client.get(device.url)
    either.log_out(auth)
    assert (device.ended, device.taken) == ([1], {})
    answer = client.get(device.url)
    assert (answer.status_code, outcome(answer)) == (200, Outcome.REPLAYED)
    assert device.taken == {2: "s3cret-2"}


def test_at_the_end_of_a_block_its_session_is_given_back(device: Device, either: Either) -> None:
    auth = attach(either, device)
    with either.block(auth):
        either.client(auth).get(device.url)
    assert (device.ended, device.taken) == ([1], {})


def test_a_block_that_raises_gives_its_session_back_too(device: Device, either: Either) -> None:
    auth = attach(either, device)
    client = either.client(auth)

    def interrupted() -> None:
        with either.block(auth):
            client.get(device.url)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert device.taken == {}


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_block_that_is_cancelled_gives_its_session_back_too(device: Device, backend: str) -> None:
    auth = HttpxAuth(device.sit_down, device.url, carry=CARRY, logout=Logout())

    async def main() -> None:
        with anyio.CancelScope() as scope:
            async with auth, httpx.AsyncClient(auth=auth) as client:
                await client.get(device.url)
                scope.cancel()
                await anyio.sleep_forever()

    anyio.run(main, backend=backend)
    assert device.taken == {}


def test_nothing_is_given_back_twice(device: Device, either: Either) -> None:
    auth = attach(either, device)
    with either.block(auth):
        either.client(auth).get(device.url)
        either.log_out(auth)
        either.log_out(auth)
    assert device.ended == [1]


def test_many_threads_at_once_give_a_session_back_once(device: Device) -> None:
    auth = SessionAuth(device.sit_down, device.url, carry=CARRY, logout=Logout())
    requests.get(device.url, auth=auth, timeout=5)
    threads = [threading.Thread(target=auth.logout) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert device.ended == [1]


def test_where_there_is_no_session_nothing_is_sent(device: Device, either: Either) -> None:
    auth = attach(either, device)
    with either.block(auth):
        pass
    assert device.server.requests == []


def test_a_session_that_its_server_called_dead_is_not_given_back(
    device: Device, either: Either
) -> None:
    grants = [device.sit_down]
    auth = attach(either, device, login=lambda _: grants.pop()() if grants else None)
    client = either.client(auth)
    with either.block(auth):
        client.get(device.url)
        device.taken.clear()
        assert outcome(client.get(device.url)) is Outcome.DECLINED
    assert device.ended == []


# What fails


def test_a_logout_that_fails_costs_no_request_and_is_told(
    device: Device, either: Either, caplog: pytest.LogCaptureFixture
) -> None:
    told, device.logout_status = Told(), 500
    auth = attach(either, device, login=brief(device), on_event=told)
    client = either.client(auth)
    with either.block(auth):
        assert [client.get(device.url).status_code for _ in range(2)] == [200, 200]
    failures = [e for e in told.events if e.kind == "logout_failed"]
    assert [failure.reason for failure in failures] == ["LoginUnavailable"] * 2
    assert caplog.messages == [
        f"the logout at {device.url} failed: LoginUnavailable: "
        f"{device.url}/sessions/{number} answered 500"
        for number in (1, 2)
    ]


def test_what_a_logout_raises_is_not_shown(
    device: Device, either: Either, caplog: pytest.LogCaptureFixture
) -> None:
    def logout(_: Any) -> None:
        raise OSError("s3cret")

    auth = attach(either, device, logout=logout)
    with either.block(auth):
        either.client(auth).get(device.url)
    assert caplog.messages == [f"the logout at {device.url} failed: OSError"]


def test_a_logout_that_was_interrupted_is_done_by_the_next_one(device: Device) -> None:
    calls: list[str] = []

    def logout(context: Any) -> None:
        calls.append(context.previous.token)
        if len(calls) == 1:
            raise KeyboardInterrupt

    auth = SessionAuth(device.sit_down, device.url, carry=CARRY, logout=logout)
    requests.get(device.url, auth=auth, timeout=5)
    with pytest.raises(KeyboardInterrupt):
        auth.logout()
    auth.logout()
    auth.logout()
    assert calls == ["s3cret-1", "s3cret-1"]


def test_a_success_is_told(device: Device, either: Either) -> None:
    told = Told()
    auth = attach(either, device, on_event=told)
    with either.block(auth):
        either.client(auth).get(device.url)
    assert told.kinds()[-1] == "logged_out"


@pytest.mark.parametrize("status", [200, 204, 302, 401, 404, 410])
def test_a_session_that_is_gone_is_as_good_as_ended(
    device: Device, either: Either, status: int
) -> None:
    told, device.logout_status = Told(), status
    auth = attach(either, device, on_event=told)
    with either.block(auth):
        either.client(auth).get(device.url)
    assert told.kinds()[-1] == "logged_out"


# Mistakes


@pytest.mark.parametrize(
    ("logout", "message"),
    [
        ("https://api.example.com/logout", "logout= must be a function, such as Logout.*not str"),
        (Logout, r"pass an instance, not the class: Logout\(…\)"),
        (7, "logout= must be a function"),
    ],
)
def test_what_is_no_logout_is_told_at_once(either: Either, logout: Any, message: str) -> None:
    with pytest.raises(TypeError, match=f"^SessionAuth: {message}"):
        either.auth(lambda _: "t", "https://api.example.com", logout=logout)


def test_without_logout_nothing_can_be_given_back(either: Either) -> None:
    auth = either.auth(lambda _: "t", "https://api.example.com")
    with pytest.raises(TypeError, match=r"SessionAuth\(…, logout=Logout\(url\)\)"):
        either.log_out(auth)
    with pytest.raises(TypeError, match="has no logout"), either.block(auth):
        pass


@pytest.mark.parametrize(
    ("given", "kind", "message"),
    [
        ({"url": 7}, TypeError, "the URL of a logout must be a str, not int"),
        ({"url": "http://api.example.com/logout"}, ValueError, "is not https"),
        ({"url": "https://ada:pw@api.example.com/"}, ValueError, "must not contain a user name"),
        ({"method": "GET IT"}, ValueError, "must be an HTTP method"),
        ({"method": None}, ValueError, "must be an HTTP method"),
        ({"method": ""}, ValueError, "must be an HTTP method"),
    ],
)
def test_a_logout_that_cannot_be_is_told_at_once(
    given: dict[str, Any], kind: type[Exception], message: str
) -> None:
    with pytest.raises(kind, match=message):
        Logout(**given)


def test_a_repr_shows_no_query() -> None:
    assert repr(Logout("https://a.example/out?k=s3cret", "POST")) == (
        "<Logout POST https://a.example/out>"
    )
    assert repr(Logout()) == "<Logout DELETE the session's own URL>"


@pytest.mark.parametrize("kind", [SessionAuth, HttpxAuth])
def test_logout_is_an_option_of_every_library(kind: Any) -> None:
    assert {"logout", "logout_replaced"} <= inspect.signature(kind).parameters.keys()
