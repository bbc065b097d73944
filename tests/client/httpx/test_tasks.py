"""One login for all: a hundred threads, a hundred tasks, and all of them on one object."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import anyio
import anyio.to_thread
import httpx
import pytest
import trio

from relogin import Grant
from relogin.client.driver import tasks
from relogin.client.httpx import SessionAuth
from relogin.client.renewal.cache import CredentialCache
from relogin.client.renewal.commands import Wait
from relogin.client.renewal.credential import Key
from relogin.client.renewal.flight import Flight, Status
from tests.client.httpx_drivers import Driver, drive, login_of, when
from tests.client.server import Answer, Server
from tests.programs import python


@pytest.mark.requirement("C-17")
def test_a_hundred_that_meet_a_dead_session_log_in_once(driver: Driver, server: Server) -> None:
    client = driver.open(auth=SessionAuth(driver.login(server), server.url))
    client.get(f"{server.url}/first")
    server.kill()
    answers = client.at_once(100, lambda _: f"{server.url}/orders")
    assert [answer.status_code for answer in answers] == [200] * 100
    assert server.logins == 2


@pytest.mark.requirement("C-18")
def test_a_session_that_the_login_under_way_has_ended_is_replayed_with_what_it_brings(
    driver: Driver, server: Server
) -> None:
    joined = threading.Event()
    auth = SessionAuth(driver.login(server), server.url, on_event=when("joined", joined.set))
    client = driver.open(auth=auth)
    old = client.get(f"{server.url}/first").request.headers["Authorization"]
    server.login_gates.append(joined)
    server.routes["/leader"] = lambda r: (
        server.refuse("session_expired") if r.headers["Authorization"] == old else Answer()
    )
    assert server.login_began.acquire(timeout=10)
    with ThreadPoolExecutor(1) as pool:
        leader = pool.submit(client.get, f"{server.url}/leader")
        assert server.login_began.acquire(timeout=10)
        server.kill("session_revoked")
        answer = client.get(f"{server.url}/orders")
        assert leader.result(10).status_code == 200
    assert [each.status_code for each in (*answer.history, answer)] == [401, 200]
    assert "session_revoked" in answer.history[0].headers["WWW-Authenticate"]
    assert server.logins == 2


@pytest.mark.requirement("C-17")
def test_threads_and_tasks_of_both_loops_share_one_object_and_one_login(server: Server) -> None:
    auth = SessionAuth(server.login, server.url)
    began = threading.Barrier(3)

    def meet(name: str) -> list[httpx.Response]:
        with drive(name) as driver:
            client = driver.open(auth=auth)
            began.wait(10)
            return client.at_once(33, lambda _: f"{server.url}/orders")

    with ThreadPoolExecutor(3) as pool:
        answers = [a for each in pool.map(meet, ["sync", "asyncio", "trio"]) for a in each]
    assert [answer.status_code for answer in answers] == [200] * 99
    assert server.logins == 1


@pytest.mark.parametrize("leader", ["sync", "asyncio", "trio"])
@pytest.mark.parametrize("follower", ["sync", "asyncio", "trio"])
def test_each_kind_waits_for_each(server: Server, leader: str, follower: str) -> None:
    gate = threading.Event()
    server.login_gates.append(gate)
    joined = threading.Event()
    auth = SessionAuth(server.login, server.url, on_event=when("joined", joined.set))
    with drive(leader) as leading, drive(follower) as following, ThreadPoolExecutor(2) as pool:
        first = pool.submit(leading.open(auth=auth).get, f"{server.url}/1")
        assert server.login_began.acquire(timeout=10)
        second = pool.submit(following.open(auth=auth).get, f"{server.url}/2")
        assert joined.wait(10)
        gate.set()
        assert [first.result(10).status_code, second.result(10).status_code] == [200, 200]
    assert server.logins == 1


def test_nobody_is_left_on_a_renewal_that_has_ended(
    driver: Driver, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = threading.Event()
    server.login_gates.append(gate)
    auth = SessionAuth(driver.login(server), server.url, on_event=when("joined", gate.set))
    flights: list[Flight] = []
    watch = auth._cache.watch

    def watched(flight: Flight, wake: Callable[[], object]) -> bool:
        flights.append(flight)
        return watch(flight, wake)

    monkeypatch.setattr(auth._cache, "watch", watched)
    driver.open(auth=auth).at_once(10, lambda _: f"{server.url}/orders")
    assert flights
    assert [waker for flight in flights for waker in flight.wakers] == []


# A leader that does not come to its end


class Leading:
    """A login whose first call never ends by itself, and whose others are the server's."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.begun = anyio.Event()
        self.calls = 0

    async def __call__(self, context: Any) -> Grant:
        self.calls += 1
        if self.calls == 1:
            self.begun.set()
            await anyio.sleep_forever()
        return await login_of(self.server)(context)


async def cancel_the_leader(server: Server) -> list[int]:
    """Let ten wait for a leader, cancel that one, and return what the ten get."""
    joined = anyio.Semaphore(0)
    codes: list[int] = []
    login = Leading(server)
    auth = SessionAuth(login, server.url, on_event=when("joined", joined.release))
    async with httpx.AsyncClient(auth=auth, trust_env=False) as client:

        async def get() -> None:
            codes.append((await client.get(f"{server.url}/orders")).status_code)

        async with anyio.create_task_group() as others, anyio.create_task_group() as leader:
            leader.start_soon(get)
            await login.begun.wait()
            for _ in range(10):
                others.start_soon(get)
            for _ in range(10):
                await joined.acquire()
            leader.cancel_scope.cancel()
    return codes


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_cancelled_leader_is_succeeded(server: Server, backend: str) -> None:
    assert anyio.run(cancel_the_leader, server, backend=backend) == [200] * 10
    assert server.logins == 1


def test_a_task_that_asyncio_cancels_leaves_nothing_locked(server: Server) -> None:
    async def run() -> int:
        login = Leading(server)
        auth = SessionAuth(login, server.url)
        async with httpx.AsyncClient(auth=auth, trust_env=False) as client:
            leader = asyncio.create_task(client.get(f"{server.url}/orders"))
            await login.begun.wait()
            leader.cancel()
            with pytest.raises(asyncio.CancelledError):
                await leader
            return (await client.get(f"{server.url}/orders")).status_code

    assert asyncio.run(run()) == 200


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_whoever_waited_in_a_loop_that_is_gone_keeps_nobody_from_waking_the_others(
    backend: str,
) -> None:
    cache, flight = kept(), Flight(Key("https://api.example.com:443", ""), 60.0)

    async def give_up() -> None:
        with anyio.move_on_after(0.01):
            await tasks.stand_by(cache, Wait(flight, 60.0))

    anyio.run(give_up, backend=backend)
    assert flight.wakers
    cache.end(flight, Status.GRANTED)


def kept() -> CredentialCache:
    """Make a cache that goes on waking those who have gone."""
    cache = SessionAuth(lambda _: "token", "https://api.example.com")._cache
    cache.unwatch = lambda *_: None  # type: ignore[method-assign]
    return cache


@pytest.mark.parametrize("interrupt", [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_an_interrupt_during_a_login_reaches_the_caller_and_locks_nothing(
    server: Server, interrupt: type[BaseException]
) -> None:
    with drive("sync") as driver:
        client = driver.open(auth=SessionAuth(interrupted(server, driver, interrupt), server.url))
        with pytest.raises(interrupt):
            client.get(f"{server.url}/orders")
        assert client.get(f"{server.url}/orders").status_code == 200


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_login_that_is_closed_locks_nothing(server: Server, backend: str) -> None:
    """As is what still waits when its loop ends."""
    with drive(backend) as driver:
        login = interrupted(server, driver, GeneratorExit)
        client = driver.open(auth=SessionAuth(login, server.url)).client

        async def get_twice() -> int:
            with pytest.raises(GeneratorExit):
                await client.get(f"{server.url}/orders")
            code: int = (await client.get(f"{server.url}/orders")).status_code
            return code

        assert driver.run(get_twice) == 200


def interrupted(
    server: Server, driver: Driver, interrupt: type[BaseException]
) -> Callable[[Any], Any]:
    """A login that is interrupted at first."""
    interrupts = [interrupt]
    login = driver.login(server)

    def begin(context: Any) -> Any:
        if interrupts:
            raise interrupts.pop()
        return login(context)

    async def begin_async(context: Any) -> Any:
        return await begin(context)

    return begin_async if driver.is_async else begin


# The loop goes on


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_login_that_blocks_leaves_the_loop_running(server: Server, backend: str) -> None:
    gate = threading.Event()
    server.login_gates.append(gate)
    server.routes["/public"] = lambda _: Answer(200)

    async def run() -> None:
        auth = SessionAuth(server.login, server.url)
        async with (
            httpx.AsyncClient(auth=auth, trust_env=False) as client,
            anyio.create_task_group() as group,
        ):
            group.start_soon(client.get, f"{server.url}/orders")
            while not server.login_began.acquire(blocking=False):
                await anyio.sleep(0.001)
            assert (await client.get(f"{server.url}/public")).status_code == 200
            gate.set()

    anyio.run(run, backend=backend)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_login_gets_a_thread_though_all_of_the_common_ones_wait_for_it(
    server: Server, backend: str
) -> None:
    started = threading.Event()
    auth = SessionAuth(server.login, server.url, on_event=when("started", started.set))

    async def run() -> list[int]:
        anyio.to_thread.current_default_thread_limiter().total_tokens = 1
        codes: list[int] = []

        def wait_in_a_thread() -> None:
            with httpx.Client(auth=auth, trust_env=False) as client:
                assert started.wait(10)
                codes.append(client.get(f"{server.url}/1").status_code)

        async with (
            httpx.AsyncClient(auth=auth, trust_env=False) as client,
            anyio.create_task_group() as group,
        ):
            group.start_soon(anyio.to_thread.run_sync, wait_in_a_thread)
            codes.append((await client.get(f"{server.url}/2")).status_code)
        return codes

    assert anyio.run(run, backend=backend) == [200, 200]
    assert server.logins == 1


def test_neither_trio_nor_requests_is_needed(server: Server) -> None:
    script = f"""
import asyncio, sys
sys.modules["trio"] = sys.modules["requests"] = None
import httpx
from relogin.client.renewal.cache import CredentialCache
from relogin.client.renewal.commands import Wait
from relogin.client.renewal.credential import Key
from relogin.client.renewal.flight import Flight, Status
from relogin.client.httpx import SessionAuth

async def login(context):
    return (await context.http.post("{server.url}/login")).text

async def main():
    async with httpx.AsyncClient(auth=SessionAuth(login, "{server.url}"), trust_env=False) as c:
        answers = await asyncio.gather(*(c.get("{server.url}/orders") for _ in range(5)))
    print([a.status_code for a in answers])

asyncio.run(main())
"""
    ran = python(script)
    assert (ran.stdout, ran.stderr) == ("[200, 200, 200, 200, 200]\n", "")
    assert server.logins == 1


def test_the_loop_of_a_task_is_found_where_trio_is_a_guest_of_asyncio(server: Server) -> None:
    """Then both loops run in one thread, and each task is of one of them."""
    auth = SessionAuth(login_of(server), server.url)

    async def get() -> list[int]:
        async with httpx.AsyncClient(auth=auth, trust_env=False) as client:
            codes: list[int] = []

            async def one() -> None:
                codes.append((await client.get(f"{server.url}/orders")).status_code)

            async with anyio.create_task_group() as group:
                for _ in range(10):
                    group.start_soon(one)
            return codes

    async def host() -> list[int]:
        loop = asyncio.get_running_loop()
        done: asyncio.Future[Any] = loop.create_future()
        trio.lowlevel.start_guest_run(
            get,
            run_sync_soon_threadsafe=loop.call_soon_threadsafe,
            done_callback=done.set_result,
        )
        return [*await get(), *(await done).unwrap()]

    assert asyncio.run(host()) == [200] * 20
    assert server.logins == 1


def test_a_task_is_woken_from_another_thread_and_only_once() -> None:
    cache, flight = kept(), Flight(Key("https://api.example.com:443", ""), 60.0)

    async def woken() -> bool:
        waiting = asyncio.create_task(waited(cache, flight))
        await asyncio.sleep(0)
        await anyio.to_thread.run_sync(cache.end, flight, Status.GRANTED)
        cache.end(flight, Status.GRANTED)
        await waiting
        cache.end(flight, Status.GRANTED)
        return True

    assert asyncio.run(woken())


async def waited(cache: CredentialCache, flight: Flight) -> None:
    with anyio.fail_after(10):
        await tasks.stand_by(cache, Wait(flight, 60.0))
