"""A plain API of one's own: 401 without a challenge, and a token in `Authorization: Bearer`."""

from typing import Any

import pytest

from relogin.client import Outcome, outcome
from relogin.client.responders import SESSION
from tests.client.either import Either
from tests.client.server import Answer, Server
from tests.client.travel import Travel, by_header


@pytest.fixture
def plain(server: Server) -> Travel:
    """An API that gives no reason for a 401, and answers `/password` with nothing else."""
    travel = Travel(server, by_header("Authorization", "Bearer"))
    travel.routes["/password"] = lambda _: Answer(401)
    return travel


@pytest.fixture
def auth(plain: Travel, either: Either) -> Any:
    return either.auth(plain.login, plain.server.url)


@pytest.fixture
def client(auth: Any, either: Either) -> Any:
    return either.client(auth)


def authorizations(plain: Travel) -> list[str | None]:
    return [request.headers["Authorization"] for request in plain.server.requests]


@pytest.mark.requirement("C-27")
def test_a_plain_api_is_logged_in_to(plain: Travel, client: Any) -> None:
    answer = client.post(f"{plain.server.url}/orders", data={"kind": "tea"})
    assert (answer.status_code, outcome(answer)) == (200, Outcome.REPLAYED)
    assert authorizations(plain) == [None, "Bearer s3cret-1"]


def test_with_bare_false_a_401_without_a_challenge_is_the_answer(
    plain: Travel, either: Either
) -> None:
    answer = either.attach(plain.login, plain.server.url, bare=False).get(plain.server.url)
    assert (answer.status_code, outcome(answer), plain.logins) == (401, Outcome.UNANSWERED, 0)


def test_without_bearer_the_first_responder_answers(plain: Travel, either: Either) -> None:
    either.attach(plain.login, plain.server.url, responders=[SESSION]).get(plain.server.url)
    assert authorizations(plain) == [None, 'Session token="s3cret-1"']


@pytest.mark.requirement("C-26")
def test_a_401_that_outlasts_a_login_costs_no_other(plain: Travel, client: Any) -> None:
    statuses = [client.post(f"{plain.server.url}/password").status_code for _ in range(5)]
    assert (statuses, plain.logins) == ([401] * 5, 1)


def test_elsewhere_the_session_is_still_renewed(plain: Travel, client: Any) -> None:
    client.post(f"{plain.server.url}/password")
    plain.kill()
    assert client.get(f"{plain.server.url}/orders").status_code == 200


def test_after_another_login_the_path_is_tried_again(plain: Travel, client: Any) -> None:
    client.post(f"{plain.server.url}/password")
    plain.kill()
    client.get(f"{plain.server.url}/orders")
    before = plain.logins
    client.post(f"{plain.server.url}/password")
    assert plain.logins == before + 1


def test_what_outlasted_a_login_is_forgotten_once_it_is_accepted(
    plain: Travel, client: Any
) -> None:
    client.post(f"{plain.server.url}/password")
    del plain.routes["/password"]  # the right one at last
    assert client.post(f"{plain.server.url}/password").status_code == 200
    plain.kill()
    assert outcome(client.post(f"{plain.server.url}/password")) is Outcome.REPLAYED


def test_what_outlasted_a_login_is_forgotten_after_a_while(
    plain: Travel, client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.post(f"{plain.server.url}/password")
    del plain.routes["/password"]
    plain.kill()
    assert client.post(f"{plain.server.url}/password").status_code == 401
    monkeypatch.setattr("relogin.client.renewal.protection_spaces._PERSISTS_FOR", 0.0)
    assert outcome(client.post(f"{plain.server.url}/password")) is Outcome.REPLAYED


def test_reset_forgets_what_outlasted_a_login(plain: Travel, client: Any, auth: Any) -> None:
    client.post(f"{plain.server.url}/password")
    auth.reset()
    client.post(f"{plain.server.url}/password")
    assert plain.logins == 2


def test_what_outlasts_a_login_is_remembered_within_a_bound(
    plain: Travel, client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("relogin.client.renewal.protection_spaces._MOST_PERSISTENT", 0)
    for _ in range(2):
        client.post(f"{plain.server.url}/password")
    assert plain.logins == 2


def test_a_server_that_challenges_dead_tokens_means_something_else_by_a_bare_401(
    plain: Travel, client: Any
) -> None:
    plain.lines = ["Bearer"]
    client.get(f"{plain.server.url}/orders")
    plain.kill()
    client.get(f"{plain.server.url}/orders")
    before, plain.lines = plain.logins, ()  # the view's own 401: the session was admitted
    answer = client.post(f"{plain.server.url}/password")
    assert (answer.status_code, outcome(answer)) == (401, Outcome.UNANSWERED)
    assert plain.logins == before


def test_a_dead_token_may_be_refused_with_less_than_none_at_all(plain: Travel, client: Any) -> None:
    plain.lines = ["Bearer"]  # FastAPI's HTTPBearer to a request without a token
    client.get(f"{plain.server.url}/orders")
    plain.lines = ()  # and the view's own HTTPException(401) to a dead one
    for _ in range(3):
        plain.kill()
        answer = client.post(f"{plain.server.url}/orders")
        assert (answer.status_code, outcome(answer)) == (200, Outcome.REPLAYED)


@pytest.mark.parametrize("field", ["", " ", ", ,"])
def test_an_empty_challenge_field_counts_as_no_challenge(
    plain: Travel, client: Any, field: str
) -> None:
    plain.lines = [field]
    for _ in range(2):
        plain.kill()
        assert outcome(client.get(f"{plain.server.url}/orders")) is Outcome.REPLAYED
