"""A server that says by signals what is wrong, and a session that knows them."""

from collections.abc import Callable
from typing import Any

import requests

from relogin.client.requests import SessionAuth
from tests.client.server import Server

JSON = ("Content-Type", "application/json")
LOST = b'{"success": false, "message": "please log in"}'


def refuse_with(
    server: Server,
    code: int,
    *headers: tuple[str, str],
    body: Callable[[], Any] = lambda: b"refused",
) -> None:
    """Have a dead session answered like this, and without a challenge."""
    server.challenges = lambda error: ()
    server.refusal_status, server.refusal_headers, server.refusal_body = code, headers, body


def attach(session: requests.Session, server: Server, **words: Any) -> SessionAuth:
    auth = SessionAuth(words.pop("login", server.login), server.url, **words)
    session.auth = auth
    return auth
