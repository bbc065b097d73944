"""The table of "Your framework's login": each cell is code that makes a login or sets an option."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from relogin.client import carry, logins, signals
from relogin.client.requests import SessionAuth

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "login-frameworks.md"
_is_login = re.compile(r"\w+Login\(")
_is_option = re.compile(r"\w+=")
NAMES: dict[str, Any] = {
    **{name: getattr(logins, name) for name in logins.__all__},
    **{name: getattr(carry, name) for name in ("Authorization", "Header")},
    **{name: getattr(signals, name) for name in ("redirect_to", "status")},
    **dict.fromkeys(("client_id", "secret"), "x"),
    **dict.fromkeys(("csrf_token", "function"), lambda *_: "x"),
    "url": "https://www.example.com",
    "csrf": {"X-CSRFToken": logins.from_cookie("csrftoken")},
}
# What a row adds to the login of the row above.
OF_THE_LOGIN = ("token=", "headers=")
ROWS = [row for row in PAGE.read_text("utf-8").splitlines() if row.startswith("| ") and "`" in row]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.split("|")[1].strip())
def test_the_cells_of_a_framework_make_a_login_and_its_auth(row: str) -> None:
    codes = [code.replace("…", '"x"') for code in re.findall("`([^`]+)`", row)]
    made = [eval(code, dict(NAMES)) for code in codes if _is_login.match(code)]
    given = [code for code in codes if _is_option.match(code)]
    given = [code for code in given if not code.startswith(OF_THE_LOGIN)]
    options: dict[str, Any] = eval(f"dict({', '.join(given)})", dict(NAMES))
    for login in made or [NAMES["JSONLogin"](NAMES["url"], {"user": "x"})]:
        SessionAuth(login, NAMES["url"], **options)
