"""Ready-made logins in the httpx adapter, and nothing of theirs in any log."""

import logging
import pickle
import ssl
from collections.abc import Callable

import anyio
import httpx
import pytest

from relogin import LoginRefused, LoginUnavailable
from relogin.client.httpx import SessionAuth
from relogin.client.logins import BasicLogin, FormLogin, JSONLogin
from tests.client.log_in import ACCOUNT, PASSWORD, USER, context
from tests.client.logins.forms.test_login import HTML, PAGE
from tests.client.server import Answer, Request, Server

TOKEN = "t0ken-that-nobody-may-see"

Get = Callable[[SessionAuth, str], httpx.Response]


def in_a_thread(auth: SessionAuth, url: str) -> httpx.Response:
    with httpx.Client(auth=auth) as client:
        return client.get(url)


def in_a_task(backend: str) -> Get:
    def get(auth: SessionAuth, url: str) -> httpx.Response:
        async def main() -> httpx.Response:
            async with httpx.AsyncClient(auth=auth) as client:
                return await client.get(url)

        return anyio.run(main, backend=backend)

    return get


@pytest.fixture(
    params=[in_a_thread, in_a_task("asyncio"), in_a_task("trio")], ids=["sync", "asyncio", "trio"]
)
def get(request: pytest.FixtureRequest) -> Get:
    chosen: Get = request.param
    return chosen


@pytest.fixture
def issuing(server: Server) -> Server:
    """The server gives the token, and the cookie, to whoever asks."""

    def issue(request: Request) -> Answer:
        if request.method == "GET":
            return Answer(200, HTML, (PAGE % "").encode())
        server.living = TOKEN
        headers = (("Set-Cookie", f"sid={TOKEN}; Path=/"),)
        return Answer(200, headers, b'{"access_token": "%b"}' % TOKEN.encode())

    server.routes["/in"] = issue
    return server


def test_json_and_basic_bring_a_token(issuing: Server, get: Get) -> None:
    url = f"{issuing.url}/in"
    for login in (JSONLogin(url, ACCOUNT), BasicLogin(url, USER, PASSWORD)):
        issuing.kill()
        assert get(SessionAuth(login), f"{issuing.url}/a").status_code == 200


def test_a_form_brings_cookies(issuing: Server, get: Get) -> None:
    issuing.binding = "cookie"
    login = FormLogin(f"{issuing.url}/in", ACCOUNT)
    assert get(SessionAuth(login), f"{issuing.url}/a").status_code == 200


def test_a_wrong_password_is_an_error_of_httpx(server: Server, get: Get) -> None:
    server.routes["/in"] = lambda request: Answer(401)
    with pytest.raises(LoginRefused) as raised:
        get(SessionAuth(JSONLogin(f"{server.url}/in", ACCOUNT)), f"{server.url}/a")
    assert isinstance(raised.value, httpx.HTTPError)


def test_an_alert_of_tls_that_httpx_lets_through_is_no_answer_either() -> None:
    """On asyncio it does, if the server refuses a missing certificate while httpx writes."""

    def alert(_: httpx.Request) -> httpx.Response:
        raise ssl.SSLError("tlsv13 alert certificate required")

    url = "https://api.example.com/login"
    told = pytest.raises(LoginUnavailable, match=f"no response from {url}: .*required")
    with httpx.Client(transport=httpx.MockTransport(alert)) as http, told:
        JSONLogin(url, ACCOUNT)(context(http))


def test_no_log_event_or_exception_shows_a_secret(
    issuing: Server, get: Get, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    told: list[object] = []
    url = f"{issuing.url}/in"
    get(SessionAuth(JSONLogin(url, ACCOUNT), on_event=told.append), f"{issuing.url}/a")
    issuing.kill()
    issuing.routes["/in"] = lambda request: Answer(403, (), PASSWORD.encode())
    with pytest.raises(LoginRefused) as raised:
        get(SessionAuth(JSONLogin(url, ACCOUNT), on_event=told.append), f"{issuing.url}/a")
    ours = [record for record in caplog.records if record.name.startswith("relogin")]
    shown = repr((told, [record.getMessage() for record in ours], raised.value))
    assert ours
    assert PASSWORD not in shown
    assert TOKEN not in shown
    assert PASSWORD not in caplog.text
    assert PASSWORD.encode() not in pickle.dumps(raised.value.__cause__)
