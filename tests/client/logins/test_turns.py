"""Logins of two accounts through one client that keeps its cookies: each gets its own session."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

import anyio
import httpx
import pytest
import requests

from relogin import Grant, LoginUnavailable
from relogin.client.logins import FormLogin, JSONLogin, accounts, turns
from tests.client.log_in import OPENED, context, over_one
from tests.client.server import Answer, Request, Server
from tests.threads import in_threads

HTML = (("Content-Type", "text/html"),)
FORM = b"<form method=post><input name=user><input type=password name=password></form>"


class Site:
    """A site that may recognise a client, or turn its session into that of the next user."""

    remembers = keeps_session = False

    def __init__(self, server: Server) -> None:
        self.url, self.users = server.url, dict[str, str]()
        self.before: dict[str, Callable[[], object]] = {}
        """What happens before the login of a user is answered."""
        self.failing: set[str] = set()
        server.answers = self.answer

    def login(self, user: str, **options: Any) -> FormLogin:
        return FormLogin(f"{self.url}/login", {"user": user, "password": "pa55"} | options)

    def answer(self, request: Request) -> Answer:
        sid = request.cookies.get("sid", "")
        if request.method == "GET":
            if request.path == "/login" and not (self.remembers and sid in self.users):
                return Answer(200, HTML, FORM)
            return Answer(303, (("Location", "/"),)) if request.path == "/login" else Answer()
        user = dict(parse_qsl(request.body.decode()))["user"]
        self.before.get(user, lambda: None)()
        if not (self.keeps_session and sid in self.users):
            sid = f"s{len(self.users)}"
        self.users[sid] = user
        set_now = ("Set-Cookie", f"sid={sid}; Path=/")
        return Answer(503 if user in self.failing else 200, (set_now,))

    def user_of(self, grant: Any) -> str:
        """Whose session this is now."""
        return next(self.users[cookie.value] for cookie in grant.cookies if cookie.name == "sid")


@pytest.fixture
def site(server: Server) -> Site:
    return Site(server)


class TwoAtOnce:
    """The first login waits until the second one waits for the same client."""

    def __init__(self, site: Site) -> None:
        self.is_first = True
        site.before |= {"ada": self, "bob": self}

    def opened(self, http: Any) -> None:
        self.http = http

    def __call__(self) -> None:
        until = time.monotonic() + 10
        while self.is_first and len(turns._queues[self.http]) < 2:
            assert time.monotonic() < until
            time.sleep(0.001)
        self.is_first = False


@pytest.mark.parametrize("name", OPENED)
def test_two_accounts_at_the_same_time_log_in_one_after_the_other(
    name: str, server: Server, site: Site
) -> None:
    opened = TwoAtOnce(site).opened
    grants = over_one(name, [site.login("ada"), site.login("bob")], opened)
    assert sorted(map(site.user_of, grants)) == ["ada", "bob"]
    bodies = [request.body for request in server.requests if request.path == "/login"]
    assert [bool(body) for body in bodies] == [False, True, False, True]


@pytest.mark.parametrize("kind", ["form", "json"])
@pytest.mark.parametrize("name", OPENED)
def test_a_login_takes_no_session_of_another_account_along(
    name: str, site: Site, kind: str
) -> None:
    """The server would turn that session into one of the new account, for both."""
    site.keeps_session = True

    def login(user: str) -> Any:
        if kind == "form":
            return site.login(user)
        fields = {"user": user, "password": "pa55"}
        return JSONLogin(f"{site.url}/login", fields, token=None, cookies=True, form=True)

    grants = over_one(name, [login("ada"), login("bob")], together=False)
    assert list(map(site.user_of, grants)) == ["ada", "bob"]


@pytest.mark.parametrize("name", OPENED)
def test_a_session_of_a_login_that_failed_is_nobody_elses(name: str, site: Site) -> None:
    site.remembers, site.failing = True, {"ada"}
    grants = over_one(name, [site.login("ada"), site.login("bob")], together=False)
    assert isinstance(grants[0], LoginUnavailable)
    assert site.user_of(grants[1]) == "bob"


def test_other_cookies_of_the_client_stay(site: Site) -> None:
    with requests.Session() as http:
        http.cookies.set("consent", "1", domain="127.0.0.1")
        site.login("ada")(context(http))
        site.login("bob")(context(http))
        assert sorted(http.cookies.keys()) == ["consent", "sid"]


@pytest.mark.parametrize("first", ["form", "token"])
def test_a_login_that_calls_two_keeps_what_the_first_has_got(server: Server, first: str) -> None:
    """A gateway asks who you are, and then the application does."""
    fields = {"user": "ada", "password": "pa55"}
    url = f"{server.url}/gateway"
    gateway = FormLogin(url, fields) if first == "form" else JSONLogin(url, fields)
    application = JSONLogin(f"{server.url}/api", fields, token=None, cookies=True)
    kind, cookie = ("Content-Type", "application/json"), ("Set-Cookie", "gateway=1; Path=/")
    passed = Answer(200, (kind, cookie), b'{"access_token": "t"}')
    signed_in = Answer(200, (("Set-Cookie", "sid=1; Path=/"),))
    server.routes["/gateway"] = lambda one: (
        Answer(200, HTML, FORM) if one.method == "GET" else passed
    )
    server.routes["/api"] = lambda one: signed_in if "gateway" in one.cookies else Answer(403)
    with requests.Session() as http:
        for _ in range(2):
            one = context(http)
            gateway(one)
            assert application(one)


def test_the_owner_of_a_cookie_is_forgotten_with_it(site: Site) -> None:
    """Some servers name a cookie anew with each login, and a client may live for years."""
    with requests.Session() as http:
        for name in ("first", "second"):

            def visit(name: str = name) -> None:
                http.cookies.set(name, "1", domain="127.0.0.1")

            site.before["ada"] = visit
            site.login("ada")(context(http))
            http.cookies.clear()
        assert {name for *_, name in accounts._owners[http]} == {"second", "sid"}


def test_a_second_program_of_the_same_account_waits_and_need_not_log_in(
    server: Server, site: Site
) -> None:
    site.remembers = True
    opened = TwoAtOnce(site).opened
    grants = over_one("requests", [site.login("ada"), site.login("ada")], opened)
    assert list(map(site.user_of, grants)) == ["ada", "ada"]
    assert [request.method for request in server.requests].count("POST") == 1


def test_a_session_that_another_login_of_the_account_got_stays_its_own(
    server: Server, site: Site
) -> None:
    """The second one fills in nothing, and gets another cookie."""
    site.remembers = True
    with requests.Session() as http:
        first, second = site.login("ada"), site.login("ada")
        first(context(http))
        server.answers = renewing(site)
        for login in (second, first, second):
            assert site.user_of(login(context(http))) == "ada"
    assert [request.method for request in server.requests].count("POST") == 1


def renewing(site: Site) -> Callable[[Request], Answer]:
    """Return a server that gives a client that it knows another cookie each time."""

    def answer(request: Request) -> Answer:
        old = request.cookies["sid"]
        if request.path != "/login":
            return Answer()
        site.users[f"{old}0"] = site.users[old]
        return Answer(303, (("Location", "/"), ("Set-Cookie", f"sid={old}0; Path=/")))

    return answer


def test_one_login_may_run_twice_at_once(site: Site) -> None:
    """A request that gave up waiting for a login begins it again."""
    both = threading.Barrier(2)
    site.before["ada"] = lambda: both.wait(10)
    login = site.login("ada")
    with requests.Session() as http:
        grants = in_threads(2, lambda _: login(context(http)))
    assert list(map(site.user_of, grants)) == ["ada", "ada"]


def test_a_login_with_a_token_alone_waits_for_nobody(server: Server, site: Site) -> None:
    elsewhere = f"{server.url}/token"
    token = Answer(200, (("Content-Type", "application/json"),), b'{"access_token": "t"}')
    server.answers = lambda one: token if one.path == "/token" else site.answer(one)
    with requests.Session() as http:

        def second() -> None:
            assert JSONLogin(elsewhere, {"user": "bob"})(context(http))

        site.before["ada"] = second
        assert site.login("ada")(context(http))


def test_a_cookie_that_comes_with_a_token_has_an_owner(server: Server, site: Site) -> None:
    """A form that is skipped with it would be signed in as somebody else."""
    site.remembers = True
    site.users["side"] = "ada"
    fields = (("Content-Type", "application/json"), ("Set-Cookie", "sid=side; Path=/"))
    token = Answer(200, fields, b'{"access_token": "t"}')
    server.answers = lambda one: token if one.path == "/token" else site.answer(one)
    with requests.Session() as http:
        assert JSONLogin(f"{server.url}/token", {"user": "ada"})(context(http))
        assert site.user_of(site.login("bob")(context(http))) == "bob"


def test_a_login_waits_for_half_of_its_time(site: Site) -> None:
    with requests.Session() as http:

        def too_late() -> None:
            def second(_: int) -> None:
                with pytest.raises(LoginUnavailable, match="keeps the client of http= busy"):
                    site.login("bob")(context(http, timeout=0.1))

            in_threads(1, second)

        site.before["ada"] = too_late
        site.login("ada")(context(http))
    assert list(site.users.values()) == ["ada"]


def test_a_login_within_a_login_does_not_wait_for_it(site: Site) -> None:
    with requests.Session() as http:

        def password() -> str:
            site.login("bob")(context(http))
            return "pa55"

        with pytest.raises(LoginUnavailable, match="uses the same client has called this one"):
            site.login("ada", password=password)(context(http))


def test_a_forked_child_does_not_wait_for_the_logins_of_its_parent(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    with requests.Session() as http:

        def second() -> None:
            monkeypatch.setattr(os, "getpid", lambda: -1)
            site.login("bob")(context(http))

        site.before["ada"] = second
        site.login("ada")(context(http))
    assert list(site.users.values()) == ["bob", "ada"]


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_cancelled_login_keeps_nobody_waiting(site: Site, backend: str) -> None:
    begun, ended = threading.Event(), threading.Event()

    def stuck() -> None:
        begun.set()
        ended.wait(10)

    async def main() -> Grant | None:
        async with httpx.AsyncClient() as http, anyio.create_task_group() as group:
            group.start_soon(site.login("ada").acall, context(http))
            await anyio.to_thread.run_sync(begun.wait, 10)
            group.cancel_scope.cancel()
            with anyio.CancelScope(shield=True):
                grant = await site.login("bob").acall(context(http))
                assert not turns._queues[http]
        return grant

    site.before["ada"] = stuck
    try:
        assert site.user_of(anyio.run(main, backend=backend)) == "bob"
    finally:
        ended.set()


def test_a_login_that_was_never_ended_keeps_nobody_waiting(site: Site) -> None:
    """A generator or a coroutine that nobody closes."""
    with requests.Session() as http:
        left = site.login("ada")._turn(context(http))
        left.__enter__()
        del left
        assert site.user_of(site.login("bob")(context(http))) == "bob"


def test_a_cookie_that_another_request_sets_meanwhile_is_not_taken(site: Site) -> None:
    """A function of the user may log in through the client too."""
    with requests.Session() as http:

        def refused(_: object) -> None:
            http.cookies.set("sid", "foreign", domain="127.0.0.1", path="/")

        fields = {"user": "ada", "password": "pa55"}
        login = FormLogin(f"{site.url}/login", fields, refused=refused)
        with pytest.raises(LoginUnavailable, match="has set other cookies"):
            login(context(http))


@pytest.mark.parametrize("name", OPENED)
@pytest.mark.parametrize("value", ["plain", '"quoted"', '"a\\054b"', "a=b", ""])
def test_a_cookie_counts_as_set_by_the_login_however_it_is_written(
    server: Server, name: str, value: str
) -> None:
    server.answers = lambda request: (
        Answer(200, HTML, FORM)
        if request.method == "GET"
        else Answer(200, (("Set-Cookie", f"sid={value}; Path=/"),))
    )
    login = FormLogin(f"{server.url}/login", {"user": "ada", "password": "pa55"})
    (grant,) = over_one(name, [login])
    assert isinstance(grant, Grant)
