"""oidc-provider on loopback, from npm: a strict authorization server that nobody here wrote.

It is installed once into the user's cache, and not into the repository. Where that cannot be done,
tests skip and say why.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import secrets
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urljoin, urlsplit

import pytest
import requests

from tests.client.servers.assertions import PUBLIC_JWK, proof
from tests.programs import free_port, running_until_killed

__all__ = ["CLIENT_ID", "CLIENT_SECRET", "OIDCProvider", "an_oidc_provider"]

PACKAGE = "oidc-provider@9.13.3"
CLIENT_ID, CLIENT_SECRET = "job", "s3cret:%+"
_CALLBACK = "http://127.0.0.1:9/cb"
_SCRIPT = Path(__file__).with_name("oidc.mjs")


def _installed() -> Path:
    """Install the package once; skip the test if that is impossible."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = cache / "relogin-tests" / PACKAGE
    if not (folder / "installed").exists():
        folder.mkdir(parents=True, exist_ok=True)
        command = ["npm", "install", "--no-audit", "--no-fund", "--prefix", str(folder), PACKAGE]
        try:
            subprocess.run(command, capture_output=True, text=True, timeout=240, check=True)
        except subprocess.CalledProcessError as error:
            pytest.skip(f"npm cannot install {PACKAGE}: {error.stderr.strip()[-200:]}")
        except subprocess.TimeoutExpired:
            pytest.skip(f"npm has not installed {PACKAGE} in 240 s")
        (folder / "installed").touch()
    return folder


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
    folder, port = _installed(), free_port()
    # Node finds packages beside the script that asks for them.
    script = folder / f"oidc-{port}.mjs"
    script.write_text(_SCRIPT.read_text(encoding="utf-8"), encoding="utf-8")
    command = ["node", str(script), str(port), str(lifetime), json.dumps(PUBLIC_JWK), callback]
    try:
        with running_until_killed(command) as said:
            assert said == "ready"
            yield OIDCProvider(port)
    finally:
        script.unlink()
