"""Redirects of httpx run below its auth: what is sent again, to whom, and with which cookies."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from relogin import Grant
from relogin.client import Outcome, outcome
from relogin.client.httpx import SessionAuth
from tests.client.httpx_drivers import Caller, Driver
from tests.client.server import COOKIE, Answer, Request, Route, Server, serve


def redirect(status: int, location: str, *fields: tuple[str, str]) -> Route:
    return lambda _: Answer(status, (("Location", location), *fields))


@pytest.fixture
def client(driver: Driver, server: Server) -> Caller:
    """A client that follows redirects, and has a session."""
    return following(driver, server)


@pytest.fixture
def with_cookie(driver: Driver, server: Server) -> Caller:
    """The same, and its session is a cookie."""
    server.binding = "cookie"
    return following(driver, server)


@pytest.fixture
def elsewhere() -> Iterator[Server]:
    """A server of another origin: on another port of the same host."""
    with serve() as other:
        other.routes["/orders"] = lambda _: Answer(200, body=b"elsewhere")
        yield other


def asking(server: Server, route: Route) -> Route:
    """A route that asks for the session first."""

    def answered(request: Request) -> Answer:
        answer = server.protected(request)
        return route(request) if answer.status == 200 else answer

    return answered


def following(driver: Driver, server: Server) -> Caller:
    auth = SessionAuth(driver.login(server), server.url)
    client = driver.open(auth=auth, follow_redirects=True)
    client.get(f"{server.url}/first")
    return client


@pytest.mark.requirement("C-23")
def test_what_met_the_401_is_sent_again_and_not_what_led_there(
    client: Caller, server: Server
) -> None:
    server.routes["/form"] = redirect(303, "/orders")
    server.kill()
    answer = client.post(f"{server.url}/form", content=b"once only")
    assert (answer.status_code, answer.request.method) == (200, "GET")
    assert len(server.seen("/form")) == 1


def test_the_history_tells_every_step(client: Caller, server: Server) -> None:
    server.routes["/form"] = redirect(303, "/orders")
    server.kill()
    answer = client.post(f"{server.url}/form")
    assert [each.status_code for each in answer.history] == [303, 401]


def test_a_redirect_that_follows_the_replay_is_in_the_history_too(
    driver: Driver, server: Server
) -> None:
    client = following(driver, server)
    moved = redirect(307, "/orders")
    refused: list[Answer] = []

    def refuse_once(request: Any) -> Answer:
        if not refused:
            refused.append(server.refuse("session_expired"))
            return refused[0]
        return moved(request)

    server.routes["/old"] = refuse_once
    answer = client.post(f"{server.url}/old", content=b"an order")
    assert [each.status_code for each in answer.history] == [401, 307]
    assert (answer.content, outcome(answer)) == (b"an order", Outcome.REPLAYED)


def test_a_redirect_that_is_not_followed_is_the_answer(driver: Driver, server: Server) -> None:
    server.routes["/form"] = redirect(303, "/orders")
    client = driver.open(auth=SessionAuth(driver.login(server), server.url))
    answer = client.post(f"{server.url}/form")
    assert answer.status_code == 303
    assert driver.run(client.client.send, answer.next_request).status_code == 200


def test_no_token_goes_along_to_another_origin(
    client: Caller, server: Server, elsewhere: Server
) -> None:
    server.routes["/away"] = redirect(307, f"{elsewhere.url}/orders")
    assert client.get(f"{server.url}/away").content == b"elsewhere"
    assert elsewhere.requests[0].token is None


def test_no_cookie_goes_along_to_another_port(
    with_cookie: Caller, server: Server, elsewhere: Server
) -> None:
    server.routes["/away"] = redirect(307, f"{elsewhere.url}/orders")
    assert with_cookie.get(f"{server.url}/away").content == b"elsewhere"
    assert elsewhere.requests[0].cookies == {}


def test_a_challenge_from_where_a_redirect_led_is_not_answered(
    client: Caller, server: Server, elsewhere: Server
) -> None:
    server.routes["/away"] = redirect(307, f"{elsewhere.url}/refused")
    answer = client.get(f"{server.url}/away")
    assert (answer.status_code, outcome(answer)) == (401, Outcome.FOREIGN)
    assert (server.logins, elsewhere.logins) == (1, 0)


def test_what_comes_back_from_another_origin_is_signed_once_it_is_refused(
    client: Caller, server: Server, elsewhere: Server
) -> None:
    server.routes["/away"] = redirect(307, f"{elsewhere.url}/back")
    elsewhere.routes["/back"] = redirect(307, f"{server.url}/orders")
    answer = client.get(f"{server.url}/away")
    assert (answer.status_code, server.logins) == (200, 1)
    assert [request.token for request in server.seen("/orders")] == [None, "s3cret-1"]


def test_a_public_page_that_another_origin_led_to_is_asked_for_once_and_without_the_session(
    client: Caller, server: Server, elsewhere: Server
) -> None:
    server.routes["/away"] = redirect(307, f"{elsewhere.url}/back")
    elsewhere.routes["/back"] = redirect(307, f"{server.url}/public")
    server.routes["/public"] = lambda _: Answer(200)
    assert client.get(f"{server.url}/away").status_code == 200
    assert [request.token for request in server.seen("/public")] == [None]


# Cookies


def test_a_redirect_within_the_origin_gets_the_session_although_httpx_drops_it(
    with_cookie: Caller, server: Server
) -> None:
    server.routes["/form"] = redirect(303, "/page")
    server.routes["/page"] = lambda r: Answer(body=r.cookies.get(COOKIE, "nobody").encode())
    answer = with_cookie.post(f"{server.url}/form", content=b"once only")
    assert answer.content == b"s3cret-1"
    assert [each.status_code for each in answer.history] == [303, 200]
    assert (len(server.seen("/form")), server.logins) == (1, 1)


def test_every_redirect_within_the_origin_gets_the_cookie(
    with_cookie: Caller, server: Server
) -> None:
    server.routes["/1"] = redirect(302, "/2")
    server.routes["/2"] = redirect(302, "/orders")
    assert with_cookie.get(f"{server.url}/1").status_code == 200
    assert server.seen("/2")[-1].cookies == {COOKIE: "s3cret-1"}


def test_a_redirected_post_that_was_served_is_not_sent_twice(
    with_cookie: Caller, server: Server
) -> None:
    server.routes["/form"] = redirect(307, "/public")
    server.routes["/public"] = lambda r: Answer(body=r.body)
    assert with_cookie.post(f"{server.url}/form", content=b"once only").content == b"once only"
    assert len(server.seen("/public")) == 1


@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE"])
@pytest.mark.parametrize("alive", [True, False])
def test_every_redirect_within_the_origin_gets_the_session_whatever_the_method(
    with_cookie: Caller, server: Server, method: str, *, alive: bool
) -> None:
    for number in (1, 2, 3):
        server.routes[f"/{number}"] = asking(server, redirect(307, f"/{number + 1}"))
    server.routes["/4"] = asking(server, lambda r: Answer(body=r.method.encode() + r.body))
    if not alive:
        server.kill()
    answer = with_cookie.request(method, f"{server.url}/1", content=b"whole")
    assert answer.content == f"{method}whole".encode()
    assert server.logins == (1 if alive else 2)


def test_a_public_redirect_on_the_way_takes_nothing_away(
    with_cookie: Caller, server: Server
) -> None:
    server.kill()
    for number in (1, 3, 5):
        server.routes[f"/{number}"] = asking(server, redirect(307, f"/{number + 1}"))
        server.routes[f"/{number + 1}"] = redirect(307, f"/{number + 2}")
    assert with_cookie.put(f"{server.url}/1", content=b"whole").url.path == "/7"
    assert (server.seen("/7")[-1].body, server.logins) == (b"whole", 2)


def test_a_post_that_lost_the_session_is_not_sent_again_if_you_excluded_posts(
    driver: Driver, server: Server
) -> None:
    server.binding = "cookie"
    server.routes["/form"] = redirect(307, "/orders")
    auth = SessionAuth(driver.login(server), server.url, replay_any_method=False)
    client = driver.open(auth=auth, follow_redirects=True)
    client.get(f"{server.url}/first")
    answer = client.post(f"{server.url}/form", content=b"once only")
    assert (answer.status_code, outcome(answer)) == (401, Outcome.RENEWED_NOT_REPLAYED)
    assert len(server.seen("/orders")) == 1


def test_redirects_without_end_end(with_cookie: Caller, server: Server) -> None:
    server.routes["/round"] = redirect(302, "/round")
    with pytest.raises(Exception, match="Exceeded maximum allowed redirects"):
        with_cookie.get(f"{server.url}/round")
    assert len(server.seen("/round")) < 500


def test_a_cookie_that_a_redirect_rolled_is_not_sent_for_twice(
    with_cookie: Caller, server: Server
) -> None:
    server.rolls = True
    server.routes["/form"] = lambda r: Answer(
        303, (("Location", "/orders"), *server.protected(r).headers)
    )
    assert with_cookie.post(f"{server.url}/form").status_code == 200
    assert (len(server.seen("/orders")), server.logins) == (1, 1)


def test_a_cookie_of_another_name_does_not_replace_the_session(
    with_cookie: Caller, server: Server
) -> None:
    server.routes["/page"] = lambda _: Answer(200, (("Set-Cookie", "lang=de; Path=/"),))
    with_cookie.get(f"{server.url}/page")
    assert with_cookie.get(f"{server.url}/orders").history == []
    assert server.seen("/orders")[0].cookies == {"lang": "de", COOKIE: "s3cret-1"}


def test_a_rolled_cookie_is_sent_from_then_on(with_cookie: Caller, server: Server) -> None:
    server.rolls = True
    for path in ("/1", "/2", "/3"):
        assert with_cookie.get(server.url + path).history == []
    assert server.logins == 1


@pytest.mark.parametrize("value", ["caf\xe9", "\xe2\x82\xac"], ids=["latin-1", "utf-8"])
def test_a_rolled_cookie_is_sent_back_octet_by_octet(
    with_cookie: Caller, server: Server, value: str
) -> None:
    def roll(_: object) -> Answer:
        server.living = value
        return Answer(200, (("Set-Cookie", f"{COOKIE}={value}; Path=/"),))

    server.routes["/roll"] = roll
    with_cookie.get(f"{server.url}/roll")
    with_cookie.client.cookies.clear()  # httpx itself cannot send it
    assert with_cookie.get(f"{server.url}/orders").history == []


def test_a_rolled_cookie_that_cannot_be_sent_is_not_taken_over(
    with_cookie: Caller, server: Server
) -> None:
    server.routes["/odd"] = lambda _: Answer(200, (("Set-Cookie", f"{COOKIE}=\x01; Path=/"),))
    with_cookie.get(f"{server.url}/odd")
    assert with_cookie.get(f"{server.url}/orders").history == []


def test_a_401_that_sets_a_cookie_of_odd_octets_is_answered(
    with_cookie: Caller, server: Server
) -> None:
    server.kill()
    server.refusal_headers = (("Set-Cookie", "odd=\xe2\x82\xac; Path=/"),)
    assert with_cookie.get(f"{server.url}/orders").status_code == 200
    assert server.seen("/orders")[-1].cookies["odd"] == "\xe2\x82\xac"


def test_a_cookie_for_nobody_in_particular_does_not_replace_the_session(
    with_cookie: Caller, server: Server
) -> None:
    """Whoever came without the session gets an anonymous one, under the same name."""
    server.routes["/form"] = redirect(303, "/page")
    server.routes["/page"] = lambda r: Answer(
        200, () if COOKIE in r.cookies else (("Set-Cookie", f"{COOKIE}=nobody; Path=/"),)
    )
    with_cookie.post(f"{server.url}/form")
    assert with_cookie.get(f"{server.url}/orders").history == []


def test_a_cookie_that_a_401_sets_is_not_taken_for_the_session(
    with_cookie: Caller, server: Server
) -> None:
    anonymous = (("Set-Cookie", f"{COOKIE}=anonymous; Path=/"),)
    line = ("WWW-Authenticate", 'Session realm="api", error="session_revoked"')
    server.routes["/secret"] = lambda _: Answer(401, (line, *anonymous))
    assert with_cookie.get(f"{server.url}/secret").status_code == 401
    assert with_cookie.get(f"{server.url}/orders").history == []


def test_the_replay_brings_what_the_401_set(client: Caller, server: Server) -> None:
    server.refusal_headers = (
        ("Set-Cookie", "csrf=fresh; Path=/"),
        ("Set-Cookie", "elsewhere=1; Path=/other"),
    )
    server.kill()
    client.get(f"{server.url}/orders", headers={"Cookie": "csrf=stale; lang=de"})
    assert server.seen("/orders")[-1].cookies == {"lang": "de", "csrf": "fresh"}


def test_the_replay_leaves_out_what_the_401_deleted(client: Caller, server: Server) -> None:
    server.refusal_headers = (("Set-Cookie", "csrf=; Max-Age=0"),)
    server.kill()
    client.get(f"{server.url}/orders", headers={"Cookie": "csrf=stale"})
    assert "Cookie" not in server.seen("/orders")[-1].headers


def test_the_jar_of_the_client_has_no_say_in_the_session(
    with_cookie: Caller, server: Server
) -> None:
    with_cookie.client.cookies.set(COOKIE, "from-the-jar", domain="127.0.0.1")
    assert with_cookie.get(f"{server.url}/orders").history == []


def test_a_token_of_the_dead_session_does_not_survive_it(driver: Driver, server: Server) -> None:
    server.refuse_all = True
    grants = iter([Grant(token="first"), Grant(cookies={"second": "1"})])
    client = driver.open(auth=SessionAuth(lambda context: next(grants), server.url))
    client.get(f"{server.url}/1")
    client.get(f"{server.url}/2")
    sent = [(request.token, request.cookies) for request in server.seen("/2")]
    assert sent == [("first", {}), (None, {"second": "1"})]
