"""aiohttp gives sessions back as the others do: its logouts are awaited, or run in a thread."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import aiohttp
import pytest

from relogin import Grant
from relogin.client.aiohttp import SessionAuth
from relogin.client.logins import Logout
from relogin.client.stores.memory import MemoryStore
from relogin.client.terms.origins import origin_of
from tests.client.seats import CARRY, Device
from tests.client.server import Answer, Server, serve
from tests.client.steps import Told


@pytest.fixture
def device(server: Server) -> Device:
    return Device(server)


def an_auth(device: Device, login: Any = None, **options: Any) -> SessionAuth:
    given: dict[str, Any] = {"logout": Logout(), "carry": CARRY} | options
    return SessionAuth(login or device.sit_down, device.url, **given)


def run(auth: SessionAuth, do: Callable[[aiohttp.ClientSession], Coroutine[Any, Any, Any]]) -> Any:
    """Do something in a block that gives its session back."""

    async def main() -> Any:
        async with auth, aiohttp.ClientSession(middlewares=[auth]) as session:
            return await do(session)

    return asyncio.run(main())


def get(url: str, times: int = 1) -> Callable[[aiohttp.ClientSession], Coroutine[Any, Any, Any]]:
    async def do(session: aiohttp.ClientSession) -> list[int]:
        statuses = []
        for _ in range(times):
            async with session.get(url) as answer:
                statuses.append(answer.status)
        return statuses

    return do


def test_a_block_gives_its_session_back(device: Device) -> None:
    assert run(an_auth(device), get(device.url)) == [200]
    assert (device.ended, device.taken) == ([1], {})


def test_what_is_replaced_while_it_lives_is_given_back(device: Device) -> None:
    def brief(_: Any) -> Grant:
        grant = device.sit_down()
        return Grant(grant.token, expires_in=1e-6, location=grant.location)

    assert run(an_auth(device, brief), get(device.url, 3)) == [200] * 3
    assert device.ended == [1, 2, 3]


def test_a_coroutine_function_has_a_client_that_sends_the_session_to_its_origin(
    device: Device,
) -> None:
    with serve(Server(answers=lambda _: Answer(200))) as elsewhere:
        away = Answer(302, (("Location", f"{elsewhere.url}/landing"),))
        device.routes["/away"] = lambda _: away

        async def logout(context: Any) -> None:
            async with context.http.get(f"{device.url}/away") as answer:
                assert answer.status == 200
            async with context.http.delete(f"{device.url}/sessions/1") as answer:
                assert answer.status == 204

        run(an_auth(device, logout=logout), get(device.url))
        assert device.taken == {}
        assert "s3cret" not in str([request.headers.items() for request in elsewhere.requests])


def test_any_other_callable_runs_in_a_thread_and_signs_by_hand(device: Device) -> None:
    def logout(context: Any) -> None:
        headers: dict[str, str] = {}
        url = context.sign(headers, f"{device.url}/sessions/1")
        context.http.delete(url, headers=headers).raise_for_status()

    run(an_auth(device, logout=logout), get(device.url))
    assert device.taken == {}


def test_what_is_awaited_for_too_long_is_given_up(device: Device) -> None:
    async def logout(_: Any) -> None:
        await asyncio.sleep(30)

    told = Told()
    run(an_auth(device, logout=logout, login_timeout=0.1, on_event=told), get(device.url))
    assert (told.events[-1].kind, told.events[-1].reason) == ("logout_failed", "LoginUnavailable")


def test_without_a_loop_a_session_can_be_given_back_too(device: Device) -> None:
    auth = an_auth(device)

    async def main() -> None:
        async with aiohttp.ClientSession(middlewares=[auth]) as session:
            await get(device.url)(session)

    asyncio.run(main())
    auth.logout()
    # `Logout` signs the request itself, whichever client it has.
    assert device.taken == {}


@pytest.mark.parametrize("awaited", [True, False])
def test_a_session_that_lies_in_a_store_is_given_back_and_forgotten(
    device: Device, awaited: bool
) -> None:
    store = MemoryStore()
    auth = an_auth(device, store=store)

    async def main() -> None:
        async with aiohttp.ClientSession(middlewares=[auth]) as session:
            async with session.get(device.url):
                pass
            if awaited:
                await auth.alogout()

    asyncio.run(main())
    if not awaited:
        auth.logout()
    assert device.taken == {}
    (entry,) = store.get(origin_of(device.url), "").entries.values()
    assert '"token"' not in entry.text
