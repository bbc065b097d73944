"""A device with a few seats: a session takes one until it is given back, and no login gets a fifth.

Sessions are resources, as in Redfish: `POST /sessions` makes one, `DELETE /sessions/N` ends it.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from relogin import Grant
from relogin.client.carry import Header
from relogin.client.logins import JSONLogin, from_header
from tests.client.server import Answer, Request, Server

__all__ = ["CARRY", "Device"]

CARRY = Header("X-Auth-Token")


@dataclass(eq=False)
class Device:
    """What the server answers, and which seats are taken: token by number."""

    server: Server
    seats: int = 4
    taken: dict[int, str] = field(default_factory=dict)
    most: int = 0
    ended: list[int] = field(default_factory=list)
    """The numbers of the sessions given back, in order; twice if that was asked for twice."""
    refused: int = 0
    """How many logins found no seat."""
    logout_status: int = 204
    routes: dict[str, Callable[[Request], Answer]] = field(default_factory=dict)
    owners: dict[int, str] = field(default_factory=dict)
    """Who logged in for each session, by the user name that was sent."""
    used: set[str] = field(default_factory=set)
    """The tokens that came back with a request: their clients know them."""
    gone: set[str] = field(default_factory=set)
    """Those whose process has ended: what it sent before may be read only now."""
    _number: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.server.answers = self.answer

    @property
    def url(self) -> str:
        return self.server.url

    def login(self, **options: Any) -> JSONLogin:
        """The login of its manual."""
        return JSONLogin(
            f"{self.url}/sessions",
            {"UserName": "ada", "Password": "s3cret"},
            token=from_header("X-Auth-Token"),
            location=from_header("Location"),
            **options,
        )

    def sit_down(self, _: Any = None) -> Grant:
        """Make a session without asking the server."""
        number = self._sit_down()
        return Grant(self.taken[number], location=f"/sessions/{number}")

    def _sit_down(self) -> int:
        self._number += 1
        self.taken[self._number] = f"s3cret-{self._number}"
        self.most = max(self.most, len(self.taken))
        return self._number

    def answer(self, request: Request) -> Answer:
        with self._lock:
            if request.path == "/sessions":
                return self._log_in(request)
            if request.method == "DELETE":
                return self._log_out(request)
        if request.path in self.routes:
            return self.routes[request.path](request)
        return Answer(200, body=b"content") if self.knows(request) else Answer(401)

    def knows(self, request: Request) -> bool:
        token = request.headers["X-Auth-Token"]
        self.used.add(token or "")
        return token in self.taken.values()

    def left_by(self, owner: str) -> list[int]:
        """The sessions that a client which is gone knew of and did not give back; they end now."""
        with self._lock:
            self.gone.add(owner)
            mine = [n for n in self.taken if self.owners.get(n) == owner]
            tokens = {number: self.taken.pop(number) for number in mine}
        return [number for number, token in tokens.items() if token in self.used]

    def _log_in(self, request: Request) -> Answer:
        owner = json.loads(request.body or b"{}").get("UserName", "")
        if owner in self.gone:
            return Answer(503)
        if len(self.taken) >= self.seats:
            self.refused += 1
            return Answer(503, body=b"the maximum number of user sessions is reached")
        number = self._sit_down()
        self.owners[number] = owner
        fields = ("X-Auth-Token", self.taken[number]), ("Location", f"/sessions/{number}")
        return Answer(201, fields, b"{}")

    def _log_out(self, request: Request) -> Answer:
        number = int(request.path.rpartition("/")[2])
        self.ended.append(number)
        if self.taken.get(number) != request.headers["X-Auth-Token"]:
            return Answer(401)
        if self.logout_status < 400:
            del self.taken[number]
        return Answer(self.logout_status)
