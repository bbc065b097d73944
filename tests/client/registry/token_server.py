"""A token server for container registries (distribution's specification), with users and rights."""

from __future__ import annotations

import base64
import datetime as dt
import json
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.client.server import Answer, Request, Server, serve

__all__ = ["TokenServer", "token_server"]

USERS = {"alice": ("s3cret", {"pull", "push", "delete", "*"}), "bob": ("b0b", {"pull"})}
_LEEWAY = 60


@dataclass
class TokenServer:
    """What it has been asked for, and how long its tokens live."""

    server: Server
    key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )
    lifetimes: list[int] = field(default_factory=list)
    """Each token takes one from the left; others live for five minutes."""
    asked: list[Request] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.server.answers = self.answer
        self.certificate = _certificate(self.key)

    @property
    def url(self) -> str:
        return f"{self.server.url}/token"

    def scopes(self, number: int = -1) -> list[str]:
        """The scopes of a request, each a query parameter of its own."""
        return parse_qs(urlsplit(self.asked[number].path).query).get("scope", [])

    def answer(self, request: Request) -> Answer:
        self.asked.append(request)
        kind, _, encoded = request.headers.get("Authorization", "").partition(" ")
        user = ""
        if kind:
            user, _, password = base64.b64decode(encoded).decode().partition(":")
            if USERS.get(user, ("",))[0] != password:
                return Answer(401, (("WWW-Authenticate", 'Basic realm="token-server"'),))
        token, seconds = self._token(user, request)
        content = {"token": token, "expires_in": seconds}
        return Answer(200, (("Content-Type", "application/json"),), json.dumps(content).encode())

    def _token(self, user: str, request: Request) -> tuple[str, int]:
        now, query = int(time.time()), parse_qs(urlsplit(request.path).query)
        seconds = self.lifetimes.pop(0) if self.lifetimes else 300
        der = self.certificate.public_bytes(serialization.Encoding.DER)
        claims = {
            "iss": "token-server", "sub": user, "aud": query["service"][0], "jti": uuid.uuid4().hex,
            "exp": now + seconds, "nbf": now - _LEEWAY - 70, "iat": now,
            "access": [_access(user, scope) for scope in query.get("scope", [])],
        }  # fmt: skip
        chain = {"x5c": [base64.b64encode(der).decode()]}
        return jwt.encode(claims, self.key, algorithm="ES256", headers=chain), seconds


def _access(user: str, scope: str) -> dict[str, Any]:
    kind, _, rest = scope.partition(":")
    name, _, actions = rest.rpartition(":")
    may = USERS[user][1] if user else set()
    return {"type": kind, "name": name, "actions": [a for a in actions.split(",") if a in may]}


def _certificate(key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "token-server")])
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder(name, name, key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )


@contextmanager
def token_server(folder: Path) -> Iterator[TokenServer]:
    """Serve tokens on a free loopback port, and leave the certificate in a folder."""
    with serve() as running:
        issuing = TokenServer(running)
        pem = issuing.certificate.public_bytes(serialization.Encoding.PEM)
        (folder / "cert.pem").write_bytes(pem)
        yield issuing
