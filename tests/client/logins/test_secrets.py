"""Where a login takes its secrets, from whom it has them, and that it shows none."""

import json
import pickle
from dataclasses import replace
from typing import Any

import httpx
import pytest
import requests

from relogin import Challenge, Grant, LoginRefused, LoginUnavailable
from relogin.client.logins import BasicLogin, FormLogin, JSONLogin, OAuth2Login, RegistryLogin
from relogin.client.requests import SessionAuth
from tests.client.log_in import (
    ACCOUNT,
    PASSWORD,
    TOKEN,
    USER,
    LogIn,
    answers,
    context,
    read_account,
    read_password,
    with_requests,
)
from tests.client.server import Answer, Server, flood, serve

# Redirects


def test_307_within_the_origin_takes_the_account_along(server: Server, log_in: LogIn) -> None:
    url = answers(server, Answer(307, (("Location", "/there"),)))
    answers(server, Answer(200, (), TOKEN), path="/there")
    assert log_in(JSONLogin(url, ACCOUNT)) == Grant(token="t0ken")
    assert server.requests[0].body == server.requests[1].body


def test_303_within_the_origin_becomes_a_get_without_the_account(
    server: Server, log_in: LogIn
) -> None:
    url = answers(server, Answer(303, (("Location", "there?a=b"),)))
    answers(server, Answer(200, (), TOKEN), path="/there?a=b")
    assert log_in(JSONLogin(url, ACCOUNT)) == Grant(token="t0ken")
    second = server.requests[1]
    assert (second.method, second.body, second.headers["Content-Type"]) == ("GET", b"", None)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_to_another_origin_is_refused(
    server: Server, log_in: LogIn, status: int
) -> None:
    url = answers(server, Answer(status, (("Location", f"{server.other_host}/token"),)))
    with pytest.raises(LoginUnavailable, match="another origin"):
        log_in(JSONLogin(url, ACCOUNT))
    assert len(server.requests) == 1


@pytest.mark.parametrize("location", ["mailto:a@b.example", "//[", "https://127.0.0.1/", "//x/"])
def test_a_redirect_that_leads_nowhere_is_refused(
    server: Server, log_in: LogIn, location: str
) -> None:
    url = answers(server, Answer(307, (("Location", location),)))
    with pytest.raises(LoginUnavailable):
        log_in(JSONLogin(url, ACCOUNT))
    assert len(server.requests) == 1


def test_a_redirect_that_each_library_reads_otherwise_takes_no_password_along(
    server: Server, log_in: LogIn
) -> None:
    with serve(Server()) as other:
        location = f"{server.url}\\@127.0.0.1:{other.port}/token"
        url = answers(server, Answer(307, (("Location", location),)))
        with pytest.raises(LoginUnavailable, match="another origin"):
            log_in(JSONLogin(url, ACCOUNT))
    assert (len(server.requests), other.requests) == (1, [])


def test_redirects_without_end_are_an_outage(server: Server) -> None:
    url = answers(server, Answer(303, (("Location", "/token"),)))
    with pytest.raises(LoginUnavailable, match="redirects too often"):
        with_requests(JSONLogin(url, ACCOUNT))


def test_the_body_of_a_redirect_is_read_within_a_bound(server: Server, log_in: LogIn) -> None:
    url = answers(server, Answer(303, (("Location", "/there"),), flood()))
    answers(server, Answer(200, (), TOKEN), path="/there")
    assert log_in(JSONLogin(url, ACCOUNT)) == Grant(token="t0ken")


# Whose credentials


@pytest.mark.usefixtures("netrc")
def test_netrc_is_not_asked(server: Server, log_in: LogIn) -> None:
    log_in(JSONLogin(answers(server, Answer(200, (), TOKEN)), ACCOUNT))
    assert server.requests[0].headers["Authorization"] is None


@pytest.mark.parametrize("kind", [requests.Session, httpx.Client])
def test_what_the_client_itself_would_sign_with_is_not_sent(server: Server, kind: Any) -> None:
    with kind() as http:
        http.auth = ("eve", "secret")
        JSONLogin(answers(server, Answer(200, (), TOKEN)), ACCOUNT)(context(http))
    assert server.requests[0].headers["Authorization"] is None


@pytest.mark.parametrize(
    "account",
    [
        {"user": USER, "password": read_password},
        {"user": lambda: USER, "password": read_password},
        read_account,
    ],
)
def test_a_password_may_be_asked_for_when_it_is_needed(server: Server, account: Any) -> None:
    with_requests(JSONLogin(answers(server, Answer(200, (), TOKEN)), account))
    assert json.loads(server.requests[0].body) == ACCOUNT


def test_a_function_is_called_wherever_it_stands(server: Server) -> None:
    fields = {"auth": {"user": USER, "password": read_password, "scope": [lambda: "orders"]}}
    with_requests(JSONLogin(answers(server, Answer(200, (), TOKEN)), fields))
    account = {"user": USER, "password": PASSWORD, "scope": ["orders"]}
    assert json.loads(server.requests[0].body) == {"auth": account}


# What a login holds, and shows


@pytest.mark.parametrize(
    "login",
    [
        JSONLogin("https://api.example.com/login?key=k3y", ACCOUNT),
        FormLogin("https://api.example.com/login#k3y", ACCOUNT),
        BasicLogin("https://api.example.com/login", USER, PASSWORD),
    ],
    ids=lambda login: type(login).__name__,
)
class TestLiteralPassword:
    def test_no_repr_shows_a_literal_password(self, login: Any) -> None:
        assert repr(login) == f"<{type(login).__name__} https://api.example.com/login>"

    def test_a_literal_password_is_not_pickled_and_the_message_names_what_can_be(
        self, login: Any
    ) -> None:
        with pytest.raises(pickle.PicklingError, match="a function that returns the password"):
            pickle.dumps(login)

    def test_no_auth_pickles_a_literal_password(self, login: Any) -> None:
        with pytest.raises(pickle.PicklingError, match="a function that returns the password"):
            pickle.dumps(SessionAuth(login))


@pytest.mark.parametrize("account", [read_account, {"user": USER, "password": read_password}])
def test_a_login_that_asks_for_its_password_is_pickled_without_it(
    server: Server, account: Any
) -> None:
    login = JSONLogin(answers(server, Answer(200, (), TOKEN)), account)
    pickled = pickle.dumps(login)
    assert PASSWORD.encode() not in pickled
    assert with_requests(pickle.loads(pickled)) == Grant(token="t0ken")
    assert json.loads(server.requests[0].body) == ACCOUNT


@pytest.mark.parametrize("kind", [JSONLogin, FormLogin])
class TestLiteralBesideACallable:
    url = "https://api.example.com/login"

    def test_a_literal_beside_a_callable_is_not_pickled(self, kind: Any) -> None:
        for fields in ({"user": read_password, "pin": PASSWORD}, {"pin": PASSWORD, "a": input}):
            with pytest.raises(pickle.PicklingError, match="a function that returns the password"):
                pickle.dumps(kind(self.url, fields))

    def test_a_literal_that_is_named_harmless_is_pickled(self, kind: Any) -> None:
        fields = {"user": USER, "device": "printer", "password": read_password}
        with pytest.raises(pickle.PicklingError):
            pickle.dumps(kind(self.url, fields))
        pickled = pickle.loads(pickle.dumps(kind(self.url, fields, harmless=["device"])))
        assert (pickled.fields, pickled.harmless) == (fields, ["device"])

    def test_what_only_tells_who_logs_in_is_harmless(self, kind: Any) -> None:
        fields = {"UserName": USER, "grant_type": "password", "password": read_password}
        assert pickle.dumps(kind(self.url, fields))

    def test_a_name_that_is_no_field_is_told(self, kind: Any) -> None:
        with pytest.raises(ValueError, match="harmless= names device, and fields has no such name"):
            kind(self.url, ACCOUNT, harmless=["device"])

    def test_a_harmless_name_says_nothing_of_the_fields_within(self, kind: Any) -> None:
        nested = {"user": {"email": USER, "password": PASSWORD}}  # as Rails takes it
        with pytest.raises(pickle.PicklingError):
            pickle.dumps(kind(self.url, nested))
        with pytest.raises(pickle.PicklingError):
            pickle.dumps(kind(self.url, {"login": [{"pin": PASSWORD}]}))
        assert pickle.dumps(kind(self.url, {"user": {"email": USER, "password": read_password}}))

    def test_a_name_within_can_be_harmless_too(self, kind: Any) -> None:
        fields = {"auth": {"methods": ["password"], "password": read_password}}
        with pytest.raises(pickle.PicklingError):
            pickle.dumps(kind(self.url, fields))
        assert pickle.dumps(kind(self.url, fields, harmless=["methods"]))

    def test_a_yes_or_no_is_no_secret(self, kind: Any) -> None:
        fields = {"user": USER, "remember": True, "otp": None, "password": read_password}
        assert pickle.dumps(kind(self.url, fields))

    def test_a_name_alone_as_harmless_is_told(self, kind: Any) -> None:
        with pytest.raises(TypeError, match="harmless= must be a list of names"):
            kind(self.url, ACCOUNT, harmless="user")


@pytest.mark.parametrize("kind", [JSONLogin, FormLogin])
def test_a_url_that_is_not_https_is_refused_unless_asked_for(kind: Any) -> None:
    with pytest.raises(ValueError, match="insecure=True"):
        kind("http://api.example.com/login", ACCOUNT)
    assert kind("http://api.example.com/login", ACCOUNT, insecure=True)


def test_a_url_with_a_password_in_it_is_refused() -> None:
    with pytest.raises(ValueError, match="as fields"):
        JSONLogin("https://ada:secret@api.example.com/login", {})


def test_fields_that_are_no_mapping_are_refused() -> None:
    with pytest.raises(TypeError, match="a mapping, or a function that returns one, not str"):
        JSONLogin("https://api.example.com/login", "ada")  # type: ignore[arg-type]


def test_a_callable_that_returns_no_mapping_is_refused() -> None:
    with pytest.raises(TypeError, match="must return a mapping, not str"):
        with_requests(JSONLogin("https://api.example.com/login", read_password))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "answer",
    [Answer(401, (), PASSWORD.encode()), Answer(500), Answer(200, (), PASSWORD.encode())],
    ids=["refused", "unavailable", "senseless"],
)
def test_no_failure_holds_the_password(server: Server, log_in: LogIn, answer: Answer) -> None:
    with pytest.raises((LoginRefused, LoginUnavailable)) as raised:
        log_in(JSONLogin(answers(server, answer), ACCOUNT))
    assert PASSWORD not in str(raised.value)
    assert PASSWORD not in repr(raised.value.__cause__)
    for error in (raised.value, raised.value.__cause__):
        assert PASSWORD.encode() not in pickle.dumps(error)


def test_the_failure_to_connect_does_not_hold_the_request(log_in: LogIn) -> None:
    with serve() as gone:
        url = gone.url
    with pytest.raises(LoginUnavailable) as raised:
        log_in(JSONLogin(url, ACCOUNT))
    assert (raised.value.__cause__, raised.value.__context__) == (None, None)


UNWRITABLE = f"{PASSWORD}\udc80"  # what Python makes of an environment variable that is not UTF-8


@pytest.mark.parametrize(
    "login",
    [
        lambda url: JSONLogin(url, {"user": USER, "password": UNWRITABLE}, form=True),
        lambda url: BasicLogin(url, USER, UNWRITABLE),
        lambda url: OAuth2Login(url, "job", UNWRITABLE),
        lambda url: RegistryLogin(USER, UNWRITABLE, token_servers=[url]),
    ],
    ids=["form", "Basic", "OAuth 2.0", "registry"],
)
def test_a_password_that_cannot_be_written_is_not_in_the_error(
    server: Server, log_in: LogIn, login: Any
) -> None:
    """The error of Python has the whole text."""
    url = answers(server, Answer(200, (), TOKEN))
    challenge = Challenge("Bearer", {"realm": url})
    text = "^a value of the login cannot be encoded as utf-8"
    with pytest.raises(LoginUnavailable, match=text) as caught:
        log_in(Challenged(login(url), challenge))
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)
    assert server.requests == []


class Challenged:
    """A login after this challenge."""

    def __init__(self, login: Any, challenge: Challenge) -> None:
        self.login = login
        self.facts: dict[str, Any] = {"challenge": challenge, "url": "https://api.example.com/"}

    def __call__(self, context: Any) -> Any:
        return self.login(replace(context, **self.facts))

    async def acall(self, context: Any) -> Any:
        return await self.login.acall(replace(context, **self.facts))
