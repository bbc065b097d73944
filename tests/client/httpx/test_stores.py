"""Several `SessionAuth` objects of httpx that share a session through a store."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import anyio
import httpx
import pytest

from relogin.client.events import Event, EventKind
from relogin.client.httpx import SessionAuth
from relogin.client.stores.memory import MemoryStore
from tests.client.async_store import AsyncMemoryStore
from tests.client.httpx_drivers import Driver, drive, login_of, when
from tests.client.server import Answer, Request, Server

BACKENDS = pytest.mark.parametrize("backend", ["asyncio", "trio"])


EACH = pytest.mark.parametrize(
    ("driver", "make"),
    [
        ("sync", MemoryStore),
        ("asyncio", MemoryStore),
        ("asyncio", AsyncMemoryStore),
        ("trio", MemoryStore),
        ("trio", AsyncMemoryStore),
    ],
    indirect=["driver"],
)


@EACH
def test_a_session_that_another_has_renewed_is_taken_over(
    driver: Driver, server: Server, make: Callable[[], Any]
) -> None:
    store = make()
    for path in ("/1", "/2"):
        auth = SessionAuth(driver.login(server), server.url, store=store)
        assert driver.open(auth=auth).get(server.url + path).status_code == 200
    assert [request.token for request in server.seen("/2")] == ["s3cret-1"]
    assert server.logins == 1


@EACH
def test_a_renewal_that_another_has_begun_is_waited_for(
    driver: Driver, server: Server, make: Callable[[], Any]
) -> None:
    store, gate = make(), threading.Event()
    arrived, adopted = threading.Event(), threading.Event()
    server.login_gates.append(gate)

    def arrive(request: Request) -> Answer:
        arrived.set()
        return server.protected(request)

    server.routes["/2"] = arrive
    first = SessionAuth(driver.login(server), server.url, store=store)
    second = SessionAuth(
        driver.login(server), server.url, store=store, on_event=when("adopted", adopted.set)
    )
    clients = [driver.open(auth=auth) for auth in (first, second)]
    with ThreadPoolExecutor(2) as pool:
        leading = pool.submit(clients[0].get, f"{server.url}/1")
        assert server.login_began.acquire(timeout=10)
        following = pool.submit(clients[1].get, f"{server.url}/2")
        assert arrived.wait(10)
        gate.set()
        assert [leading.result(10).status_code, following.result(10).status_code] == [200, 200]
    assert adopted.wait(10)
    assert server.logins == 1


@EACH
def test_a_cookie_that_rolls_is_shared(
    driver: Driver, server: Server, make: Callable[[], Any]
) -> None:
    server.binding, server.rolls = "cookie", True
    store = make()
    clients = [
        driver.open(auth=SessionAuth(driver.login(server), server.url, store=store, fresh="always"))
        for _ in range(2)
    ]
    for index in range(6):
        assert clients[index % 2].get(f"{server.url}/{index}").status_code == 200
    assert server.logins == 1


@BACKENDS
def test_a_reset_can_be_awaited(server: Server, backend: str) -> None:
    store = AsyncMemoryStore()
    with drive(backend) as driver:
        auths = [SessionAuth(login_of(server), server.url, store=store) for _ in range(3)]
        driver.open(auth=auths[0]).get(f"{server.url}/1")
        driver.run(auths[1].areset)
        driver.open(auth=auths[2]).get(f"{server.url}/2")
        driver.open(auth=auths[0]).get(f"{server.url}/3")
    assert [request.token for request in server.seen("/2")] == [None, "s3cret-2"]


@BACKENDS
def test_a_store_that_hangs_costs_no_request(server: Server, backend: str) -> None:
    store, told = AsyncMemoryStore(), list[Event]()
    store.hangs = True
    auth = SessionAuth(
        login_of(server), server.url, store=store, login_timeout=1.0, on_event=told.append
    )
    with drive(backend) as driver:
        assert driver.open(auth=auth).get(f"{server.url}/orders").status_code == 200
    assert (told[0].kind, told[0].reason) == (EventKind.STORE_AWAY, "TimeoutError")


@BACKENDS
def test_a_reset_of_a_store_that_hangs_forgets_at_least_here(server: Server, backend: str) -> None:
    store = AsyncMemoryStore()
    auth = SessionAuth(login_of(server), server.url, store=store, login_timeout=1.0)
    with drive(backend) as driver:
        client = driver.open(auth=auth)
        client.get(f"{server.url}/1")
        store.hangs = True
        driver.run(auth.areset)
        client.get(f"{server.url}/2")
    assert [request.token for request in server.seen("/2")] == [None, "s3cret-2"]


@BACKENDS
def test_a_cancelled_leader_gives_its_turn_to_others(server: Server, backend: str) -> None:
    store = AsyncMemoryStore()
    begun = threading.Event()

    async def hang(context: Any) -> None:
        begun.set()
        await anyio.sleep_forever()

    async def run() -> int:
        leader = httpx.AsyncClient(auth=SessionAuth(hang, server.url, store=store), trust_env=False)
        async with leader, anyio.create_task_group() as group:
            group.start_soon(leader.get, f"{server.url}/1")
            while not begun.is_set():
                await anyio.sleep(0.001)
            group.cancel_scope.cancel()
        auth = SessionAuth(login_of(server), server.url, store=store)
        async with httpx.AsyncClient(auth=auth, trust_env=False) as other:
            with anyio.fail_after(10):
                code: int = (await other.get(f"{server.url}/2")).status_code
                return code

    assert anyio.run(run, backend=backend) == 200


class WaitingStore(AsyncMemoryStore):
    """A store for which a task waits for ever."""

    def __init__(self) -> None:
        super().__init__()
        self.waited = threading.Event()

    async def wait(self, *place: object) -> None:
        self.waited.set()
        await anyio.sleep_forever()


@BACKENDS
def test_a_cancelled_task_does_not_go_on_waiting_for_another_process(
    server: Server, backend: str
) -> None:
    store, begun = WaitingStore(), threading.Event()

    async def hang(context: Any) -> None:
        begun.set()
        await anyio.sleep_forever()

    async def get(auth: SessionAuth) -> None:
        async with httpx.AsyncClient(auth=auth, trust_env=False) as client:
            await client.get(f"{server.url}/1")

    async def run() -> None:
        leader, other = (SessionAuth(hang, server.url, store=store) for _ in range(2))
        with anyio.fail_after(10):
            async with anyio.create_task_group() as group:
                group.start_soon(get, leader)
                while not begun.is_set():
                    await anyio.sleep(0.001)
                group.start_soon(get, other)
                while not store.waited.is_set():
                    await anyio.sleep(0.001)
                group.cancel_scope.cancel()

    anyio.run(run, backend=backend)


def test_a_store_that_must_be_awaited_costs_a_synchronous_client_no_request(server: Server) -> None:
    told: list[Event] = []
    auth = SessionAuth(server.login, server.url, store=AsyncMemoryStore(), on_event=told.append)
    with httpx.Client(auth=auth, trust_env=False) as client:
        assert client.get(f"{server.url}/orders").status_code == 200
    assert [event.reason for event in told if event.kind == "store_away"] == ["TypeError"]
