"""A request that leads a renewal is cancelled: at each of its awaits, and by every timeout."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine, Generator, Sequence
from dataclasses import replace
from functools import partial
from itertools import count
from typing import Any

import anyio
import pytest

from relogin import Grant, LoginRefused
from relogin.client.driver import tasks
from relogin.client.events import Event
from relogin.client.stores import Entry
from relogin.client.stores.memory import MemoryStore
from tests.client.async_store import AsyncMemoryStore
from tests.client.libraries.face import ASYNC_FACES, Face, opened
from tests.client.server import Answer, Request, Server


class CancelledAt:
    """A coroutine whose task is cancelled when it waits for the nth time."""

    def __init__(
        self, coroutine: Coroutine[Any, Any, Any], number: int, cancel: Callable[[], object]
    ) -> None:
        self.coroutine = coroutine
        self.left = number
        self.cancel = cancel

    def __await__(self) -> Generator[Any, Any, Any]:
        step: Callable[[Any], Any] = self.coroutine.send
        value: Any = None
        while True:
            try:
                waited_for = step(value)
            except StopIteration as end:
                return end.value
            self.left -= 1
            if self.left == 0:
                self.cancel()
            try:
                step, value = self.coroutine.send, (yield waited_for)
            except BaseException as error:  # noqa: BLE001 - the coroutine decides
                step, value = self.coroutine.throw, error


def in_order(face: Face, server: Server) -> Callable[[Any], Coroutine[Any, Any, Grant]]:
    """Return a login; on the server, logins take effect in the order in which they began.

    The request of a cancelled login may arrive after that of the next login. Whether it then ends
    the newer session is up to the server: see "an abandoned login" in docs/reference/client.md.
    """
    begun, one_at_a_time, newest = count(1), threading.Lock(), 0

    async def log_in(context: Any) -> Grant:
        numbered = replace(server, url=f"{server.url}/logins/{next(begun)}")
        return await face.log_in(numbered, context)

    def answer(request: Request) -> Answer:
        nonlocal newest
        if not request.path.startswith("/logins/"):
            return server.protected(request)
        number = int(request.path.split("/")[2])
        with one_at_a_time:
            if number < newest:
                return Answer(body=b"ended-by-a-later-login")
            newest = number
            return server._log_in()

    server.answers = answer
    return log_in


# httpx leaves a connection that is cancelled while it is read to the garbage collector.
@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.timeout(120)
@pytest.mark.parametrize("dead", [True, False])
def test_at_whichever_await_a_leader_is_cancelled_the_next_request_succeeds(
    async_face: Face, server: Server, dead: bool
) -> None:
    client = async_face.open(
        async_face.auth(server, in_order(async_face, server), budget=(10_000, 1.0))
    )
    client.get(f"{server.url}/first")

    async def one(number: int) -> bool:
        sending = async_face.send(
            client.client, "POST", f"{server.url}/{number}", **async_face.bodies()["bytes"].make()
        )
        with anyio.CancelScope() as scope:
            await CancelledAt(sending, number, scope.cancel)
        with anyio.fail_after(10):
            assert (await async_face.send(client.client, "GET", f"{server.url}/next")).status == 200
        return scope.cancel_called

    for number in range(1, 500):
        if dead:
            server.kill()
        is_cancelled = async_face.run(one, number)
        tokens = [request.token for request in server.seen(f"/{number}")]
        assert len(tokens) == len(set(tokens))  # no session got it twice
        if not is_cancelled:
            break
    assert number > 2


ON_ASYNCIO = [name for name in ASYNC_FACES if "trio" not in name]


async def lead_and_follow(face: Face, clients: Sequence[Any], url: str, lead: Any) -> bool:
    """Have a leader be cancelled, and another process send; tell whether it was cancelled."""
    leading = asyncio.create_task(lead)
    await asyncio.wait({leading})
    with anyio.fail_after(10):  # the lease would last for 30 s
        assert (await face.send(clients[1], "GET", url)).status == 200
    return leading.cancelled() or bool(leading.result())


def two_processes(face: Face, server: Server, store: Any) -> list[Any]:
    """Open two clients that share a session through a store."""
    login, options = in_order(face, server), {"budget": (10_000, 1.0), "store": store}
    auths = [face.auth(server, login, **options) for _ in range(2)]
    return [face.open(auth).client for auth in auths]


@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.timeout(120)
@pytest.mark.parametrize("name", ON_ASYNCIO)
def test_at_whichever_await_asyncio_cancels_a_leader_no_other_process_waits_for_its_lease(
    name: str, server: Server
) -> None:
    with opened(name) as face:
        clients = two_processes(face, server, AsyncMemoryStore())
        cancelled: list[int] = []

        async def lead(number: int) -> None:
            def cancel() -> None:
                this: Any = asyncio.current_task()
                cancelled.append(number)
                this.cancel()

            sending = face.send(clients[0], "GET", f"{server.url}/{number}")
            await CancelledAt(sending, number, cancel)

        async def one(number: int) -> bool:
            # Each time over a connection that is open, or the awaits would not be the same.
            assert (await face.send(clients[0], "GET", f"{server.url}/first")).status == 200
            server.kill()
            await lead_and_follow(face, clients, f"{server.url}/next", lead(number))
            return number in cancelled  # niquests swallows one that comes while it closes

        for number in range(1, 500):
            if not face.run(one, number):
                break
        assert number > 2


End = Callable[[Any, list[Callable[[], object]]], Coroutine[Any, Any, None]]
"""Awaits a request, and adds to the list what ends it."""


def a_leader_is_ended_by(face: Face, server: Server, end: End) -> None:
    """Have a leader stuck in its login be ended, with ten tasks that wait for it."""
    waiting: list[Event] = []
    all_wait = threading.Event()

    def count(event: Event) -> None:
        waiting.extend([event] if event.kind == "joined" else [])
        if len(waiting) == 10:
            all_wait.set()

    # The login that nobody waits for any more still ends the session of the one after it.
    options: dict[str, Any] = {"actions": {"session_revoked": "renew"}, "on_event": count}
    client = face.open(face.auth(server, **options))
    gate = threading.Event()
    server.login_gates.append(gate)
    answers: list[int] = []
    ends: list[Callable[[], object]] = []

    async def follow(number: int) -> None:
        answer = await face.send(client.client, "GET", f"{server.url}/{number}")
        answers.append(answer.status)

    async def lead() -> None:
        sending = face.send(
            client.client, "POST", f"{server.url}/lead", **face.bodies()["bytes"].make()
        )
        await end(sending, ends)

    async def until(happened: Callable[[float], bool]) -> None:
        assert await anyio.to_thread.run_sync(happened, 10)

    async def main() -> None:
        with anyio.fail_after(20):
            async with anyio.create_task_group() as group:
                group.start_soon(lead)
                await until(lambda seconds: server.login_began.acquire(timeout=seconds))
                for number in range(10):
                    group.start_soon(follow, number)
                await until(all_wait.wait)
                ends.pop()()
            # Only now: it ends their session, and a request that has led a login leads no other.
            gate.set()
            await follow(10)

    face.run(main)
    assert answers == [200] * 11
    assert [request.token for request in server.seen("/lead")] == [None]


def test_an_anyio_scope_ends_the_leader_and_nobody_waits_for_ever(
    async_face: Face, server: Server
) -> None:
    async def end(sending: Any, ends: list[Callable[[], object]]) -> None:
        with anyio.CancelScope() as scope:
            ends.append(partial(setattr, scope, "deadline", anyio.current_time()))
            await sending

    a_leader_is_ended_by(async_face, server, end)


async def timed_out(sending: Any, ends: list[Callable[[], object]]) -> None:
    timeout = asyncio.timeout(None)
    ends.append(partial(timeout.reschedule, asyncio.get_running_loop().time()))
    with pytest.raises(TimeoutError):
        async with timeout:
            await sending


@pytest.mark.parametrize("name", ON_ASYNCIO)
def test_asyncio_timeout_ends_the_leader_and_nobody_waits_for_ever(
    name: str, server: Server
) -> None:
    with opened(name) as face:
        a_leader_is_ended_by(face, server, timed_out)


@pytest.mark.parametrize("name", ON_ASYNCIO)
def test_a_timeout_on_uvloop_ends_the_leader_and_nobody_waits_for_ever(
    name: str, server: Server
) -> None:
    pytest.importorskip("uvloop")
    with opened(name, backend_options={"use_uvloop": True}) as face:
        a_leader_is_ended_by(face, server, timed_out)


class ThreadStore(MemoryStore):
    """A store that blocks: its caller is cancelled while it stores something."""

    cancel: Callable[[], object] | None = None

    def put(self, origin: str, account: str, realm: str, entry: Entry) -> bool:
        is_stored = super().put(origin, account, realm, entry)
        cancel, self.cancel = self.cancel, None
        if cancel is not None:
            cancel()
            time.sleep(0.05)
        return is_stored


@pytest.mark.parametrize("name", ON_ASYNCIO)
def test_a_leader_that_is_timed_out_while_its_store_blocks_ends_its_lease(
    name: str, server: Server
) -> None:
    store = ThreadStore()
    with opened(name) as face:
        clients = two_processes(face, server, store)

        async def lead() -> None:
            loop, this = asyncio.get_running_loop(), asyncio.current_task()
            ends: list[Callable[[], object]] = []
            store.cancel = lambda: loop.call_soon_threadsafe(ends.pop())
            await timed_out(face.send(clients[0], "GET", f"{server.url}/lead"), ends)
            assert this is not None
            assert (ends, this.cancelling()) == ([], 0)

        async def main() -> bool:
            return await lead_and_follow(face, clients, f"{server.url}/next", lead())

        assert not face.run(main)


@pytest.mark.parametrize("name", ON_ASYNCIO)
def test_a_timeout_while_the_store_is_asked_last_is_a_timeout_and_cancels_nothing_after_it(
    name: str, server: Server
) -> None:
    store, begun = ThreadStore(), list[Callable[[], object]]()

    async def refused(_: object) -> None:
        store.cancel = begun.pop()
        raise LoginRefused("no")  # the end of the lease is the last that is stored

    with opened(name) as face:
        client = face.open(face.auth(server, refused, store=store)).client

        async def main() -> None:
            loop, this = asyncio.get_running_loop(), asyncio.current_task()
            ends: list[Callable[[], object]] = []
            begun.append(lambda: loop.call_soon_threadsafe(ends.pop()))
            await timed_out(face.send(client, "GET", server.url), ends)
            await asyncio.sleep(0)
            assert this is not None
            assert (ends, this.cancelling()) == ([], 0)

        face.run(main)


@pytest.mark.parametrize(
    ("cancelled", "error"), [(True, asyncio.CancelledError), (False, LoginRefused)]
)
def test_a_cancellation_is_seen_before_the_error_of_a_flow(
    cancelled: bool, error: type[BaseException]
) -> None:
    def refused() -> Generator[str, Any, None]:
        yield "ask"
        raise LoginRefused("no")

    async def main() -> None:
        this: Any = asyncio.current_task()

        async def ask(_: str) -> None:
            if cancelled:
                this.cancel()

        with pytest.raises(error):
            await tasks.drive(refused(), ask)
        this.uncancel()

    asyncio.run(main())
