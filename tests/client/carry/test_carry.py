"""A token travels as `carry=` says: there, nowhere else, and no further than its origin."""

from __future__ import annotations

import logging
import pickle
from collections.abc import Iterator
from typing import Any

import pytest

from relogin import Grant, InvalidGrant
from relogin.client import Outcome, outcome
from relogin.client.carry import Authorization, Header, Query
from relogin.client.logins import JSONLogin, Logout, from_header
from tests.client.either import Either
from tests.client.server import Answer, Request, Route, Server, serve
from tests.client.steps import Told
from tests.client.travel import Read, Travel, by_header, by_query

NOTHING: Any = None
CARRIES: dict[str, tuple[Any, Read]] = {
    "Authorization": (Authorization("Token"), by_header("Authorization", "Token")),
    "Header": (Header("X-Auth-Token"), by_header("X-Auth-Token")),
    "Query": (Query("_sid"), by_query("_sid")),
}


@pytest.fixture(params=CARRIES)
def way(request: pytest.FixtureRequest) -> tuple[Any, Read]:
    return CARRIES[request.param]


@pytest.fixture
def elsewhere() -> Iterator[Server]:
    """Another origin, which answers everything."""
    with serve(Server(answers=lambda _: Answer(200))) as other:
        yield other


def to(location: str, status: int = 302) -> Route:
    return lambda _: Answer(status, (("Location", location),))


def secrets_in(text: object) -> bool:
    return "s3cret" in str(text)


def test_a_dead_token_is_replaced_where_it_was(
    server: Server, either: Either, way: tuple[Any, Read]
) -> None:
    carry, read = way
    travel = Travel(server, read)
    caller = either.attach(travel.login, server.url, carry=carry)
    caller.get(f"{server.url}/orders?a=%20b")
    travel.kill()
    answer = caller.post(f"{server.url}/orders?a=%20b&c", data=None)
    assert (answer.status_code, outcome(answer)) == (200, Outcome.REPLAYED)
    assert [read(request) for request in server.requests] == [
        None, "s3cret-1", "s3cret-1", "s3cret-2",
    ]  # fmt: skip


def test_the_token_is_in_no_other_place(
    server: Server, either: Either, way: tuple[Any, Read]
) -> None:
    carry, read = way
    travel = Travel(server, read)
    either.attach(travel.login, server.url, carry=carry).get(f"{server.url}/orders")
    last = server.requests[-1]
    places = [name for name, value in last.headers.items() if secrets_in(value)]
    places += ["query"] if secrets_in(last.path) else []
    assert len(places) == 1


@pytest.mark.parametrize("status", [302, 303, 307, 308])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_carried_token_is_gone_from_a_redirect_to_another_origin(
    server: Server,
    elsewhere: Server,
    either: Either,
    way: tuple[Any, Read],
    status: int,
    method: str,
) -> None:
    carry, read = way
    travel = Travel(server, read, headers={"X-CSRF-Token": "csrf-s3cret"})
    caller = either.attach(travel.login, server.url, carry=carry)
    caller.get(f"{server.url}/orders")
    travel.routes["/away"] = to(f"{elsewhere.url}/landing", status)
    answer = caller.request(method, f"{server.url}/away")
    assert answer.status_code == 200
    [landed] = elsewhere.requests
    assert not secrets_in(landed.headers.items())
    assert not secrets_in(landed.path)


def test_a_carried_token_goes_along_a_redirect_within_the_origin(
    server: Server, either: Either, way: tuple[Any, Read]
) -> None:
    carry, read = way
    travel = Travel(server, read)
    caller = either.attach(travel.login, server.url, carry=carry)
    caller.get(f"{server.url}/orders")
    travel.routes["/moved"] = to("/orders?page=2", 307)
    for method in ("GET", "POST"):
        answer = caller.request(method, f"{server.url}/moved")
        assert answer.status_code == 200
        assert read(server.requests[-1]) == "s3cret-1"
    assert travel.logins == 1


def test_after_a_redirect_to_another_origin_and_back_the_token_is_there_again(
    server: Server, elsewhere: Server, either: Either, way: tuple[Any, Read]
) -> None:
    carry, read = way
    travel = Travel(server, read)
    caller = either.attach(travel.login, server.url, carry=carry)
    caller.get(f"{server.url}/orders")
    travel.routes["/away"] = to(f"{elsewhere.url}/back")
    elsewhere.answers = to(f"{server.url}/orders")
    assert caller.get(f"{server.url}/away").status_code == 200
    assert travel.logins == 1


def test_no_event_message_log_or_repr_shows_a_carried_token(
    server: Server, either: Either, way: tuple[Any, Read], caplog: pytest.LogCaptureFixture
) -> None:
    carry, read = way
    travel, told = Travel(server, read, headers={"X-CSRF-Token": "csrf-s3cret"}), Told()
    with caplog.at_level(logging.DEBUG, "relogin"):
        caller = either.attach(travel.login, server.url, carry=carry, on_event=told)
        caller.get(f"{server.url}/orders")
        travel.kill()
        caller.get(f"{server.url}/orders")
    records = [record.getMessage() for record in caplog.records if record.name[:7] == "relogin"]
    assert records
    assert not secrets_in(records)
    assert not secrets_in(told.events)
    assert not secrets_in(repr(travel.login(None)))


@pytest.mark.parametrize(
    ("make", "kind", "message"),
    [
        (
            lambda: Header("bad name"),
            ValueError,
            r"^Header\(\): 'bad name' is not a valid header name",
        ),
        (lambda: Header("a\r\nb"), ValueError, "is not a valid header name"),
        (lambda: Header(""), ValueError, "is not a valid header name"),
        (lambda: Header("cookie"), ValueError, "cookies are given with Grant"),
        (lambda: Header("Content-Length"), ValueError, "Content-Length cannot carry a session"),
        (lambda: Header(NOTHING), TypeError, "a header name must be a str, not NoneType"),
        (lambda: Query(""), ValueError, r"^Query\(\) takes the name of a parameter"),
        (lambda: Query("a b"), ValueError, r"^Query\(\) takes the name of a parameter"),
        (lambda: Query(NOTHING), ValueError, r"^Query\(\) takes the name of a parameter"),
        (lambda: Authorization("a b"), ValueError, r"^Authorization\(\) takes a scheme"),
        (lambda: Authorization(""), ValueError, r"^Authorization\(\) takes a scheme"),
        (lambda: Authorization(NOTHING), ValueError, r"^Authorization\(\) takes a scheme"),
    ],
)
def test_what_nothing_can_be_carried_in_is_told_at_once(
    make: Any, kind: type[Exception], message: str
) -> None:
    with pytest.raises(kind, match=message):
        make()


@pytest.mark.parametrize("carry", [Header, "X-Auth-Token", Header("A").carried, 7])
def test_what_says_nothing_of_the_way_is_told_at_once(either: Either, carry: Any) -> None:
    with pytest.raises(
        TypeError, match=r"^SessionAuth: carry= must be .* Header\(\"X-Auth-Token\"\)"
    ):
        either.auth(lambda _: "t", "https://api.example.com", carry=carry)


@pytest.mark.parametrize("carry", [Authorization("Token"), Header("X-Auth-Token")])
@pytest.mark.parametrize("token", ["a\r\nInjected: s3cret", "s3cret€", " s3cret", "s3cret\x00"])
def test_a_token_that_no_field_can_carry_is_told_and_not_shown(
    server: Server, either: Either, carry: Any, token: str
) -> None:
    Travel(server, by_header("X-Auth-Token"))
    client = either.attach(lambda _: token, server.url, carry=carry)
    with pytest.raises(InvalidGrant, match="cannot be sent in a header field") as caught:
        client.get(server.url)
    assert not secrets_in(caught.value)


def test_a_token_on_its_way_is_not_shown() -> None:
    assert not secrets_in(repr(Header("X-Auth-Token").carried("s3cret")))


@pytest.mark.parametrize("kind", [InvalidGrant, TypeError, ValueError])
@pytest.mark.parametrize(
    ("headers", "message"),
    [
        ("X-CSRF-Token: s3cret", "Grant.headers must be a mapping, not str"),
        ({"X CSRF": "s3cret"}, "Grant.headers: 'X CSRF' is not a valid header name"),
        ({"Host": "s3cret"}, "Grant.headers: Host cannot carry a session"),
        ({7: "s3cret"}, "Grant.headers: a header name must be a str, not int"),
        ({"X-CSRF-Token": 7}, "Grant.headers: X-CSRF-Token must be a str, not int"),
        ({"X-CSRF-Token": "s3cret\r\n"}, "Grant.headers: the value of X-CSRF-Token cannot be sent"),
    ],
)
def test_header_fields_that_cannot_be_sent_are_told_when_the_grant_is_made(
    kind: type[Exception], headers: Any, message: str
) -> None:
    with pytest.raises(kind, match=message) as caught:
        Grant(token="t", headers=headers)
    assert not secrets_in(caught.value)


def test_a_grant_of_header_fields_alone_is_a_session(server: Server, either: Either) -> None:
    travel = Travel(server, by_header("X-Auth-Token"))

    def login(context: Any) -> Grant:
        return Grant(headers={"X-Auth-Token": str(travel.login(context).token)})

    client = either.attach(login, server.url)
    client.get(server.url)
    travel.kill()
    assert client.get(server.url).status_code == 200
    assert travel.logins == 2


def test_a_field_that_the_user_wrote_gives_way_to_the_session_s(
    server: Server, either: Either
) -> None:
    travel = Travel(server, by_header("X-Auth-Token"))
    client = either.attach(travel.login, server.url, carry=Header("X-Auth-Token"))
    client.get(server.url)
    assert client.get(server.url, headers={"x-auth-token": "mine"}).status_code == 200
    assert server.requests[-1].headers.get_all("X-Auth-Token") == ["s3cret-1"]


def test_cookies_and_a_field_go_and_end_together(server: Server, either: Either) -> None:
    living: list[str] = []

    def login(_: Any) -> Grant:
        living.append(f"s3cret-{len(living) + 1}")
        return Grant(cookies={"sid": living[-1]}, headers={"X-CSRF-Token": f"csrf-{living[-1]}"})

    def answer(request: Request) -> Answer:
        sent = request.cookies.get("sid"), request.headers["X-CSRF-Token"]
        return Answer(200 if living and sent == (living[-1], f"csrf-{living[-1]}") else 401)

    server.answers = answer
    client = either.attach(login, server.url)
    client.get(server.url)
    living.append("ended")
    assert client.post(server.url).status_code == 200
    assert len(living) == 3
    assert server.requests[-1].headers.get_all("X-CSRF-Token") == ["csrf-s3cret-3"]


def test_what_says_how_it_travels_is_pickled_and_the_session_is_not(
    server: Server, either: Either, way: tuple[Any, Read]
) -> None:
    carry, read = way
    login = JSONLogin(f"{server.url}/login", dict, headers={"X-CSRF-Token": from_header("X-C")})
    options: Any = {"carry": carry, "rolls": ["X-CSRF-Token"], "logout": Logout()}
    auth = either.auth(login, **options)
    fields = ("Content-Type", "application/json"), ("X-C", "csrf-s3cret")
    travel = Travel(server, read)

    def log_in(_: Request) -> Answer:
        token = travel.login(None).token
        return Answer(200, fields, f'{{"access_token": "{token}"}}'.encode())

    travel.routes["/login"] = log_in
    assert either.client(auth).get(server.url).status_code == 200
    pickled = pickle.dumps(auth)
    assert b"s3cret" not in pickled
    again = pickle.loads(pickled)
    assert either.client(again).get(server.url).status_code == 200
    assert travel.logins == 2


@pytest.mark.usefixtures("netrc")
def test_netrc_changes_nothing_of_a_carried_token(server: Server, either: Either) -> None:
    travel = Travel(server, by_header("X-Auth-Token"))
    client = either.attach(travel.login, server.url, carry=Header("X-Auth-Token"))
    if either.driver is None:
        client.trust_env = True
    travel.routes["/moved"] = to("/orders")
    client.get(server.url)
    assert client.get(f"{server.url}/moved").status_code == 200
    assert travel.logins == 1


@pytest.mark.parametrize("kind", CARRIES)
def test_where_a_token_goes_cannot_be_changed_later(kind: str) -> None:
    carry = CARRIES[kind][0]
    (field,) = carry.__dataclass_fields__
    with pytest.raises(AttributeError):
        setattr(carry, field, "X-Other")
