"""HTTP caches between the auth and the server: a dead session is noticed, and no 401 is kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from cachecontrol import CacheControlAdapter
from hishel import CacheOptions, SqliteStorage
from hishel.requests import CacheAdapter
from requests_cache import CachedSession

from relogin.client.requests import SessionAuth
from relogin.client.signals import json_field
from tests.client.server import Answer, Request, Server

Opened = Callable[[Path], requests.Session]


def with_cachecontrol(_: Path) -> requests.Session:
    return mounting(CacheControlAdapter())


def with_hishel(folder: Path) -> requests.Session:
    storage = SqliteStorage(database_path=folder / "hishel.db")
    return mounting(CacheAdapter(storage=storage, rfc=CacheOptions(shared=False)))


def with_requests_cache(_: Path) -> requests.Session:
    return CachedSession(backend="memory", cache_control=True)


def mounting(adapter: Any) -> requests.Session:
    session = requests.Session()
    session.mount("http://", adapter)
    return session


CACHES = {
    "CacheControl": with_cachecontrol,
    "hishel": with_hishel,
    "requests-cache": with_requests_cache,
}


@pytest.fixture(params=CACHES)
def session(
    request: pytest.FixtureRequest, server: Server, tmp_path: Path
) -> Iterator[requests.Session]:
    with CACHES[request.param](tmp_path) as opened:
        opened.auth = SessionAuth(server.login, server.url)
        yield opened


def document(server: Server, *fields: tuple[str, str]) -> Callable[[Request], Answer]:
    """A document that a cache may keep, but has to ask about each time."""

    def answered(request: Request) -> Answer:
        refused = server.protected(request)
        if refused.status == 401:
            return refused
        kept = request.headers.get("If-None-Match") == '"1"'
        asks = ("Cache-Control", "private, max-age=0, must-revalidate")
        return Answer(304 if kept else 200, (("ETag", '"1"'), asks, *fields), b"orders")

    return answered


@pytest.mark.parametrize("vary", [(), (("Vary", "Authorization"),)], ids=["", "vary"])
def test_what_a_cache_asks_with_a_dead_session_is_answered_after_a_login(
    session: requests.Session, server: Server, vary: tuple[tuple[str, str], ...]
) -> None:
    server.routes["/orders"] = document(server, *vary)
    url = f"{server.url}/orders"
    assert session.get(url).text == session.get(url).text == "orders"
    assert "If-None-Match" in server.requests[-1].headers or vary
    server.kill()
    answers = [session.get(url) for _ in range(2)]
    assert [(answer.status_code, answer.text) for answer in answers] == [(200, "orders")] * 2
    assert server.logins == 2


def test_a_refusal_is_not_kept(session: requests.Session, server: Server) -> None:
    server.routes["/orders"] = document(server)
    session.get(f"{server.url}/orders")
    server.kill("session_revoked")
    assert session.get(f"{server.url}/orders").status_code == 401
    session.auth.reset()  # type: ignore[union-attr]
    assert session.get(f"{server.url}/orders").text == "orders"


def test_no_signal_reads_the_stream_of_a_cache_and_you_get_the_whole_of_it(
    server: Server, tmp_path: Path
) -> None:
    json = (("Content-Type", "application/json"),)
    server.routes["/orders"] = lambda _: Answer(200, json, b'{"error": "expired"}')
    with with_hishel(tmp_path) as session:
        signals = [json_field("error", "expired")]
        session.auth = SessionAuth(server.login, server.url, signals=signals)
        with session.get(f"{server.url}/orders", stream=True) as answer:
            assert answer.json() == {"error": "expired"}
    assert server.logins == 0
