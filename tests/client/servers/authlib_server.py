"""Authlib's authorization server and resource server, as Flask applications have them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from authlib.integrations.flask_oauth2 import AuthorizationServer, ResourceProtector
from authlib.oauth2.rfc6749 import ClientMixin, TokenMixin, grants
from authlib.oauth2.rfc6750 import BearerTokenValidator
from flask import Flask, jsonify

from relogin.cli.loopback import Loopback

__all__ = ["Authlib", "an_authlib_server"]


class Client(ClientMixin):
    client_id, secret, scope = "job", "s3cret", "read write"

    def get_client_id(self) -> str:
        return self.client_id

    def get_default_redirect_uri(self) -> str:
        return ""

    def get_allowed_scope(self, scope: str) -> str:
        return " ".join(each for each in scope.split() if each in self.scope.split())

    def check_client_secret(self, client_secret: str) -> bool:
        return client_secret == self.secret

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return method in {"client_secret_basic", "client_secret_post"}

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type in {"client_credentials", "password", "refresh_token"}


class Token(TokenMixin):
    """What was granted; a token ends by its clock, or when it is revoked."""

    def __init__(self, fields: dict[str, Any], user: Any) -> None:
        self.fields, self.user = fields, user
        self.until = time.time() + fields["expires_in"]
        self.revoked = False

    def check_client(self, client: Client) -> bool:
        return True

    def get_scope(self) -> str:
        return str(self.fields.get("scope", ""))

    def get_expires_in(self) -> int:
        return int(self.fields["expires_in"])

    def get_client(self) -> Client:
        return Client()

    def get_user(self) -> Any:
        return self.user

    def is_expired(self) -> bool:
        return bool(time.time() > self.until)

    def is_revoked(self) -> bool:
        return self.revoked


class Authlib:
    """The server's state: `granted` are the grant types in the order of the tokens they brought."""

    def __init__(self) -> None:
        self.url = ""
        self.tokens: list[Token] = []
        self.granted: list[str] = []

    def kill(self) -> None:
        """Let every access token expire."""
        for token in self.tokens:
            token.until = 0

    def save(self, fields: dict[str, Any], request: Any) -> None:
        self.granted.append(request.payload.grant_type)
        self.tokens.append(Token(fields, request.user))

    def find(self, name: str, value: str) -> Token | None:
        return next((token for token in self.tokens if token.fields.get(name) == value), None)

    def application(self) -> Flask:
        app, protect = Flask("authlib"), ResourceProtector()
        app.config["OAUTH2_REFRESH_TOKEN_GENERATOR"] = True
        app.config["OAUTH2_TOKEN_EXPIRES_IN"] = {"client_credentials": 600, "password": 600}
        server = AuthorizationServer(
            app, query_client=lambda name: Client() if name == "job" else None, save_token=self.save
        )
        for grant in self._grants():
            server.register_grant(grant)
        protect.register_token_validator(self._validator())
        app.post("/token")(server.create_token_response)

        @app.get("/orders")
        @protect("read")
        def orders() -> Any:
            return jsonify(orders=["tea", "ink"])

        @app.post("/orders")
        @protect("write")
        def order() -> Any:
            return jsonify(ordered=True)

        return app

    def _validator(self) -> BearerTokenValidator:
        class Validator(BearerTokenValidator):
            def authenticate_token(_, token_string: str) -> Token | None:  # noqa: N805
                return self.find("access_token", token_string)

        return Validator(realm="orders")

    def _grants(self) -> Iterator[type]:
        class Password(grants.ResourceOwnerPasswordCredentialsGrant):
            def authenticate_user(_, username: str, password: str) -> Any:  # noqa: N805
                return "ada" if (username, password) == ("ada", "pa55") else None

        class Refresh(grants.RefreshTokenGrant):
            INCLUDE_NEW_REFRESH_TOKEN = True

            def authenticate_refresh_token(_, refresh_token: str) -> Token | None:  # noqa: N805
                token = self.find("refresh_token", refresh_token)
                return None if token is None or token.revoked else token

            def authenticate_user(_, refresh_token: Token) -> Any:  # noqa: N805
                return refresh_token.user

            def revoke_old_credential(_, refresh_token: Token) -> None:  # noqa: N805
                refresh_token.revoked = True

        yield from (grants.ClientCredentialsGrant, Password, Refresh)


@contextmanager
def an_authlib_server() -> Iterator[Authlib]:
    """Serve it, its tokens and its API at one origin."""
    running = Authlib()
    with Loopback(running.application()) as server:
        running.url = server.url
        yield running
