"""A dead session of httpx is renewed and its request sent again: threads, asyncio and trio."""

from __future__ import annotations

import pickle
from typing import Any

import httpx
import pytest

from relogin import Grant
from relogin.client import Outcome, outcome
from relogin.client.events import Event, EventKind
from relogin.client.httpx import SessionAuth
from tests.client.httpx_drivers import Driver
from tests.client.server import Answer, Server, serve


def test_the_refused_response_is_in_the_history_with_what_was_sent_for_it(
    driver: Driver, server: Server
) -> None:
    client = driver.open(auth=SessionAuth(driver.login(server), server.url))
    client.get(f"{server.url}/first")
    server.kill()
    answer = client.get(f"{server.url}/orders")
    (refused,) = answer.history
    assert (refused.status_code, refused.content) == (401, b"refused")
    assert refused.request.headers["Authorization"] == 'Session token="s3cret-1"'
    assert answer.request.headers["Authorization"] == 'Session token="s3cret-2"'


def test_each_response_tells_how_long_it_took(driver: Driver, server: Server) -> None:
    client = driver.open(auth=SessionAuth(driver.login(server), server.url))
    answer = client.get(f"{server.url}/orders")
    assert answer.elapsed.total_seconds() > 0
    assert answer.history[0].elapsed.total_seconds() > 0


def test_a_request_of_the_user_is_left_as_it_was(driver: Driver, server: Server) -> None:
    client = driver.open(auth=SessionAuth(driver.login(server), server.url))
    request = client.client.build_request("POST", f"{server.url}/orders", content=b"an order")
    before = dict(request.headers), dict(request.extensions)
    for _ in range(2):
        answer = driver.run(client.client.send, request)
        assert answer.status_code == 200
        assert answer.request.content == b"an order"
        server.kill()
    assert (dict(request.headers), dict(request.extensions)) == before


def test_a_401_and_its_replay_use_one_connection(driver: Driver, server: Server) -> None:
    client = driver.open(auth=SessionAuth(driver.login(server), server.url))
    client.get(f"{server.url}/orders")
    assert len({request.connection for request in server.seen("/orders")}) == 1


def test_a_streamed_answer_can_be_read_after_the_renewal(driver: Driver, server: Server) -> None:
    client = driver.open(auth=SessionAuth(driver.login(server), server.url))
    answer = client.send("GET", f"{server.url}/orders")
    assert not answer.is_closed
    assert client.read(answer) == b"content"


def test_a_head_request_is_replayed(driver: Driver, server: Server) -> None:
    client = driver.open(auth=SessionAuth(driver.login(server), server.url))
    assert client.head(f"{server.url}/orders").status_code == 200


def test_the_time_outs_of_a_request_hold_for_its_replay(driver: Driver, server: Server) -> None:
    client = driver.open(auth=SessionAuth(driver.login(server), server.url))
    answer = client.get(f"{server.url}/orders", timeout=7.0)
    expected = httpx.Timeout(7.0).as_dict()
    assert [r.request.extensions["timeout"] for r in [*answer.history, answer]] == [expected] * 2


def test_the_users_own_authorization_is_sent_until_there_is_a_session(
    driver: Driver, server: Server
) -> None:
    client = driver.open(auth=SessionAuth(driver.login(server), server.url))
    client.get(f"{server.url}/orders", headers={"Authorization": 'Session token="mine"'})
    assert [request.token for request in server.seen("/orders")] == ["mine", "s3cret-1"]


def test_a_login_that_declines_leaves_the_401_whole(driver: Driver, server: Server) -> None:
    client = driver.open(auth=SessionAuth(lambda context: None, server.url))
    answer = client.get(f"{server.url}/orders")
    assert (answer.status_code, answer.content) == (401, b"refused")
    assert (outcome(answer), answer.history) == (Outcome.DECLINED, [])


def test_the_login_is_told_why_it_is_asked(driver: Driver, server: Server) -> None:
    told: list[Any] = []

    def login(context: Any) -> None:
        told.append((context.error, context.realm, context.method, context.url, context.attempt))

    client = driver.open(auth=SessionAuth(login, server.url))
    client.put(f"{server.url}/orders")
    assert told == [(None, "api", "PUT", f"{server.url}/orders", 1)]


def test_a_second_401_is_returned_without_another_login(driver: Driver, server: Server) -> None:
    server.refuse_all = True
    client = driver.open(auth=SessionAuth(driver.login(server), server.url))
    answer = client.get(f"{server.url}/orders")
    assert (answer.status_code, outcome(answer)) == (401, Outcome.REFUSED_AGAIN)
    assert (server.logins, len(server.seen("/orders"))) == (1, 2)


# The challenge


def test_a_malformed_line_hides_no_other(driver: Driver, server: Server) -> None:
    server.challenges = lambda error: ['Digest realm="never closed', 'Session realm="api"']
    client = driver.open(auth=SessionAuth(driver.login(server), server.url))
    assert client.get(f"{server.url}/orders").status_code == 200


def test_a_challenge_is_read_as_octets(driver: Driver, server: Server) -> None:
    realm = "CafÃ©"  # what the server sends of it looks like UTF-8
    server.challenges = lambda error: [f'Session realm="{realm}"']
    told: list[str] = []
    client = driver.open(auth=SessionAuth(lambda context: told.append(context.realm), server.url))
    client.get(f"{server.url}/orders")
    assert told == [realm]


def test_a_challenge_of_another_realm_is_not_answered(driver: Driver, server: Server) -> None:
    client = driver.open(auth=SessionAuth(driver.login(server), server.url, realm="other"))
    assert client.get(f"{server.url}/orders").status_code == 401
    assert server.logins == 0


def test_a_challenge_on_an_answer_is_told_as_an_event(driver: Driver, server: Server) -> None:
    line = ("WWW-Authenticate", 'Session realm="api", error="session_expired"')
    server.routes["/public"] = lambda _: Answer(200, (line,), b"for all")
    told: list[Event] = []
    auth = SessionAuth(driver.login(server), server.url, on_event=told.append)
    answer = driver.open(auth=auth).get(f"{server.url}/public")
    assert (answer.content, server.logins) == (b"for all", 0)
    assert [event.kind for event in told] == [EventKind.LAPSED]


# Other origins


def test_a_challenge_of_another_origin_is_not_answered(driver: Driver, server: Server) -> None:
    client = driver.open(auth=SessionAuth(driver.login(server), server.url))
    answer = client.get(f"{server.other_host}/orders")
    assert (answer.status_code, outcome(answer)) == (401, Outcome.FOREIGN)
    assert server.logins == 0


def test_no_credential_goes_to_another_origin(driver: Driver, service: Server) -> None:
    client = driver.open(auth=SessionAuth(driver.login(service), service.url))
    client.get(f"{service.url}/first")
    client.get(f"{service.other_host}/orders")
    (sent,) = service.seen("/orders")
    assert (sent.token, sent.cookies) == (None, {})


def test_a_url_without_an_origin_is_none_of_our_business(driver: Driver, server: Server) -> None:
    transport = httpx.MockTransport(lambda request: httpx.Response(401))
    auth = SessionAuth(driver.login(server), server.url)
    client = driver.open(auth=auth, transport=transport)
    assert outcome(client.get("memory://orders/")) is Outcome.FOREIGN


# Expiry


def test_a_session_is_renewed_ahead_of_its_end(driver: Driver, server: Server) -> None:
    client = driver.open(auth=SessionAuth(short_lived(server), server.url))
    client.get(f"{server.url}/first")
    client.get(f"{server.url}/orders")
    assert [request.token for request in server.seen("/orders")] == ["s3cret-2"]


def test_a_failed_renewal_ahead_leaves_the_living_session_in_use(
    driver: Driver, server: Server
) -> None:
    client = driver.open(auth=SessionAuth(short_lived(server), server.url))
    client.get(f"{server.url}/first")
    server.login_answers.append(Answer(503))
    assert client.get(f"{server.url}/orders").status_code == 200
    assert [request.token for request in server.seen("/orders")] == ["s3cret-1"]


def test_the_server_says_how_long_the_session_lives(driver: Driver, server: Server) -> None:
    server.expires_in = 600
    client = driver.open(auth=SessionAuth(short_lived(server), server.url))
    client.get(f"{server.url}/first")
    client.get(f"{server.url}/orders")
    assert server.logins == 1


@pytest.mark.parametrize("said", ["expires_in=soon", "expires_in=", 'other="1"', '"'])
def test_what_makes_no_sense_says_nothing_of_the_life_of_a_session(
    driver: Driver, server: Server, said: str
) -> None:
    client = driver.open(auth=SessionAuth(driver.login(server), server.url))
    server.routes["/orders"] = lambda _: Answer(200, (("Authentication-Info", said),))
    client.get(f"{server.url}/first")
    for _ in range(3):
        client.get(f"{server.url}/orders")
    assert server.logins == 1


@pytest.mark.requirement("C-6")
def test_what_answers_a_cookie_says_nothing_of_the_life_of_a_session(
    driver: Driver, server: Server
) -> None:
    server.binding, server.expires_in = "cookie", 600

    def login(context: Any) -> Grant:
        return Grant(cookies=server.login(context).cookies, expires_in=1e-6)

    client = driver.open(auth=SessionAuth(login, server.url))
    client.get(f"{server.url}/first")
    client.get(f"{server.url}/orders")
    assert server.logins == 2


def short_lived(server: Server) -> Any:
    """A login whose session is about to end as soon as it begins."""
    return lambda context: Grant(server.login(context).token, expires_in=1e-6)


# The object itself


def test_a_reset_makes_the_next_challenge_log_in_again(driver: Driver, server: Server) -> None:
    auth = SessionAuth(driver.login(server), server.url)
    client = driver.open(auth=auth)
    client.get(f"{server.url}/first")
    auth.reset()
    client.get(f"{server.url}/orders")
    assert [request.token for request in server.seen("/orders")] == [None, "s3cret-2"]


def test_an_auth_is_pickled_without_its_session(server: Server) -> None:
    auth = SessionAuth(decline, server.url, strict=True)
    text = pickle.dumps(auth)
    again = pickle.loads(text)
    assert (again.login, type(again)) == (decline, SessionAuth)


def decline(context: Any) -> None:
    """A login that can be pickled."""


def test_a_response_can_be_pickled(driver: Driver, server: Server) -> None:
    client = driver.open(auth=SessionAuth(driver.login(server), server.url))
    again = pickle.loads(pickle.dumps(client.get(f"{server.url}/orders")))
    assert (again.content, outcome(again)) == (b"content", Outcome.REPLAYED)


def test_an_auth_serves_clients_of_several_origins(driver: Driver, server: Server) -> None:
    with serve() as other:
        auth = SessionAuth(driver.login(server), [server.url, other.url])
        client = driver.open(auth=auth)
        client.get(f"{server.url}/orders")
        other.living = "s3cret-2"
        assert client.get(f"{other.url}/orders").status_code == 200
        assert [request.token for request in other.requests] == [None, "s3cret-2"]
