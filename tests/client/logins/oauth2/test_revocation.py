"""Revocation (RFC 7009): what is sent, and what the answers mean."""

import pickle
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import requests

from relogin import Grant, LoginUnavailable
from relogin.client.logins import OAuth2Login
from relogin.client.logins.sending.exchange import NoAnswer
from relogin.client.logins.sending.request import Request as LoginRequest
from relogin.client.requests import SessionAuth
from relogin.client.terms.answer import Answer as ClientAnswer
from tests.client.log_in import LogIn, answers, context
from tests.client.logins.oauth2.asking import says
from tests.client.server import Answer, Server
from tests.client.token_server import TokenServer, basic, form

BOTH = Grant("access-of-ada", refresh="refresh-of-ada")
ACCESS = Grant("access-of-ada")


def revoking(url: str, secret: Any = "s3cret", **options: Any) -> OAuth2Login:
    return OAuth2Login(
        url.replace("/revoke", "/token"), "job", secret, revocation_url=url, **options
    )


def revoke(login: OAuth2Login, grant: Grant | None = BOTH) -> None:
    assert login.revocation is not None
    with requests.Session() as http:
        login.revocation(replace(context(http), previous=grant))


# What is sent


@pytest.mark.parametrize("auth", ["basic", "post"])
def test_the_client_authenticates_as_at_the_token_endpoint(tokens: TokenServer, auth: Any) -> None:
    login = OAuth2Login(
        tokens.url, "job", "s3cret", auth=auth, revocation_url=tokens.revocation_url
    )
    revoke(login, ACCESS)
    (request,) = tokens.server.requests
    asked = {"token": "access-of-ada", "token_type_hint": "access_token"}
    in_form = {"client_id": "job", "client_secret": "s3cret"}
    assert request.method == "POST"
    assert form(request) == asked | (in_form if auth == "post" else {})
    assert basic(request) == (() if auth == "post" else ("job", "s3cret"))


def test_a_public_client_says_its_id(tokens: TokenServer) -> None:
    revoke(OAuth2Login(tokens.url, "app", revocation_url=tokens.revocation_url), ACCESS)
    assert form(tokens.server.requests[0])["client_id"] == "app"


def test_a_session_without_a_grant_needs_no_request(tokens: TokenServer) -> None:
    revoke(revoking(tokens.revocation_url), None)
    assert tokens.revoked == []


def test_a_revocation_goes_over_every_library(tokens: TokenServer, log_in: LogIn) -> None:
    class Revoke:
        revocation: Any = revoking(tokens.revocation_url).revocation

        def __call__(self, context: Any) -> Any:
            return self.revocation(replace(context, previous=BOTH))

        async def acall(self, context: Any) -> Any:
            return await self.revocation.acall(replace(context, previous=BOTH))

    log_in(Revoke())
    assert [hint for hint, _ in tokens.revoked] == ["refresh_token", "access_token"]


# What the answers mean


@pytest.mark.parametrize(
    "answer",
    [
        Answer(200),
        Answer(204),
        Answer(200, (("Content-Type", "text/html"),), b"<p>bye</p>"),
        Answer(400, (), b'{"error": "invalid_token"}'),  # Google, of a token that is over
    ],
)
def test_a_token_that_is_over_is_revoked(server: Server, answer: Answer) -> None:
    revoke(revoking(answers(server, answer, path="/revoke")))
    assert len(server.requests) == 2


def unsupported(hint: str) -> Callable[[dict[str, str]], Answer | None]:
    refusal = Answer(400, (), b'{"error": "unsupported_token_type"}')
    return lambda fields: refusal if fields["token_type_hint"] == hint else None


def test_access_tokens_that_cannot_be_revoked_end_by_themselves(tokens: TokenServer) -> None:
    tokens.refusal = unsupported("access_token")
    revoke(revoking(tokens.revocation_url))
    assert len(tokens.revoked) == 2


@pytest.mark.parametrize("grant", [BOTH, ACCESS])
def test_a_session_whose_only_token_cannot_be_revoked_is_told(
    tokens: TokenServer, grant: Grant
) -> None:
    tokens.refusal = unsupported("refresh_token" if grant.refresh else "access_token")
    with pytest.raises(LoginUnavailable, match="400 unsupported_token_type: the server does not"):
        revoke(revoking(tokens.revocation_url), grant)


def test_the_access_token_is_revoked_although_the_refresh_token_could_not_be(
    tokens: TokenServer,
) -> None:
    tokens.refusal = unsupported("refresh_token")
    with pytest.raises(LoginUnavailable):
        revoke(revoking(tokens.revocation_url))
    assert tokens.revoked[1:] == [("access_token", "access-of-ada")]


def test_the_first_of_two_failures_is_told(tokens: TokenServer) -> None:
    codes = {"refresh_token": b"first", "access_token": b"second"}
    tokens.refusal = lambda fields: Answer(
        400, (), b'{"error": "%s"}' % codes[fields["token_type_hint"]]
    )
    with pytest.raises(LoginUnavailable, match=r"400 first$"):
        revoke(revoking(tokens.revocation_url))
    assert len(tokens.revoked) == 2


def test_the_access_token_is_revoked_although_no_response_came_for_the_other(
    tokens: TokenServer,
) -> None:
    login = revoking(tokens.revocation_url)
    assert login.revocation is not None
    with requests.Session() as http:
        steps = login.revocation._steps(replace(context(http), previous=BOTH))
        next(steps)
        second = steps.throw(NoAnswer("no answer"))
        assert isinstance(second, LoginRequest)
        assert b"access-of-ada" in (second.content or b"")
        with pytest.raises(NoAnswer):
            steps.send(ClientAnswer(200, {}, tokens.revocation_url, b"", cut=False))


@pytest.mark.parametrize("answer", [Answer(401), Answer(400, (), b'{"error": "invalid_client"}')])
def test_a_client_that_the_server_does_not_know_asks_once(server: Server, answer: Answer) -> None:
    with pytest.raises(LoginUnavailable, match="the client's id or secret"):
        revoke(revoking(answers(server, answer, path="/revoke")))
    assert len(server.requests) == 1


def test_503_says_when_to_come_again(server: Server) -> None:
    busy = Answer(503, (("Retry-After", "120"),))
    with pytest.raises(LoginUnavailable, match=r"/revoke answered 503$") as caught:
        revoke(revoking(answers(server, busy, path="/revoke")))
    assert caught.value.retry_after == 120
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("status", "code", "told"),
    [
        (401, "invalid_client", "401 invalid_client: the client's id or secret"),
        (401, "", "answered 401: the client's id or secret"),
        (401, "invalid_token", "401 invalid_token$"),  # it wants another Authorization
        (403, "unauthorized_client", "403 unauthorized_client: the token is another client's"),
        (400, "invalid_request", "400 invalid_request$"),
        (404, "", "answered 404$"),
    ],
)
def test_any_other_error_is_told_by_its_code(
    server: Server, status: int, code: str, told: str
) -> None:
    document = {"error": code} if code else {}
    says(server, document, status)
    server.routes["/revoke"] = server.routes["/token"]
    with pytest.raises(LoginUnavailable, match=told):
        revoke(revoking(f"{server.url}/revoke"))


@pytest.mark.parametrize("secret", ["refresh-of-ada", "access-of-ada", "s3cret"])
def test_an_error_code_that_may_hold_a_secret_is_not_shown(server: Server, secret: str) -> None:
    url = answers(server, Answer(400, (), b'{"error": "' + secret.encode() + b'"}'), path="/revoke")
    with pytest.raises(LoginUnavailable, match="an error that is not shown"):
        revoke(revoking(url))


def test_no_redirect_is_followed(server: Server) -> None:
    url = answers(server, Answer(307, (("Location", "/other"),)), path="/revoke")
    with pytest.raises(LoginUnavailable, match=r"no secret follows a .*, http://.*/other"):
        revoke(revoking(url))
    assert len(server.requests) == 1


# The options


def test_without_a_revocation_url_there_is_no_logout() -> None:
    login = OAuth2Login("https://auth.example.com/token", "job", "s3cret")
    assert login.revocation is None
    with pytest.raises(TypeError, match="has no logout"):
        SessionAuth(login).logout()


@pytest.mark.parametrize("found", ["https://auth.example.com/revoke", lambda _: None])
def test_what_a_login_of_the_user_calls_its_revocation_is_no_logout(found: Any) -> None:
    class Own:
        revocation = found

        def __call__(self, _: object) -> str:
            return "token"

    with pytest.raises(TypeError, match="has no logout"):
        SessionAuth(Own(), "https://api.example.com").logout()


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("http://auth.example.com/revoke", "is not https"),
        ("https://u:p@auth.example.com/revoke", "revocation_url= must not contain a user name"),
        (7, "revocation_url= must be a str, not int"),
    ],
)
def test_a_wrong_revocation_url_is_told_when_the_login_is_made(url: Any, message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        OAuth2Login("https://auth.example.com/token", "job", revocation_url=url)


def read_secret() -> str:
    return "s3cret"


def test_an_auth_with_its_revocation_is_pickled_without_a_secret(tokens: TokenServer) -> None:
    auth = SessionAuth(revoking(tokens.revocation_url, read_secret))
    loaded = pickle.loads(pickle.dumps(auth))
    with requests.Session() as session, loaded:
        session.auth = loaded
        session.get(f"{tokens.server.url}/orders")
    assert len(tokens.revoked) == 1
    with pytest.raises(pickle.PicklingError, match="contains a secret"):
        pickle.dumps(SessionAuth(revoking(tokens.revocation_url)))


def test_a_revocation_shows_its_url_and_no_secret() -> None:
    login = revoking("https://auth.example.com/revoke?key=k3y")
    assert repr(login.revocation) == "<Revocation https://auth.example.com/revoke>"
