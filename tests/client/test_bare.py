"""A plain API of one's own: 401 without a challenge, and a token in `Authorization: Bearer`."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from relogin.client import Outcome, outcome
from relogin.client.responders import SESSION
from tests.client.either import Either
from tests.threads import in_thread


class Plain(ThreadingHTTPServer):
    """Lets one token in, and gives no reason for any other; `forbidden` is never content."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), PlainHandler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.logins = 0
        self.challenge: str | None = None
        self.forbidden = "/password"
        self.seen: list[str | None] = []

    def login(self, context: object) -> str:
        self.logins += 1
        return f"t{self.logins}"


class PlainHandler(BaseHTTPRequestHandler):
    server: Plain

    def do_GET(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        sent = self.headers.get("Authorization")
        self.server.seen.append(sent)
        alive = sent == f"Bearer t{self.server.logins}" and self.path != self.server.forbidden
        self.send_response(200 if alive else 401)
        if not alive and self.server.challenge is not None:
            self.send_header("WWW-Authenticate", self.server.challenge)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_POST = do_GET  # noqa: N815 - the name that http.server looks for

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def plain() -> Iterator[Plain]:
    with Plain() as server, in_thread(server):
        yield server


@pytest.fixture
def auth(plain: Plain, either: Either) -> Any:
    return either.auth(plain.login, plain.url)


@pytest.fixture
def client(auth: Any, either: Either) -> Any:
    return either.client(auth)


@pytest.mark.requirement("C-27")
def test_a_plain_api_is_logged_in_to(plain: Plain, client: Any) -> None:
    answer = client.post(f"{plain.url}/orders", data={"kind": "tea"})
    assert (answer.status_code, outcome(answer)) == (200, Outcome.REPLAYED)
    assert plain.seen == [None, "Bearer t1"]


def test_with_bare_false_a_401_without_a_challenge_is_the_answer(
    plain: Plain, either: Either
) -> None:
    answer = either.attach(plain.login, plain.url, bare=False).get(plain.url)
    assert (answer.status_code, outcome(answer), plain.logins) == (401, Outcome.UNANSWERED, 0)


def test_without_bearer_the_first_responder_answers(plain: Plain, either: Either) -> None:
    either.attach(plain.login, plain.url, responders=[SESSION]).get(plain.url)
    assert plain.seen == [None, 'Session token="t1"']


@pytest.mark.requirement("C-26")
def test_a_401_that_outlasts_a_login_costs_no_other(plain: Plain, client: Any) -> None:
    statuses = [client.post(f"{plain.url}/password").status_code for _ in range(5)]
    assert (statuses, plain.logins) == ([401] * 5, 1)


def test_elsewhere_the_session_is_still_renewed(plain: Plain, client: Any) -> None:
    client.post(f"{plain.url}/password")
    plain.logins += 1  # another login has ended the session
    assert client.get(f"{plain.url}/orders").status_code == 200


def test_after_another_login_the_path_is_tried_again(plain: Plain, client: Any) -> None:
    client.post(f"{plain.url}/password")
    plain.logins += 1
    client.get(f"{plain.url}/orders")
    before = plain.logins
    client.post(f"{plain.url}/password")
    assert plain.logins == before + 1


def test_what_outlasted_a_login_is_forgotten_once_it_is_accepted(
    plain: Plain, client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.post(f"{plain.url}/password")
    monkeypatch.setattr(plain, "forbidden", "/nothing")  # the right one at last
    assert client.post(f"{plain.url}/password").status_code == 200
    plain.logins += 1  # another login has ended the session
    assert outcome(client.post(f"{plain.url}/password")) is Outcome.REPLAYED


def test_what_outlasted_a_login_is_forgotten_after_a_while(
    plain: Plain, client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.post(f"{plain.url}/password")
    monkeypatch.setattr(plain, "forbidden", "/nothing")
    plain.logins += 1
    assert client.post(f"{plain.url}/password").status_code == 401
    monkeypatch.setattr("relogin.client.renewal.protection_spaces._PERSISTS_FOR", 0.0)
    assert outcome(client.post(f"{plain.url}/password")) is Outcome.REPLAYED


def test_reset_forgets_what_outlasted_a_login(plain: Plain, client: Any, auth: Any) -> None:
    client.post(f"{plain.url}/password")
    auth.reset()
    client.post(f"{plain.url}/password")
    assert plain.logins == 2


def test_what_outlasts_a_login_is_remembered_within_a_bound(
    plain: Plain, client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("relogin.client.renewal.protection_spaces._MOST_PERSISTENT", 0)
    for _ in range(2):
        client.post(f"{plain.url}/password")
    assert plain.logins == 2


def test_a_server_that_challenges_dead_tokens_means_something_else_by_a_bare_401(
    plain: Plain, client: Any
) -> None:
    plain.challenge = "Bearer"
    client.get(f"{plain.url}/orders")
    plain.logins += 1  # another login has ended the session
    client.get(f"{plain.url}/orders")
    before, plain.challenge = plain.logins, None  # the view's own 401: the session was admitted
    answer = client.post(f"{plain.url}/password")
    assert (answer.status_code, outcome(answer)) == (401, Outcome.UNANSWERED)
    assert plain.logins == before


def test_a_dead_token_may_be_refused_with_less_than_none_at_all(plain: Plain, client: Any) -> None:
    plain.challenge = "Bearer"  # FastAPI's HTTPBearer to a request without a token
    client.get(f"{plain.url}/orders")
    plain.challenge = None  # and the view's own HTTPException(401) to a dead one
    for _ in range(3):
        plain.logins += 1
        answer = client.post(f"{plain.url}/orders")
        assert (answer.status_code, outcome(answer)) == (200, Outcome.REPLAYED)


@pytest.mark.parametrize("field", ["", " ", ", ,"])
def test_an_empty_challenge_field_is_none(plain: Plain, client: Any, field: str) -> None:
    plain.challenge = field
    for _ in range(2):
        plain.logins += 1
        assert outcome(client.get(f"{plain.url}/orders")) is Outcome.REPLAYED
