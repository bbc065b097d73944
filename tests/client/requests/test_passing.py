"""Rule 12: everything else is as a user of requests expects."""

import time
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
import requests
from requests import PreparedRequest, Response
from requests.adapters import HTTPAdapter

from relogin import Grant
from relogin.client import Outcome, outcome
from relogin.client.events import Event, EventKind
from relogin.client.requests import SessionAuth
from relogin.client.requests.login_session import LoginSession
from relogin.client.terms.grant import Context
from tests.client.server import Answer, Server


class Recording(HTTPAdapter):
    """An adapter that keeps with what each request was sent."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[dict[str, Any]] = []

    def send(self, request: PreparedRequest, *positional: Any, **sending: Any) -> Response:
        assert positional == ()
        self.sent.append(sending)
        return super().send(request, **sending)


def test_the_history_holds_the_401_and_what_was_sent_for_it(
    server: Server, dead: requests.Session
) -> None:
    answer = dead.get(f"{server.url}/orders")
    (refused,) = answer.history
    assert (refused.status_code, refused.content) == (401, b"refused")
    assert refused.request.headers["Authorization"] == 'Session token="s3cret-1"'
    assert answer.request.headers["Authorization"] == 'Session token="s3cret-2"'


def test_two_replays_leave_two_401s_in_the_history(server: Server, dead: requests.Session) -> None:
    late = dead.prepare_request(requests.Request("GET", f"{server.url}/orders"))
    dead.get(f"{server.url}/renew")
    server.kill()
    answer = dead.send(late)
    assert [r.status_code for r in (*answer.history, answer)] == [401, 401, 200]
    assert [request.token for request in server.seen("/orders")] == [
        "s3cret-1",
        "s3cret-2",
        "s3cret-3",
    ]
    assert server.logins == 3


def test_after_a_redirect_the_history_is_requests_own_and_the_outcome_tells(
    server: Server, dead: requests.Session
) -> None:
    server.routes["/moved"] = lambda _: Answer(302, (("Location", "/orders"),))
    answer = dead.get(f"{server.url}/moved")
    assert [earlier.status_code for earlier in answer.history] == [302]
    assert (answer.status_code, outcome(answer)) == (200, Outcome.REPLAYED)


def test_elapsed_is_the_time_of_the_whole_exchange(server: Server, dead: requests.Session) -> None:
    logins: list[timedelta] = []
    auth = dead.auth
    assert isinstance(auth, SessionAuth)
    login = auth.login

    def timed(context: Context) -> object:
        began = time.perf_counter()
        grant = login(context)
        logins.append(timedelta(seconds=time.perf_counter() - began))
        return grant

    def slow(refused: Response, **_: Any) -> None:
        refused.elapsed = timedelta(hours=1)

    auth.login = timed
    prepared = dead.prepare_request(requests.Request("GET", f"{server.url}/orders"))
    prepared.hooks["response"].insert(0, slow)
    answer = dead.send(prepared)
    assert answer.elapsed > answer.history[0].elapsed + logins[0]


def test_hooks_of_the_user_see_the_answer_alone(server: Server, dead: requests.Session) -> None:
    seen: list[int] = []

    def look(response: Response, **_: object) -> None:
        response.raise_for_status()
        seen.append(response.status_code)

    dead.hooks["response"].append(look)
    dead.get(f"{server.url}/orders", hooks={"response": look})
    dead.get(f"{server.url}/orders")
    assert seen == [200, 200]


def test_a_replay_is_sent_as_the_request_was(server: Server, session: requests.Session) -> None:
    adapter = Recording()
    session.mount("http://", adapter)
    session.auth = SessionAuth(lambda _: requests.post(f"{server.url}/login").text, server.url)
    proxies = {"https": "http://127.0.0.1:9"}
    with session.get(
        f"{server.url}/orders",
        stream=True,
        timeout=(3.0, 4.0),
        verify="/ca",
        cert=__file__,
        proxies=proxies,
    ):
        pass
    first, replay = adapter.sent
    assert first == replay
    assert replay["stream"] is True
    assert replay["timeout"] == (3.0, 4.0)
    assert (replay["verify"], replay["cert"], dict(replay["proxies"])) == ("/ca", __file__, proxies)


def test_a_login_travels_as_the_request_did_and_within_its_own_time_out(
    server: Server, session: requests.Session
) -> None:
    adapter = Recording()
    session.mount("http://", adapter)
    session.auth = SessionAuth(server.login, server.url, login_timeout=7.0)
    proxies = {"https": "http://127.0.0.1:9"}
    session.get(f"{server.url}/orders", timeout=3.0, verify="/ca", cert=__file__, proxies=proxies)
    login = adapter.sent[1]
    assert (login["verify"], login["cert"], dict(login["proxies"])) == ("/ca", __file__, proxies)
    assert login["timeout"] == 7.0


def test_a_login_may_give_a_time_out_of_its_own(server: Server, session: requests.Session) -> None:
    adapter = Recording()
    session.mount("http://", adapter)
    session.auth = SessionAuth(
        lambda context: context.http.post(f"{server.url}/login", timeout=1.5).text, server.url
    )
    session.get(f"{server.url}/orders")
    assert adapter.sent[1]["timeout"] == 1.5


def test_the_session_for_logins_has_no_cookies_of_the_request(
    server: Server, dead: requests.Session
) -> None:
    dead.cookies.set("theme", "dark")
    dead.get(f"{server.url}/orders")
    assert [request.headers["Cookie"] for request in server.seen("/login")] == [None, None]


def test_what_a_login_has_opened_for_itself_is_closed_after_it(
    server: Server, session: requests.Session
) -> None:
    elsewhere = server.url.replace("127.0.0.1", "localhost")
    opened: list[Any] = []

    def login(context: Context) -> Grant:
        context.http.get(elsewhere)
        opened.append(context.http.get_adapter(elsewhere).poolmanager.pools)
        assert len(opened[0]) == 1
        return server.login(context)

    session.auth = SessionAuth(login, server.url)
    assert session.get(f"{server.url}/orders").status_code == 200
    assert len(opened[0]) == 0


def test_a_session_given_as_http_is_what_a_login_gets(
    server: Server, session: requests.Session
) -> None:
    with requests.Session() as mine:
        seen: list[object] = []

        def login(context: Context) -> Grant:
            seen.append(context.http)
            return server.login(context)

        session.auth = SessionAuth(login, server.url, http=mine)
        session.get(f"{server.url}/orders")
        assert seen == [mine]


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_every_method_is_sent_again(server: Server, dead: requests.Session, method: str) -> None:
    answer = dead.request(method, f"{server.url}/orders")
    assert (answer.status_code, outcome(answer)) == (200, Outcome.REPLAYED)


def test_a_streamed_answer_can_be_streamed(server: Server, dead: requests.Session) -> None:
    server.routes["/stream"] = lambda request: (
        Answer(200, (), [b"a", b"b"])
        if request.token == server.living
        else server.refuse("session_expired")
    )
    with dead.get(f"{server.url}/stream", stream=True) as answer:
        assert b"".join(answer.iter_content(1)) == b"ab"


def test_an_adapter_that_does_not_name_itself_gives_its_401_and_a_warning(
    session: requests.Session, caplog: pytest.LogCaptureFixture
) -> None:
    class Plain(requests.adapters.BaseAdapter):
        def send(self, request: PreparedRequest, **sending: Any) -> Response:  # type: ignore[override]
            response = Response()
            response.status_code, response.request = 401, request
            response.url = request.url or ""
            response.headers["WWW-Authenticate"] = "Session"
            response.raw = _Raw()
            return response

        def close(self) -> None:
            pass

    session.mount("http://", Plain())
    session.auth = SessionAuth(lambda _: "t", "http://127.0.0.1")
    session.mount("http://localhost", Plain())
    assert session.get("http://localhost/").status_code == 401  # it was not named
    assert caplog.messages == []
    for _ in range(2):
        answer = session.get("http://127.0.0.1/")
        assert (answer.status_code, outcome(answer)) == (401, Outcome.UNTOUCHED)
    (message,) = caplog.messages
    assert "Let its send set response.connection" in message


class _Raw:
    def read(self, *_: object, **__: object) -> bytes:
        return b""

    def close(self) -> None:
        pass

    release_conn = close


def test_an_adapter_without_urllib3_is_served_all_the_same(session: requests.Session) -> None:
    class Naming(requests.adapters.BaseAdapter):
        def send(self, request: PreparedRequest, **sending: Any) -> Response:  # type: ignore[override]
            signed = "Authorization" in request.headers
            response = Response()
            response.status_code, response.request = 200 if signed else 401, request
            response.url = request.url or ""
            if not signed:
                response.headers["WWW-Authenticate"] = "Session"
            response.raw, response.connection = _Raw(), self  # type: ignore[assignment]
            return response

        def close(self) -> None:
            pass

    session.mount("http://", Naming())
    session.auth = SessionAuth(lambda _: "t", "http://127.0.0.1")
    answer = session.get("http://127.0.0.1/")
    assert (answer.status_code, outcome(answer)) == (200, Outcome.REPLAYED)


def test_a_403_with_a_challenge_is_the_answer(server: Server, dead: requests.Session) -> None:
    server.refusal_status = 403
    answer = dead.get(f"{server.url}/orders")
    assert (answer.status_code, server.logins) == (403, 1)


@pytest.mark.requirement("C-13")
@pytest.mark.parametrize("status", [200, 403, 407, 503])
def test_a_challenge_is_acted_on_in_a_401_alone(
    server: Server, dead: requests.Session, status: int
) -> None:
    server.refusal_status = status
    answer = dead.get(f"{server.url}/orders")
    assert (answer.status_code, outcome(answer)) == (status, Outcome.UNTOUCHED)
    assert server.logins == 1


def test_a_lapsed_session_on_a_200_is_told_and_served(
    server: Server, session: requests.Session
) -> None:
    told: list[Event] = []
    session.auth = SessionAuth(server.login, server.url, on_event=told.append)
    session.get(f"{server.url}/first")
    told.clear()
    server.kill()
    server.refusal_status = 200
    assert session.get(f"{server.url}/public").content == b"refused"
    assert [(event.kind, event.error) for event in told] == [(EventKind.LAPSED, "session_expired")]


def test_a_lapsed_session_is_told_where_a_proxy_has_answered_an_upload(
    server: Server, session: requests.Session
) -> None:
    told: list[Event] = []
    session.auth = SessionAuth(server.login, server.url, on_event=told.append, check=False)
    session.get(f"{server.url}/first")
    told.clear()
    server.kill()
    server.refusal_status = 503
    assert session.put(f"{server.url}/upload", data=b"a file").status_code == 503
    assert [(event.kind, event.error) for event in told] == [(EventKind.LAPSED, "session_expired")]


def test_a_lapsed_session_is_logged_where_nobody_else_is_told(
    server: Server, dead: requests.Session, caplog: pytest.LogCaptureFixture
) -> None:
    server.refusal_status = 200
    with caplog.at_level("DEBUG", "relogin.client"):
        dead.get(f"{server.url}/public")
    assert "lapsed" in caplog.text


def test_a_replay_that_finds_no_server_is_requests_own_error(
    server: Server, session: requests.Session
) -> None:
    class Gone(HTTPAdapter):
        sent = 0

        def send(self, request: PreparedRequest, **sending: Any) -> Response:  # type: ignore[override]
            self.sent += 1
            if self.sent == 2:
                raise requests.ConnectionError("gone", request=request)
            return super().send(request, **sending)

    session.mount("http://", Gone())
    session.auth = SessionAuth(lambda _: "t", server.url)
    with pytest.raises(requests.ConnectionError, match="gone"):
        session.get(f"{server.url}/orders")


def test_the_user_s_own_credential_is_sent_until_there_is_a_grant(
    server: Server, session: requests.Session
) -> None:
    headers: Mapping[str, str] = {"Authorization": "Custom mine"}
    session.auth = SessionAuth(server.login, server.url)
    session.get(f"{server.url}/orders", headers=headers)
    session.get(f"{server.url}/orders", headers=headers)
    assert [request.headers["Authorization"] for request in server.seen("/orders")] == [
        "Custom mine",
        'Session token="s3cret-1"',
        'Session token="s3cret-1"',
    ]


def test_requests_get_keeps_its_session_in_the_auth(server: Server) -> None:
    auth = SessionAuth(server.login, server.url)
    for _ in range(2):
        assert requests.get(f"{server.url}/orders", auth=auth).status_code == 200
    assert server.logins == 1


def test_a_large_upload_refused_early_arrives(server: Server, dead: requests.Session) -> None:
    server.early = True
    octets = bytes(8 * 2**20)
    answer = dead.post(f"{server.url}/upload", data=octets)
    assert (answer.status_code, len(answer.content)) == (200, len(octets))


def test_a_session_for_logins_without_a_route_is_a_plain_one() -> None:
    with LoginSession(None, 3.0) as session:
        assert (session.trust_env, session.auth, dict(session.cookies)) == (False, None, {})
