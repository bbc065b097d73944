"""A token endpoint and an API that want DPoP proofs (RFC 9449)."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any
from urllib.parse import parse_qs

from relogin.client.logins import OAuth2Login
from tests.client.server import Answer, Request, Server
from tests.client.servers.assertions import proof

JSON = (("Content-Type", "application/json"),)


def claims(jwt: str) -> dict[str, Any]:
    """Read a proof; whether it is signed well is tried with oidc-provider."""
    body = jwt.split(".")[1]
    read: dict[str, Any] = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    return read


def hash_of(token: str) -> str:
    digest = hashlib.sha256(token.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


class Site:
    """A token endpoint and an API that want a proof, each with the nonce of its own."""

    def __init__(self, server: Server) -> None:
        self.server, self.url = server, server.url
        self.nonces = {"token": "token-1", "api": "api-1"}
        self.asked: list[dict[str, list[str]]] = []
        self.proofs: list[str] = []
        self.token_type = "DPoP"
        self.living = ""
        self.next_nonce: str | None = None
        self.offer = 'DPoP algs="ES256"'
        server.routes["/token"] = self.token
        server.routes["/orders"] = server.routes["/orders?id=7"] = self.api

    def login(self, **options: Any) -> OAuth2Login:
        given: dict[str, Any] = {"client_secret": "s3cret", "dpop": proof} | options
        return OAuth2Login(f"{self.url}/token", "job", **given)

    def token(self, request: Request) -> Answer:
        self.asked.append(parse_qs(request.body.decode()))
        wrong = self.wrong(request, "token")
        if wrong is not None:
            fields = (*JSON, ("DPoP-Nonce", self.nonces["token"]))
            return Answer(400, fields, json.dumps({"error": wrong}).encode())
        self.living = f"access-{len(self.asked)}"
        members = {"access_token": self.living, "token_type": self.token_type}
        members["refresh_token"] = f"refresh-{len(self.asked)}"
        return Answer(200, JSON, json.dumps(members).encode())

    def api(self, request: Request) -> Answer:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        wrong = "invalid_token" if (scheme, token) != ("DPoP", self.living) else None
        wrong = wrong or self.wrong(request, "api", token)
        nonce = (("DPoP-Nonce", self.nonces["api"]),)
        if wrong is not None:
            challenge = f'DPoP error="{wrong}", algs="ES256"' if token else self.offer
            return Answer(401, (("WWW-Authenticate", challenge), *nonce))
        if self.next_nonce is None:
            return Answer(200, (), request.body)
        self.nonces["api"] = self.next_nonce
        return Answer(200, (("DPoP-Nonce", self.next_nonce),), request.body)

    def wrong(self, request: Request, who: str, token: str | None = None) -> str | None:
        """Say what is wrong with the proof of a request, if anything."""
        given = request.headers.get("DPoP", "")
        if given in {"", *self.proofs}:
            return "invalid_dpop_proof"
        self.proofs.append(given)
        said = claims(given)
        url = self.url + request.path.partition("?")[0]
        if (said["htm"], said["htu"]) != (request.method, url):
            return "invalid_dpop_proof"
        if token is not None and said.get("ath") != hash_of(token):
            return "invalid_dpop_proof"
        return None if said.get("nonce") == self.nonces[who] else "use_dpop_nonce"
