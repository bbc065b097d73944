"""What the servers of the recipes share: requests, answers, and sessions that a test can end."""

from __future__ import annotations

import json
import os
import secrets
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import parse_qsl

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

__all__ = ["PASSWORD", "Asked", "Said", "Site"]

PASSWORD = "correct horse battery staple"


@dataclass(frozen=True)
class Asked:
    """A request as it arrived."""

    environ: Mapping[str, Any]
    body: bytes

    @property
    def line(self) -> str:
        return f"{self.environ['REQUEST_METHOD']} {self.environ['PATH_INFO']}"

    def header(self, name: str) -> str:
        return str(self.environ.get("HTTP_" + name.upper().replace("-", "_"), ""))

    @property
    def cookies(self) -> dict[str, str]:
        return dict(parse_qsl(self.header("Cookie").replace("; ", "&")))

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(self.environ.get("QUERY_STRING", "")))

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode()))

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Said:
    """An answer: JSON, and header fields."""

    document: object = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


class Site(ABC):
    """A server with sessions. `hosts` are the origins that the page calls it by."""

    hosts: ClassVar[tuple[str, ...]]
    lines: ClassVar[tuple[str, ...]]
    """Requests that need a session, and get an answer with one."""
    variables: ClassVar[tuple[str, ...]] = ()
    """Where in the environment the page looks for the password."""

    def __init__(self) -> None:
        self.living: set[str] = set()
        self.logins = 0
        self.logouts = 0
        self.password = PASSWORD

    def kill(self) -> None:
        """End every session."""
        self.living.clear()

    def prepare(self) -> None:
        """Put down what the page reads in the environment, and in the current folder."""
        os.environ.update(dict.fromkeys(self.variables, self.password))

    def change(self) -> None:
        """Change the secrets, as their owner does from time to time."""
        self.prepare()

    def begin(self, password: object) -> str | None:
        """Begin a session for the right password."""
        self.logins += 1
        if password != self.password:
            return None
        token = secrets.token_hex(8)
        self.living.add(token)
        return token

    @abstractmethod
    def answer(self, asked: Asked) -> Said:
        """Answer a request."""

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        said = self.answer(Asked(environ, body))
        fields = [("Content-Type", "application/json"), *said.headers.items()]
        start_response(f"{said.status} {HTTPStatus(said.status).phrase}", fields)
        return [json.dumps(said.document).encode()]
