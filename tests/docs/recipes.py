"""The servers of the recipes in docs/how-to/: each answers like the real program.

A test ends their sessions with `kill` and counts `logins` and `logouts`.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import keyring

from relogin.cli.loopback import Loopback
from tests.docs.recipe_oauth2 import OAuth2, SignIn
from tests.docs.recipe_site import Asked, Said, Site

__all__ = ["ALIKE", "SITES", "serving_recipe"]


class OpenStack(Site):
    """Keystone and Nova: the token comes in X-Subject-Token and goes in X-Auth-Token."""

    hosts = ("https://keystone.example.com", "https://nova.example.com")
    variables = ("OS_PASSWORD",)
    lines = ("GET /v2.1/servers",)

    def answer(self, asked: Asked) -> Said:
        if asked.line == "POST /v3/auth/tokens":
            given = asked.json()["auth"]["identity"]["password"]["user"]["password"]
            token = self.begin(given)
            if token is None:
                return Said({"error": {"code": 401}}, 401)
            end = datetime.now(UTC) + timedelta(hours=1)
            expires_at = end.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
            return Said({"token": {"expires_at": expires_at}}, 201, {"X-Subject-Token": token})
        if asked.header("X-Auth-Token") in self.living:
            return Said({"servers": [{"name": "orders-1"}]})
        challenge = "Keystone uri='https://keystone.example.com'"
        return Said({"error": {"code": 401}}, 401, {"WWW-Authenticate": challenge})


class Redfish(Site):
    """A management controller with four seats, which a session leaves by DELETE."""

    hosts = ("https://bmc.example.com",)
    variables = ("BMC_PASSWORD",)
    lines = ("GET /redfish/v1/Systems",)
    sessions = "/redfish/v1/SessionService/Sessions"
    seats = 4

    def answer(self, asked: Asked) -> Said:
        token = asked.header("X-Auth-Token")
        if asked.line == f"POST {self.sessions}":
            return self._log_in(asked.json())
        if token not in self.living:
            return Said({"error": {"code": "Base.1.0.NoValidSession"}}, 401)
        if asked.line == f"DELETE {self.sessions}/{token[:4]}":
            self.living.discard(token)
            self.logouts += 1
            return Said(status=204)
        return Said({"Members": [{"@odata.id": "/redfish/v1/Systems/1"}]})

    def _log_in(self, account: Any) -> Said:
        if len(self.living) >= self.seats:
            return Said({"error": {"code": "Base.1.0.SessionLimitExceeded"}}, 503)
        token = self.begin(account["Password"])
        if token is None:
            return Said({"error": {"code": "Base.1.0.ResourceAtUriUnauthorized"}}, 401)
        return Said(
            {"Id": token[:4]},
            201,
            {"X-Auth-Token": token, "Location": f"{self.sessions}/{token[:4]}"},
        )


class UniFi(Site):
    """A controller whose cookie goes with a CSRF token that each answer may replace."""

    hosts = ("https://unifi.example.com",)
    variables = ("UNIFI_PASSWORD",)
    lines = ("GET /proxy/network/sites", "POST /proxy/network/sites")

    def __init__(self) -> None:
        super().__init__()
        self.csrf = ""

    def answer(self, asked: Asked) -> Said:
        if asked.line == "POST /api/auth/login":
            token = self.begin(asked.json()["password"])
            if token is None:
                return Said({"code": "AUTHENTICATION_FAILED_INVALID_CREDENTIALS"}, 403)
            cookie = f"TOKEN={token}; Path=/; HttpOnly"
            return Said({}, 200, {"Set-Cookie": cookie, "X-CSRF-Token": self._roll()})
        if asked.cookies.get("TOKEN") not in self.living:
            return Said({"error": {"code": 401, "message": "Unauthorized"}}, 401)
        if asked.line.startswith("POST") and asked.header("X-CSRF-Token") != self.csrf:
            return Said({"error": {"code": 403, "message": "Invalid CSRF Token"}}, 403)
        return Said({"sites": ["default"]}, 200, {"X-Updated-CSRF-Token": self._roll()})

    def _roll(self) -> str:
        self.csrf = secrets.token_hex(8)
        return self.csrf


class DRF(Site):
    """Django REST framework with TokenAuthentication."""

    hosts = ("https://drf.example.com",)
    variables = ("DRF_PASSWORD",)
    lines = ("GET /orders/", "POST /orders/")

    def answer(self, asked: Asked) -> Said:
        if asked.line == "POST /api-token-auth/":
            token = self.begin(asked.json()["password"])
            if token is None:
                return Said({"non_field_errors": ["Unable to log in."]}, 400)
            return Said({"token": token})
        scheme, _, token = asked.header("Authorization").partition(" ")
        if scheme == "Token" and token in self.living:
            return Said({"orders": ["tea", "ink"]})
        return Said({"detail": "Invalid token."}, 401, {"WWW-Authenticate": "Token"})


class GitLab(Site):
    """A personal access token, which somebody replaces from time to time."""

    hosts = ("https://gitlab.example.com",)
    lines = ("GET /api/v4/projects",)

    def prepare(self) -> None:
        self.change()

    def change(self) -> None:
        """Rotate the token, and write the new one down."""
        self.logins += 1
        self.living = {f"glpat-{self.logins}"}
        Path("gitlab-token").write_text(f"glpat-{self.logins}\n", encoding="utf-8")

    def answer(self, asked: Asked) -> Said:
        token = asked.header("PRIVATE-TOKEN")
        if token in self.living:
            return Said([{"path": "orders"}])
        if not token:
            return Said([])  # the public projects
        return Said({"message": "401 Unauthorized"}, 401)


class Synology(Site):
    """A NAS: everything is a 200, and the session travels in the query."""

    hosts = ("https://nas.example.com",)
    variables = ("NAS_PASSWORD",)
    lines = ("GET /webapi/entry.cgi",)

    def answer(self, asked: Asked) -> Said:
        if asked.line == "POST /webapi/entry.cgi":
            token = self.begin(asked.form.get("passwd"))
            if token is None:
                return Said({"error": {"code": 400}, "success": False})
            return Said({"data": {"sid": token}, "success": True})
        if asked.query.get("_sid") in self.living:
            return Said({"data": {"shares": ["orders"]}, "success": True})
        return Said({"error": {"code": 119}, "success": False})


class Secrets(Site):
    """A login that wants the password of the day."""

    hosts = ("https://api.example.com",)
    lines = ("GET /orders",)

    def prepare(self) -> None:
        Path("secrets").mkdir()
        self._put_down()

    def change(self) -> None:
        """Change the password, wherever it is."""
        self.password = "tr0ub4dor&3"
        self._put_down()

    def _put_down(self) -> None:
        os.environ["ORDERS_PASSWORD"] = self.password
        keyring.set_password("orders", "ada", self.password)
        Path("secrets/orders-password").write_text(f"{self.password}\n", encoding="utf-8")

    def answer(self, asked: Asked) -> Said:
        if asked.line == "POST /login":
            token = self.begin(asked.json()["password"])
            return Said({}, 403) if token is None else Said({"access_token": token})
        if asked.header("Authorization").removeprefix("Bearer ") in self.living:
            return Said({"orders": ["tea", "ink"]})
        return Said({}, 401, {"WWW-Authenticate": "Bearer"})


SITES: Mapping[str, type[Site]] = {
    "openstack": OpenStack,
    "redfish": Redfish,
    "csrf": UniFi,
    "drf-token": DRF,
    "gitlab": GitLab,
    "synology": Synology,
    "oauth2": OAuth2,
    "command-line": SignIn,
    "secrets": Secrets,
}

ALIKE = {"migrate-requests-oauthlib": "oauth2"}
"""Pages that ask the server of another one."""


@contextmanager
def serving_recipe(page: str) -> Iterator[tuple[Site, dict[str, str]]]:
    """Serve what a page asks; yields the site, and where each origin of the page is really."""
    site = SITES[ALIKE.get(page, page)]()
    with ExitStack() as opened:
        yield site, {host: opened.enter_context(Loopback(site)).url for host in site.hosts}
