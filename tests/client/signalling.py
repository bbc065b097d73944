"""A server that says by signals what is wrong, and a session of requests that knows them."""

import random
from collections.abc import Callable, Iterator
from typing import Any

import requests

from relogin.client.requests import SessionAuth
from tests.client.server import Server

JSON = ("Content-Type", "application/json")
HTML = ("Content-Type", "text/html")
LOST = b'{"success": false, "message": "please log in"}'
LONG = b"<form><input name=user><input name=password></form>" + random.Random(7).randbytes(300_000)


def pieces(octets: bytes) -> Iterator[bytes]:
    for start in range(0, len(octets), 50_000):
        yield octets[start : start + 50_000]


def refuse_with(
    server: Server,
    code: int,
    *headers: tuple[str, str],
    body: Callable[[], Any] = lambda: b"refused",
) -> None:
    """Answer a dead session like this, without a challenge; the server takes Bearer."""
    server.challenges, server.scheme = lambda error: (), "Bearer"
    server.refusal_status, server.refusal_headers, server.refusal_body = code, headers, body


def attach(session: requests.Session, server: Server, **options: Any) -> SessionAuth:
    auth = SessionAuth(options.pop("login", server.login), server.url, **options)
    session.auth = auth
    return auth
