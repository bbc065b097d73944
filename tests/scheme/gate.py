"""A gate around a WSGI application, asked one request at a time; it may not read the body."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment
from wsgiref.util import setup_testing_defaults

import relogin
from relogin.server.gate import StepUp
from relogin.server.wsgi import SessionGate


class Unread:
    """A body that nobody may read."""

    def read(self, *_: object) -> bytes:
        raise AssertionError("the body was read")


@dataclass
class Answer:
    status: int
    headers: list[tuple[str, str]]
    body: bytes
    reached: bool

    def lines(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def field(self, name: str) -> str:
        return ", ".join(self.lines(name))

    @property
    def challenges(self) -> list[relogin.Challenge]:
        return relogin.parse(self.lines("WWW-Authenticate"))

    @property
    def error(self) -> str | None:
        (challenge,) = self.challenges
        return challenge.get("error")


SESSIONS: dict[str, Any] = {
    "alive": relogin.Admitted("Ada", expires_in=540, auth_age=4000),
    "bmV3IHRva2Vu": relogin.Admitted("Ada", expires_in=540),
    "b2xkIHRva2Vu": relogin.Refused("session_expired"),
    "timed-out": relogin.Refused("session_expired", "Idle for 15 minutes"),
    "ended": relogin.Refused("session_revoked"),
    "trouble": OSError("no route to the store, which holds secret-text"),
}


def verify(token: str) -> Any:
    known = SESSIONS.get(token)
    if isinstance(known, Exception):
        raise known
    return known


def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    environ["test.reached"] = True
    if environ["PATH_INFO"] == "/csrf":
        raise relogin.Refused("csrf_invalid")
    if environ["PATH_INFO"] == "/orders/7":
        start_response("200 OK", [("Content-Type", "application/json")])
        return [b'{"order": 7}']
    headers = [("Content-Length", "2"), ("Cache-Control", "max-age=60")]
    if environ["PATH_INFO"] == "/public/wipes":
        headers.append(("Set-Cookie", "sid=; Max-Age=0"))
    start_response("200 OK", headers)
    return [b"ok"]


def ask(path: str = "/", method: str = "GET", words: Any = None, **fields: str) -> Answer:
    given = {
        "verify": verify,
        "realm": "orders",
        "public": ["/public/*"],
        "step_up": {"/pay": StepUp(300)},
        "cookie": "sid",
        **(words or {}),
    }
    gate = SessionGate(application, **given)
    environ: WSGIEnvironment = {"REQUEST_METHOD": method, "PATH_INFO": path}
    setup_testing_defaults(environ)
    environ |= {"wsgi.input": Unread()} | {f"HTTP_{k.upper()}": v for k, v in fields.items()}
    answer = Answer(0, [], b"", reached=False)

    def start_response(status: str, headers: list[tuple[str, str]], *_: object) -> Any:
        answer.status, answer.headers = int(status[:3]), headers

    answer.body = b"".join(gate(environ, start_response))
    answer.reached = "test.reached" in environ
    return answer
