"""The clients that are measured, each set up as its own documentation says."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import google.auth.credentials
import httpx
import requests
from google.auth.transport.requests import AuthorizedSession
from httpx_auth import OAuth2, OAuth2ClientCredentials
from requests.auth import HTTPDigestAuth
from requests_oauthlib import OAuth2Session
from singleflight_auth import RequestsSingleFlightAuth, SingleFlightAuth

from tests.peers.ours import OURS, Client, OverHttpx, OverRequests
from tests.peers.server import Site

__all__ = ["CLIENTS"]


class Digest(OverRequests):
    """requests' own HTTPDigestAuth: its session is the server's nonce, and it has no login."""

    name = "HTTPDigestAuth"
    scheme = "Digest"

    def make(self) -> requests.Session:
        session = requests.Session()
        session.auth = HTTPDigestAuth("user", "pa55")
        return session


class _Credentials(google.auth.credentials.Credentials):
    def __init__(self, site: Site) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.site = site
        self.token = None

    def refresh(self, request: Callable[..., Any]) -> None:
        answer = request(f"{self.site.url}/login", method="POST", body=b"password=pa55")
        if answer.status != 200:
            raise google.auth.exceptions.RefreshError("refused")  # type: ignore[no-untyped-call]
        self.token = json.loads(answer.data)["access_token"]

    @property
    def expired(self) -> bool:
        return False


class GoogleAuth(OverRequests):
    """google-auth's AuthorizedSession, with credentials whose refresh is this login."""

    name = "google-auth"

    def make(self) -> requests.Session:
        session: requests.Session = AuthorizedSession(_Credentials(self.site))  # type: ignore[no-untyped-call]
        return session


class HttpxAuth(OverHttpx):
    """httpx-auth's OAuth2 client credentials; it knows of expiry, and not of a 401."""

    name = "httpx-auth"

    def auth(self) -> httpx.Auth:
        OAuth2.token_cache.clear()
        return OAuth2ClientCredentials(f"{self.site.url}/login", "user", "pa55")

    def expire(self) -> None:
        self.ask("GET", f"{self.site.url}/")
        for state, (token, _, *rest) in list(OAuth2.token_cache.tokens.items()):
            OAuth2.token_cache.tokens[state] = (token, time.time() - 1, *rest)


class OAuthlib(OverRequests):
    """requests-oauthlib with automatic refresh; it knows of expiry, and not of a 401."""

    name = "requests-oauthlib"
    session: OAuth2Session

    def make(self) -> requests.Session:
        token = {"access_token": self.site.living, "refresh_token": "r0", "token_type": "Bearer"}
        session: requests.Session = OAuth2Session(
            "client",
            token=token | {"expires_at": time.time() + 3600},
            auto_refresh_url=f"{self.site.url}/login",
            token_updater=self._update,
        )
        return session

    def _update(self, token: dict[str, Any]) -> None:
        self.session.token = token

    def expire(self) -> None:
        self.session.token = {**self.session.token, "expires_at": time.time() - 1}


class _Tokens:
    """What singleflight-auth asks its user for: the token, and how to get the next one."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.token = site.living

    def get(self) -> str:
        return self.token

    def refresh(self) -> str:
        answer = requests.post(f"{self.site.url}/login", data={"password": "pa55"}, timeout=20)
        answer.raise_for_status()
        self.token = answer.json()["access_token"]
        return self.token


class SingleFlight(OverRequests):
    """singleflight-auth over requests, with a refresh that is this login."""

    name = "singleflight-auth, requests"

    def make(self) -> requests.Session:
        tokens = _Tokens(self.site)
        session = requests.Session()
        session.auth = RequestsSingleFlightAuth(tokens.get, tokens.refresh)
        return session


class SingleFlightHttpx(OverHttpx):
    """singleflight-auth over `httpx.Client`."""

    name = "singleflight-auth, httpx"

    def auth(self) -> httpx.Auth:
        tokens = _Tokens(self.site)
        return SingleFlightAuth(tokens.get, tokens.refresh)


CLIENTS: tuple[type[Client], ...] = (
    *OURS[:3],
    SingleFlight,
    SingleFlightHttpx,
    Digest,
    GoogleAuth,
    HttpxAuth,
    OAuthlib,
)
