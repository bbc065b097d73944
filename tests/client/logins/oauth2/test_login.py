"""OAuth 2.0 logins: what they send (RFC 6749), and which mistakes they refuse."""

import base64
import pickle
from collections.abc import Callable
from functools import partial
from typing import Any
from urllib.parse import parse_qs

import pytest

from relogin import Grant, LoginRefused, LoginUnavailable
from relogin.client.logins import OAuth2Login
from tests.client.log_in import LogIn
from tests.client.logins.oauth2.asking import ask, says
from tests.client.server import Answer, Server
from tests.client.token_server import TokenServer, basic, form

# What is sent


def test_client_credentials_are_asked_for_with_basic(tokens: TokenServer, log_in: LogIn) -> None:
    tokens.expires_in = 60
    grant = log_in(OAuth2Login(tokens.url, "job", "s3cret", scope="read write"))
    (request,) = tokens.server.requests
    assert grant == Grant(token="access-1", expires_in=60, scope="read write")
    assert request.method == "POST"
    assert request.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert form(request) == {"grant_type": "client_credentials", "scope": "read write"}
    assert basic(request) == ("job", "s3cret")


def test_id_and_secret_are_form_encoded_before_basic(server: Server) -> None:
    url = says(server, {"access_token": "t"})
    ask(OAuth2Login(url, "a:b c", "p%+é€"))
    field = server.requests[0].headers["Authorization"].removeprefix("Basic ")
    assert base64.b64decode(field) == b"a%3Ab+c:p%25%2B%C3%A9%E2%82%AC"


def test_post_puts_the_secret_into_the_form_and_nowhere_else(tokens: TokenServer) -> None:
    ask(OAuth2Login(tokens.url, "job", "s3cret", auth="post"))
    (request,) = tokens.server.requests
    assert "Authorization" not in request.headers
    assert form(request) == {
        "grant_type": "client_credentials",
        "client_id": "job",
        "client_secret": "s3cret",
    }


def test_a_public_client_says_its_id(tokens: TokenServer) -> None:
    ask(OAuth2Login(tokens.url, "app", username="ada", password="pa55"))
    (request,) = tokens.server.requests
    assert "Authorization" not in request.headers
    assert form(request) == {
        "grant_type": "password",
        "client_id": "app",
        "username": "ada",
        "password": "pa55",
    }


def test_further_parameters_are_sent_along(tokens: TokenServer) -> None:
    ask(OAuth2Login(tokens.url, "job", "s3cret", parameters={"audience": "https://api"}))
    assert tokens.asked[0]["audience"] == "https://api"


def test_callables_are_asked_at_each_login(tokens: TokenServer) -> None:
    secrets = iter(["wrong", "s3cret"])
    login = OAuth2Login(tokens.url, lambda: "job", lambda: next(secrets))
    with pytest.raises(LoginRefused, match="invalid_client"):
        ask(login)
    assert ask(login).token


def test_an_assertion_is_made_for_each_request_and_never_sent_twice(tokens: TokenServer) -> None:
    made = iter(["first", "second"])
    tokens.answer = lambda fields: Answer(502)
    login = OAuth2Login(tokens.url, "job", client_assertion=lambda: next(made))
    for _ in range(2):
        with pytest.raises(LoginUnavailable):
            ask(login)
    kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    asked = {"grant_type": "client_credentials", "client_id": "job", "client_assertion_type": kind}
    assert tokens.asked == [
        asked | {"client_assertion": "first"},
        asked | {"client_assertion": "second"},
    ]


def test_another_grant_has_its_fields_in_parameters_and_is_never_sent_twice(
    tokens: TokenServer,
) -> None:
    tokens.answer = lambda fields: Answer(502)
    login = OAuth2Login(tokens.url, None, grant_type="urn:x", parameters={"assertion": "a"})
    with pytest.raises(LoginUnavailable):
        ask(login)
    assert tokens.asked == [{"grant_type": "urn:x", "assertion": "a"}]


def test_another_grant_that_is_refused_says_where_its_fields_are(server: Server) -> None:
    url = says(server, {"error": "invalid_grant"}, 400)
    login = OAuth2Login(url, "job", grant_type="urn:x", parameters={"assertion": "a"})
    with pytest.raises(LoginRefused, match="the assertion or the token in parameters= is wrong"):
        ask(login)


# Scopes


def test_a_step_up_asks_for_the_scopes_held_and_those_demanded(tokens: TokenServer) -> None:
    login = OAuth2Login(tokens.url, "job", "s3cret", scope="read")
    grant = ask(login, error="insufficient_scope", scope=("read", "write"))
    assert tokens.asked[0]["scope"] == "read write"
    assert set(grant.scope) == {"read", "write"}


def test_a_step_up_with_a_password_takes_no_refresh_token(tokens: TokenServer) -> None:
    login = OAuth2Login(tokens.url, "job", "s3cret", username="ada", password="pa55")
    held = ask(login)
    ask(login, previous=held, error="insufficient_scope", scope=("read", "write"))
    assert tokens.grants == ["password", "password"]
    assert tokens.asked[1]["scope"] == "read write"


def test_a_step_up_with_a_refresh_token_alone_asks_for_what_its_user_may_have_granted(
    tokens: TokenServer,
) -> None:
    login = OAuth2Login(tokens.url, "job", "s3cret", scope="read", refresh_token=tokens.issue())
    held = ask(login)
    ask(login, previous=held, error="insufficient_scope", scope=("read", "write"))
    assert [fields["scope"] for fields in tokens.asked] == ["read", "read write"]


def test_a_step_up_beyond_what_is_granted_declines_and_spends_nothing(
    tokens: TokenServer,
) -> None:
    login = OAuth2Login(tokens.url, "job", "s3cret", refresh_token=tokens.issue())
    held = ask(login)
    step_up = partial(ask, login, previous=held, error="insufficient_scope", scope=("root",))
    assert step_up() is None
    assert ask(login, previous=held).token
    tokens.answer = lambda fields: Answer(503)
    with pytest.raises(LoginUnavailable):
        step_up()


@pytest.mark.parametrize("allowed", [False, "write", ["write", "x"], ()])
def test_scopes_up_bounds_what_a_challenge_may_add(tokens: TokenServer, allowed: Any) -> None:
    login = OAuth2Login(tokens.url, "job", "s3cret", scope="read", scopes_up=allowed)
    assert ask(login, error="insufficient_scope", scope=("read", "root")) is None
    assert tokens.asked == []
    widened = ask(login, error="insufficient_scope", scope=("read", "write"))
    assert (widened is not None) == bool(allowed)


def test_scopes_that_were_widened_stay_so_at_the_next_login(tokens: TokenServer) -> None:
    ask(OAuth2Login(tokens.url, "job", "s3cret", scope="read"), scope=("read", "write"))
    assert tokens.asked[0]["scope"] == "read write"


# Mistakes, and secrets


URL = "https://auth.example.com/token"
job: Callable[..., OAuth2Login] = partial(OAuth2Login, URL, "job")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: OAuth2Login("http://auth.example.com/token", "job"), "is not https"),
        (
            lambda: OAuth2Login("https://u:p@auth.example.com/", "job"),
            "must not contain a user name",
        ),
        (lambda: OAuth2Login(URL + "#here", "job"), "must not have a fragment"),
        (lambda: job("s", auth="Basic"), 'auth= must be "basic" or "post"'),
        (lambda: job(username="ada"), "username= needs password="),
        (lambda: job(password="pa55"), "username= needs password="),
        (lambda: job(""), "client_secret= is empty"),
        (lambda: job(refresh_token=""), "refresh_token= is empty"),
        (lambda: job(scope='a"b'), "visible ASCII"),
        (lambda: job(parameters={"scope": "x"}), "parameters= must not contain scope"),
        (lambda: job(parameters={"grant_type": "x"}), "parameters= must not contain grant_type"),
        (lambda: job("s", client_assertion=str), "client_secret= or client_assertion=, not both"),
        (lambda: OAuth2Login(URL, None, "s", grant_type="x"), "client_secret= needs client_id="),
        (lambda: job(grant_type="x", username="ada", password="p"), "leave out grant_type="),
        (lambda: job(grant_type="x", refresh_token="r"), "leave out grant_type="),
    ],
)
def test_words_that_do_not_go_together_are_told_when_the_login_is_made(
    make: Callable[[], object], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        make()


async def a_secret() -> str:
    raise AssertionError


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: OAuth2Login(7, "job"), "must be a str, not int"),  # type: ignore[arg-type]
        (lambda: OAuth2Login(URL, None), "client_id= must be a str or a function"),
        (lambda: OAuth2Login(URL, None), r"write JSONLogin\(url, fields, form=True\)"),
        (lambda: job(b"s3cret"), "client_secret= must be a str or a function, not bytes"),
        (lambda: job(a_secret), "must be a plain function"),
        (lambda: job(client_assertion="x.y.z"), "a new JWT each time, not str: a server takes"),
        (lambda: job(client_assertion=a_secret), "must be a plain function that returns a new"),
        (lambda: job(grant_type=7), "grant_type= must be a str, not int"),
        (lambda: job(scope=7), "scope=: scopes must be a str or a list of str, not int"),
        (lambda: job(scope=[7]), "visible ASCII"),
        (lambda: job(parameters="audience=x"), "parameters= must be a mapping, .* not str"),
    ],
)
def test_words_of_another_type_are_told_when_the_login_is_made(
    make: Callable[[], object], message: str
) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        make()


def test_a_callable_that_returns_no_text_is_told_by_its_name(tokens: TokenServer) -> None:
    with pytest.raises(LoginUnavailable, match="client_secret= must return a str, not NoneType"):
        ask(OAuth2Login(tokens.url, "job", lambda: None))  # type: ignore[arg-type,return-value]


def read_secret() -> str:
    return "s3cret"


def test_an_oauth2_login_is_pickled_with_callables_and_not_with_a_literal_secret(
    tokens: TokenServer,
) -> None:
    login = OAuth2Login(tokens.url, "job", read_secret, scope="read", scopes_up="write")
    copied = pickle.loads(pickle.dumps(login))
    assert ask(copied).scope == ("read",)
    assert repr(copied) == f"<OAuth2Login {tokens.url}>"
    for secrets in (
        {"client_secret": "s3cret"},
        {"client_secret": read_secret, "refresh_token": "s3cret"},
        {"client_secret": read_secret, "username": "ada", "password": "s3cret"},
        {"client_secret": read_secret, "parameters": {"assertion": "s3cret"}},
    ):
        with pytest.raises(pickle.PicklingError, match="contains a secret"):
            pickle.dumps(OAuth2Login(tokens.url, "job", **secrets))
    pickle.dumps(OAuth2Login(tokens.url, "job"))
    pickle.dumps(OAuth2Login(tokens.url, "job", parameters={"audience": "a", "x": read_secret}))


def test_parameters_may_be_functions_and_lists(tokens: TokenServer) -> None:
    parameters: Any = {
        "assertion": read_secret,
        "resource": ["https://a.example", "https://b.example"],
    }
    ask(OAuth2Login(tokens.url, "job", "s3cret", parameters=parameters))
    sent = parse_qs(tokens.server.requests[-1].body.decode())
    assert sent["assertion"] == ["s3cret"]
    assert sent["resource"] == ["https://a.example", "https://b.example"]
