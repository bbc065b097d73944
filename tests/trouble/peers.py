"""Other libraries in the place of relogin: the judge must see the laws that they break.

Each knows one server, and shares nothing with other processes.
"""

from __future__ import annotations

from typing import Any

import requests
from google.auth.credentials import Credentials
from google.auth.transport.requests import AuthorizedSession
from singleflight_auth import (
    MaxRetriesExceededError,
    NonReplayableBodyError,
    RefreshFailedError,
    RequestsSingleFlightAuth,
)

from tests.trouble.over_requests import Threads

__all__ = ["GoogleAuth", "SingleflightAuth"]


class _Peer(Threads):
    def log_in_alone(self) -> str:
        """Log in as a program does that asks for a token; return what it signs requests with."""
        ((server, url),) = self.urls.items()
        number = self.next_login()
        self.note(logs_in=number, server=server, realm="")
        self.posts(number, {"password": ""})
        answer = requests.post(f"{url}/token", data={"password": "pa55word"}, timeout=5)
        answer.raise_for_status()
        return f'Session token="{self.granted(number, answer.text).token}"'


class GoogleAuth(_Peer):
    """`google.auth.transport.requests.AuthorizedSession`."""

    def open_auth(self) -> None:
        return None

    def open_session(self) -> requests.Session:
        log_in = self.log_in_alone

        class Password(Credentials):
            def refresh(self, request: Any) -> None:
                self.token = log_in()

            def apply(self, headers: dict[str, str], token: str | None = None) -> None:
                headers["authorization"] = str(self.token)

        session: requests.Session
        session = AuthorizedSession(Password())  # type: ignore[no-untyped-call]
        session.trust_env = False
        session.mount("http://", requests.adapters.HTTPAdapter(pool_maxsize=self.many))
        return session


class SingleflightAuth(_Peer):
    """`singleflight_auth.RequestsSingleFlightAuth`, the simplest program of its kind."""

    errors = (
        requests.RequestException,
        MaxRetriesExceededError,
        NonReplayableBodyError,
        RefreshFailedError,
    )

    def open_auth(self) -> requests.auth.AuthBase:
        held = [""]

        def refresh() -> str:
            held[0] = self.log_in_alone()
            return held[0]

        return RequestsSingleFlightAuth(lambda: held[0], refresh, scheme="")
