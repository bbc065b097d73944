"""Without the adapter an auth sees no exception: the next upload asks first."""

from __future__ import annotations

from typing import Any

import pytest
import requests
from requests.adapters import HTTPAdapter

from relogin.client.requests import SessionAuth, UploadAdapter
from tests.client.breaking import UPLOAD, asked, breaking, checks
from tests.client.server import Answer, Server, serve


@pytest.fixture
def bare(server: Server, session: requests.Session) -> requests.Session:
    session.auth = SessionAuth(server.login, server.url)
    session.get(f"{server.url}/first")
    server.kill()
    breaking(server, "reset")
    return session


def test_without_the_adapter_the_next_upload_of_the_thread_asks_first(
    server: Server, bare: requests.Session
) -> None:
    with pytest.raises(requests.ConnectionError):
        bare.post(f"{server.url}/upload", data=UPLOAD)
    answer = bare.post(f"{server.url}/upload", data=UPLOAD)
    assert answer.status_code == 200
    assert asked(server) == ["POST /upload", "HEAD /upload", "POST /login", "POST /upload"]


def test_each_broken_upload_is_asked_about_once(server: Server, alive: requests.Session) -> None:
    breaking(server, "reset", always=True)
    for _ in range(3):
        with pytest.raises(requests.ConnectionError):
            alive.post(f"{server.url}/upload", data=UPLOAD)
    assert len(checks(server)) == 2


@pytest.mark.parametrize("answer", [200, 500])
def test_an_answered_upload_is_not_asked_about(
    server: Server, session: requests.Session, answer: int
) -> None:
    session.auth = SessionAuth(server.login, server.url)
    session.get(f"{server.url}/first")
    server.routes["/upload"] = lambda _: Answer(answer)
    for _ in range(3):
        session.post(f"{server.url}/upload", data=UPLOAD)
    assert checks(server) == []


def test_an_error_before_the_session_was_renewed_is_over(
    server: Server, bare: requests.Session
) -> None:
    with pytest.raises(requests.ConnectionError):
        bare.post(f"{server.url}/upload", data=UPLOAD)
    bare.get(f"{server.url}/me")
    bare.post(f"{server.url}/upload", data=UPLOAD)
    assert checks(server) == []


def test_an_error_at_one_origin_is_not_asked_about_at_another(
    server: Server, session: requests.Session
) -> None:
    with serve() as other:
        session.auth = SessionAuth(lambda _: "t", [server.url, other.url])
        for each in (server, other):
            each.living = "t"
            session.get(f"{each.url}/first")
        breaking(server, "reset", always=True)
        with pytest.raises(requests.ConnectionError):
            session.post(f"{server.url}/upload", data=UPLOAD)
        assert session.post(f"{other.url}/upload", data=UPLOAD).status_code == 200
        assert checks(other) == []


def test_without_a_known_way_the_auth_asks_over_one_of_its_own(
    server: Server, session: requests.Session
) -> None:
    auth = SessionAuth(server.login, server.url)
    prepared = session.prepare_request(requests.Request("GET", f"{server.url}/first", auth=auth))
    session.send(prepared)
    auth._routes.clear()
    session.auth = auth
    server.kill()
    breaking(server, "reset")
    with pytest.raises(requests.ConnectionError):
        session.post(f"{server.url}/upload", data=UPLOAD)
    assert session.post(f"{server.url}/upload", data=UPLOAD).status_code == 200


def test_the_adapter_alone_does_what_the_one_of_requests_does(server: Server) -> None:
    breaking(server, "reset", always=True)
    with requests.Session() as session:
        session.mount("http://", UploadAdapter())
        with pytest.raises(requests.ConnectionError):
            session.put(f"{server.url}/upload", data=UPLOAD)


def test_a_login_through_the_adapter_is_not_asked_about(
    server: Server, session: requests.Session
) -> None:
    def login(context: Any) -> Any:
        if server.logins:
            session.post(f"{server.url}/upload", data=UPLOAD)
        return server.login(context)

    session.auth = SessionAuth(login, server.url)
    session.mount("http://", UploadAdapter())
    session.get(f"{server.url}/first")
    server.kill()
    breaking(server, "reset")
    with pytest.raises(requests.RequestException):
        session.get(f"{server.url}/me")
    assert checks(server) == []


def test_a_small_request_whose_kept_connection_breaks_is_sent_once_more(
    server: Server, session: requests.Session
) -> None:
    session.auth = SessionAuth(server.login, server.url)
    session.mount("http://", HTTPAdapter(pool_maxsize=2))
    session.get(f"{server.url}/first")
    server.kill()
    breaking(server, "502")
    usual = server.answers
    assert usual is not None
    broken: list[bool] = []

    def answer(request: Any) -> Answer:
        if request.method == "HEAD" and not broken:
            broken.append(True)
            raise ConnectionResetError
        return usual(request)

    server.answers = answer
    assert session.put(f"{server.url}/upload", data=UPLOAD).status_code == 200
    assert len(checks(server)) == 2
