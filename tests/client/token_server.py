"""A token endpoint and an API on one server: RFC 6749 as strict servers take it.

A refresh token is good for one use, and a second use of one revokes all that came of it (RFC 9700
§4.14.2). Tests read what was sent, and how often a used one came again.
"""

from __future__ import annotations

import itertools
import json
import threading
from base64 import b64decode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote_plus

from tests.client.server import Answer, Request, Server

__all__ = ["TokenServer", "basic", "form"]

JSON = (("Content-Type", "application/json"),)


class Lost(ConnectionAbortedError):
    """The server breaks off without an answer."""


def form(request: Request) -> dict[str, str]:
    return dict(parse_qsl(request.body.decode(), keep_blank_values=True))


def basic(request: Request) -> tuple[str, ...]:
    """Read client id and secret of a Basic field as RFC 6749 §2.3.1 has them."""
    given = request.headers.get("Authorization", "").removeprefix("Basic ")
    return tuple(map(unquote_plus, b64decode(given).decode().split(":"))) if given else ()


@dataclass(eq=False)
class TokenServer:
    """Its client is `job` with the secret `s3cret`, its user `ada` with `pa55`."""

    server: Server
    rotates: bool = True
    expires_in: Any = None
    scopes: frozenset[str] = frozenset({"read", "write"})
    """What may be asked for."""
    never_granted: frozenset[str] = frozenset()
    """What may be asked for, and is in no token."""
    needs: Mapping[str, str] = field(default_factory=dict)
    """The scopes that a path of the API needs."""
    lost: int = 0
    """So many answers to a refresh are lost after it was done."""
    answer: Callable[[dict[str, str]], Answer | None] | None = None
    """Answers a token request, if it wants to, before it has any effect."""
    members: Mapping[str, Any] = field(default_factory=dict)
    refusal: Callable[[dict[str, str]], Answer | None] | None = None
    """Answers a revocation, if it wants to, in place of doing it."""

    fresh: str = ""
    """The refresh token that was given out last."""
    good: set[str] = field(default_factory=set)
    used: set[str] = field(default_factory=set)
    reused: int = 0
    asked: list[dict[str, str]] = field(default_factory=list)
    revoked: list[tuple[str, str]] = field(default_factory=list)
    """The hints and tokens of the revocations that were asked for."""
    living: dict[str, frozenset[str]] = field(default_factory=dict)
    """The access tokens that are good, and their scopes."""
    bare: bool = False
    """The API refuses a token without a challenge."""
    held: frozenset[str] = frozenset()
    _numbers: Any = field(default_factory=lambda: itertools.count(1))
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.server.routes["/token"] = self.token
        self.server.routes["/revoke"] = self.revoke
        for path in ("/orders", "/write", "/admin"):
            self.server.routes[path] = self.api

    @property
    def url(self) -> str:
        return f"{self.server.url}/token"

    @property
    def revocation_url(self) -> str:
        return f"{self.server.url}/revoke"

    @property
    def grants(self) -> list[str]:
        return [fields.get("grant_type", "") for fields in self.asked]

    def issue(self) -> str:
        """Give out a refresh token, as a user's consent would."""
        self.fresh = f"refresh-{next(self._numbers)}"
        self.good.add(self.fresh)
        return self.fresh

    def kill(self) -> None:
        """Let every access token expire."""
        self.living.clear()

    # The token endpoint

    def token(self, request: Request) -> Answer:
        fields = form(request)
        self.asked.append(fields)
        given = None if self.answer is None else self.answer(fields)  # which may wait: no lock
        with self._lock:
            return given or self._answer(fields, self._client(request, fields))

    def _client(self, request: Request, fields: dict[str, str]) -> tuple[str, ...]:
        return basic(request) or (fields.get("client_id", ""), fields.get("client_secret", ""))

    def _answer(self, fields: dict[str, str], client: tuple[str, ...]) -> Answer:
        if client not in {("job", "s3cret"), ("app", "")}:
            return error("invalid_client", 401)
        scope = frozenset(fields.get("scope", "read").split())
        if not scope <= self.scopes:
            return error("invalid_scope")
        kind = fields["grant_type"]
        if kind == "refresh_token":
            return self._refresh(fields, scope)
        if kind == "password" and (fields["username"], fields["password"]) != ("ada", "pa55"):
            return error("invalid_grant")
        return self._grant(scope, self.issue() if kind == "password" else None)

    def _refresh(self, fields: dict[str, str], scope: frozenset[str]) -> Answer:
        token = fields["refresh_token"]
        if token in self.used:
            self.reused += 1
            self.good.clear()
            self.living.clear()
        if token not in self.good:
            return error("invalid_grant")
        held = scope if "scope" in fields else self.held or scope
        if self.rotates:
            self.good.remove(token)
            self.used.add(token)
            answer = self._grant(held, self.issue())
        else:
            answer = self._grant(held, None)
        if self.lost:
            self.lost -= 1
            raise Lost
        return answer

    def _grant(self, scope: frozenset[str], refresh: str | None) -> Answer:
        scope -= self.never_granted
        access = f"access-{next(self._numbers)}"
        self.living[access], self.held = scope, scope
        members = {"access_token": access, "token_type": "bearer", "id_token": "x.y.z"}
        members |= {"scope": " ".join(sorted(scope))}
        members |= {} if refresh is None else {"refresh_token": refresh}
        members |= {} if self.expires_in is None else {"expires_in": self.expires_in}
        return Answer(200, JSON, json.dumps(members | dict(self.members)).encode())

    # The revocation endpoint (RFC 7009)

    def revoke(self, request: Request) -> Answer:
        fields = form(request)
        with self._lock:
            self.revoked.append((fields["token_type_hint"], fields["token"]))
            refused = None if self.refusal is None else self.refusal(fields)
            if refused is not None:
                return refused
            if self._client(request, fields) not in {("job", "s3cret"), ("app", "")}:
                return error("invalid_client", 401)
            self.living.pop(fields["token"], None)
            if fields["token"] in self.good | self.used:  # it ends the authorization
                self.good.clear()
                self.living.clear()
        return Answer(200)

    # The API

    def api(self, request: Request) -> Answer:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        with self._lock:
            scope = self.living.get(token) if scheme == "Bearer" else None
        if scope is None and self.bare:
            return Answer(401)
        if scope is None:
            said = ', error="invalid_token"' if token else ""
            return Answer(401, (("WWW-Authenticate", f'Bearer realm="api"{said}'),))
        needed = self.needs.get(request.path, "")
        if not scope >= frozenset(needed.split()):
            challenge = f'Bearer realm="api", error="insufficient_scope", scope="{needed}"'
            return Answer(403, (("WWW-Authenticate", challenge),), b"more is needed")
        return Answer(200, (), request.body or b"orders")


def error(code: str, status: int = 400) -> Answer:
    return Answer(status, JSON, json.dumps({"error": code}).encode())
