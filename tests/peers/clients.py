"""The clients that are measured, each set up as its own documentation says."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ClassVar

import google.auth.credentials
import httpx
import requests
from google.auth.transport.requests import AuthorizedSession
from httpx_auth import OAuth2, OAuth2ClientCredentials
from requests.auth import HTTPDigestAuth
from requests_oauthlib import OAuth2Session
from singleflight_auth import RequestsSingleFlightAuth, SingleFlightAuth

from relogin.client.httpx import SessionAuth as HttpxSessionAuth
from relogin.client.logins import JSONLogin
from relogin.client.requests import SessionAuth
from tests.peers.server import Site

__all__ = ["CLIENTS", "Client"]

Answer = tuple[int, str]


class Client(ABC):
    """One library, attached to one site; `ask` sends a request and returns status and text."""

    name: ClassVar[str]
    scheme: ClassVar[str] = "Bearer"

    def __init__(self, site: Site) -> None:
        self.site = site
        self.begin()

    @abstractmethod
    def begin(self) -> None:
        """Set the library up with a session that lives."""

    @abstractmethod
    def ask(self, method: str, url: str, body: Any = None) -> Answer:
        """Send one request through the library."""

    def expire(self) -> None:
        """Make the library believe that its session has ended by the clock."""
        raise NotImplementedError

    def at_once(self, count: int, url: str) -> list[int]:
        """Send so many requests at once; return their statuses, 0 for an exception."""
        barrier = threading.Barrier(count)

        def one(_: int) -> int:
            barrier.wait()
            return self.status("GET", url)

        with ThreadPoolExecutor(count) as pool:
            return list(pool.map(one, range(count)))

    def status(self, method: str, url: str, body: Any = None) -> int:
        """Send one request; an exception of whatever kind counts as status 0."""
        try:
            return self.ask(method, url, body)[0]
        except Exception:  # noqa: BLE001 - peers raise all sorts, and all of them are failures
            return 0


class _OverRequests(Client):
    session: requests.Session

    def begin(self) -> None:
        self.session = self.make()
        adapter = requests.adapters.HTTPAdapter(pool_maxsize=64)
        self.session.mount("http://", adapter)

    @abstractmethod
    def make(self) -> requests.Session:
        """Build the session of the library."""

    def ask(self, method: str, url: str, body: Any = None) -> Answer:
        answer = self.session.request(method, url, data=body, timeout=20)
        return answer.status_code, answer.text


class Relogin(_OverRequests):
    """This library over requests."""

    name = "relogin, requests"
    scheme = "Session"

    def make(self) -> requests.Session:
        session = requests.Session()
        session.auth = SessionAuth(_login(self.site))
        return session

    def expire(self) -> None:
        _grant_that_expired(self)


def _login(site: Site) -> JSONLogin:
    return JSONLogin(f"{site.url}/login", _password)


def _password() -> dict[str, str]:
    return {"password": "pa55"}


def _grant_that_expired(client: Client) -> None:
    client.site.expires_in = 0.001
    client.site.kill()
    client.ask("GET", f"{client.site.url}/")
    client.site.expires_in = 3600.0


class _OverHttpx(Client):
    def begin(self) -> None:
        limits = httpx.Limits(max_connections=64)
        self.client = httpx.Client(auth=self.auth(), limits=limits, timeout=20, trust_env=False)

    @abstractmethod
    def auth(self) -> httpx.Auth:
        """Build the auth object of the library."""

    def ask(self, method: str, url: str, body: Any = None) -> Answer:
        answer = self.client.request(method, url, content=body, follow_redirects=True)
        return answer.status_code, answer.text


class ReloginHttpx(_OverHttpx):
    """This library over `httpx.Client`."""

    name = "relogin, httpx"
    scheme = "Session"

    def auth(self) -> httpx.Auth:
        return HttpxSessionAuth(_login(self.site))

    def expire(self) -> None:
        _grant_that_expired(self)


class ReloginAsync(Client):
    """This library over `httpx.AsyncClient`, on asyncio."""

    name = "relogin, httpx async"
    scheme = "Session"

    def begin(self) -> None:
        self.auth = HttpxSessionAuth(_login(self.site))

    def expire(self) -> None:
        _grant_that_expired(self)

    def ask(self, method: str, url: str, body: Any = None) -> Answer:
        return asyncio.run(self._ask(1, method, url, body))[0]

    async def _ask(self, count: int, method: str, url: str, body: Any) -> list[Answer]:
        async with httpx.AsyncClient(auth=self.auth, timeout=20, trust_env=False) as client:

            async def one() -> Answer:
                answer = await client.request(method, url, content=body, follow_redirects=True)
                return answer.status_code, answer.text

            return list(await asyncio.gather(*(one() for _ in range(count))))

    def at_once(self, count: int, url: str) -> list[int]:
        return [status for status, _ in asyncio.run(self._ask(count, "GET", url, None))]


class Digest(_OverRequests):
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


class GoogleAuth(_OverRequests):
    """google-auth's AuthorizedSession, with credentials whose refresh is this login."""

    name = "google-auth"

    def make(self) -> requests.Session:
        session: requests.Session = AuthorizedSession(_Credentials(self.site))  # type: ignore[no-untyped-call]
        return session


class HttpxAuth(_OverHttpx):
    """httpx-auth's OAuth2 client credentials; it knows of expiry, and not of a 401."""

    name = "httpx-auth"

    def auth(self) -> httpx.Auth:
        OAuth2.token_cache.clear()
        return OAuth2ClientCredentials(f"{self.site.url}/login", "user", "pa55")

    def expire(self) -> None:
        self.ask("GET", f"{self.site.url}/")
        for state, (token, _, *rest) in list(OAuth2.token_cache.tokens.items()):
            OAuth2.token_cache.tokens[state] = (token, time.time() - 1, *rest)


class OAuthlib(_OverRequests):
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
    """What singleflight-auth wants of its user: where the token is, and how the next one comes."""

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


class SingleFlight(_OverRequests):
    """singleflight-auth over requests, with a refresh that is this login."""

    name = "singleflight-auth, requests"

    def make(self) -> requests.Session:
        tokens = _Tokens(self.site)
        session = requests.Session()
        session.auth = RequestsSingleFlightAuth(tokens.get, tokens.refresh)
        return session


class SingleFlightHttpx(_OverHttpx):
    """singleflight-auth over `httpx.Client`."""

    name = "singleflight-auth, httpx"

    def auth(self) -> httpx.Auth:
        tokens = _Tokens(self.site)
        return SingleFlightAuth(tokens.get, tokens.refresh)


CLIENTS: tuple[type[Client], ...] = (
    Relogin,
    ReloginHttpx,
    ReloginAsync,
    SingleFlight,
    SingleFlightHttpx,
    Digest,
    GoogleAuth,
    HttpxAuth,
    OAuthlib,
)
