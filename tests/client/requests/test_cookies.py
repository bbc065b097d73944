"""Rule 9 and the cookie binding: what the grant owns is sent from the grant, all else as it was."""

from collections.abc import Callable, Iterator
from http.cookiejar import CookieJar

import pytest
import requests
from requests.cookies import RequestsCookieJar

from relogin import Grant
from relogin.client import Outcome, outcome
from relogin.client.requests import InvalidGrant, SessionAuth
from relogin.client.requests.cookies import carry_over_redirect, leave_behind
from relogin.client.terms.grant import Context
from tests.client.server import COOKIE, Answer, Request, Server, serve
from tests.threads import in_threads


@pytest.fixture
def server() -> Iterator[Server]:
    with serve(Server(binding="cookie")) as running:
        yield running


def cookie_fields(server: Server, path: str) -> list[str | None]:
    return [request.headers["Cookie"] for request in server.seen(path)]


@pytest.mark.requirement("C-7")
def test_the_replay_carries_the_renewed_cookie_alone(
    server: Server, dead: requests.Session
) -> None:
    assert dead.get(f"{server.url}/orders").status_code == 200
    assert cookie_fields(server, "/orders") == ["sid=s3cret-1", "sid=s3cret-2"]


def test_other_cookies_of_the_session_go_along_unchanged(
    server: Server, dead: requests.Session
) -> None:
    dead.cookies.set("theme", "dark")
    dead.get(f"{server.url}/orders", cookies={"once": "1"})
    assert cookie_fields(server, "/orders") == [
        "theme=dark; once=1; sid=s3cret-1",
        "theme=dark; once=1; sid=s3cret-2",
    ]


def test_a_dead_cookie_in_the_session_s_own_jar_is_replaced(
    server: Server, session: requests.Session
) -> None:
    session.cookies.set(COOKIE, "left over", domain="127.0.0.1", path="/")
    session.auth = SessionAuth(server.login, server.url)
    assert session.get(f"{server.url}/orders").status_code == 200
    assert cookie_fields(server, "/orders") == ["sid=left over", "sid=s3cret-1"]


def test_what_the_401_sets_goes_along_with_the_replay(
    server: Server, dead: requests.Session
) -> None:
    dead.cookies.set("csrf", "old", domain="127.0.0.1", path="/")
    server.refusal_headers = (("Set-Cookie", "csrf=new; Path=/"),)
    dead.get(f"{server.url}/orders")
    assert cookie_fields(server, "/orders")[1] == "csrf=new; sid=s3cret-2"
    assert dead.cookies["csrf"] == "new"


def test_what_the_401_deletes_does_not_go_along_with_the_replay(
    server: Server, dead: requests.Session
) -> None:
    dead.cookies.set("csrf", "old", domain="127.0.0.1", path="/")
    server.refusal_headers = (("Set-Cookie", "csrf=; Path=/; Max-Age=0"),)
    dead.get(f"{server.url}/orders")
    assert cookie_fields(server, "/orders")[1] == "sid=s3cret-2"
    assert "csrf" not in dead.cookies


def test_what_the_401_deletes_does_not_go_along_a_redirect_of_the_replay(
    server: Server, dead: requests.Session
) -> None:
    dead.cookies.set("csrf", "old", domain="127.0.0.1", path="/")
    server.refusal_headers = (("Set-Cookie", "csrf=; Path=/; Max-Age=0"),)

    def moved(request: Request) -> Answer:
        refused = server.protected(request)
        return refused if refused.status == 401 else Answer(302, (("Location", "/orders"),))

    server.routes["/moved"] = moved
    assert dead.get(f"{server.url}/moved").status_code == 200
    assert cookie_fields(server, "/orders") == ["sid=s3cret-2"]


def test_a_cookie_field_that_the_user_wrote_keeps_what_it_says(
    server: Server, dead: requests.Session
) -> None:
    server.refusal_headers = (("Set-Cookie", "a=server; Path=/"),)
    dead.get(f"{server.url}/orders", headers={"Cookie": "a=1; flag; a=2; sid=mine"})
    assert cookie_fields(server, "/orders") == [
        "a=1; flag; a=2; sid=s3cret-1",
        "a=1; flag; a=2; sid=s3cret-2",
    ]


def test_a_cookie_field_of_the_user_s_alone_comes_through_a_first_login(
    server: Server, session: requests.Session
) -> None:
    session.auth = SessionAuth(server.login, server.url)
    server.refusal_headers = (("Set-Cookie", "b=server; Path=/"),)
    session.get(f"{server.url}/orders", headers={"Cookie": "a=1"})
    assert cookie_fields(server, "/orders") == ["a=1", "a=1; sid=s3cret-1"]


@pytest.mark.requirement("C-7")
def test_a_late_401_that_deletes_the_cookie_does_not_touch_the_renewed_one(
    server: Server, dead: requests.Session
) -> None:
    server.refusal_headers = (("Set-Cookie", "sid=; Path=/; Max-Age=0"),)
    server.late_paths = frozenset({"/1"})
    answers = in_threads(20, lambda index: dead.get(f"{server.url}/{index % 2}"))
    assert [answer.status_code for answer in answers] == [200] * 20
    assert server.logins == 2
    assert dead.get(f"{server.url}/after").history == []


@pytest.mark.requirement("C-7")
def test_a_late_401_that_sets_an_old_value_does_not_touch_the_renewed_one(
    server: Server, dead: requests.Session
) -> None:
    server.refusal_headers = (("Set-Cookie", "sid=stale; Path=/"),)
    server.late_paths = frozenset({"/1"})
    answers = in_threads(20, lambda index: dead.get(f"{server.url}/{index % 2}"))
    assert [answer.status_code for answer in answers] == [200] * 20
    assert server.logins == 2


def test_a_rolled_cookie_is_taken_over_without_a_login(
    server: Server, session: requests.Session
) -> None:
    server.rolls = True
    session.auth = SessionAuth(server.login, server.url)
    for _ in range(4):
        assert session.get(f"{server.url}/orders").status_code == 200
    assert server.logins == 1
    assert len(server.seen("/orders")) == 5


def test_a_session_that_rolls_is_renewed_once_when_it_dies(
    server: Server, session: requests.Session
) -> None:
    server.rolls = True
    session.auth = SessionAuth(server.login, server.url)
    session.get(f"{server.url}/orders")
    session.get(f"{server.url}/orders")
    server.kill()
    assert session.get(f"{server.url}/orders").status_code == 200
    assert server.logins == 2


def test_a_cookie_that_the_grant_does_not_own_is_none_of_its_business(
    server: Server, alive: requests.Session
) -> None:
    server.routes["/theme"] = lambda _: Answer(200, (("Set-Cookie", "theme=dark; Path=/"),))
    alive.get(f"{server.url}/theme")
    alive.cookies.clear()
    alive.get(f"{server.url}/orders")
    assert server.seen("/orders")[0].cookies == {COOKIE: "s3cret-1"}


def test_two_cookies_of_one_grant_roll_apart(server: Server, session: requests.Session) -> None:
    def login(context: Context) -> Grant:
        return Grant(cookies={"a": "1", "b": "1"})

    session.auth = SessionAuth(login, server.url)
    server.routes["/a"] = lambda _: Answer(200, (("Set-Cookie", "a=2; Path=/"),))
    server.routes["/b"] = lambda _: Answer(200, (("Set-Cookie", "b=2; Path=/"),))
    server.routes["/c"] = lambda _: Answer()
    server.routes["/login"] = lambda _: Answer()
    session.get(f"{server.url}/orders")
    first = session.prepare_request(requests.Request("GET", f"{server.url}/a"))
    second = session.prepare_request(requests.Request("GET", f"{server.url}/b"))
    session.send(first)
    session.send(second)
    session.get(f"{server.url}/c")
    assert server.seen("/c")[0].cookies == {"a": "2", "b": "2"}


def test_a_login_may_return_the_jar_it_filled(server: Server, session: requests.Session) -> None:
    def login(context: Context) -> Grant:
        context.http.post(f"{server.url}/login")
        return Grant(cookies=context.http.cookies)

    session.auth = SessionAuth(login, server.url)
    assert session.get(f"{server.url}/orders").status_code == 200


def test_a_jar_without_a_cookie_for_this_host_is_no_grant(
    server: Server, session: requests.Session
) -> None:
    jar = RequestsCookieJar()
    jar.set(COOKIE, "x", domain="elsewhere.example", path="/")
    session.auth = SessionAuth(lambda _: Grant(cookies=jar), server.url)
    with pytest.raises(InvalidGrant, match=r"with the request to 127\.0\.0\.1"):
        session.get(f"{server.url}/orders")


def test_a_post_that_carried_a_dead_cookie_is_replayed(
    server: Server, session: requests.Session
) -> None:
    server.challenges = lambda _: ["Session"]
    session.cookies.set(COOKIE, "left over")
    session.auth = SessionAuth(server.login, server.url)
    answer = session.post(f"{server.url}/orders", data=b"x")
    assert (answer.status_code, outcome(answer)) == (200, Outcome.REPLAYED)


def test_when_a_login_changes_over_to_a_token_the_dead_cookie_is_gone(
    server: Server, session: requests.Session
) -> None:
    grants = [Grant(cookies={COOKIE: "dead"}), Grant(token="t")]
    session.auth = SessionAuth(lambda _: grants.pop(0), server.url)
    session.get(f"{server.url}/orders")
    session.get(f"{server.url}/orders")
    last = server.seen("/orders")[-1]
    assert (last.headers["Cookie"], last.token) == (None, "t")


# Redirects


def test_a_redirect_within_the_origin_carries_the_cookie(
    server: Server, alive: requests.Session
) -> None:
    server.routes["/moved"] = lambda _: Answer(302, (("Location", "/orders"),))
    answer = alive.get(f"{server.url}/moved")
    assert [earlier.status_code for earlier in answer.history] == [302]
    assert cookie_fields(server, "/orders") == ["sid=s3cret-1"]


def test_a_redirect_that_rolls_the_cookie_carries_the_new_value(
    server: Server, alive: requests.Session
) -> None:
    def moved(_: object) -> Answer:
        server.living = "rolled"
        return Answer(302, (("Location", "/orders"), ("Set-Cookie", "sid=rolled; Path=/")))

    server.routes["/moved"] = moved
    assert alive.get(f"{server.url}/moved").status_code == 200
    assert cookie_fields(server, "/orders") == ["sid=rolled"]


def test_a_redirect_to_another_port_does_not_carry_the_cookie(
    server: Server, alive: requests.Session
) -> None:
    with serve() as other:
        other.routes["/orders"] = lambda _: Answer()
        server.routes["/moved"] = lambda _: Answer(307, (("Location", f"{other.url}/orders"),))
        alive.get(f"{server.url}/moved")
        assert cookie_fields(other, "/orders") == [None]


def test_a_redirect_to_a_name_within_the_host_s_does_not_carry_the_cookie(
    server: Server, session: requests.Session
) -> None:
    def to(location: str) -> Callable[[object], Answer]:
        return lambda _: Answer(302, (("Location", location),))

    def first(request: Request) -> Answer:
        return to("/moved")(request) if request.cookies else server.refuse("session_expired")

    server.routes["http://example.com/first"] = first
    server.routes["http://example.com/moved"] = to("http://sub.example.com/orders")
    server.routes["http://sub.example.com/orders"] = to("http://example.com/back")
    server.routes["http://example.com/back"] = lambda _: Answer()
    session.proxies = {"http": server.url}
    login = Grant(cookies={COOKIE: "1"})
    session.auth = SessionAuth(lambda _: login, "http://example.com", insecure=True)
    assert session.get("http://example.com/first").status_code == 200
    assert cookie_fields(server, "http://example.com/moved") == ["sid=1"]
    assert cookie_fields(server, "http://sub.example.com/orders") == [None]
    assert cookie_fields(server, "http://example.com/back") == ["sid=1"]


def test_a_redirect_to_another_origin_carries_no_cookie_whatever_host_the_user_wrote(
    server: Server, session: requests.Session
) -> None:
    session.auth = SessionAuth(server.login, server.url)
    session.headers["Host"] = "api.example.com"
    session.get(f"{server.url}/first")
    server.routes["/moved"] = lambda _: Answer(302, (("Location", f"{server.other_host}/orders"),))
    session.get(f"{server.url}/moved")
    assert cookie_fields(server, "/orders") == [None]


def test_a_redirect_after_a_replay_costs_no_second_401(
    server: Server, dead: requests.Session
) -> None:
    def moved(request: object) -> Answer:
        return Answer(307, (("Location", "/orders"),))

    server.routes["/moved"] = lambda r: (
        moved(r) if r.cookies.get(COOKIE) == server.living else server.refuse("session_expired")
    )
    assert dead.post(f"{server.url}/moved", data=b"x").content == b"x"
    assert cookie_fields(server, "/orders") == ["sid=s3cret-2"]


@pytest.mark.parametrize(
    ("url", "port"),
    [
        ("https://api.example.com/", "80,443"),
        ("https://api.example.com:443/", "80,443"),
        ("https://api.example.com:8443/", "8443"),
        ("http://api.example.com/", "80"),
        ("http://api.example.com:443/", "443"),
    ],
)
def test_the_cookie_of_a_redirect_is_bound_to_its_port(url: str, port: str) -> None:
    prepared = requests.Request("GET", url).prepare()
    carry_over_redirect(prepared, {COOKIE: "1"}, url)
    (cookie,) = prepared._cookies  # type: ignore[attr-defined]
    assert (cookie.port, cookie.secure) == (port, url.startswith("https"))


@pytest.mark.parametrize("url", ["https://api.example.com/next", "https://api.example.com:443/"])
def test_https_without_a_port_carries_the_cookie_over_its_redirects(url: str) -> None:
    prepared = requests.Request("GET", "https://api.example.com/").prepare()
    carry_over_redirect(prepared, {COOKIE: "1"}, "https://api.example.com/")
    following = requests.Request("GET", url, cookies=prepared._cookies).prepare()  # type: ignore[attr-defined]
    assert following.headers["Cookie"] == "sid=1"


@pytest.mark.parametrize(
    "url", ["http://api.example.com/", "https://api.example.com:8443/", "https://example.com/"]
)
def test_another_origin_never_gets_the_cookie_of_a_redirect(url: str) -> None:
    prepared = requests.Request("GET", "https://api.example.com/").prepare()
    carry_over_redirect(prepared, {COOKIE: "1"}, "https://api.example.com/")
    following = requests.Request("GET", url, cookies=prepared._cookies).prepare()  # type: ignore[attr-defined]
    assert "Cookie" not in following.headers


def test_a_plain_cookie_jar_of_the_user_s_will_do(server: Server, dead: requests.Session) -> None:
    jar = CookieJar()
    for cookie in requests.cookies.cookiejar_from_dict({"a": "1"}):
        jar.set_cookie(cookie)
    server.refusal_headers = (("Set-Cookie", "b=2; Path=/"),)
    dead.cookies = jar  # type: ignore[assignment]
    assert dead.get(f"{server.url}/orders").status_code == 200
    assert server.seen("/orders")[1].cookies == {"a": "1", "b": "2", COOKIE: "s3cret-2"}


def test_a_jar_that_reached_the_request_itself_is_left_alone(
    server: Server, session: requests.Session
) -> None:
    prepared = requests.PreparedRequest()
    prepared.prepare("GET", f"{server.url}/moved", cookies=CookieJar())
    carry_over_redirect(prepared, {COOKIE: "1"}, f"{server.url}/moved")
    del prepared._cookies  # type: ignore[attr-defined]
    carry_over_redirect(prepared, {COOKIE: "1"}, f"{server.url}/moved")
    assert [c.name for c in prepared._cookies] == [COOKIE]  # type: ignore[attr-defined]


def test_what_the_401_sets_does_not_go_into_the_jar_of_one_request(
    server: Server, dead: requests.Session
) -> None:
    server.refusal_headers = (("Set-Cookie", "b=2; Path=/"),)
    jar = RequestsCookieJar()
    one = requests.Request("GET", f"{server.url}/orders", cookies=jar, auth=dead.auth).prepare()
    assert dead.send(one).status_code == 200
    assert server.seen("/orders")[1].cookies == {"b": "2", COOKIE: "s3cret-2"}
    assert list(jar) == []


def test_the_cookies_of_a_plain_jar_of_one_request_go_along_a_redirect() -> None:
    jar, url = CookieJar(), "https://api.example.com/"
    jar.set_cookie(requests.cookies.create_cookie("theme", "dark", domain="api.example.com"))
    prepared = requests.PreparedRequest()
    prepared.prepare("GET", url, cookies=jar)
    carry_over_redirect(prepared, {COOKIE: "1"}, f"{url}next")
    assert {c.name for c in prepared._cookies} == {"theme", COOKIE}  # type: ignore[attr-defined]
    assert [c.name for c in jar] == ["theme"]  # that of the user is left alone


def test_only_carried_cookies_are_removed_at_another_origin() -> None:
    prepared = requests.Request("GET", "https://a.example/", cookies={"theme": "dark"}).prepare()
    carry_over_redirect(prepared, {"sid": "s1"}, "https://a.example/next")
    leave_behind(prepared)
    assert [cookie.name for cookie in vars(prepared)["_cookies"]] == ["theme"]


def test_a_cookie_in_a_plain_dict_of_fields_in_lower_case_stays(
    server: Server, session: requests.Session
) -> None:
    auth = SessionAuth(server.login, server.url)
    prepared = requests.Request("GET", f"{server.url}/orders", auth=auth).prepare()
    prepared.headers = {"cookie": "theme=dark"}  # type: ignore[assignment]
    session.send(prepared)
    assert cookie_fields(server, "/orders")[1] == "theme=dark"
