"""A function of a login that returns a value of a wrong type is told by its name and the type."""

from __future__ import annotations

from typing import Any

import pytest

from relogin import LoginUnavailable
from relogin.client.logins import BasicLogin, DigestLogin, FormLogin, JSONLogin, RegistryLogin
from tests.client.either import Either
from tests.client.log_in import TOKEN, answers, with_requests
from tests.client.server import Answer, Server

PAGE = b'<form method="post"><input name="user"><input name="password"></form>'


@pytest.fixture
def url(server: Server) -> str:
    return answers(server, Answer(200, (), TOKEN))


def asks(server: Server, challenge: str) -> str:
    """Return the URL of a server that sends this challenge."""
    server.routes["/v2/"] = lambda _: Answer(401, (("WWW-Authenticate", challenge),))
    return f"{server.url}/v2/"


@pytest.mark.parametrize(("given", "kind"), [(b"pa55", "bytes"), (1234, "int")])
def test_a_field_s_function_of_a_response(server: Server, url: str, given: Any, kind: str) -> None:
    server.routes["/challenge"] = lambda _: Answer(401)
    fields = {"account": {"password": lambda _: given}}
    login = JSONLogin(url, fields, first=f"{server.url}/challenge")
    text = f"the function that returns a value for password must return a str, not {kind}"
    with pytest.raises(LoginUnavailable, match=f"^{text}$"):
        with_requests(login)


def test_a_function_of_the_page_of_a_form(server: Server) -> None:
    page = answers(server, Answer(200, (("Content-Type", "text/html"),), PAGE))
    login = FormLogin(page, {"user": "ada", "password": lambda page: page.text.encode()})
    with pytest.raises(LoginUnavailable, match=r"value for password must return a str, not bytes$"):
        with_requests(login)


def test_a_function_that_finds_the_token(url: str) -> None:
    def token(answer: Any) -> Any:
        return answer.text.encode()

    with pytest.raises(LoginUnavailable, match=r"returns a token must return a str, not bytes$"):
        with_requests(JSONLogin(url, {"user": "ada"}, token=token))


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (0, "the function that returns a token must return a str, not int"),
        (b"", "the function that returns a token must return a str, not bytes"),
        ([], "the function that returns a token must return a str, not list"),
        ("", "without a token"),
        (None, "without a token"),
        (False, "without a token"),
    ],
)
def test_a_function_that_finds_nothing_returns_no_other_type(
    url: str, given: Any, told: str
) -> None:
    """`False` comes from `"token" in answer.text and …`."""
    with pytest.raises(LoginUnavailable, match=told):
        with_requests(JSONLogin(url, {"user": "ada"}, token=lambda _: given))


def test_a_field_that_json_cannot_have(url: str) -> None:
    login = JSONLogin(url, {"user": "ada", "password": lambda: b"pa55"})
    with pytest.raises(LoginUnavailable, match=r"the field password cannot be .* type bytes"):
        with_requests(login)


@pytest.mark.parametrize("name", ["user", "password"])
def test_a_function_of_basic(url: str, name: str) -> None:
    account: Any = {"user": "ada", "password": "pa55"} | {name: lambda: b"pa55"}
    with pytest.raises(LoginUnavailable, match=f"^BasicLogin: {name} must return a str, not byt"):
        with_requests(BasicLogin(url, **account))


@pytest.mark.parametrize("name", ["user", "password"])
def test_a_function_of_digest(server: Server, either: Either, name: str) -> None:
    url = asks(server, 'Digest realm="r", nonce="n", qop="auth"')
    account: Any = {"user": "ada", "password": "pa55"} | {name: lambda: b"pa55"}
    with pytest.raises(LoginUnavailable, match=f"DigestLogin: {name} must return a str, not byte"):
        either.attach(DigestLogin(**account), url).get(url)


@pytest.mark.parametrize("name", ["user", "password"])
def test_a_function_of_a_registry(server: Server, either: Either, name: str) -> None:
    url = asks(server, f'Bearer realm="{server.url}/token"')
    account: Any = {"user": "ada", "password": "pa55"} | {name: lambda: b"pa55"}
    login = RegistryLogin(**account, token_servers=[f"{server.url}/token"])
    with pytest.raises(LoginUnavailable, match=f"RegistryLogin: {name} must return a str, not by"):
        either.attach(login, url).get(url)


@pytest.mark.parametrize(("given", "kind"), [(b"k3y", "bytes"), (None, "NoneType")])
def test_a_function_for_a_header_field(url: str, given: Any, kind: str) -> None:
    login = JSONLogin(url, {"user": "ada"}, sends={"X-Key": lambda: given})
    text = f"sends=: the function for X-Key must return a str, not {kind}"
    with pytest.raises(LoginUnavailable, match=f"^{text}$"):
        with_requests(login)
