"""The servers of the recipes in docs/how-to/: each answers as the real ones do, as far as it goes.

A test ends their sessions with `kill` and counts `logins` and `logouts`.
"""

from __future__ import annotations

import json
import os
import secrets
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import parse_qsl

import jwt
import keyring
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from relogin.cli.loopback import Loopback

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

__all__ = ["ALIKE", "SITES", "Site", "serving_recipe"]

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
        """Let whoever looks after the secrets change them, if anybody does."""
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
        if asked.header("PRIVATE-TOKEN") in self.living:
            return Said([{"path": "orders"}])
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


class OAuth2(Site):
    """A token endpoint that rotates refresh tokens, and the API that believes its tokens."""

    hosts = ("https://auth.example.com", "https://api.example.com")
    variables = ("ORDERS_SECRET",)
    lines = ("GET /orders", "POST /orders")

    def __init__(self) -> None:
        super().__init__()
        self.refresh = {"the-first-refresh-token"}
        self.used_twice = 0
        self.signed: list[str] = []
        """Who has signed the JWTs that came."""
        self._used: set[str] = set()
        self._key = ec.generate_private_key(ec.SECP256R1())

    def prepare(self) -> None:
        super().prepare()
        os.environ["ORDERS_REFRESH_TOKEN"] = "the-first-refresh-token"
        os.environ["USER_TOKEN"] = "the-token-of-a-user"
        form, plain = PrivateFormat.PKCS8, NoEncryption()
        os.environ["ORDERS_KEY"] = self._key.private_bytes(Encoding.PEM, form, plain).decode()

    def answer(self, asked: Asked) -> Said:
        if asked.line == "POST /token":
            for name in {"client_assertion", "assertion"} & asked.form.keys():
                self._verify(asked.form[name], f"http://{asked.header('Host')}/token")
            return self._grant(asked.form)
        if asked.line == "POST /revoke":
            self.logouts += 1
            self.living.discard(asked.form["token"])
            return Said()
        if asked.header("Authorization").removeprefix("Bearer ") in self.living:
            return Said({"orders": ["tea", "ink"]})
        challenge = 'Bearer realm="api", error="invalid_token"'
        return Said({}, 401, {"WWW-Authenticate": challenge})

    def _verify(self, token: str, audience: str) -> None:
        claims = jwt.decode(token, self._key.public_key(), ["ES256"], audience=audience)
        self.signed.append(claims["iss"])

    def _grant(self, form: dict[str, str]) -> Said:
        document: dict[str, Any] = {"token_type": "Bearer", "expires_in": 3600}
        if form["grant_type"] == "refresh_token":
            given = form["refresh_token"]
            self.used_twice += given in self._used
            if given not in self.refresh:
                return Said({"error": "invalid_grant"}, 400)
            self.refresh = {secrets.token_hex(8)}
            self._used.add(given)
            document["refresh_token"] = next(iter(self.refresh))
        document["access_token"] = self.begin(self.password)
        return Said(document)


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
