"""A store that somebody else has written to: it costs no request, and sends nothing of his."""

from __future__ import annotations

import json
import logging
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import redis
import requests

from relogin.client.requests import SessionAuth
from relogin.client.stores import Store
from relogin.client.stores.redis import RedisStore
from relogin.client.stores.redis_wire import key_of
from relogin.client.stores.sqlite import SQLiteStore
from relogin.client.terms.origins import origin_of
from tests.client.redis_server import RedisServer
from tests.client.server import Server

Write = Callable[[str, bytes], None]
"""Puts octets where the store keeps the text of an origin's realm."""


@pytest.fixture(params=["sqlite", pytest.param("redis", marks=pytest.mark.needs("redis-server"))])
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Store, Write]:
    if request.param == "sqlite":
        return in_sqlite(tmp_path / "sessions.db")
    return in_redis(request.getfixturevalue("redis_server").url)


def in_sqlite(path: Path) -> tuple[Store, Write]:
    store = SQLiteStore(path)

    def write(origin: str, text: bytes) -> None:
        with closing(sqlite3.connect(path)) as file, file:
            statement = "INSERT INTO entries VALUES (?, '', 'api', 3, CAST(? AS TEXT), 9e9)"
            file.execute(statement, (origin, text))

    return store, write


def in_redis(url: str) -> tuple[Store, Write]:
    store = RedisStore(url)

    def write(origin: str, text: bytes) -> None:
        with redis.Redis.from_url(url) as client:
            client.flushall()
            client.hset(key_of(store._prefix, origin, ""), "api", b"3 " + text)

    return store, write


def record(**fields: Any) -> bytes:
    """A record with a session that looks alive."""
    session: dict[str, Any] = {
        "token": "forged",
        "cookies": {},
        "expires_in": None,
        "refresh": None,
    }
    whole = {"version": 9, "fence": 9, "scheme": "Session", "grant": session | fields}
    return json.dumps(whole).encode()


BAD = {
    "nothing": b"",
    "not JSON": b"{",
    "no text": b"\xff\xfe\x00",
    "a record of other types": b'{"version":"1","grant":[],"lease":{}}',
    "a record of an older version": b'{"token":"forged","expires_at":1e12}',
    "a token of several lines": record(token="forged\r\nInjected: yes"),
    "a cookie of several lines": record(token=None, cookies={"sid": "forged\r\nInjected: yes"}),
    "a cookie beside another": record(cookies={"sid": "1; forged=1"}),
    "a token of a million characters": record(token="forged" * 2**18),
    "a lifetime of 400 digits": record(expires_in=10**400),
}


@pytest.mark.parametrize("bad", BAD)
def test_what_nobody_here_has_written_costs_no_request_and_is_written_anew(
    kept: tuple[Store, Write],
    server: Server,
    session: requests.Session,
    bad: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    store, write = kept
    write(origin_of(server.url), BAD[bad])
    for logins in (1, 1):
        session.auth = SessionAuth(server.login, server.url, store=store)
        assert session.get(f"{server.url}/orders").status_code == 200
        assert server.logins == logins
    assert not [each for each in server.requests if "forged" in str(each.headers)]
    assert "forged" not in caplog.text
    assert [each for each in caplog.records if each.levelno == logging.ERROR] == []


@pytest.mark.needs("redis-server")
@pytest.mark.parametrize("field", [b"", b"text", b"0 {}", b"007 {}", b"1" * 400 + b" {}", b"-1 {}"])
def test_a_field_of_redis_without_a_revision_is_replaced(
    redis_server: RedisServer, server: Server, session: requests.Session, field: bytes
) -> None:
    store = RedisStore(redis_server.url)
    with redis.Redis.from_url(redis_server.url) as client:
        client.flushall()
        client.hset(key_of(store._prefix, origin_of(server.url), ""), "api", field)
    for _ in range(2):
        session.auth = SessionAuth(server.login, server.url, store=store)
        assert session.get(f"{server.url}/orders").status_code == 200
    assert server.logins == 1


def test_a_file_that_is_damaged_later_costs_no_request(
    server: Server, session: requests.Session, tmp_path: Path
) -> None:
    path = tmp_path / "sessions.db"
    store = SQLiteStore(path)
    store.close()
    path.write_bytes(path.read_bytes()[:4096] + b"\x00" * 8192)
    told: list[str] = []
    session.auth = SessionAuth(
        server.login, server.url, store=store, on_event=lambda event: told.append(event.kind)
    )
    assert session.get(f"{server.url}/orders").status_code == 200
    assert "store_away" in told
