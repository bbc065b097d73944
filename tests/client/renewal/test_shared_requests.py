"""Several `SessionAuth` objects of requests that share a store, against a real server."""

from __future__ import annotations

import logging
import pickle
import time
from pathlib import Path

import pytest
import requests

from relogin import Grant, LoginRefused
from relogin.client.events import Event
from relogin.client.requests import SessionAuth
from relogin.client.stores import Entry, Snapshot
from relogin.client.stores.memory import MemoryStore
from relogin.client.stores.sqlite import SQLiteStore
from relogin.client.terms.grant import Context
from tests.client.picklable import PicklableLogin
from tests.client.server import Server


def get(auth: SessionAuth, server: Server, path: str = "/orders") -> requests.Response:
    with requests.Session() as session:
        session.trust_env = False
        session.auth = auth
        return session.get(f"{server.url}{path}")


def test_a_session_obtained_by_one_object_is_sent_at_once_by_the_other(server: Server) -> None:
    store = MemoryStore()
    get(SessionAuth(server.login, server.url, store=store), server)
    answer = get(SessionAuth(server.login, server.url, store=store), server)
    assert (answer.status_code, answer.history, server.logins) == (200, [], 1)


def test_a_body_that_cannot_be_sent_twice_is_sent_with_the_stored_session(server: Server) -> None:
    store = MemoryStore()
    get(SessionAuth(server.login, server.url, store=store), server)
    auth = SessionAuth(server.login, server.url, store=store)
    chunks = (chunk for chunk in [b"one", b"two"])
    answer = requests.post(f"{server.url}/orders", data=chunks, auth=auth)
    assert (answer.status_code, answer.content) == (200, b"onetwo")


def test_accounts_that_share_a_store_have_sessions_of_their_own(server: Server) -> None:
    store = MemoryStore()
    get(SessionAuth(server.login, server.url, store=store, account="ada"), server)
    get(SessionAuth(server.login, server.url, store=store, account="bob"), server)
    assert server.logins == 2


@pytest.mark.requirement("C-20")
def test_a_password_that_one_object_had_refused_is_not_sent_by_the_other(server: Server) -> None:
    store, calls = MemoryStore(), []

    def login(context: Context) -> Grant:
        calls.append(context)
        raise LoginRefused("wrong password")

    for _ in range(3):
        with pytest.raises(LoginRefused):
            get(SessionAuth(login, server.url, store=store), server)
    assert len(calls) == 1


def test_a_reset_of_one_object_makes_the_password_good_again_for_all(server: Server) -> None:
    store = MemoryStore()

    def refuse(context: Context) -> Grant:
        raise LoginRefused("wrong password")

    refused = SessionAuth(refuse, server.url, store=store)
    with pytest.raises(LoginRefused):
        get(refused, server)
    refused.reset()
    assert get(SessionAuth(server.login, server.url, store=store), server).status_code == 200


def test_a_cookie_that_every_answer_replaces_is_shared_with_fresh_always(server: Server) -> None:
    server.binding, server.rolls, store = "cookie", True, MemoryStore()
    one, other = (
        SessionAuth(server.login, server.url, store=store, fresh="always") for _ in range(2)
    )
    answers = [get(auth, server) for auth in (one, other, one, one, other, other)]
    assert [answer.status_code for answer in answers] == [200] * 6
    assert server.logins == 1


class OneMapping:
    """A store of a user's own, which hands out the mapping that it goes on changing."""

    def __init__(self) -> None:
        self.entries: dict[str, Entry] = {}

    def get(self, origin: str, account: str) -> Snapshot:
        return Snapshot(self.entries, time.time())

    def put(self, origin: str, account: str, realm: str, entry: Entry) -> bool:
        before = self.entries.get(realm, Entry("", 0))
        if entry.revision != before.revision:
            return False
        self.entries[realm] = Entry(entry.text, entry.revision + 1)
        return True


def test_what_a_store_goes_on_changing_is_read_anew(server: Server) -> None:
    store = OneMapping()
    one, other = (
        SessionAuth(server.login, server.url, store=store, fresh="always") for _ in range(2)
    )
    get(one, server)
    get(one, server)
    get(other, server)
    server.kill()
    get(other, server)
    assert get(one, server).history == []


def test_after_a_reset_no_token_of_the_store_is_kept(server: Server) -> None:
    auth = SessionAuth(server.login, server.url, store=MemoryStore())
    get(auth, server)
    auth.reset()
    assert not auth._cache._agreed


def test_an_object_that_is_pickled_shares_the_store(server: Server, tmp_path: Path) -> None:
    login = PicklableLogin(server.url)
    auth = SessionAuth(login, server.url, store=SQLiteStore(tmp_path / "sessions.db"))
    get(auth, server)
    again: SessionAuth = pickle.loads(pickle.dumps(auth))
    assert get(again, server).history == []
    assert server.logins == 1


def test_no_secret_is_logged_or_told_on_the_way_to_a_store(
    server: Server, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    store, told = SQLiteStore(tmp_path / "sessions.db"), list[Event]()
    for _ in range(2):
        get(SessionAuth(server.login, server.url, store=store, on_event=told.append), server)
    assert "adopted" in [event.kind for event in told]
    assert "s3cret" not in caplog.text + repr(told)
