"""Uploads over niquests: what is asked after a 502, and a renewal that comes earlier."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import niquests
import pytest

from relogin import BodyNotReplayable, Grant
from relogin.client import outcome
from relogin.client.niquests import RetriesUnauthorized, SessionAuth
from relogin.client.signals import status
from tests.client.breaking import UPLOAD, asked, breaking, uploads
from tests.client.server import Answer, Server, flood


@pytest.fixture
def auth(server: Server) -> SessionAuth:
    return SessionAuth(server.login, server.url)


def put(get: Any, auth: Any, server: Server, method: str = "PUT", **words: Any) -> Any:
    words = {"data": UPLOAD, **words}
    return get(auth, f"{server.url}/upload", method=method, **words)


def lost(get: Any, auth: Any, server: Server) -> None:
    """Log in; then the session dies, and a proxy loses each refusal of an upload."""
    get(auth, f"{server.url}/first")
    server.kill()
    breaking(server, "502")


def test_an_upload_that_may_go_twice_is_sent_again(
    server: Server, get: Any, auth: SessionAuth
) -> None:
    lost(get, auth, server)
    answer = put(get, auth, server)
    assert (answer.status_code, answer.content) == (200, UPLOAD)
    assert outcome(answer) == "replayed"
    assert asked(server)[:2] == ["PUT /upload", "HEAD /upload"]
    assert uploads(server) == [UPLOAD]
    assert server.logins == 2


def test_an_unanswered_post_is_not_sent_again_and_the_next_request_arrives(
    server: Server, get: Any, auth: SessionAuth
) -> None:
    lost(get, auth, server)
    answer = put(get, auth, server, "POST")
    assert (answer.status_code, answer.content) == (502, b"bad gateway")
    assert outcome(answer) == "renewed_not_replayed"
    assert put(get, auth, server, "POST").status_code == 200
    assert uploads(server) == [UPLOAD]


def test_with_a_session_that_lives_the_502_is_the_answer(
    server: Server, get: Any, auth: SessionAuth
) -> None:
    get(auth, f"{server.url}/first")
    breaking(server, "502", always=True)
    assert put(get, auth, server).status_code == 502
    assert asked(server) == ["PUT /upload", "HEAD /upload"]
    assert server.logins == 1


def test_a_502_to_a_request_without_a_body_is_not_asked_about(
    server: Server, get: Any, auth: SessionAuth
) -> None:
    get(auth, f"{server.url}/first")
    server.routes["/away"] = lambda _: Answer(502)
    assert get(auth, f"{server.url}/away").status_code == 502
    assert [request.method for request in server.requests].count("HEAD") == 0


def test_check_false_asks_nothing_about_an_unanswered_upload(server: Server, get: Any) -> None:
    auth = SessionAuth(server.login, server.url, check=False)
    lost(get, auth, server)
    assert put(get, auth, server).status_code == 502
    assert asked(server) == ["PUT /upload"]


def test_of_a_long_response_to_the_small_request_only_the_beginning_is_read(
    server: Server, get: Any
) -> None:
    auth = SessionAuth(server.login, server.url, check=f"{server.url}/me")
    server.routes["/me"] = lambda _: Answer(200, body=flood())
    get(auth, f"{server.url}/first")
    breaking(server, "502", always=True)
    assert put(get, auth, server).status_code == 502
    assert len(server.seen("/me")) == 1


def test_the_small_request_is_looked_at_by_signals(server: Server, get: Any) -> None:
    auth = SessionAuth(server.login, server.url, signals=[status(440)])
    server.refusal_status, server.challenges = 440, lambda _: ()
    server.scheme = "Bearer"
    get(auth, f"{server.url}/first")
    server.kill()
    server.routes["/upload"] = lambda request: (
        Answer(503) if request.token in server.ended else server.protected(request)
    )
    # A 503 to both: nobody can tell, and the session stays.
    assert put(get, auth, server).status_code == 503
    server.routes["/upload"] = lambda request: (
        Answer(503) if request.body and request.token in server.ended else server.protected(request)
    )
    assert put(get, auth, server).status_code == 200


def test_a_session_is_renewed_earlier_for_what_cannot_be_sent_twice(
    server: Server, get: Any
) -> None:
    def log_in(context: Any) -> Grant:
        return Grant(token=server.login(context).token, expires_in=100)

    auth = SessionAuth(log_in, server.url)
    now = [auth._cache.clock()]
    auth._cache.clock = lambda: now[0]
    get(auth, f"{server.url}/first")
    now[0] += 70
    put(get, auth, server)
    assert server.logins == 1
    put(get, auth, server, data=io.BytesIO(bytes(1_000_000)))
    assert server.logins == 2


def test_an_adapter_that_retries_401_is_warned_of_once(server: Server, auth: SessionAuth) -> None:
    retrying = niquests.packages.urllib3.util.Retry(total=1, status_forcelist=[401])
    server.routes["/open"] = lambda _: Answer()
    with niquests.Session(retries=retrying) as session:
        session.trust_env = False
        session.auth = auth
        with pytest.warns(RetriesUnauthorized, match="take 401 out of the list") as caught:
            session.get(f"{server.url}/open")
        session.get(f"{server.url}/open")
    assert len(caught) == 1


@pytest.mark.parametrize("error", [TypeError, ValueError])
def test_a_generator_that_fails_is_not_sent_as_an_empty_body(
    server: Server, get: Any, auth: SessionAuth, error: type[Exception]
) -> None:
    def rows() -> Iterator[bytes]:
        yield UPLOAD
        raise error("a row without a number")

    get(auth, f"{server.url}/first")
    with pytest.raises((error, BodyNotReplayable)):  # after a TypeError niquests sends it again
        put(get, auth, server, data=rows())
    assert uploads(server) == []
