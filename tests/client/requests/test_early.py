"""An upload that is refused early: its answer is read, and its connection is used no more."""

from __future__ import annotations

import pickle
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from requests.adapters import HTTPAdapter
from urllib3.poolmanager import pool_classes_by_scheme

from relogin.client import outcome
from relogin.client.requests import LoginUnavailable, SessionAuth, UploadAdapter
from tests.client.breaking import dropping
from tests.client.proxy import proxying
from tests.client.server import Answer, Server, serve

LARGE = bytes(20_000_000)


@pytest.fixture
def far(certificate: Path) -> Iterator[Server]:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate, certificate.with_name("key.pem"))
    with serve(Server(early=True, early_end="resets"), tls) as running:
        yield running


@pytest.fixture
def over_tls(session: requests.Session, certificate: Path, far: Server) -> requests.Session:
    session.verify = str(certificate)
    session.auth = SessionAuth(far.login, far.url)
    session.mount("https://", UploadAdapter())
    session.get(f"{far.url}/first")
    far.kill()
    return session


@pytest.mark.needs("openssl")
def test_over_tls_the_adapter_reads_an_answer_that_came_early(
    far: Server, over_tls: requests.Session
) -> None:
    answer = over_tls.post(f"{far.url}/upload", data=LARGE)
    assert (answer.status_code, outcome(answer)) == (200, "replayed")
    assert [request.body for request in far.seen("/upload")] == [b"", LARGE]
    assert far.logins == 2


@pytest.mark.needs("openssl")
def test_through_a_proxy_an_early_refusal_arrives_too(
    far: Server, over_tls: requests.Session
) -> None:
    with proxying() as proxy:
        over_tls.proxies = {"https": proxy.url}
        answer = over_tls.post(f"{far.url}/upload", data=LARGE)
    assert (answer.status_code, outcome(answer)) == (200, "replayed")


@pytest.mark.needs("openssl")
def test_with_a_pickled_adapter_an_early_refusal_arrives_too(
    far: Server, over_tls: requests.Session
) -> None:
    over_tls.mount("https://", pickle.loads(pickle.dumps(UploadAdapter(pool_maxsize=3))))
    assert over_tls.post(f"{far.url}/upload", data=LARGE).status_code == 200


def test_the_adapter_leaves_urllib3_as_it_is() -> None:
    before = dict(pool_classes_by_scheme)  # where elasticsearch may have its own
    ours = UploadAdapter().poolmanager.connection_from_url("https://a.example")
    assert type(ours) is not before["https"]
    assert pool_classes_by_scheme == before
    other = HTTPAdapter().poolmanager.connection_from_url("https://a.example")
    assert type(other) is before["https"]


def test_the_manager_of_a_proxy_is_prepared_once() -> None:
    adapter = UploadAdapter()
    pools = [
        adapter.proxy_manager_for("http://p.example").connection_from_url("https://a.example")
        for _ in range(2)
    ]
    assert pools[0] is pools[1]


# The connection on which a request with a body was refused


@pytest.fixture
def deceiving(server: Server, session: requests.Session) -> Server:
    """A server that says keep-alive, and closes when the next request comes."""
    session.auth = SessionAuth(server.login, server.url)
    session.get(f"{server.url}/first")
    server.kill()
    server.early, server.early_end = True, "deceives"
    return server


def test_login_and_replay_take_another_connection_than_a_refused_upload(
    deceiving: Server, session: requests.Session
) -> None:
    assert session.post(f"{deceiving.url}/upload", data=b"x" * 1000).status_code == 200
    upload, login, replay = deceiving.requests[-3:]
    assert upload.connection != login.connection == replay.connection


def test_the_content_of_that_refusal_is_still_there(
    deceiving: Server, session: requests.Session
) -> None:
    answer = session.post(f"{deceiving.url}/upload", data=b"x" * 1000)
    assert [refused.content for refused in answer.history] == [b"refused"]


def test_a_pool_of_one_gets_its_place_back(deceiving: Server, session: requests.Session) -> None:
    session.mount("http://", HTTPAdapter(pool_maxsize=1, pool_block=True))
    session.get(f"{deceiving.url}/login")
    deceiving.kill()
    assert session.post(f"{deceiving.url}/upload", data=b"x" * 1000).status_code == 200


# A login whose connection breaks


def test_a_login_whose_kept_connection_breaks_is_tried_once_more_on_a_new_one(
    server: Server, dead: requests.Session
) -> None:
    dropped = dropping(server, 1)
    assert dead.get(f"{server.url}/me").status_code == 200
    assert len(dropped) == 1
    assert server.seen("/login")[-1].connection != dropped[0].connection


def test_a_login_is_not_tried_a_third_time(server: Server, dead: requests.Session) -> None:
    dropped = dropping(server, 3)
    with pytest.raises(LoginUnavailable):
        dead.get(f"{server.url}/me")
    assert len(dropped) == 2


def test_a_login_whose_new_connection_breaks_is_not_tried_again(
    server: Server, dead: requests.Session
) -> None:
    dropped = dropping(server, 3)
    with pytest.raises(LoginUnavailable):
        dead.post(f"{server.url}/upload", data=b"body")  # that connection is closed
    assert len(dropped) == 1


def test_a_login_whose_body_is_spent_is_not_tried_again(
    server: Server, session: requests.Session
) -> None:
    def login(context: object) -> str:
        http = context.http  # type: ignore[attr-defined]
        return str(http.post(f"{server.url}/login", data=iter([b"secret"])).text)

    session.auth = SessionAuth(login, server.url)
    dropped = dropping(server, 3)
    with pytest.raises(LoginUnavailable):
        session.get(f"{server.url}/me")
    assert len(dropped) == 1


def test_a_login_over_an_adapter_of_the_users_own_is_not_tried_again(
    server: Server, session: requests.Session
) -> None:
    class Own(requests.adapters.BaseAdapter):
        def __init__(self) -> None:
            super().__init__()
            self.inner = HTTPAdapter()

        def send(self, request, **sending):  # type: ignore[no-untyped-def, override]
            response = self.inner.send(request, **sending)
            response.connection = self  # type: ignore[assignment]
            return response

        def close(self) -> None:
            self.inner.close()

    session.mount("http://", Own())
    session.auth = SessionAuth(server.login, server.url)
    dropped = dropping(server, 3)
    with pytest.raises(LoginUnavailable):
        session.get(f"{server.url}/me")
    assert len(dropped) == 1


def test_a_login_whose_kept_connection_brings_nonsense_is_not_tried_again(
    server: Server, dead: requests.Session
) -> None:
    server.login_answers.extend([Answer(10), Answer(10)])  # no status is that small
    with pytest.raises(LoginUnavailable):
        dead.get(f"{server.url}/me")
    assert len(server.seen("/login")) == 2  # the first was that of the session which has died


def test_a_login_through_no_proxy_says_what_requests_says(
    server: Server, session: requests.Session
) -> None:
    def login(context: object) -> str:
        http = context.http  # type: ignore[attr-defined]
        http.proxies = {"http": "http:///"}
        return str(http.get(f"{server.url}/login").text)

    session.auth = SessionAuth(login, server.url)
    with pytest.raises(LoginUnavailable, match="InvalidProxyURL"):
        session.get(f"{server.url}/me")
