"""Signals in httpx: what they start, and what they leave as it was."""

from __future__ import annotations

import pytest

from relogin.client import Outcome, outcome
from relogin.client.signals import json_field, redirect_to, status
from tests.client.httpx_drivers import Driver
from tests.client.server import Answer, Server, serve
from tests.client.signalling import JSON, LOST, refuse_with
from tests.client.signals_httpx import opened


def test_no_answer_is_a_signal_unless_it_is_asked_for(driver: Driver, server: Server) -> None:
    client = opened(driver, server)
    for code in (419, 440, 599):
        refuse_with(server, code)
        assert client.get(f"{server.url}/a").status_code == code
    assert server.logins == 0


def test_a_signal_renews_the_session_and_the_request_is_sent_again(
    driver: Driver, server: Server
) -> None:
    refuse_with(server, 440)
    response = opened(driver, server, status(440)).get(f"{server.url}/a")
    assert (response.status_code, outcome(response)) == (200, Outcome.REPLAYED)
    assert [past.status_code for past in response.history] == [440]


def test_what_is_not_idempotent_is_not_sent_again(driver: Driver, server: Server) -> None:
    refuse_with(server, 440)
    client = opened(driver, server, status(440))
    response = client.post(f"{server.url}/a", content=b"x")
    assert (response.status_code, response.content) == (440, b"refused")
    assert outcome(response) is Outcome.RENEWED_NOT_REPLAYED
    assert client.post(f"{server.url}/a", content=b"x").content == b"x"
    assert len(server.seen("/a")) == 2


def test_with_replay_any_method_a_signalled_post_is_sent_again(
    driver: Driver, server: Server
) -> None:
    refuse_with(server, 440)
    client = opened(driver, server, status(440), replay_any_method=True)
    assert client.post(f"{server.url}/a", content=b"x").content == b"x"


def test_a_signal_that_comes_again_at_once_is_the_answer(driver: Driver, server: Server) -> None:
    refuse_with(server, 440)
    server.refuse_all = True
    assert opened(driver, server, status(440)).get(f"{server.url}/a").status_code == 440
    assert server.logins == 1


def test_thirty_that_meet_a_signal_need_one_login(driver: Driver, server: Server) -> None:
    refuse_with(server, 200, JSON, body=lambda: LOST)
    client = opened(driver, server, json_field("success", False))
    answers = client.at_once(30, lambda _: f"{server.url}/a")
    assert {answer.content for answer in answers} == {b"content"}
    assert server.logins == 1


def test_another_origin_signals_nothing(driver: Driver, server: Server) -> None:
    refuse_with(server, 440)
    asked: list[str] = []
    client = opened(driver, server, lambda answer: asked.append(answer.url), status(440))
    assert client.get(f"{server.other_host}/a").status_code == 440
    assert (asked, server.logins) == ([], 0)


def test_a_cookie_that_a_signalled_answer_sets_is_not_taken_for_the_session(
    driver: Driver, server: Server
) -> None:
    server.binding = "cookie"
    client = opened(driver, server, status(440))
    client.get(f"{server.url}/a")
    server.kill()
    refuse_with(server, 440, ("Set-Cookie", "sid=anonymous; Path=/"))
    client.post(f"{server.url}/a")
    server.kill()
    client.post(f"{server.url}/b")
    assert server.seen("/b")[0].cookies == {"sid": "s3cret-2"}


# Redirects


@pytest.mark.parametrize("follow", [False, True])
def test_a_redirect_to_the_login_page_renews_the_session(
    driver: Driver, server: Server, follow: bool
) -> None:
    refuse_with(server, 302, ("Location", "/in"))
    server.routes["/in"] = lambda request: Answer(200, (), b"log in")
    client = opened(driver, server, redirect_to("/in"), follow_redirects=follow)
    response = client.get(f"{server.url}/a")
    assert (response.content, response.url.path) == (b"content", "/a")
    assert [past.status_code for past in response.history] == [302, 200][: 1 + follow]


def test_a_redirect_to_the_login_page_renews_a_session_that_is_a_cookie(
    driver: Driver, server: Server
) -> None:
    """What httpx follows without the cookie leads to the login page too, and does not count."""
    server.binding = "cookie"
    client = opened(driver, server, redirect_to("/in"), follow_redirects=True)
    client.get(f"{server.url}/first")
    server.kill()
    refuse_with(server, 302, ("Location", "/in"))
    server.routes["/in"] = lambda request: Answer(200, (), b"log in")
    server.routes["/old"] = lambda request: Answer(302, (("Location", "/a"),))
    response = client.get(f"{server.url}/old")
    assert (response.content, server.logins) == (b"content", 2)


def test_the_login_page_may_be_of_another_origin(driver: Driver, server: Server) -> None:
    with serve() as other:
        refuse_with(server, 302, ("Location", f"{other.url}/in?next=/a"))
        client = opened(driver, server, redirect_to(f"{other.url}/in"), follow_redirects=True)
        assert client.get(f"{server.url}/a").status_code == 200
        assert [request.token for request in other.requests] == [None]


def test_a_redirect_that_stays_the_answer_is_followed_as_ever(
    driver: Driver, server: Server
) -> None:
    refuse_with(server, 302, ("Location", "/in"))
    server.routes["/in"] = lambda request: Answer(200, (), b"log in")
    client = opened(driver, server, redirect_to("/in"), follow_redirects=True)
    response = client.post(f"{server.url}/a", content=b"x")
    assert (response.status_code, response.content) == (200, b"log in")
    assert outcome(response) is Outcome.RENEWED_NOT_REPLAYED
