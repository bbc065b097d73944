"""One parameter of a query is set in its place; everything else of the URL stays as it was."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relogin.client.carry import Query
from relogin.client.terms.query import parameter, with_parameter, without_parameter
from tests.client.either import Either
from tests.client.server import Answer, Server
from tests.client.travel import Travel, by_query

BASE = "https://nas.example/webapi"


@pytest.mark.parametrize(
    ("url", "signed"),
    [
        ("", "?t=new"),
        ("?", "?t=new"),
        ("?a=1", "?a=1&t=new"),
        ("?t=old&a=1", "?t=new&a=1"),
        ("?a=%20b&t=old&c", "?a=%20b&t=new&c"),
        ("?a=1&t=old&b=2&t=older&t", "?a=1&t=new&b=2"),
        ("?%74=old&a=1", "?t=new&a=1"),
        ("?t", "?t=new"),
        ("?a=+%2B&&b=;", "?a=+%2B&&b=;&t=new"),
        ("?a=1#part?t=x", "?a=1&t=new#part?t=x"),
        ("?T=other&tt=1", "?T=other&tt=1&t=new"),
    ],
)
def test_a_parameter_is_set_where_it_stands_or_else_at_the_end(url: str, signed: str) -> None:
    assert with_parameter(BASE + url, "t", "new") == BASE + signed


@pytest.mark.parametrize(
    ("url", "plain"),
    [("?t=1", ""), ("?a=%20&t=1&b", "?a=%20&b"), ("?a=1", "?a=1"), ("?t=1&t=2#f", "#f")],
)
def test_a_parameter_is_taken_out_with_nothing_else(url: str, plain: str) -> None:
    assert without_parameter(BASE + url, "t") == BASE + plain


parameters = st.sampled_from(["a=1", "a", "b=", "%61=2"])
others = st.from_regex(r"[A-Za-z0-9%+;,:=-]{0,6}", fullmatch=True)
queries = st.lists(parameters | others).map("&".join)
names = st.sampled_from("ab") | st.text(st.characters(codec="utf-8"), min_size=1)


@given(queries, names, st.text(st.characters(codec="utf-8")))
def test_what_is_set_is_read_and_the_other_parameters_stay(
    query: str, name: str, value: str
) -> None:
    url = f"{BASE}?{query}" if query else BASE
    signed = with_parameter(url, name, value)
    assert parameter(signed, name) == value
    assert with_parameter(signed, name, value) == signed
    others = [pair for pair in parse_qsl(query, True) if pair[0] != name]
    assert [p for p in parse_qsl(urlsplit(signed).query, True) if p[0] != name] == others
    assert without_parameter(signed, name) == without_parameter(url, name)


def test_a_parameter_that_is_not_there_cannot_be_read() -> None:
    assert parameter(BASE, "t") is None
    assert parameter(f"{BASE}?t", "t") == ""


def test_a_request_and_its_replay_have_the_token_once(server: Server, either: Either) -> None:
    travel = Travel(server, by_query("_sid"))
    client = either.attach(travel.login, server.url, carry=Query("_sid"))
    client.get(f"{server.url}/webapi?api=a%20b&_sid=mine&v=1")
    travel.kill()
    answer = client.get(f"{server.url}/webapi?api=a%20b&v=%2B#part")
    assert [request.path for request in server.requests] == [
        "/webapi?api=a%20b&_sid=mine&v=1",
        "/webapi?api=a%20b&_sid=s3cret-1&v=1",
        "/webapi?api=a%20b&v=%2B&_sid=s3cret-1",
        "/webapi?api=a%20b&v=%2B&_sid=s3cret-2",
    ]
    assert "_sid=s3cret-2" in str(answer.url)


def test_no_login_is_shown_the_dead_token(server: Server, either: Either) -> None:
    travel, seen = Travel(server, by_query("_sid")), list[str]()

    def login(context: Any) -> Any:
        seen.append(context.url)
        return travel.login(context)

    client = either.attach(login, server.url, carry=Query("_sid"))
    client.get(f"{server.url}/orders?a=%20")
    travel.kill()
    client.get(f"{server.url}/orders?a=%20")
    assert seen == [f"{server.url}/orders?a=%20"] * 2


@pytest.mark.parametrize("token", ["a b", "a&b=c", "ä€", "a\r\nb", "%41", "+/="])
def test_any_text_can_be_carried(server: Server, either: Either, token: str) -> None:
    read = by_query("token")
    server.answers = lambda request: Answer(200 if read(request) == token else 401)
    client = either.attach(lambda _: token, server.url, carry=Query("token"))
    assert client.get(f"{server.url}/orders").status_code == 200


def test_with_requests_an_echo_of_a_query_token_goes_to_no_other_origin(
    server: Server, either: Either
) -> None:
    """httpx follows redirects below its auth: there the server's own word counts."""
    travel = Travel(server, by_query("_sid"))
    client = either.attach(travel.login, server.url, carry=Query("_sid"))
    client.get(f"{server.url}/orders")
    echo = f"{server.other_host}/landing?a=%20&_sid=s3cret-1&b"
    travel.routes["/away"] = lambda _: Answer(302, (("Location", echo),))
    travel.routes["/landing"] = lambda _: Answer(200)
    client.get(f"{server.url}/away")
    sent = "/landing?a=%20&b" if either.driver is None else "/landing?a=%20&_sid=s3cret-1&b"
    assert server.requests[-1].path == sent


def test_with_requests_a_query_token_goes_along_a_redirect_at_once(
    server: Server, either: Either
) -> None:
    """With httpx what it led to is sent once more."""
    travel = Travel(server, by_query("_sid"))
    client = either.attach(travel.login, server.url, carry=Query("_sid"))
    client.get(f"{server.url}/orders")
    travel.routes["/moved"] = lambda _: Answer(307, (("Location", "orders?a=%20"),))
    assert client.post(f"{server.url}/moved").status_code == 200
    paths = [request.path for request in server.requests[3:]]
    signed = "/orders?a=%20&_sid=s3cret-1"
    assert paths == ([signed] if either.driver is None else ["/orders?a=%20", signed])
