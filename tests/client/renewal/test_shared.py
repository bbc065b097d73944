"""Several real processes: one login for all, whoever dies, whether or not the store is there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from relogin.client.stores.postgres import PostgresStore
from tests.client.postgres_server import PostgresServer, a_postgres_server
from tests.client.redis_server import RedisServer, a_redis_server
from tests.client.server import Answer, Request, Server
from tests.client.shared import ManySessions, OneSession, Worker, several_processes
from tests.client.takeover import a_round


@pytest.fixture
def redis_server() -> Iterator[RedisServer]:
    with a_redis_server() as running:
        yield running


@pytest.fixture
def postgres_server() -> Iterator[PostgresServer]:
    with a_postgres_server() as running:
        yield running


@pytest.fixture(
    params=[
        "sqlite",
        pytest.param("redis", marks=pytest.mark.needs("redis-server")),
        pytest.param("postgres", marks=pytest.mark.needs("initdb")),
    ]
)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return str(tmp_path / "sessions.db")
    if request.param == "redis":
        redis: RedisServer = request.getfixturevalue("redis_server")
        return redis.url
    postgres: PostgresServer = request.getfixturevalue("postgres_server")
    PostgresStore(postgres.conninfo).create_table()
    return postgres.conninfo


def get_at_once(workers: list[Worker]) -> tuple[Counter[str], Counter[str]]:
    """Let all threads of all processes send a request; tell how they ended, and what was told."""
    for worker in workers:
        worker.tell("get /orders")
    return all_ended(workers)


def all_ended(workers: list[Worker]) -> tuple[Counter[str], Counter[str]]:
    """Wait for what was told last; add up how the requests ended, and the events."""
    done = [worker.ended() for worker in workers]
    return sum((one.ended for one in done), Counter()), sum((one.events for one in done), Counter())


@pytest.mark.requirement("C-17")
def test_eight_processes_of_sixteen_threads_that_meet_a_dead_session_log_in_once(
    server: Server, store: str
) -> None:
    login = OneSession(server)
    with several_processes(server.url, store, 8, threads=16) as workers:
        workers[0].get()
        assert server.logins == 1
        get_at_once(workers)
        server.kill()
        ended, _ = get_at_once(workers)
    assert ended == {"200": 128}
    assert server.logins == 2
    assert login.refreshed_twice == []


def test_processes_that_begin_at_once_log_in_once(server: Server, store: str) -> None:
    OneSession(server)
    with several_processes(server.url, store, 4, threads=4) as workers:
        ended, _ = get_at_once(workers)
    assert ended == {"200": 16}
    assert server.logins == 1


def test_a_process_that_begins_later_is_never_refused(server: Server, store: str) -> None:
    OneSession(server)
    with several_processes(server.url, store, 1, threads=1) as workers:
        workers[0].get()
    refused = len(server.seen("/orders")) - 1
    with several_processes(server.url, store, 1, threads=1) as workers:
        assert workers[0].get().events == {"adopted": 1}
    assert len(server.seen("/orders")) - refused == 2
    assert server.logins == 1


def test_a_process_that_is_killed_while_it_logs_in_is_replaced_by_one_other(
    server: Server, store: str
) -> None:
    login = OneSession(server)
    with several_processes(server.url, store, 3, threads=4, login_timeout=1.5) as workers:
        get_at_once(workers)
        for _ in range(2):
            outcome = a_round(server, store, workers, login_timeout=1.5)
            assert (outcome.ended, outcome.logins) == ({"200": 8}, 2)
    assert login.refreshed_twice == []


@pytest.mark.needs("redis-server")
def test_no_request_fails_because_redis_goes_away_and_comes_back(
    server: Server, redis_server: RedisServer
) -> None:
    login = ManySessions(server)
    with several_processes(server.url, redis_server.url, 3, threads=4) as workers:
        served = Served(login, [f"/{n}/{thread}" for n in range(3) for thread in range(4)])
        for number, worker in enumerate(workers):
            worker.tell(f"load /{number}")
        for do in (login.kill, redis_server.stop, login.kill, redis_server.start, login.kill):
            do()
            served.wait_for_all()
        for worker in workers:
            worker.tell("stop")
        ended, events = all_ended(workers)
    assert set(ended) == {"200"}
    assert events["store_away"] >= 1
    # One for each of them while Redis was away, and else one for all of them.
    assert login.logins <= 1 + 1 + 3 + 3


class Served:
    """How often each thread was served: each has a path of its own."""

    def __init__(self, login: ManySessions, paths: list[str]) -> None:
        self.login = login
        self.times: Counter[str] = Counter(dict.fromkeys(paths, 0))
        login.server.routes.update(dict.fromkeys(paths, self.orders))

    def orders(self, request: Request) -> Answer:
        answer = self.login.orders(request)
        self.times[request.path] += answer.status == 200
        return answer

    def wait_for_all(self) -> None:
        """Wait until every thread has been served with a request that it has just begun.

        One that is slow would meet the next event before it has recovered from this one. The first
        request to be served may have been under way already.
        """
        wanted = {path: times + 2 for path, times in self.times.items()}
        self.login.server.wait_until(
            lambda: all(self.times[path] >= times for path, times in wanted.items())
        )
