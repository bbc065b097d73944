"""A plain API of one's own: 401 without a challenge, and a token in `Authorization: Bearer`."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
import requests

from relogin.client import Outcome, outcome
from relogin.client.requests import SessionAuth
from relogin.client.responders import SESSION


class Plain(ThreadingHTTPServer):
    """Lets one token in, and gives no reason for any other; /password is never content."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), PlainHandler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.logins = 0
        self.challenge: str | None = None
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
        alive = sent == f"Bearer t{self.server.logins}" and self.path != "/password"
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
    with Plain() as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def session(plain: Plain) -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.auth = SessionAuth(plain.login, plain.url)
        yield session


@pytest.mark.requirement("C-27")
def test_a_plain_api_is_logged_in_to(plain: Plain, session: requests.Session) -> None:
    answer = session.post(f"{plain.url}/orders", data=b"tea")
    assert (answer.status_code, outcome(answer)) == (200, Outcome.REPLAYED)
    assert plain.seen == [None, "Bearer t1"]


def test_with_bare_false_a_401_without_a_challenge_is_the_answer(plain: Plain) -> None:
    auth = SessionAuth(plain.login, plain.url, bare=False)
    answer = requests.get(plain.url, auth=auth, timeout=5)
    assert (answer.status_code, outcome(answer), plain.logins) == (401, Outcome.UNTOUCHED, 0)


def test_without_bearer_the_first_responder_answers(plain: Plain) -> None:
    auth = SessionAuth(plain.login, plain.url, responders=[SESSION])
    requests.get(plain.url, auth=auth, timeout=5)
    assert plain.seen == [None, 'Session token="t1"']


@pytest.mark.requirement("C-26")
def test_a_401_that_outlasts_a_login_costs_no_other(
    plain: Plain, session: requests.Session
) -> None:
    statuses = [session.post(f"{plain.url}/password").status_code for _ in range(5)]
    assert (statuses, plain.logins) == ([401] * 5, 1)


def test_elsewhere_the_session_is_still_renewed(plain: Plain, session: requests.Session) -> None:
    session.post(f"{plain.url}/password")
    plain.logins += 1  # another login has ended the session
    assert session.get(f"{plain.url}/orders").status_code == 200


def test_after_another_login_the_path_is_tried_again(
    plain: Plain, session: requests.Session
) -> None:
    session.post(f"{plain.url}/password")
    plain.logins += 1
    session.get(f"{plain.url}/orders")
    before = plain.logins
    session.post(f"{plain.url}/password")
    assert plain.logins == before + 1


def test_reset_forgets_what_outlasted_a_login(plain: Plain, session: requests.Session) -> None:
    session.post(f"{plain.url}/password")
    assert isinstance(session.auth, SessionAuth)
    session.auth.reset()
    session.post(f"{plain.url}/password")
    assert plain.logins == 2


def test_what_outlasts_a_login_is_remembered_within_a_bound(
    plain: Plain, session: requests.Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("relogin.client.renewal.protection_spaces._MOST_STANDING", 0)
    for _ in range(2):
        session.post(f"{plain.url}/password")
    assert plain.logins == 2


def test_where_the_server_sends_challenges_a_bare_401_is_about_something_else(
    plain: Plain, session: requests.Session
) -> None:
    plain.challenge = "Bearer"
    session.get(f"{plain.url}/orders")
    plain.challenge = None  # the view's own 401: the session was admitted
    answer = session.post(f"{plain.url}/password")
    assert (answer.status_code, outcome(answer), plain.logins) == (401, Outcome.UNTOUCHED, 1)
