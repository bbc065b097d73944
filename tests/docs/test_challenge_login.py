"""The login in docs/how-to/login-api.md that hashes the password with a FRITZ!Box challenge."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
import requests

from relogin import LoginRefused
from tests.client.server import Answer, Request, Server, serve
from tests.docs.pages import fences

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "login-api.md"
# The example of AVM's technical note on the session ID.
CHALLENGE = "2$10000$5A1711$2000$5A1722"
PASSWORD = "1example!"
RESPONSE = "5A1722$1798a1672bca7c6463d6b245f82b53703b0f50813401b03e4045a5861e689adb"


class Box:
    """A FRITZ!Box, as far as its login goes."""

    def __init__(self, server: Server) -> None:
        self.living, self.logins = "none", 0
        server.answers = self.answer

    def answer(self, request: Request) -> Answer:
        if request.path.startswith("/login_sid.lua?version=2"):
            return self.session(request)
        alive = parse_qs(request.path.partition("?")[2]).get("sid") == [self.living]
        return Answer(200 if alive else 403)

    def session(self, request: Request) -> Answer:
        sid = "0" * 16
        if request.method == "POST":
            self.logins += 1
            if parse_qs(request.body.decode())["response"] == [RESPONSE]:
                sid = self.living = f"{self.logins:016x}"
        text = f"<SessionInfo><SID>{sid}</SID><Challenge>{CHALLENGE}</Challenge></SessionInfo>"
        return Answer(200, (("Content-Type", "text/xml"),), text.encode())


def auth_of_the_page(server: Server, password: str) -> Any:
    """Run the example with another address and password."""
    [code] = [fence.text for fence in fences(PAGE.read_text()) if "pbkdf2" in fence.text]
    code = code.replace("https://fritz.box", server.url).replace("…", password)
    begin = "from relogin.client.logins import JSONLogin\n"
    names: dict[str, Any] = {}
    exec(f"{begin}from relogin.client.requests import SessionAuth\n{code}", names)
    return names["auth"]


def test_the_login_of_a_fritz_box_brings_a_session_after_each_end() -> None:
    with serve() as server, requests.Session() as session:
        box = Box(server)
        session.auth = auth_of_the_page(server, PASSWORD)
        for _ in range(2):
            assert session.get(f"{server.url}/webservices/homeautoswitch.lua").status_code == 200
            box.living = "none"
        assert box.logins == 2


def test_the_login_of_a_fritz_box_sends_a_wrong_password_once() -> None:
    with serve() as server, requests.Session() as session:
        box = Box(server)
        session.auth = auth_of_the_page(server, "wr0ng")
        for _ in range(2):
            with pytest.raises(LoginRefused):
                session.get(f"{server.url}/webservices/homeautoswitch.lua")
        assert box.logins == 1
