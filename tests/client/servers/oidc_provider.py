"""oidc-provider on loopback, from npm: a strict authorization server that nobody here wrote."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urljoin, urlsplit

import requests

from tests.client.servers.assertions import PUBLIC_JWK, proof
from tests.client.servers.npm import running_script
from tests.programs import free_port

__all__ = ["CLIENT_ID", "CLIENT_SECRET", "OIDCProvider", "an_oidc_provider"]

PACKAGE = "oidc-provider@9.13.3"
CLIENT_ID, CLIENT_SECRET = "job", "s3cret:%+"
_CALLBACK = "http://127.0.0.1:9/cb"
_SCRIPT = Path(__file__).with_name("oidc.mjs")


class OIDCProvider:
    """A running provider: `url` is its origin, `api` what needs an access token."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.token_url = f"{self.url}/token"
        self.revocation_url = f"{self.url}/token/revocation"
        self.api = f"{self.url}/me"
        self.http = requests.Session()
        self.http.trust_env = False

    def kill(self) -> None:
        """End every access token."""
        self.http.post(f"{self.url}/kill").raise_for_status()

    def counts(self) -> dict[str, int]:
        counts: dict[str, int] = self.http.get(f"{self.url}/counts").json()
        return counts

    def refresh_token(self, client_id: str = CLIENT_ID) -> str:
        """Log ada in as her browser would, consent, and exchange the code."""
        verifier = secrets.token_urlsafe(48)
        digest = hashlib.sha256(verifier.encode()).digest()
        with requests.Session() as browser:
            browser.trust_env = False
            code = self._code(
                browser, client_id, base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
            )
        fields = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": _CALLBACK,
            "code_verifier": verifier,
        }
        # This client's secret needs the form encoding of RFC 6749 §2.3.1.
        account = (client_id, "s3cret%3A%25%2B")
        answer = self.http.post(self.token_url, data=fields, auth=account)
        for _ in range(
            2 if client_id == "dpop" else 0
        ):  # it wants a proof, and then its nonce in it
            nonce = answer.headers.get("DPoP-Nonce")
            proofs = {"DPoP": proof("POST", self.token_url, nonce, None)}
            answer = self.http.post(self.token_url, data=fields, auth=account, headers=proofs)
        token: str = answer.json()["refresh_token"]
        return token

    def _code(self, browser: requests.Session, client_id: str, challenge: str) -> str:
        parameters = {
            "client_id": client_id,
            "response_type": "code",
            "scope": "openid offline_access profile email",
            "prompt": "consent",
            "redirect_uri": _CALLBACK,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        answer = browser.get(f"{self.url}/auth", params=parameters, allow_redirects=False)
        for _ in range(20):
            if answer.is_redirect:
                where = urljoin(answer.url, answer.headers["Location"])
                if where.startswith(_CALLBACK):
                    return parse_qs(urlsplit(where).query)["code"][0]
                answer = browser.get(where, allow_redirects=False)
            else:
                answer = self._submitted(browser, answer)
        raise AssertionError(answer.text)

    def _submitted(self, browser: requests.Session, page: Any) -> requests.Response:
        found = re.search(r'<form[^>]*action="([^"]+)"', page.text)
        assert found is not None, page.text
        prompt = "login" if 'name="login"' in page.text else "consent"
        fields = {"prompt": prompt, "login": "ada", "password": "pa55"}
        return browser.post(urljoin(page.url, found[1]), data=fields, allow_redirects=False)


@contextmanager
def an_oidc_provider(*, lifetime: int = 600, callback: str = _CALLBACK) -> Iterator[OIDCProvider]:
    """Run a provider whose access tokens live so many seconds, and which leads back there."""
    port = free_port()
    more = (str(lifetime), json.dumps(PUBLIC_JWK), callback)
    with running_script(_SCRIPT, (PACKAGE,), port, *more):
        yield OIDCProvider(port)
