"""An upload that nobody answers, in httpx: with the transports for uploads, and without."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from relogin.client import outcome
from relogin.client.httpx import AsyncUploadTransport, SessionAuth, UploadTransport
from relogin.client.signals import status
from tests.client.breaking import HOW, UPLOAD, How, asked, breaking, checks, stalling, uploads
from tests.client.httpx_drivers import Caller, Driver, in_tasks
from tests.client.libraries.shapes import Again, AgainAsync
from tests.client.server import Answer, Request, Server, flood
from tests.threads import in_threads


def opened(driver: Driver, server: Server, *, transport: bool = True, **options: Any) -> Caller:
    """Open a client with an auth, and with a transport of ours; log in."""
    http = options.pop("http", None)
    auth = SessionAuth(driver.login(server), server.url, http=http, **options)
    given: dict[str, Any] = {}
    if transport:
        given["transport"] = AsyncUploadTransport() if driver.is_async else UploadTransport()
    client = driver.open(auth=auth, **given)
    client.get(f"{server.url}/first")
    return client


async def produced(*pieces: bytes) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


@pytest.fixture
def lost(driver: Driver, server: Server) -> Caller:
    client = opened(driver, server)
    server.kill()
    return client


@pytest.mark.parametrize("how", HOW)
def test_an_upload_that_may_go_twice_is_sent_again(server: Server, lost: Caller, how: How) -> None:
    breaking(server, how)
    answer = lost.put(f"{server.url}/upload", content=UPLOAD)
    assert (answer.status_code, outcome(answer), answer.content) == (200, "replayed", UPLOAD)
    assert asked(server) == ["PUT /upload", "HEAD /upload", "POST /login", "PUT /upload"]
    assert uploads(server) == [UPLOAD]


def test_a_body_that_is_iterated_is_sent_again(
    driver: Driver, server: Server, lost: Caller
) -> None:
    breaking(server, "reset")
    body: Any = AgainAsync([UPLOAD]) if driver.is_async else Again([UPLOAD])
    assert lost.put(f"{server.url}/upload", content=body).content == UPLOAD


def test_a_body_that_cannot_go_again_is_not_sent_again(
    driver: Driver, server: Server, lost: Caller
) -> None:
    breaking(server, "reset")
    body: Any = produced(UPLOAD) if driver.is_async else iter([UPLOAD])
    with pytest.raises(httpx.RemoteProtocolError) as caught:
        lost.put(f"{server.url}/upload", content=body)
    assert outcome(caught.value) == "renewed_not_replayed"
    assert asked(server) == ["PUT /upload", "HEAD /upload", "POST /login"]


@pytest.mark.parametrize("transport", [True, False])
def test_an_unanswered_post_is_not_sent_again_and_the_next_request_arrives(
    driver: Driver, server: Server, transport: bool
) -> None:
    client = opened(driver, server, transport=transport)
    server.kill()
    breaking(server, "reset")
    with pytest.raises(httpx.RemoteProtocolError) as caught:
        client.post(f"{server.url}/upload", content=UPLOAD)
    assert outcome(caught.value) == "renewed_not_replayed"
    assert client.post(f"{server.url}/upload", content=UPLOAD).status_code == 200
    assert uploads(server) == [UPLOAD]
    assert (len(checks(server)), server.logins) == (1, 2)


def test_without_the_transport_no_error_is_made_a_response(driver: Driver, server: Server) -> None:
    client = opened(driver, server, transport=False)
    server.kill()
    breaking(server, "reset")
    with pytest.raises(httpx.RemoteProtocolError) as caught:
        client.put(f"{server.url}/upload", content=UPLOAD)
    assert outcome(caught.value) == "renewed_not_replayed"
    assert asked(server) == ["PUT /upload", "HEAD /upload", "POST /login"]


@pytest.mark.parametrize("transport", [True, False])
def test_a_502_needs_no_transport(driver: Driver, server: Server, transport: bool) -> None:
    client = opened(driver, server, transport=transport)
    server.kill()
    breaking(server, "502")
    answer = client.put(f"{server.url}/upload", content=UPLOAD)
    assert (answer.status_code, outcome(answer)) == (200, "replayed")
    server.kill()
    answer = client.post(f"{server.url}/upload", content=UPLOAD)
    assert (answer.status_code, answer.content) == (502, b"bad gateway")
    assert outcome(answer) == "renewed_not_replayed"


@pytest.mark.parametrize("transport", [True, False])
@pytest.mark.parametrize("how", HOW)
def test_with_a_session_that_lives_the_end_is_passed_on(
    driver: Driver, server: Server, how: How, transport: bool
) -> None:
    client = opened(driver, server, transport=transport)
    breaking(server, how, always=True)
    if how == "502":
        answer = client.put(f"{server.url}/upload", content=UPLOAD)
        assert (answer.status_code, outcome(answer)) == (502, "untouched")
    else:
        with pytest.raises(httpx.RemoteProtocolError) as caught:
            client.put(f"{server.url}/upload", content=UPLOAD)
        assert outcome(caught.value) == "untouched"
    assert asked(server) == ["PUT /upload", "HEAD /upload"]
    assert server.logins == 1


@pytest.mark.parametrize("transport", [True, False])
def test_check_false_asks_nothing_about_an_unanswered_upload(
    driver: Driver, server: Server, transport: bool
) -> None:
    client = opened(driver, server, check=False, transport=transport)
    server.kill()
    breaking(server, "reset")
    with pytest.raises(httpx.RemoteProtocolError):
        client.put(f"{server.url}/upload", content=UPLOAD)
    assert asked(server) == ["PUT /upload"]


def test_a_url_of_the_users_is_asked_instead(driver: Driver, server: Server) -> None:
    client = opened(driver, server, check=f"{server.url}/me")
    server.kill()
    breaking(server, "reset")
    assert client.put(f"{server.url}/upload?a=b", content=UPLOAD).status_code == 200
    small = server.seen("/me")[0]
    assert (small.method, small.body, small.headers["Content-Length"]) == ("GET", b"", None)


@pytest.mark.parametrize("how", HOW)
def test_the_small_request_has_the_fields_of_the_upload_but_for_those_of_its_body(
    server: Server, lost: Caller, how: How
) -> None:
    breaking(server, how)
    fields = {"X-Tenant": "a", "Content-Type": "text/plain", "If-Match": "*"}
    lost.put(f"{server.url}/upload", content=UPLOAD, headers=fields)
    (small,) = checks(server)
    assert small.headers["X-Tenant"] == "a"
    assert small.token == "s3cret-1"
    assert not {"content-type", "content-length", "if-match"} & {
        name.lower() for name in small.headers
    }


@pytest.mark.parametrize(
    ("timeout", "waits"), [(httpx.Timeout(3, read=2), (3, 2, 3, 3)), (None, (5,) * 4)]
)
def test_the_small_request_waits_no_longer_than_the_upload_and_than_a_login(
    server: Server, timeout: Any, waits: tuple[float, ...]
) -> None:
    noted = {}

    class Noting(httpx.HTTPTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            noted[request.method] = request.extensions["timeout"]
            return super().handle_request(request)

    auth = SessionAuth(server.login, server.url, login_timeout=5)
    with httpx.Client(auth=auth, transport=UploadTransport(Noting())) as client:
        client.get(f"{server.url}/first")
        server.kill()
        breaking(server, "reset")
        client.put(f"{server.url}/upload", content=UPLOAD, timeout=timeout)
    assert tuple(noted["HEAD"][kind] for kind in ("connect", "read", "write", "pool")) == waits
    assert noted["PUT"] == httpx.Timeout(timeout).as_dict()  # sent again as it was at first


def test_of_a_long_response_to_the_small_request_only_the_beginning_is_read(
    driver: Driver, server: Server
) -> None:
    client = opened(driver, server, check=f"{server.url}/me")
    server.routes["/me"] = lambda _: Answer(200, body=flood())
    breaking(server, "502", always=True)
    assert client.put(f"{server.url}/upload", content=UPLOAD).status_code == 502


def test_a_session_that_is_a_cookie_is_asked_about_and_sent_anew(
    driver: Driver, server: Server
) -> None:
    server.binding = "cookie"
    client = opened(driver, server)
    server.kill()
    breaking(server, "reset")
    assert client.put(f"{server.url}/upload", content=UPLOAD).status_code == 200
    assert checks(server)[0].cookies == {"sid": "s3cret-1"}
    assert server.requests[-1].cookies == {"sid": "s3cret-2"}


def test_many_uploads_at_once_cost_one_small_request_and_one_login(
    driver: Driver, server: Server, lost: Caller
) -> None:
    breaking(server, "reset", waits_for=8)
    url = f"{server.url}/upload"
    put = lost.client.put
    if driver.is_async:
        answers = driver.run(in_tasks, 8, lambda _: put(url, content=UPLOAD))
    else:
        answers = in_threads(8, lambda _: put(url, content=UPLOAD))
    assert [answer.status_code for answer in answers] == [200] * 8
    assert (len(checks(server)), server.logins) == (1, 2)
    assert uploads(server) == [UPLOAD] * 8


def test_where_the_small_request_breaks_too_nobody_can_tell(server: Server, lost: Caller) -> None:
    def gone(_: object) -> Answer:
        raise ConnectionResetError

    server.routes["/upload"] = gone
    with pytest.raises(httpx.RemoteProtocolError) as caught:
        lost.put(f"{server.url}/upload", content=UPLOAD)
    assert outcome(caught.value) == "untouched"
    assert server.logins == 1


def test_a_time_out_is_an_upload_without_an_answer_too(server: Server, lost: Caller) -> None:
    breaking(server, "502")
    go = stalling(server)
    answer = lost.put(f"{server.url}/upload", content=UPLOAD, timeout=0.3)
    go.set()
    assert (answer.status_code, outcome(answer)) == (200, "replayed")


def test_a_signal_may_be_what_the_small_request_brings(driver: Driver, server: Server) -> None:
    client = opened(driver, server, signals=[status(440)])
    server.refusal_status = 440
    server.kill()
    breaking(server, "502", status=440)
    assert client.put(f"{server.url}/upload", content=UPLOAD).status_code == 200


@pytest.mark.parametrize("how", HOW)
def test_a_client_of_the_users_own_asks(driver: Driver, server: Server, how: How) -> None:
    http = driver.open(headers={"X-Own": "a"})
    client = opened(driver, server, transport=False, http=http.client)
    server.kill()
    breaking(server, how)
    if how == "502":
        assert client.put(f"{server.url}/upload", content=UPLOAD).status_code == 200
    else:
        with pytest.raises(httpx.RemoteProtocolError):
            client.put(f"{server.url}/upload", content=UPLOAD)
    assert checks(server)[0].headers["User-Agent"].startswith("python-httpx")
    assert server.logins == 2


def test_a_client_that_is_not_awaited_asks_in_a_thread(driver: Driver, server: Server) -> None:
    with httpx.Client(trust_env=False) as http:
        auth = SessionAuth(server.login, server.url, http=http)
        client = driver.open(auth=auth)
        client.get(f"{server.url}/first")
        server.kill()
        breaking(server, "502")
        assert client.put(f"{server.url}/upload", content=UPLOAD).status_code == 200


def test_an_error_of_a_request_without_a_body_is_not_asked_about(
    server: Server, lost: Caller
) -> None:
    def gone(_: object) -> Answer:
        raise ConnectionResetError

    server.routes["/upload"] = gone
    with pytest.raises(httpx.RemoteProtocolError):
        lost.get(f"{server.url}/upload")
    assert asked(server) == ["GET /upload"]


@pytest.mark.parametrize("check", ["answered", "lost"])
def test_a_transport_within_another_asks_once_for_both(
    driver: Driver, server: Server, check: str
) -> None:
    cls: Any = AsyncUploadTransport if driver.is_async else UploadTransport
    auth = SessionAuth(driver.login(server), server.url)
    client = driver.open(auth=auth, transport=cls(cls()))
    client.get(f"{server.url}/first")

    def gone(request: Request) -> Answer:
        if request.body or check == "lost":
            raise ConnectionResetError
        return Answer(200)

    server.routes["/upload"] = gone
    with pytest.raises(httpx.RemoteProtocolError):
        client.put(f"{server.url}/upload", content=UPLOAD)
    assert asked(server) == ["PUT /upload", "HEAD /upload"]


def test_a_transport_without_an_auth_does_what_httpx_does(driver: Driver, server: Server) -> None:
    breaking(server, "reset", always=True)
    transport: Any = AsyncUploadTransport() if driver.is_async else UploadTransport()
    client = driver.open(transport=transport)
    with pytest.raises(httpx.RemoteProtocolError):
        client.put(f"{server.url}/upload", content=UPLOAD)


def test_a_transport_is_opened_and_closed_with_the_one_it_sends_with(server: Server) -> None:
    with UploadTransport() as transport, httpx.Client(transport=transport) as client:
        assert client.get(f"{server.url}/login").status_code == 200

    async def main() -> int:
        async with (
            AsyncUploadTransport() as transport,
            httpx.AsyncClient(transport=transport) as client,
        ):
            return (await client.get(f"{server.url}/login")).status_code

    assert asyncio.run(main()) == 200


def test_a_client_that_is_closed_closes_what_the_transport_sends_with() -> None:
    class Inner(httpx.BaseTransport):
        closed = False

        def close(self) -> None:
            self.closed = True

    inner = Inner()
    httpx.Client(transport=UploadTransport(inner), trust_env=False).close()
    assert inner.closed


def breaking_once_renewed(server: Server) -> None:
    """Break the first upload that the renewed session brings, as HTTP/2 servers do."""
    broken = list[Request]()

    def answer(request: Request) -> Answer:
        if request.path == "/login":
            return server._log_in()
        given = server.protected(request)
        if given.status == 200 and request.body and not broken:
            broken.append(request)
            raise ConnectionResetError
        return given

    server.answers = answer


def test_what_breaks_after_a_refusal_is_sent_again_if_it_may_go_twice(
    server: Server, lost: Caller
) -> None:
    breaking_once_renewed(server)
    answer = lost.put(f"{server.url}/upload", content=UPLOAD)
    assert (answer.status_code, outcome(answer)) == (200, "replayed")
    lines = ["PUT /upload", "POST /login", "PUT /upload", "HEAD /upload", "PUT /upload"]
    assert asked(server) == lines


@pytest.mark.parametrize("transport", [True, False])
def test_what_may_not_go_twice_is_told_that_its_session_is_new(
    driver: Driver, server: Server, transport: bool
) -> None:
    client = opened(driver, server, transport=transport)
    server.kill()
    breaking_once_renewed(server)
    with pytest.raises(httpx.RemoteProtocolError) as caught:
        client.post(f"{server.url}/upload", content=UPLOAD)
    assert outcome(caught.value) == "renewed_not_replayed"
    assert asked(server) == ["POST /upload", "POST /login", "POST /upload", "HEAD /upload"]


class Ended(httpx.HTTPTransport):
    """Does as HTTP/2 does where a server refuses an upload early, and ends its stream."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = super().handle_request(request)
        if response.status_code == 401 and request.method == "PUT":
            response.close()
            raise httpx.LocalProtocolError("StreamClosedError", request=request)
        return response


def test_a_stream_that_the_server_has_ended_is_asked_about_too(server: Server) -> None:
    auth = SessionAuth(server.login, server.url)
    with httpx.Client(auth=auth, transport=UploadTransport(Ended())) as client:
        client.get(f"{server.url}/first")
        server.kill()
        assert client.put(f"{server.url}/upload", content=UPLOAD).status_code == 200
    assert asked(server) == ["PUT /upload", "HEAD /upload", "POST /login", "PUT /upload"]
