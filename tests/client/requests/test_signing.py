"""What is on the wire belongs to the grant or to the user, and what is learnt to the origin."""

from collections.abc import Iterator
from http.cookiejar import CookieJar
from typing import Literal

import pytest
import requests
from requests.cookies import create_cookie

from relogin import Grant
from relogin.client.requests import SessionAuth
from relogin.client.signals import status
from tests.client.server import COOKIE, Answer, Request, Server, serve


@pytest.fixture
def server() -> Iterator[Server]:
    with serve(Server(binding="cookie")) as running:
        yield running


def test_when_a_login_changes_over_to_a_cookie_the_dead_token_is_gone(
    server: Server, session: requests.Session
) -> None:
    grants = [Grant(token="dead"), None]
    session.auth = SessionAuth(lambda context: grants.pop(0) or server.login(context), server.url)
    session.get(f"{server.url}/first")
    assert session.get(f"{server.url}/orders").status_code == 200
    fields = [request.headers["Authorization"] for request in server.seen("/orders")]
    assert fields == ['Session token="dead"', None]


def test_an_authorization_that_the_user_wrote_goes_along_with_the_replay(
    server: Server, dead: requests.Session
) -> None:
    own = {"Authorization": "Bearer own"}
    assert dead.get(f"{server.url}/orders", headers=own).status_code == 200
    fields = [request.headers["Authorization"] for request in server.seen("/orders")]
    assert fields == ["Bearer own", "Bearer own"]


def test_a_cookie_that_another_origin_sets_rolls_nothing(
    server: Server, alive: requests.Session
) -> None:
    away = Answer(302, (("Location", f"{server.other_host}/planted"),))
    planted = Answer(200, (("Set-Cookie", f"{COOKIE}=planted; Path=/"),))
    server.routes |= {"/away": lambda _: away, "/planted": lambda _: planted}
    alive.get(f"{server.url}/away")
    alive.get(f"{server.url}/orders")
    assert server.seen("/orders")[0].cookies[COOKIE] == "s3cret-1"


def test_a_401_rolls_nothing(server: Server, alive: requests.Session) -> None:
    server.kill("session_revoked")
    server.refusal_headers = (("Set-Cookie", f"{COOKIE}=planted; Path=/"),)
    for path in ("/orders", "/invoices"):
        alive.get(f"{server.url}{path}")
        assert server.seen(path)[0].cookies[COOKIE] == "s3cret-1"


def test_what_a_signal_calls_dead_rolls_nothing(server: Server, session: requests.Session) -> None:
    grants = [server.login]
    session.auth = SessionAuth(
        lambda context: grants.pop()(context) if grants else None, server.url, signals=[status(440)]
    )
    session.get(f"{server.url}/first")
    flagged = Answer(440, (("Set-Cookie", f"{COOKIE}=planted; Path=/"),))
    server.routes["/flagged"] = lambda _: flagged
    assert session.get(f"{server.url}/flagged").status_code == 440
    session.get(f"{server.url}/orders")
    assert server.seen("/orders")[0].cookies[COOKIE] == "s3cret-1"


def test_what_a_401_deletes_is_gone_on_a_redirect_after_the_replay_too(
    server: Server, dead: requests.Session
) -> None:
    dead.cookies.set("csrf", "old", domain="127.0.0.1", path="/")
    server.refusal_headers = (("Set-Cookie", "csrf=; Path=/; Max-Age=0"),)
    moved = Answer(302, (("Location", "/orders"),))

    def route(request: Request) -> Answer:
        return moved if request.cookies[COOKIE] == server.living else server.protected(request)

    server.routes["/moved"] = route
    dead.get(f"{server.url}/moved")
    assert server.seen("/orders")[0].cookies == {COOKIE: "s3cret-2"}


def test_a_plain_jar_of_the_user_s_goes_along_a_redirect(
    server: Server, alive: requests.Session
) -> None:
    moved = Answer(302, (("Location", "/orders"),))
    server.routes["/moved"] = lambda _: moved
    jar = CookieJar()
    jar.set_cookie(create_cookie("theme", "dark", domain="127.0.0.1"))
    request = requests.Request("GET", f"{server.url}/moved", auth=alive.auth).prepare()
    request._cookies = jar  # type: ignore[attr-defined]
    alive.send(request)
    assert server.seen("/orders")[0].cookies == {"theme": "dark", COOKIE: "s3cret-1"}


@pytest.mark.parametrize("binding", ["token", "cookie"])
def test_fields_of_the_user_s_may_be_octets(
    server: Server, session: requests.Session, binding: Literal["token", "cookie"]
) -> None:
    server.binding = binding
    session.auth = SessionAuth(server.login, server.url)
    fields = {"Cookie": b"mine=1", "Authorization": b"Basic YQ=="}
    for _ in range(2):
        answer = session.get(f"{server.url}/orders", headers=fields)
        assert answer.status_code == 200
        assert server.requests[-1].cookies["mine"] == "1"
    assert server.logins == 1
