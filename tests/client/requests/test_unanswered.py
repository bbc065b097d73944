"""An upload that nobody answers: a small request finds out whether its session has died."""

from __future__ import annotations

import socket
import threading
from typing import Any

import pytest
import requests
from urllib3.exceptions import NewConnectionError

import relogin
from relogin.client import outcome
from relogin.client.events import Event
from relogin.client.requests import SessionAuth, UploadAdapter
from relogin.client.requests.unanswered import is_unanswered
from relogin.client.signals import status
from tests.client.breaking import HOW, UPLOAD, How, asked, breaking, checks, stalling, uploads
from tests.client.server import Answer, Server
from tests.threads import in_threads


def logged_in(server: Server, session: requests.Session, **options: Any) -> requests.Session:
    """Attach an auth and the adapter, and log in."""
    session.auth = SessionAuth(server.login, server.url, **options)
    session.mount("http://", UploadAdapter(pool_maxsize=20))
    session.get(f"{server.url}/first")
    return session


@pytest.fixture
def lost(server: Server, session: requests.Session) -> requests.Session:
    logged_in(server, session)
    server.kill()
    return session


@pytest.mark.parametrize("how", HOW)
def test_an_upload_that_may_go_twice_is_sent_again(
    server: Server, lost: requests.Session, how: How
) -> None:
    breaking(server, how)
    answer = lost.put(f"{server.url}/upload", data=UPLOAD)
    assert (answer.status_code, outcome(answer), answer.content) == (200, "replayed", UPLOAD)
    assert asked(server) == ["PUT /upload", "HEAD /upload", "POST /login", "PUT /upload"]
    assert uploads(server) == [UPLOAD]


def test_an_unanswered_post_is_not_sent_again_and_the_next_request_arrives(
    server: Server, lost: requests.Session
) -> None:
    breaking(server, "reset")
    with pytest.raises(requests.ConnectionError) as caught:
        lost.post(f"{server.url}/upload", data=UPLOAD)
    assert type(caught.value) is requests.ConnectionError
    assert outcome(caught.value) == "renewed_not_replayed"
    assert lost.post(f"{server.url}/upload", data=UPLOAD).status_code == 200
    assert uploads(server) == [UPLOAD]
    assert server.logins == 2


def test_a_502_to_another_method_is_the_answer(server: Server, lost: requests.Session) -> None:
    breaking(server, "502")
    answer = lost.post(f"{server.url}/upload", data=UPLOAD)
    assert (answer.status_code, answer.content) == (502, b"bad gateway")
    assert outcome(answer) == "renewed_not_replayed"
    assert server.logins == 2


def test_with_replay_any_method_an_unanswered_post_is_sent_again(
    server: Server, session: requests.Session
) -> None:
    logged_in(server, session, replay_any_method=True)
    server.kill()
    breaking(server, "reset")
    assert session.post(f"{server.url}/upload", data=UPLOAD).status_code == 200


def test_a_spent_body_is_not_sent_again(server: Server, lost: requests.Session) -> None:
    breaking(server, "502")
    answer = lost.put(f"{server.url}/upload", data=iter([UPLOAD]))
    assert (answer.status_code, outcome(answer)) == (502, "renewed_not_replayed")
    assert uploads(server) == []


@pytest.mark.parametrize("how", HOW)
def test_with_a_session_that_lives_the_end_is_passed_on(
    server: Server, session: requests.Session, how: How
) -> None:
    logged_in(server, session)
    breaking(server, how, always=True)
    if how == "502":
        answer = session.put(f"{server.url}/upload", data=UPLOAD)
        assert (answer.status_code, outcome(answer)) == (502, "untouched")
    else:
        with pytest.raises(requests.ConnectionError) as caught:
            session.put(f"{server.url}/upload", data=UPLOAD)
        assert outcome(caught.value) == "untouched"
    assert asked(server) == ["PUT /upload", "HEAD /upload"]
    assert server.logins == 1


@pytest.mark.parametrize("off", [False, None])
def test_without_check_nothing_is_asked_about_an_unanswered_upload(
    server: Server, session: requests.Session, off: bool | None
) -> None:
    logged_in(server, session, check=off)
    server.kill()
    breaking(server, "502")
    assert session.put(f"{server.url}/upload", data=UPLOAD).status_code == 502
    assert asked(server) == ["PUT /upload"]


def test_a_url_of_the_users_is_asked_instead(server: Server, session: requests.Session) -> None:
    logged_in(server, session, check=f"{server.url}/me")
    server.kill()
    breaking(server, "502")
    assert session.put(f"{server.url}/upload?a=b", data=UPLOAD).status_code == 200
    small = server.seen("/me")[0]
    assert (small.method, small.body, small.headers["Content-Length"]) == ("GET", b"", None)


def test_the_small_request_has_the_fields_of_the_upload_but_for_those_of_its_body(
    server: Server, lost: requests.Session
) -> None:
    breaking(server, "502")
    fields = {"X-Tenant": "a", "Content-Type": "text/plain", "Expect": "", "Trailer": "Digest"}
    fields |= {"If-Match": "*", "If-None-Match": "*"}
    lost.put(f"{server.url}/upload", data=UPLOAD, headers=fields)
    (small,) = checks(server)
    assert small.headers["X-Tenant"] == "a"
    assert small.token == "s3cret-1"
    assert not {*fields, "Content-Length"} - {"X-Tenant"} & set(small.headers)


def test_many_uploads_at_once_cost_one_small_request_and_one_login(
    server: Server, lost: requests.Session
) -> None:
    breaking(server, "502", waits_for=8)
    url = f"{server.url}/upload"
    answers = in_threads(8, lambda _: lost.put(url, data=UPLOAD).status_code)
    assert answers == [200] * 8
    assert (len(checks(server)), server.logins) == (1, 2)
    assert uploads(server) == [UPLOAD] * 8


def test_many_errors_with_a_session_that_lives_cost_one_small_request(
    server: Server, session: requests.Session
) -> None:
    logged_in(server, session)
    breaking(server, "502", always=True, waits_for=8)
    url = f"{server.url}/upload"
    assert in_threads(8, lambda _: session.put(url, data=UPLOAD).status_code) == [502] * 8
    assert len(checks(server)) == 1


@pytest.mark.parametrize(("other", "questions"), [(200, 0), (502, 1)])
def test_only_a_session_seen_alive_since_is_not_asked_about(
    server: Server, session: requests.Session, other: int, questions: int
) -> None:
    logged_in(server, session)
    came, go = threading.Event(), threading.Event()

    def slow(_: object) -> Answer:
        came.set()
        assert go.wait(10)
        return Answer(503)

    server.routes |= {"/upload": slow, "/other": lambda _: Answer(other)}
    thread = threading.Thread(target=session.put, args=[f"{server.url}/upload", UPLOAD])
    thread.start()
    assert came.wait(10)
    session.get(f"{server.url}/other")
    go.set()
    thread.join(10)
    assert len(checks(server)) == questions


def test_a_proxys_error_is_no_sign_of_life(server: Server, session: requests.Session) -> None:
    logged_in(server, session)
    breaking(server, "502", always=True)
    session.put(f"{server.url}/upload", data=UPLOAD)
    session.put(f"{server.url}/upload", data=UPLOAD)
    assert len(checks(server)) == 2


def test_a_request_without_a_body_is_not_asked_about(
    server: Server, lost: requests.Session
) -> None:
    server.routes["/upload"] = lambda _: Answer(502)
    assert lost.get(f"{server.url}/upload").status_code == 502
    assert asked(server) == ["GET /upload"]


def test_an_upload_that_carries_no_session_is_not_asked_about(
    server: Server, session: requests.Session
) -> None:
    session.auth = SessionAuth(server.login, server.url)
    server.routes["/upload"] = lambda _: Answer(502)
    assert session.put(f"{server.url}/upload", data=UPLOAD).status_code == 502
    assert asked(server) == ["PUT /upload"]


def test_where_the_small_request_breaks_too_nobody_can_tell(
    server: Server, lost: requests.Session
) -> None:
    def gone(_: object) -> Answer:
        raise ConnectionResetError

    server.routes["/upload"] = gone
    with pytest.raises(requests.ConnectionError) as caught:
        lost.put(f"{server.url}/upload", data=UPLOAD)
    assert outcome(caught.value) == "untouched"
    assert server.logins == 1


def test_a_refusal_that_cannot_be_answered_leaves_the_error(
    server: Server, lost: requests.Session
) -> None:
    server.challenges = lambda _: ["Negotiate"]
    breaking(server, "502")
    answer = lost.put(f"{server.url}/upload", data=UPLOAD)
    assert (answer.status_code, outcome(answer)) == (502, "untouched")


def test_a_revoked_session_is_not_renewed(server: Server, session: requests.Session) -> None:
    logged_in(server, session)
    server.kill("session_revoked")
    breaking(server, "502")
    answer = session.put(f"{server.url}/upload", data=UPLOAD)
    assert (answer.status_code, outcome(answer), server.logins) == (502, "untouched", 1)


def test_a_login_that_is_refused_leaves_the_error_and_says_so(
    server: Server, session: requests.Session
) -> None:
    def login(context: Any) -> Any:
        if server.logins:
            raise relogin.LoginRefused("wrong")
        return server.login(context)

    session.auth = SessionAuth(login, server.url)
    session.get(f"{server.url}/first")
    server.kill()
    breaking(server, "502")
    answer = session.put(f"{server.url}/upload", data=UPLOAD)
    assert (answer.status_code, outcome(answer)) == (502, "refused")


def test_a_signal_may_be_what_the_small_request_brings(
    server: Server, session: requests.Session
) -> None:
    logged_in(server, session, signals=[status(440)])
    server.refusal_status = 440
    server.kill()
    breaking(server, "502", status=440)
    assert session.put(f"{server.url}/upload", data=UPLOAD).status_code == 200


def test_what_is_sent_again_may_end_in_an_error_of_its_own(
    server: Server, lost: requests.Session
) -> None:
    breaking(server, "reset", always=True)
    with pytest.raises(requests.ConnectionError):
        lost.put(f"{server.url}/upload", data=UPLOAD)
    assert asked(server) == ["PUT /upload", "HEAD /upload", "POST /login", "PUT /upload"]


def test_what_is_sent_again_may_be_refused_again(server: Server, session: requests.Session) -> None:
    events: list[Event] = []
    logged_in(server, session, on_event=events.append)
    server.kill()
    breaking(server, "502")
    before = server.answers
    assert before is not None
    kills = [True]

    def answer(request: Any) -> Answer:
        given = before(request)
        if request.path == "/login" and kills:
            kills.clear()
            server.kill()
        return given

    server.answers = answer
    assert session.put(f"{server.url}/upload", data=UPLOAD).status_code == 502
    assert session.put(f"{server.url}/upload", data=UPLOAD).status_code == 200
    assert [str(event.kind) for event in events].count("replayed") == 3


def test_a_time_out_is_an_upload_without_an_answer_too(
    server: Server, lost: requests.Session
) -> None:
    breaking(server, "502")
    go = stalling(server)
    answer = lost.put(f"{server.url}/upload", data=UPLOAD, timeout=0.3)
    go.set()
    assert (answer.status_code, outcome(answer)) == (200, "replayed")


def test_a_small_request_that_times_out_is_not_sent_again(
    server: Server, session: requests.Session
) -> None:
    logged_in(server, session, login_timeout=0.5)
    go = threading.Event()

    def answer(request: Any) -> Answer:
        if not request.body:
            go.wait(10)
        return Answer(502)

    server.answers = answer
    assert session.put(f"{server.url}/upload", data=UPLOAD).status_code == 502
    go.set()
    assert len(checks(server)) == 1


def test_an_upload_of_which_the_server_takes_no_more_is_unanswered_too(
    server: Server, lost: requests.Session
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        auth = lost.auth
        assert isinstance(auth, SessionAuth)
        prepared = requests.Request("PUT", f"{server.url}/upload", data=bytes(50_000_000))
        request = lost.prepare_request(prepared)
        request.url = f"http://127.0.0.1:{deaf.getsockname()[1]}/upload"
        with pytest.raises(requests.ConnectionError) as caught:
            requests.adapters.HTTPAdapter().send(request, timeout=0.3)
    assert is_unanswered(caught.value)


@pytest.mark.parametrize(
    ("cause", "unanswered"),
    [
        (TimeoutError(), True),
        (NewConnectionError(None, "no route"), False),  # type: ignore[arg-type]
        (ValueError(), False),
    ],
)
def test_what_stalls_once_it_is_connected_is_unanswered(cause: Exception, unanswered: bool) -> None:
    error = requests.ConnectionError()
    error.__cause__ = cause
    assert is_unanswered(error) is unanswered


def test_without_a_connection_nothing_was_sent_that_could_be_unanswered(
    server: Server, lost: requests.Session
) -> None:
    with pytest.raises(requests.ConnectionError) as caught:
        lost.put("http://127.0.0.1:1/upload", data=UPLOAD)
    assert outcome(caught.value) == "untouched"
