"""Threads and tasks of all libraries at once: one session, one login, and all succeed."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

from relogin.client.stores.memory import MemoryStore
from tests.client.libraries.face import FACES, Client, opened, statuses
from tests.client.server import Server
from tests.threads import in_threads


def all_at_once(clients: list[Client], url: str, number: int) -> list[Any]:
    """Let each client send so many requests at the same moment."""
    each = in_threads(
        len(clients), lambda n: clients[n].at_once(number, lambda index: f"{url}/{index}")
    )
    return [answer for answers in each for answer in answers]


def test_all_libraries_share_a_session_through_a_store(server: Server) -> None:
    store = MemoryStore()
    with ExitStack() as stack:
        faces = [stack.enter_context(opened(name)) for name in FACES]
        clients = [face.open(face.auth(server, store=store)) for face in faces]
        for _ in range(3):
            server.kill()
            before = server.logins
            assert statuses(all_at_once(clients, f"{server.url}/orders", 10)) == {200}
            assert server.logins == before + 1


def test_an_auth_of_httpx2_serves_threads_and_tasks_of_both_loops(server: Server) -> None:
    _one_object_serves(["httpx2", "httpx2 asyncio", "httpx2 trio"], server)


def test_an_auth_of_aiohttp_serves_tasks_of_several_loops(server: Server) -> None:
    _one_object_serves(["aiohttp", "aiohttp", "aiohttp"], server)


def _one_object_serves(names: list[str], server: Server) -> None:
    with ExitStack() as stack:
        faces = [stack.enter_context(opened(name)) for name in names]
        auth = faces[0].auth(server, server.login)
        clients = [face.open(auth) for face in faces]
        for _ in range(3):
            server.kill()
            before = server.logins
            assert statuses(all_at_once(clients, f"{server.url}/orders", 20)) == {200}
            assert server.logins == before + 1
