"""Authlib's authorization server and resource server, as Flask applications have them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from authlib.integrations.flask_oauth2 import AuthorizationServer, ResourceProtector
from authlib.oauth2.rfc6749 import ClientMixin, TokenMixin, grants
from authlib.oauth2.rfc6750 import BearerTokenValidator
from authlib.oauth2.rfc7009 import RevocationEndpoint
from authlib.oauth2.rfc7523 import JWTBearerClientAssertion, JWTBearerGrant
from flask import Flask, jsonify
from joserfc.jwk import KeySet

from relogin.cli.loopback import Loopback
from tests.client.servers.assertions import PUBLIC_JWK

__all__ = ["Authlib", "an_authlib_server"]


ASSERTION: str = JWTBearerClientAssertion.CLIENT_AUTH_METHOD
METHODS = ["client_secret_basic", "client_secret_post", ASSERTION]


class Client(ClientMixin):
    secret, scope = "s3cret", "read write"

    def __init__(self, client_id: str) -> None:
        self.client_id = client_id

    def get_client_id(self) -> str:
        return self.client_id

    def get_default_redirect_uri(self) -> str:
        return ""

    def get_allowed_scope(self, scope: str) -> str:
        return " ".join(each for each in scope.split() if each in self.scope.split())

    def check_client_secret(self, client_secret: str) -> bool:
        return client_secret == self.secret

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        if self.client_id == "signer":
            return method == ASSERTION
        return method in METHODS[:2]

    def check_grant_type(self, grant_type: str) -> bool:
        known = {"client_credentials", "password", "refresh_token", JWTBearerGrant.GRANT_TYPE}
        return grant_type in known


class Token(TokenMixin):
    """What was granted; a token ends by its clock, or when it is revoked."""

    def __init__(self, fields: dict[str, Any], user: Any, client: Client) -> None:
        self.fields, self.user = fields, user
        self.until = time.time() + fields["expires_in"]
        self.revoked = False
        self.client = client

    def check_client(self, client: Client) -> bool:
        return client.client_id == self.client.client_id

    def get_scope(self) -> str:
        return str(self.fields.get("scope", ""))

    def get_expires_in(self) -> int:
        return int(self.fields["expires_in"])

    def get_client(self) -> Client:
        return self.client

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
        self.refused: list[str] = []
        """The assertions that were refused, because they came a second time."""
        self._jtis: set[str] = set()

    def kill(self) -> None:
        """Let every access token expire."""
        for token in self.tokens:
            token.until = 0

    def save(self, fields: dict[str, Any], request: Any) -> None:
        self.granted.append(request.payload.grant_type)
        self.tokens.append(Token(fields, request.user, request.client))

    def find(self, name: str, value: str) -> Token | None:
        return next((token for token in self.tokens if token.fields.get(name) == value), None)

    def application(self) -> Flask:
        app, protect = Flask("authlib"), ResourceProtector()
        app.config["OAUTH2_REFRESH_TOKEN_GENERATOR"] = True
        app.config["OAUTH2_TOKEN_EXPIRES_IN"] = {"client_credentials": 600, "password": 600}
        server = AuthorizationServer(app, query_client=client_of, save_token=self.save)
        server.register_client_auth_method(ASSERTION, self._assertion())
        for grant in (*self._grants(), self._jwt_grant()):
            server.register_grant(grant)
        server.register_endpoint(self._revocation())
        protect.register_token_validator(self._validator())
        app.post("/token")(server.create_token_response)
        app.post("/revoke")(lambda: server.create_endpoint_response("revocation"))

        @app.get("/orders")
        @protect("read")
        def orders() -> Any:
            return jsonify(orders=["tea", "ink"])

        @app.post("/orders")
        @protect("write")
        def order() -> Any:
            return jsonify(ordered=True)

        return app

    def _assertion(self) -> JWTBearerClientAssertion:
        class Assertion(JWTBearerClientAssertion):
            def get_audiences(_) -> list[str]:  # noqa: N805
                return [f"{self.url}/token"]

            def validate_jti(_, claims: dict[str, Any], jti: str) -> bool:  # noqa: N805
                if jti in self._jtis:
                    self.refused.append(jti)
                    return False
                self._jtis.add(jti)
                return True

            def resolve_client_public_key(_, client: Client) -> KeySet:  # noqa: N805
                return KeySet.import_key_set({"keys": [PUBLIC_JWK]})

        return Assertion()

    def _jwt_grant(self) -> type:
        class JWTGrant(JWTBearerGrant):
            def get_audiences(_) -> list[str]:  # noqa: N805
                return [f"{self.url}/token"]

            def resolve_issuer_client(_, issuer: str) -> Client | None:  # noqa: N805
                return client_of(issuer)

            def resolve_client_public_key(_, client: Client) -> KeySet:  # noqa: N805
                return KeySet.import_key_set({"keys": [PUBLIC_JWK]})

            def authenticate_user(_, subject: str) -> Any:  # noqa: N805
                return subject

            def has_granted_permission(_, client: Client, user: Any) -> bool:  # noqa: N805
                return bool(user == "ada")

        return JWTGrant

    def _revocation(self) -> type:
        class Revocation(RevocationEndpoint):
            CLIENT_AUTH_METHODS = METHODS

            def query_token(_, token: str, hint: str) -> Token | None:  # noqa: N805
                return self.find(hint, token)

            def revoke_token(_, token: Token, request: Any) -> None:  # noqa: N805
                token.revoked = True

        return Revocation

    def _validator(self) -> BearerTokenValidator:
        class Validator(BearerTokenValidator):
            def authenticate_token(_, token_string: str) -> Token | None:  # noqa: N805
                return self.find("access_token", token_string)

        return Validator(realm="orders")

    def _grants(self) -> Iterator[type]:
        class Client(grants.ClientCredentialsGrant):
            TOKEN_ENDPOINT_AUTH_METHODS = METHODS

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

        yield from (Client, Password, Refresh)


def client_of(name: str) -> Client | None:
    return Client(name) if name in {"job", "signer"} else None


@contextmanager
def an_authlib_server() -> Iterator[Authlib]:
    """Serve it, its tokens and its API at one origin."""
    running = Authlib()
    with Loopback(running.application()) as server:
        running.url = server.url
        yield running
