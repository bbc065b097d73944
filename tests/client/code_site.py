"""A site that asks for one-time codes, and an app that shows them."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl

from relogin.client.logins import FormLogin, OneTime
from tests.client.server import Answer, Request, Server

__all__ = ["HTML", "JSON", "Site", "codes"]

HTML = (("Content-Type", "text/html"),)
JSON = (("Content-Type", "application/json"),)


class Site:
    """Asks for the password, then a code, or for both at once as JSON; accepts no code twice."""

    def __init__(self, server: Server) -> None:
        self.server, self.url = server, server.url
        self.codes: list[str] = []
        self.used = {"000"}
        server.routes |= {"/in": self.first, "/code": self.second, "/json": self.both}
        server.routes |= {"/both": self.form, "/basic": self.basic}
        server.routes["/orders"] = self.orders

    def login(self, code: Any, password: str = "pa55", **more: Any) -> FormLogin:
        return FormLogin(f"{self.url}/in", [{"password": password}, {"code": code, **more}])

    def first(self, request: Request) -> Answer:
        if dict(parse_qsl(request.body.decode())).get("password") == "pa55":
            return Answer(303, (("Location", "/code"),))
        return Answer(200, HTML, b"<form method=post><input type=password name=password></form>")

    def second(self, request: Request) -> Answer:
        if request.method == "POST" and self.takes(dict(parse_qsl(request.body.decode()))["code"]):
            return Answer(200, (*HTML, ("Set-Cookie", "sid=1; Path=/")), b"hello")
        page = b"<form method=post action=/code><input name=code><input type=checkbox name=trust>"
        return Answer(200, HTML, page)

    def both(self, request: Request) -> Answer:
        fields = json.loads(request.body)
        return self.answered(fields["password"], fields["code"])

    def basic(self, request: Request) -> Answer:
        account = base64.b64decode(request.headers["Authorization"].removeprefix("Basic "))
        return self.answered(account.decode().partition(":")[2], request.headers["X-OTP"])

    def answered(self, password: str, code: str) -> Answer:
        granted = self.takes(code) and password == "pa55"
        return Answer(200 if granted else 401, JSON, b'{"access_token": "t0ken"}')

    def form(self, request: Request) -> Answer:
        fields = dict(parse_qsl(request.body.decode()))
        if fields and self.answered(fields["password"], fields["code"]).status == 200:
            return Answer(200, (*HTML, ("Set-Cookie", "sid=1; Path=/")), b"hello")
        return Answer(200, HTML, b"<form method=post><input name=password><input name=code>")

    def takes(self, code: str) -> bool:
        self.codes.append(code)
        is_new = code not in self.used
        self.used.add(code)
        return is_new

    def orders(self, request: Request) -> Answer:
        return Answer(200 if "sid" in request.cookies else 401)


def codes(*given: str) -> OneTime:
    """Return codes as an app shows them, each several times."""
    shown: Iterator[str] = iter([code for code in given for _ in range(3)])
    return OneTime(lambda: next(shown))
