"""An application that hands its logins to an identity provider on another origin."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

from relogin.client.logins import FormLogin
from tests.client.server import Answer, Request, Server

__all__ = ["FORM", "HTML", "MESSAGE", "Provider"]

HTML = (("Content-Type", "text/html; charset=utf-8"),)
FORM = '<form method=post action="{}"><input name=username><input type=password name=password>'
MESSAGE = """
<body onload="document.forms[0].submit()"><form method=post action="{}">
<input type=hidden name=SAMLResponse value="{}"><input type=hidden name=RelayState value=r1>
<noscript><input type=submit value=Continue></noscript></form>
"""


class Provider:
    """An application, and a provider under another name, as Keycloak is or an IdP of SAML."""

    def __init__(self, server: Server) -> None:
        self.server, self.app, self.idp = server, server.url, server.other_host
        self.living, self.binding, self.number = "", "code", 0
        self.landed: list[str] = []
        self.remembers: set[str] = set()
        server.answers = self.answer

    def login(self, password: Any = "pa55", user: Any = "ada", **options: Any) -> FormLogin:
        fields = {"username": user, "password": password}
        return FormLogin(f"{self.app}/login", fields, **{"via": [self.idp]} | options)

    def answer(self, request: Request) -> Answer:
        at_idp = request.headers["Host"].startswith("localhost")
        return self.provide(request) if at_idp else self.apply(request)

    def apply(self, request: Request) -> Answer:
        if request.path == "/login":
            if "app" in self.remembers and request.cookies.get("app") == self.living:
                return Answer(302, (("Location", "/"),))
            begun = ("Set-Cookie", "state=s1; Path=/")
            return Answer(302, (("Location", f"{self.idp}/auth?state=s1"), begun))
        if request.path.startswith("/callback") or request.path == "/acs":
            assert request.cookies["state"] == "s1"
            assert "password" not in request.body.decode()
            self.landed.append(request.path)
            self.number += 1
            self.living = f"app-{self.number}"
            begun = ("Set-Cookie", f"app={self.living}; Path=/")
            return Answer(303, (("Location", "/"), begun))
        if request.cookies.get("app") != self.living:
            return Answer(401)
        assert "idp" not in request.cookies
        return Answer(200, HTML, b"orders")

    def provide(self, request: Request) -> Answer:
        if request.method == "GET":
            if "idp" in self.remembers and request.cookies.get("idp") == "1":
                return self.hand_back()
            page = FORM.format(f"{self.idp}/authenticate?execution=e1&amp;tab_id=t")
            return Answer(200, (*HTML, ("Set-Cookie", "idp=1; Path=/")), page.encode())
        assert request.cookies["idp"] == "1"
        assert request.headers["Origin"] == self.idp
        if dict(parse_qsl(request.body.decode()))["password"] != "pa55":
            return Answer(200, HTML, FORM.format("/authenticate").encode())
        return self.hand_back()

    def hand_back(self) -> Answer:
        if self.binding == "saml":
            return Answer(200, HTML, MESSAGE.format(f"{self.app}/acs", "PHNhbWw+").encode())
        if self.binding == "landing":
            return Answer(302, (("Location", "https://www.example.com/"),))
        status = 307 if self.binding == "307" else 302
        return Answer(status, (("Location", f"{self.app}/callback?code=c1&state=s1"),))
