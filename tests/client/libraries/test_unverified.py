"""`verify=False` of a request: how far it reaches into the login that the request causes."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from relogin import Grant, LoginUnavailable
from relogin.client.logins import FormLogin, JSONLogin, Logout, OAuth2Login
from relogin.client.responders import SESSION
from tests.client.authority import Authority
from tests.client.libraries.face import FACES, Face, opened
from tests.client.server import Answer, Request, Server, serve

pytestmark = [
    pytest.mark.needs("openssl"),
    pytest.mark.filterwarnings("ignore:Unverified HTTPS request"),
]

TOKEN = "letmein"
JSON = (("Content-Type", "application/json"),)


@pytest.fixture(params=[face for face in FACES if "requests" in face or "niquests" in face])
def face(request: pytest.FixtureRequest) -> Iterator[Face]:
    """The libraries whose logins take the route of a refused request."""
    with opened(request.param) as begun:
        yield begun


@pytest.fixture(scope="module")
def authorities(tmp_path_factory: pytest.TempPathFactory) -> tuple[Authority, Authority]:
    """One of the API, and one of the login; no client trusts either by default."""
    first, second = (
        Authority.begun(tmp_path_factory.mktemp(name)) for name in ("of-api", "of-login")
    )
    return first, second


@pytest.fixture(scope="module")
def both(authorities: tuple[Authority, Authority], tmp_path_factory: pytest.TempPathFactory) -> str:
    """A file that names both."""
    file = tmp_path_factory.mktemp("both") / "both.pem"
    file.write_bytes(b"".join(Path(one.path).read_bytes() for one in authorities))
    return str(file)


@pytest.fixture(autouse=True)
def nobody_trusts(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def api(authorities: tuple[Authority, Authority]) -> Iterator[Server]:
    with serve(Server(living=TOKEN), authorities[0].shown) as running:
        running.routes["/token"] = give
        yield running


@pytest.fixture
def away(authorities: tuple[Authority, Authority]) -> Iterator[Server]:
    """The server of the login, at another origin."""
    with serve(Server(answers=give), authorities[1].shown) as running:
        yield running


def give(_: Request) -> Answer:
    return Answer(200, JSON, b'{"access_token": "%b"}' % TOKEN.encode())


def to(url: str) -> Any:
    return lambda _: Answer(307, (("Location", url),))


def posting(face: Face, url: str, **options: Any) -> Any:
    """Return a login of the user's own, which follows redirects."""

    def log_in(context: Any) -> Grant:
        answer = context.http.post(url, data={"password": "s3cret"}, **options)
        return Grant(token=answer.json()["access_token"])

    async def log_in_async(context: Any) -> Grant:
        answer = await context.http.post(url, data={"password": "s3cret"}, **options)
        return Grant(token=answer.json()["access_token"])

    return log_in_async if face.is_async else log_in


def status(face: Face, api: Server, login: Any, **options: Any) -> int:
    """Get the orders with `verify=False`."""
    client = face.open(face.auth(api, login, **options))
    return client.get(f"{api.url}/orders", verify=False).status


@pytest.fixture
def trusting(
    authorities: tuple[Authority, Authority], monkeypatch: pytest.MonkeyPatch
) -> Authority:
    """The environment names the authority of the login."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", authorities[1].path)
    return authorities[1]


def test_verify_false_of_a_request_holds_for_a_login_at_the_same_origin(
    face: Face, api: Server
) -> None:
    login = JSONLogin(f"{api.url}/token", {"password": "s3cret"}, token="access_token")
    assert status(face, api, login) == 200


def test_a_ready_made_login_at_another_origin_sends_nothing_and_says_why(
    face: Face, api: Server, away: Server
) -> None:
    login = JSONLogin(f"{away.url}/token", {"password": "s3cret"}, token="access_token")
    with pytest.raises(LoginUnavailable) as caught:
        status(face, api, login)
    assert away.requests == []
    assert str(caught.value).startswith(
        f"the login failed: no response from {away.url}/token: certificate verify failed: "
    )
    assert str(caught.value).endswith(
        f"Your request's verify=False applies only to {api.url}: pass "
        "SessionAuth(…, http=session), with session.verify set for the login's server"
    )


def test_a_login_of_yours_at_another_origin_sends_nothing_and_says_why(
    face: Face, api: Server, away: Server
) -> None:
    with pytest.raises(LoginUnavailable, match=f"applies only to {api.url}: pass SessionAuth"):
        status(face, api, posting(face, f"{away.url}/token"))
    assert away.requests == []


def test_elsewhere_the_environment_says_whom_to_trust(
    face: Face, api: Server, away: Server, trusting: Authority
) -> None:
    assert status(face, api, posting(face, f"{away.url}/token")) == 200
    assert len(away.requests) == 1


def test_at_its_own_origin_it_holds_whatever_the_environment_says(
    face: Face, api: Server, trusting: Authority
) -> None:
    assert status(face, api, posting(face, f"{api.url}/token")) == 200


def test_a_login_may_say_it_for_its_own_server(face: Face, api: Server, away: Server) -> None:
    assert status(face, api, posting(face, f"{away.url}/token", verify=False)) == 200


def test_a_login_may_ask_for_verification_where_the_request_did_not(
    face: Face, api: Server
) -> None:
    with pytest.raises(LoginUnavailable):
        status(face, api, posting(face, f"{api.url}/token", verify=True))
    assert api.seen("/token") == []


def test_a_redirect_to_another_origin_is_verified(face: Face, api: Server, away: Server) -> None:
    api.routes["/login-here"] = to(f"{away.url}/token")
    with pytest.raises(LoginUnavailable, match="applies only to"):
        status(face, api, posting(face, f"{api.url}/login-here"))
    assert (len(api.seen("/login-here")), away.requests) == (1, [])


def test_a_redirect_back_to_the_origin_is_not_verified(
    face: Face, api: Server, away: Server, trusting: Authority
) -> None:
    away.answers = to(f"{api.url}/token")
    assert status(face, api, posting(face, f"{away.url}/login-there")) == 200
    assert len(api.seen("/token")) == 1


def test_what_a_login_says_itself_goes_with_its_redirects(
    face: Face, api: Server, away: Server
) -> None:
    api.routes["/login-here"] = to(f"{away.url}/token")
    assert status(face, api, posting(face, f"{api.url}/login-here", verify=False)) == 200


def test_a_form_that_another_origin_has_is_not_fetched(
    face: Face, api: Server, away: Server
) -> None:
    api.routes["/sign-in"] = lambda _: Answer(302, (("Location", f"{away.url}/sign-in"),))
    login = FormLogin(f"{api.url}/sign-in", {"password": "s3cret"}, via=[away.url])
    with pytest.raises(LoginUnavailable, match="applies only to"):
        status(face, api, login)
    assert away.requests == []


def test_a_logout_at_another_origin_shows_no_token(
    face: Face, api: Server, away: Server, caplog: pytest.LogCaptureFixture
) -> None:
    auth = face.auth(
        api,
        posting(face, f"{api.url}/token"),
        logout=Logout(f"{away.url}/logout"),
        origins=[api.url, away.url],
    )
    client = face.open(auth)
    assert client.get(f"{api.url}/orders", verify=False).status == 200
    with caplog.at_level(logging.WARNING):
        face.run(auth.alogout) if face.is_async else auth.logout()
    assert away.requests == []
    assert "logout" in caplog.text


def test_a_logout_at_the_same_origin_goes_as_the_requests_did(face: Face, api: Server) -> None:
    auth = face.auth(api, posting(face, f"{api.url}/token"), logout=Logout(f"{api.url}/logout"))
    client = face.open(auth)
    assert client.get(f"{api.url}/orders", verify=False).status == 200
    face.run(auth.alogout) if face.is_async else auth.logout()
    [logout] = api.seen("/logout")
    assert logout.token == TOKEN


def test_a_check_is_verified_if_only_the_login_s_own_client_is_not(
    face: Face, api: Server, away: Server, authorities: tuple[Authority, Authority]
) -> None:
    """No 401 has shown the way yet: the check goes over the client of `http=`."""
    http = face.open(None, verify=False).client
    login, upload = posting(face, f"{away.url}/token"), face.bodies()["bytes"]
    auth = face.auth(api, login, http=http, preemptive=True, responders=[SESSION])
    client = face.open(auth, verify=authorities[0].path)
    assert client.post(f"{api.url}/orders", upload).status == 200
    api.living, api.early, api.early_end = None, True, "silent"
    with pytest.raises(face.failure):
        client.post(f"{api.url}/orders", upload)
    api.living, api.early = TOKEN, False
    assert client.post(f"{api.url}/orders", upload).status == 200
    assert "HEAD" not in {request.method for request in api.requests}


def test_an_invalid_certificate_costs_no_refresh_token(
    face: Face, api: Server, away: Server, both: str
) -> None:
    """It ends the connection before anything is sent over it."""
    login = OAuth2Login(f"{away.url}/token", "orders-job", refresh_token="r1")
    client = face.open(face.auth(api, login))
    with pytest.raises(LoginUnavailable, match="certificate verify failed"):
        client.get(f"{api.url}/orders", verify=False)
    client.client.auth.reset()
    assert client.get(f"{api.url}/orders", verify=both).status == 200
    [renewal] = away.requests
    assert b"refresh_token=r1" in renewal.body


def test_a_file_of_authorities_holds_for_a_login_anywhere(
    face: Face, api: Server, away: Server, both: str
) -> None:
    client = face.open(face.auth(api, posting(face, f"{away.url}/token")))
    assert client.get(f"{api.url}/orders", verify=both).status == 200


def test_a_login_that_prepares_its_request_itself_trusts_that_file_too(
    face: Face, api: Server, away: Server, both: str
) -> None:
    def prepared(http: Any) -> Any:
        asking = import_module(face.library).Request("POST", f"{away.url}/token")
        return http.prepare_request(asking)

    def log_in(context: Any) -> Grant:
        answer = context.http.send(prepared(context.http))
        return Grant(token=answer.json()["access_token"])

    async def log_in_async(context: Any) -> Grant:
        answer = await context.http.send(prepared(context.http))
        return Grant(token=answer.json()["access_token"])

    login = log_in_async if face.is_async else log_in
    client = face.open(face.auth(api, login))
    assert client.get(f"{api.url}/orders", verify=both).status == 200


def test_a_session_that_looks_at_no_environment_has_logins_that_trust_nobody_it_names(
    face: Face, server: Server, away: Server, trusting: Authority
) -> None:
    client = face.open(face.auth(server, posting(face, f"{away.url}/token")))
    with pytest.raises(LoginUnavailable):
        client.get(f"{server.url}/orders")
    assert away.requests == []
