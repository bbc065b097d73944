"""FormLogin through oidc-provider: a login page and a consent page of somebody else's."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
import requests

from relogin.client.logins import FormLogin
from relogin.client.requests import SessionAuth
from tests.client.server import Answer, Request, Server
from tests.client.servers.oidc_provider import CLIENT_ID, OIDCProvider, an_oidc_provider

pytestmark = [pytest.mark.needs("node"), pytest.mark.needs("npm")]

VERIFIER = "v" * 64
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=")


class Application:
    """What sends its visitors to the provider, and exchanges the code that they come back with."""

    def __init__(self, server: Server, provider: OIDCProvider) -> None:
        self.url, self.provider, self.mode, self.number = server.url, provider, "query", 0
        self.living = ""
        server.answers = self.answer

    def answer(self, request: Request) -> Answer:
        path, _, query = request.path.partition("?")
        if path == "/login":
            return Answer(302, (("Location", f"{self.provider.url}/auth?{self._question()}"),))
        if path == "/cb":
            return self._exchanged(dict(parse_qsl(query or request.body.decode())))
        return Answer(200 if request.cookies.get("app") == self.living else 401)

    def _question(self) -> str:
        known = {"client_id": CLIENT_ID, "response_type": "code", "scope": "openid", "state": "s1"}
        pkce = {"code_challenge": CHALLENGE.decode(), "code_challenge_method": "S256"}
        back = {"redirect_uri": f"{self.url}/cb", "response_mode": self.mode, "prompt": "consent"}
        return urlencode(known | pkce | back)

    def _exchanged(self, message: dict[str, str]) -> Answer:
        fields = {"grant_type": "authorization_code", "code": message["code"]}
        fields |= {"redirect_uri": f"{self.url}/cb", "code_verifier": VERIFIER}
        account = (CLIENT_ID, "s3cret%3A%25%2B")
        answer = self.provider.http.post(self.provider.token_url, data=fields, auth=account)
        answer.raise_for_status()
        self.number += 1
        self.living = f"app-{self.number}"
        return Answer(303, (("Location", "/"), ("Set-Cookie", f"app={self.living}; Path=/")))


@pytest.fixture
def application(server: Server) -> Iterator[Application]:
    with an_oidc_provider(callback=f"{server.url}/cb") as provider:
        yield Application(server, provider)


@pytest.mark.parametrize("mode", ["query", "form_post"])
def test_a_login_leads_through_the_pages_of_a_real_provider(
    application: Application, session: requests.Session, mode: str
) -> None:
    application.mode = mode
    login = FormLogin(
        f"{application.url}/login",
        [{"login": "ada", "password": "pa55"}, {"prompt": "consent"}],
        via=[application.provider.url],
    )
    assert urlsplit(application.url).port != urlsplit(application.provider.url).port
    session.auth = SessionAuth(login)
    for _ in range(2):
        assert session.get(f"{application.url}/orders").status_code == 200
        application.living = ""
    assert application.number == 2


def test_a_client_that_the_provider_remembers_is_asked_only_for_its_consent(
    application: Application, session: requests.Session
) -> None:
    passwords = iter(["pa55"])
    fields = {"login": "ada", "password": lambda: next(passwords)}
    provider = application.provider.url
    login = FormLogin(f"{application.url}/login", [fields, {"prompt": "consent"}], via=[provider])
    with requests.Session() as http:
        session.auth = SessionAuth(login, http=http)
        for _ in range(3):
            assert session.get(f"{application.url}/orders").status_code == 200
            application.living = ""
    assert application.number == 3
