"""A 403 `insufficient_scope` (RFC 6750 §3.1), in every library: one login, for the union."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from relogin import Grant
from relogin.client import outcome
from relogin.client.events import Event
from relogin.client.logins import OAuth2Login
from relogin.client.requests import SessionAuth
from relogin.client.stores.memory import MemoryStore
from tests.client.server import Answer, Server
from tests.client.token_server import TokenServer


@pytest.fixture
def tokens(server: Server) -> TokenServer:
    return TokenServer(server, needs={"/write": "write", "/admin": "write admin"})


def auth_of(tokens: TokenServer, **options: Any) -> SessionAuth:
    login = OAuth2Login(tokens.url, "job", "s3cret", scope="read")
    return SessionAuth(login, tokens.server.url, **options)


@pytest.fixture
def stepping(tokens: TokenServer, session: requests.Session) -> requests.Session:
    """A session that has logged in for reading, and will be asked for more."""
    session.auth = auth_of(tokens)
    assert session.get(f"{tokens.server.url}/orders").status_code == 200
    return session


def scopes(tokens: TokenServer) -> list[str]:
    return [fields["scope"] for fields in tokens.asked]


def test_a_403_leads_to_one_login_for_the_union(
    tokens: TokenServer, stepping: requests.Session
) -> None:
    answer = stepping.get(f"{tokens.server.url}/write")
    assert (answer.status_code, outcome(answer)) == (200, "replayed")
    assert [past.status_code for past in answer.history] == [403]
    assert scopes(tokens) == ["read", "read write"]
    assert stepping.get(f"{tokens.server.url}/orders").status_code == 200
    assert len(tokens.asked) == 2


def test_a_post_is_sent_again_after_a_403_with_its_body(
    tokens: TokenServer, stepping: requests.Session
) -> None:
    answer = stepping.post(f"{tokens.server.url}/write", data=b"content")
    assert (answer.status_code, answer.content) == (200, b"content")


def test_a_post_is_not_sent_again_where_the_user_says_so(
    tokens: TokenServer, session: requests.Session
) -> None:
    session.auth = auth_of(tokens, replay_any_method=False)
    session.get(f"{tokens.server.url}/orders")
    answer = session.post(f"{tokens.server.url}/write", data=b"content")
    assert (answer.status_code, outcome(answer)) == (403, "renewed_not_replayed")
    assert session.post(f"{tokens.server.url}/write").status_code == 200


def test_a_demand_for_scopes_does_not_say_how_a_dead_session_is_refused(
    tokens: TokenServer, stepping: requests.Session
) -> None:
    url = f"{tokens.server.url}/write"
    stepping.get(url)
    tokens.kill()
    tokens.bare = True
    assert outcome(stepping.get(url)) == "replayed"


def test_twenty_threads_that_meet_a_403_lead_to_one_login(
    tokens: TokenServer, stepping: requests.Session
) -> None:
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: stepping.get(f"{tokens.server.url}/write"), range(20)))
    assert {answer.status_code for answer in answers} == {200}
    assert scopes(tokens) == ["read", "read write"]


def test_a_scope_that_no_token_gets_costs_twenty_threads_one_login_and_each_gets_its_403(
    tokens: TokenServer, stepping: requests.Session
) -> None:
    tokens.never_granted = frozenset({"write"})
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: stepping.get(f"{tokens.server.url}/write"), range(20)))
    assert {answer.status_code for answer in answers} == {403}
    for _ in range(3):
        assert stepping.get(f"{tokens.server.url}/write").status_code == 403
    assert len(tokens.asked) == 2
    assert stepping.get(f"{tokens.server.url}/orders").status_code == 200


def test_a_login_that_may_not_have_the_scope_declines_and_the_session_is_kept(
    tokens: TokenServer, stepping: requests.Session
) -> None:
    for _ in range(3):
        answer = stepping.get(f"{tokens.server.url}/admin")
        assert (answer.status_code, answer.content) == (403, b"more is needed")
    assert scopes(tokens) == ["read", "read admin write"]
    assert stepping.get(f"{tokens.server.url}/orders").status_code == 200
    assert len(tokens.asked) == 2


@pytest.mark.parametrize("trouble", [Answer(503), Answer(401)])
def test_a_step_up_that_fails_returns_the_403_and_keeps_the_session(
    tokens: TokenServer, stepping: requests.Session, trouble: Answer
) -> None:
    tokens.answer = lambda fields: trouble
    assert stepping.get(f"{tokens.server.url}/write").status_code == 403
    assert stepping.get(f"{tokens.server.url}/orders").status_code == 200


def test_scopes_that_were_granted_are_asked_for_at_the_next_death(
    tokens: TokenServer, stepping: requests.Session
) -> None:
    stepping.get(f"{tokens.server.url}/write")
    tokens.kill()
    assert stepping.get(f"{tokens.server.url}/write").status_code == 200
    assert scopes(tokens) == ["read", "read write", "read write"]


def test_scopes_demanded_one_after_the_other_add_up(
    tokens: TokenServer, stepping: requests.Session
) -> None:
    tokens.scopes |= {"admin"}
    for path in ("/write", "/admin", "/write", "/orders"):
        assert stepping.get(tokens.server.url + path).status_code == 200
    assert scopes(tokens)[1:] == ["read write", "read write admin"]


def test_another_process_may_renew_for_less_and_more_is_asked_for_again(
    tokens: TokenServer, session: requests.Session
) -> None:
    store = MemoryStore()
    session.auth = auth_of(tokens, store=store)
    assert session.get(f"{tokens.server.url}/write").status_code == 200
    tokens.kill()
    reader = requests.get(f"{tokens.server.url}/orders", auth=auth_of(tokens, store=store))
    assert reader.status_code == 200
    assert session.get(f"{tokens.server.url}/write").status_code == 200
    assert scopes(tokens)[-2:] == ["read", "read write"]


def test_a_401_may_demand_a_scope_as_well(tokens: TokenServer, stepping: requests.Session) -> None:
    def registry(request: Any) -> Answer:
        answer = tokens.api(request)
        return Answer(401, answer.headers) if answer.status == 403 else answer

    tokens.server.routes["/write"] = registry
    assert stepping.get(f"{tokens.server.url}/write").status_code == 200
    assert scopes(tokens) == ["read", "read write"]


@pytest.mark.parametrize(
    "line",
    [
        'Bearer error="insufficient_scope"',
        'Bearer error="insufficient_scope", scope=""',
        'Bearer error="insufficient_scope", scope="a\\"b"',
        'Bearer scope="write"',
        'Basic error="insufficient_scope", scope="write"',
        'Bearer error="invalid_token", scope="insufficient_scope"',
    ],
)
def test_a_403_that_demands_nothing_readable_is_the_answer(
    tokens: TokenServer, stepping: requests.Session, line: str
) -> None:
    tokens.server.routes["/write"] = lambda request: Answer(403, (("WWW-Authenticate", line),))
    answer = stepping.get(f"{tokens.server.url}/write")
    assert (answer.status_code, outcome(answer)) == (403, "untouched")
    assert len(tokens.asked) == 1


def test_the_demand_is_found_beside_other_challenges(
    tokens: TokenServer, stepping: requests.Session
) -> None:
    api = tokens.api

    def several(request: Any) -> Answer:
        answer = api(request)
        lines = ('Session realm="api", error="session_expired"', 'Bearer realm="other"')
        return Answer(
            answer.status, tuple(("WWW-Authenticate", line) for line in lines) + answer.headers
        )

    tokens.server.routes["/write"] = several
    assert stepping.get(f"{tokens.server.url}/write").status_code == 200


def test_a_demand_is_about_the_token_that_was_sent_whatever_realm_it_names(
    tokens: TokenServer, stepping: requests.Session
) -> None:
    def nameless(request: Any) -> Answer:
        answer = tokens.api(request)
        line = 'Bearer error="insufficient_scope", scope="write"'
        return answer if answer.status == 200 else Answer(403, (("WWW-Authenticate", line),))

    tokens.server.routes["/write"] = nameless
    for path in ("/write", "/orders", "/write"):
        assert stepping.get(tokens.server.url + path).status_code == 200
    sent = [r.headers["Authorization"] for r in tokens.server.requests[-3:]]
    assert len(set(sent)) == 1
    assert len(tokens.asked) == 2


def test_a_403_of_another_origin_is_not_looked_at(
    tokens: TokenServer, stepping: requests.Session
) -> None:
    assert stepping.get(f"{tokens.server.other_host}/write").status_code == 401
    assert len(tokens.asked) == 1


def test_a_403_is_the_answer_where_the_user_wants_it_so(
    tokens: TokenServer, session: requests.Session
) -> None:
    login = OAuth2Login(tokens.url, "job", "s3cret", scope="read", scopes_up=False)
    for auth in (
        SessionAuth(login, tokens.server.url),
        auth_of(tokens, actions={"insufficient_scope": "stop"}),
    ):
        assert session.get(f"{tokens.server.url}/write", auth=auth).status_code == 403
    assert scopes(tokens) == ["read", "read"]


def test_a_login_of_ones_own_is_told_what_is_wanted(
    tokens: TokenServer, session: requests.Session
) -> None:
    told: list[tuple[Any, ...]] = []

    class Login:
        scopes_up = True

        def __call__(self, context: Any) -> Grant:
            told.append((context.error, context.scope))
            scope = " ".join(context.scope) or "read"
            fields = {"grant_type": "client_credentials", "scope": scope}
            answer = context.http.post(tokens.url, data=fields, auth=("job", "s3cret"))
            return Grant(token=answer.json()["access_token"], scope=scope)

    events: list[Event] = []
    session.auth = SessionAuth(Login(), tokens.server.url, on_event=events.append)
    assert session.get(f"{tokens.server.url}/write").status_code == 200
    assert told == [(None, ()), ("insufficient_scope", ("read", "write"))]
    assert "insufficient_scope" in {event.error for event in events}
