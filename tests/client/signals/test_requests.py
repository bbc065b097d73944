"""Signals in the requests adapter: what they start."""

import pickle
from typing import Any

import requests

from relogin import Grant
from relogin.client import Outcome, outcome
from relogin.client.requests import SessionAuth
from relogin.client.signals import html_form, json_field, problem, redirect_to, status
from tests.client.server import Answer, Server, serve
from tests.client.signalling import JSON, LOST, attach, refuse_with
from tests.threads import in_threads


def test_no_answer_is_a_signal_unless_it_is_asked_for(
    server: Server, session: requests.Session
) -> None:
    attach(session, server)
    for code in (419, 440, 599):
        refuse_with(server, code)
        assert session.get(f"{server.url}/a").status_code == code
    assert server.logins == 0


def test_a_signal_renews_the_session_and_the_request_is_sent_again(
    server: Server, session: requests.Session
) -> None:
    refuse_with(server, 440)
    attach(session, server, signals=[status(440)])
    response = session.get(f"{server.url}/a")
    assert (response.status_code, outcome(response)) == (200, Outcome.REPLAYED)
    assert [past.status_code for past in response.history] == [440]


def test_what_is_not_idempotent_is_not_sent_again(
    server: Server, session: requests.Session
) -> None:
    refuse_with(server, 440)
    attach(session, server, signals=[status(440)])
    response = session.post(f"{server.url}/a", data=b"x")
    assert (response.status_code, response.content) == (440, b"refused")
    assert outcome(response) is Outcome.RENEWED_NOT_REPLAYED
    assert session.post(f"{server.url}/a", data=b"x").content == b"x"
    assert len(server.seen("/a")) == 2


def test_with_replay_any_method_a_signalled_post_is_sent_again(
    server: Server, session: requests.Session
) -> None:
    refuse_with(server, 440)
    attach(session, server, signals=[status(440)], replay_any_method=True)
    assert session.post(f"{server.url}/a", data=iter([b"x"])).status_code == 440
    server.kill()
    assert session.post(f"{server.url}/a", data=b"x").content == b"x"


def test_a_body_that_is_spent_is_not_sent_again(server: Server, session: requests.Session) -> None:
    refuse_with(server, 440)
    attach(session, server, signals=[status(440)])
    response = session.put(f"{server.url}/a", data=iter([b"x"]))
    assert (response.status_code, outcome(response)) == (440, Outcome.RENEWED_NOT_REPLAYED)


def test_a_signal_that_comes_again_at_once_is_the_answer(
    server: Server, session: requests.Session
) -> None:
    refuse_with(server, 440)
    server.refuse_all = True
    attach(session, server, signals=[status(440)])
    assert session.get(f"{server.url}/a").status_code == 440
    assert server.logins == 1


def test_fifty_threads_that_meet_a_signal_need_one_login(
    server: Server, session: requests.Session
) -> None:
    refuse_with(server, 200, JSON, body=lambda: LOST)
    attach(session, server, signals=[json_field("success", False)])
    answers = in_threads(50, lambda _: session.get(f"{server.url}/a").content)
    assert set(answers) == {b"content"}
    assert server.logins == 1


def test_an_adapter_with_signals_can_be_pickled(server: Server) -> None:
    signals = [status(440), redirect_to("/"), json_field("a", 1), problem("a.b"), html_form()]
    auth = SessionAuth(read_token, server.url, signals=signals)
    refuse_with(server, 440)
    with requests.Session() as session:
        session.trust_env = False
        session.auth = pickle.loads(pickle.dumps(auth))
        assert session.get(f"{server.url}/a").status_code == 440
    assert server.seen("/a")[1].token == "from-pickle"


def read_token(context: object) -> str:
    return "from-pickle"


# Redirects


def test_a_redirect_to_the_login_page_is_not_followed(
    server: Server, session: requests.Session
) -> None:
    refuse_with(server, 302, ("Location", "/login-page?next=/a"))
    attach(session, server, signals=[redirect_to("/login-page")])
    response = session.get(f"{server.url}/a")
    assert (response.status_code, response.url) == (200, f"{server.url}/a")
    assert [request.path for request in server.requests] == ["/a", "/login", "/a"]


def test_the_login_page_may_be_of_another_origin(server: Server, session: requests.Session) -> None:
    with serve() as other:
        refuse_with(server, 302, ("Location", f"{other.url}/in?next=/a"))
        attach(session, server, signals=[redirect_to(f"{other.url}/in")])
        assert session.get(f"{server.url}/a").status_code == 200
        assert other.requests == []


def test_a_redirect_that_another_origin_sends_is_no_signal(
    server: Server, session: requests.Session
) -> None:
    with serve() as other:
        refuse_with(other, 302, ("Location", f"{other.url}/in"))
        other.routes["/in"] = lambda request: Answer(200, (), b"log in")
        attach(session, server, signals=[redirect_to("/in")])
        assert session.get(f"{other.url}/a").content == b"log in"
    assert server.logins == 0


def test_the_answers_of_other_origins_are_not_looked_at(
    server: Server, session: requests.Session
) -> None:
    seen: list[str] = []
    with serve() as other:
        attach(session, server, signals=[lambda answer: seen.append(answer.url)])
        session.get(f"{other.url}/a")
        session.get(f"{server.url}/a")
    assert seen == [f"{server.url}/a"] * 2


def test_a_redirect_that_stays_the_answer_is_followed_as_ever(
    server: Server, session: requests.Session
) -> None:
    refuse_with(server, 302, ("Location", "/in"))
    server.routes["/in"] = lambda request: Answer(200, (), b"log in")
    attach(session, server, signals=[redirect_to("/in")])
    response = session.post(f"{server.url}/a", data=b"x")
    assert (response.status_code, response.content) == (200, b"log in")
    assert outcome(response) is Outcome.RENEWED_NOT_REPLAYED


# Beside challenges


def test_a_401_without_a_challenge_may_be_one(server: Server, session: requests.Session) -> None:
    refuse_with(server, 401)
    attach(session, server, signals=[status(401)])
    assert session.get(f"{server.url}/a").status_code == 200


def test_a_challenge_counts_for_more(server: Server, session: requests.Session) -> None:
    attach(session, server, signals=[status(401)])
    assert session.post(f"{server.url}/a", data=b"x").content == b"x"  # a signal had not sent it
    server.kill("session_revoked")
    assert session.get(f"{server.url}/a").status_code == 401
    assert server.logins == 1


def test_a_signal_is_about_the_realm_that_the_request_was_signed_for(
    server: Server, session: requests.Session
) -> None:
    seen: list[Any] = []

    def login(context: Any) -> Grant:
        seen.append((context.realm, context.error, context.previous))
        return server.login(context)

    attach(session, server, login=login, signals=[status(440)])
    session.get(f"{server.url}/a")
    server.kill()
    refuse_with(server, 440)
    server.scheme = "Session"
    assert session.get(f"{server.url}/a").status_code == 200
    assert [each[:2] for each in seen] == [("api", None), ("api", "session_expired")]
    assert seen[1][2].token == "s3cret-1"


def test_a_signal_may_ask_for_a_stronger_login(server: Server, session: requests.Session) -> None:
    refuse_with(server, 403)
    signals = [status(403, error="insufficient_user_authentication")]
    attach(session, server, signals=signals)
    assert session.get(f"{server.url}/a").status_code == 403
    assert server.logins == 0

    class Login:
        steps_up = True

        def __call__(self, context: Any) -> Grant:
            assert context.error == "insufficient_user_authentication"
            return server.login(context)

    attach(session, server, login=Login(), signals=signals)
    assert session.get(f"{server.url}/a").status_code == 200


def test_a_problem_tells_the_login_its_code(server: Server, session: requests.Session) -> None:
    codes: list[object] = []

    def login(context: Any) -> Grant:
        codes.append(context.error)
        return server.login(context)

    kind = ("Content-Type", "application/problem+json")
    refuse_with(server, 403, kind, body=lambda: b'{"error": "csrf_invalid"}')
    attach(session, server, login=login, signals=[problem("csrf_invalid")])
    assert session.get(f"{server.url}/a").status_code == 200
    assert codes == ["csrf_invalid"]


def test_a_csrf_token_that_is_too_old_does_not_end_the_session(
    server: Server, session: requests.Session
) -> None:
    def login(context: Any) -> Grant | None:
        return server.login(context) if context.error != "csrf_invalid" else None

    attach(session, server, login=login, signals=[status(403, error="csrf_invalid")])
    session.get(f"{server.url}/a")
    server.routes["/b"] = lambda request: Answer(403)
    assert outcome(session.get(f"{server.url}/b")) is Outcome.DECLINED
    session.get(f"{server.url}/a")
    assert [request.token for request in server.seen("/a")] == [None, "s3cret-1", "s3cret-1"]


def test_a_cookie_that_a_signalled_answer_sets_is_not_taken_for_the_session(
    server: Server, session: requests.Session
) -> None:
    server.binding = "cookie"

    def login(context: Any) -> Grant | None:
        return server.login(context) if context.previous is None else None

    attach(session, server, login=login, signals=[status(440)])
    session.get(f"{server.url}/a")
    anonymous = (("Set-Cookie", "sid=anonymous; Path=/"),)
    server.routes["/b"] = lambda request: Answer(440, anonymous)
    assert outcome(session.get(f"{server.url}/b")) is Outcome.DECLINED
    session.get(f"{server.url}/a")
    assert server.requests[-1].cookies["sid"] == "s3cret-1"


def test_a_login_is_not_asked_about_its_own_requests(
    server: Server, session: requests.Session
) -> None:
    def login(context: Any) -> str:
        assert session.get(f"{server.url}/a").status_code == 440
        return "t0ken"

    refuse_with(server, 440)
    attach(session, server, login=login, signals=[status(440)])
    assert session.get(f"{server.url}/a").status_code == 440
