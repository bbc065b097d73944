"""Servers that know a client by its certificate (RFC 8705): of the session, or of the login."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs

import pytest

from relogin import LoginUnavailable
from relogin.client.logins import OAuth2Login
from tests.client.authority import Authority
from tests.client.libraries.face import Client, Face
from tests.client.server import Answer, Request, Server, serve

pytestmark = pytest.mark.needs("openssl")

JSON = (("Content-Type", "application/json"),)


class Site:
    """A token endpoint, and an API that takes its tokens."""

    def __init__(self, tokens: Server, api: Server) -> None:
        self.tokens, self.api, self.living = tokens, api, "none"
        tokens.answers, api.answers = self.give, self.orders

    def give(self, request: Request) -> Answer:
        fields = parse_qs(request.body.decode())
        assert (fields["client_id"], "client_secret" in fields) == (["orders-job"], False)
        assert "Authorization" not in request.headers
        self.living = f"t{len(self.tokens.requests)}"
        return Answer(200, JSON, b'{"access_token": "%b"}' % self.living.encode())

    def orders(self, request: Request) -> Answer:
        if request.headers.get("Authorization") == f"Bearer {self.living}":
            return Answer(200, (), b"orders")
        return Answer(401, (("WWW-Authenticate", 'Bearer realm="orders"'),))

    @property
    def login(self) -> OAuth2Login:
        return OAuth2Login(f"{self.tokens.url}/token", "orders-job")


@pytest.fixture
def site(authority: Authority) -> Iterator[Site]:
    """Both servers want a certificate."""
    with (
        serve(Server(), authority.demanding) as tokens,
        serve(Server(), authority.demanding) as api,
    ):
        yield Site(tokens, api)


@pytest.fixture
def open_api(authority: Authority) -> Iterator[Site]:
    """Only the token endpoint wants a certificate."""
    with serve(Server(), authority.demanding) as tokens, serve(Server(), authority.shown) as api:
        yield Site(tokens, api)


def way(face: Face, authority: Authority, *, certified: bool = True) -> dict[str, Any]:
    """Return the options of a client that trusts the authority, and has a certificate or not."""
    tls = authority.certified if certified else authority.trusted
    if face.library == "aiohttp":
        import aiohttp

        return {"connector": face.made(lambda: aiohttp.TCPConnector(ssl=tls))}
    if face.library in {"requests", "niquests"}:
        return {"verify": authority.path} | ({"cert": authority.client} if certified else {})
    return {"verify": tls}


def given_twice(site: Site, client: Client) -> None:
    """Get the orders with a first session, and with the next one after its end."""
    for _ in range(2):
        assert client.get(f"{site.api.url}/orders").body == b"orders"
        site.living = "none"
    assert len(site.tokens.requests) == 2


def test_a_login_shows_the_certificate_of_the_client_that_it_is_given(
    face: Face, authority: Authority, open_api: Site
) -> None:
    http = face.open(None, **way(face, authority)).client
    auth = face.auth(open_api.api, open_api.login, http=http)
    given_twice(open_api, face.open(auth, **way(face, authority, certified=False)))


def test_a_login_shows_the_certificate_of_the_session_where_it_takes_the_same_route(
    face: Face, authority: Authority, site: Site
) -> None:
    """A client of httpx hides its own from its auth."""
    hides = "httpx" in face.library
    http = {"http": face.open(None, **way(face, authority)).client} if hides else {}
    auth = face.auth(site.api, site.login, **http)
    given_twice(site, face.open(auth, **way(face, authority)))


# The server may refuse while the body is sent; httpx then leaves it to the garbage collector.
@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_login_without_a_certificate_is_an_outage_and_sends_nothing(
    face: Face, authority: Authority, open_api: Site
) -> None:
    http = face.open(None, **way(face, authority, certified=False)).client
    auth = face.auth(open_api.api, open_api.login, http=http)
    with pytest.raises(LoginUnavailable, match=f"no response from {open_api.tokens.url}/token"):
        face.open(auth, **way(face, authority, certified=False)).get(f"{open_api.api.url}/orders")
    assert open_api.tokens.requests == []
