"""A header field of a grant that answers give a new value: CSRF tokens, mostly."""

from __future__ import annotations

from typing import Any

import pytest

from relogin import Grant, InvalidGrant
from relogin.client import Outcome, outcome
from relogin.client.carry import Header, Query
from relogin.client.driver.credentials import sent_with
from relogin.client.logins import JSONLogin, from_cookie, from_header, from_json
from relogin.client.renewal.policy import Policy
from relogin.client.stores.memory import MemoryStore
from tests.client.either import Either
from tests.client.server import Answer, Request, Server
from tests.client.steps import URL, Steps, a_cache, refused

ROLLS: dict[str, Any] = {
    "renamed": {"X-CSRF-Token": "X-Updated-CSRF-Token"},
    "one case": {"x-csrf-token": "x-updated-csrf-token"},
    "by a source": {"X-CSRF-Token": from_header("X-Updated-CSRF-Token")},
    "by a cookie": {"X-CSRF-Token": from_cookie("csrf")},
}


class Rolling:
    """A session of a cookie and a CSRF token, of which each answer brings a new one."""

    def __init__(self, server: Server, *, rolls: bool = True) -> None:
        self.logins = 0
        self.session: str | None = None
        self.values = 0
        self.status = 200
        self.rolls = rolls
        self.csrf = ""
        server.answers = self.answer

    def login(self, context: Any) -> Grant:
        self.logins += 1
        self.session = f"s3cret-{self.logins}"
        return Grant(cookies={"sid": self.session}, headers={"X-CSRF-Token": self._next()})

    def _next(self) -> str:
        self.values += 1
        self.csrf = f"csrf-{self.values}"
        return self.csrf

    def answer(self, request: Request) -> Answer:
        if request.cookies.get("sid") != self.session or self.session is None:
            return Answer(
                401, (("Set-Cookie", "csrf=planted; Path=/"), ("X-CSRF-Token", "planted"))
            )
        if request.headers.get_all("X-CSRF-Token") != [self.csrf]:
            return Answer(403, (("X-Updated-CSRF-Token", "required"), ("X-CSRF-Token", "required")))
        if not self.rolls:
            return Answer(self.status)
        value = self._next()
        fields = (("X-Updated-CSRF-Token", value), ("X-CSRF-Token", value))
        return Answer(self.status, (*fields, ("Set-Cookie", f"csrf={value}; Path=/")))


@pytest.mark.parametrize("rolls", [*ROLLS.values(), ["X-CSRF-Token"], {"X-CSRF-Token"}])
def test_each_request_has_the_latest_value(server: Server, either: Either, rolls: Any) -> None:
    rolling = Rolling(server)
    client = either.attach(rolling.login, server.url, rolls=rolls)
    assert [client.post(server.url).status_code for _ in range(3)] == [200, 200, 200]
    rolling.session = None
    answer = client.post(server.url)
    assert (answer.status_code, outcome(answer)) == (200, Outcome.REPLAYED)
    assert client.post(server.url).status_code == 200
    assert rolling.logins == 2


def test_without_rolls_the_value_of_the_login_stays(server: Server, either: Either) -> None:
    rolling = Rolling(server)
    client = either.attach(rolling.login, server.url)
    assert [client.post(server.url).status_code for _ in range(3)] == [200, 403, 403]


def test_an_answer_that_fails_for_another_reason_brings_the_next_value_too(
    server: Server, either: Either
) -> None:
    rolling = Rolling(server)
    client = either.attach(rolling.login, server.url, rolls=["X-CSRF-Token"])
    client.post(server.url)
    rolling.status = 422
    client.post(server.url)
    rolling.status = 200
    assert client.post(server.url).status_code == 200


def test_what_a_401_or_a_403_says_is_no_value(server: Server, either: Either) -> None:
    rolling = Rolling(server, rolls=False)
    client = either.attach(rolling.login, server.url, rolls=["X-CSRF-Token"])
    client.post(server.url)
    good, rolling.csrf = rolling.csrf, "another"
    assert client.post(server.url).status_code == 403
    rolling.csrf = good
    assert client.post(server.url).status_code == 200


def test_what_another_origin_says_is_no_value(server: Server, either: Either) -> None:
    rolling = Rolling(server, rolls=False)
    client = either.attach(rolling.login, server.url, rolls=["X-CSRF-Token"])
    client.post(server.url)
    planted = (("X-CSRF-Token", "planted"),)
    server.answers = lambda _: Answer(200, planted)
    client.get(server.other_host)
    server.answers = rolling.answer
    assert client.post(server.url).status_code == 200


@pytest.mark.parametrize("value", ["", "a\x00b", " "])
def test_a_value_that_cannot_be_sent_is_left_alone(
    server: Server, either: Either, value: str
) -> None:
    rolling = Rolling(server, rolls=False)
    client = either.attach(rolling.login, server.url, rolls={"X-CSRF-Token": lambda _: value})
    assert [client.post(server.url).status_code for _ in range(2)] == [200, 200]


def test_what_a_callable_raises_costs_no_request(
    server: Server, either: Either, caplog: pytest.LogCaptureFixture
) -> None:
    rolling = Rolling(server, rolls=False)
    client = either.attach(rolling.login, server.url, rolls={"X-CSRF-Token": lambda _: 1 / 0})
    assert client.post(server.url).status_code == 200
    assert "could not be read from a response: ZeroDivisionError" in caplog.text


def test_a_token_in_a_field_of_its_own_may_roll(server: Server, either: Either) -> None:
    values = ["t1"]

    def answer(request: Request) -> Answer:
        if request.headers["X-Auth-Token"] != values[-1]:
            return Answer(401)
        values.append(f"t{len(values) + 1}")
        return Answer(200, (("X-Auth-Token", values[-1]),))

    server.answers = answer
    carry = Header("X-Auth-Token")
    client = either.attach(lambda _: "t1", server.url, carry=carry, rolls=["X-Auth-Token"])
    assert [client.get(server.url).status_code for _ in range(3)] == [200, 200, 200]


def test_with_fresh_always_all_who_share_a_store_send_the_latest_value(
    server: Server, either: Either
) -> None:
    rolling, store = Rolling(server), MemoryStore()
    options: Any = {"rolls": ["X-CSRF-Token"], "store": store, "fresh": "always"}
    one = either.auth(rolling.login, server.url, **options)
    other = either.auth(rolling.login, server.url, **options)
    statuses = [either.client(auth).post(server.url).status_code for auth in [one, other] * 3]
    assert (statuses, rolling.logins) == ([200] * 6, 1)


def test_the_fields_of_a_grant_lie_in_the_store(server: Server, either: Either) -> None:
    rolling, store = Rolling(server, rolls=False), MemoryStore()
    for _ in range(2):
        auth = either.auth(rolling.login, server.url, store=store)
        assert either.client(auth).post(server.url).status_code == 200
    assert rolling.logins == 1


# Mistakes


@pytest.mark.parametrize("headers", [{}, {"X-CSRF-Token": "c1"}])
def test_a_field_that_no_grant_has_is_told_at_the_login(
    server: Server, either: Either, headers: dict[str, str]
) -> None:
    grant = Grant(token="t1", headers=headers)
    client = either.attach(lambda _: grant, server.url, rolls=["X-XSRF-Token"])
    with pytest.raises(InvalidGrant, match=r"rolls= names x-xsrf-token, and this Grant has no"):
        client.get(server.url)


def test_a_field_that_a_ready_made_login_never_gives_is_told_at_once(either: Either) -> None:
    login = JSONLogin("https://api.example.com/login", dict)
    with pytest.raises(ValueError, match=r"rolls= names X-CSRF-Token, but this JSONLogin gives"):
        either.auth(login, rolls=["X-CSRF-Token"])
    with pytest.raises(ValueError, match=r"names X-Auth-Token"):
        either.auth(login, rolls=["Authorization", "X-Auth-Token"])


def test_the_parameter_of_a_query_is_no_header_field_that_may_roll(either: Either) -> None:
    login = JSONLogin("https://api.example.com/login", dict)
    with pytest.raises(ValueError, match=r"rolls= names token, but this JSONLogin gives no such"):
        either.auth(login, carry=Query("token"), rolls=["token"])


def test_a_field_that_a_ready_made_login_gives_may_roll(either: Either) -> None:
    headers = {"X-CSRF-Token": from_json("csrf")}
    login = JSONLogin("https://api.example.com/login", dict, headers=headers)
    rolls = ["x-csrf-token", "X-Auth-Token"]
    policy: Policy = either.auth(login, carry=Header("X-Auth-Token"), rolls=rolls)._policy
    assert list(policy.rolls) == rolls


@pytest.mark.parametrize(
    ("rolls", "kind", "message"),
    [
        ("X-CSRF-Token", TypeError, "rolls= must be a list of header names.* not str"),
        (7, TypeError, "rolls= must be a list of header names.* not int"),
        ([7], TypeError, "rolls=: a header name must be a str, not int"),
        ({"X-CSRF-Token": 7}, TypeError, "rolls=: a header name must be a str, not int"),
        (["X CSRF"], ValueError, "rolls=: 'X CSRF' is not a valid header name"),
        ({"X-CSRF-Token": "a b"}, ValueError, "rolls=: 'a b' is not a valid"),
        (["Cookie"], ValueError, "rolls=: cookies are given with Grant"),
    ],
)
def test_rolls_that_cannot_be_are_told_at_once(
    either: Either, rolls: Any, kind: type[Exception], message: str
) -> None:
    with pytest.raises(kind, match=f"^SessionAuth: {message}"):
        either.auth(lambda _: "t", "https://api.example.com", rolls=rolls)


def test_the_token_shows_which_session_a_request_carried_whatever_its_other_fields_say() -> None:
    cache = a_cache()
    grant = Grant(token="t1", headers={"X-CSRF-Token": "c1"})
    credential = Steps(cache, refused()).send(grant).replay.credential
    sent = {**credential.headers, "X-CSRF-Token": "of the user"}
    assert sent_with(cache, credential, sent, URL) is credential
