"""The authorization servers of the recipes, and the API that believes their tokens."""

from __future__ import annotations

import os
import secrets
import shlex
import sys
from base64 import urlsafe_b64encode
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.docs.recipe_site import Asked, Said, Site

__all__ = ["OAuth2", "SignIn"]


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
        self.proven: list[str] = []
        """Which requests came with a proof, and its nonce."""
        self._used: set[str] = set()
        self._key = ec.generate_private_key(ec.SECP256R1())

    def prepare(self) -> None:
        super().prepare()
        os.environ["ORDERS_REFRESH_TOKEN"] = "the-first-refresh-token"
        os.environ["USER_TOKEN"] = "the-token-of-a-user"
        form, plain = PrivateFormat.PKCS8, NoEncryption()
        os.environ["ORDERS_KEY"] = self._key.private_bytes(Encoding.PEM, form, plain).decode()

    def answer(self, asked: Asked) -> Said:
        if asked.header("DPoP"):
            return self._proven(asked)
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

    def _proven(self, asked: Asked) -> Said:
        """Ask once for a nonce; the token is bound to the key of the proof."""
        proof = asked.header("DPoP")
        key = jwt.PyJWK(jwt.get_unverified_header(proof)["jwk"])
        claims = jwt.decode(proof, key, ["ES256"])
        url = f"http://{asked.header('Host')}{asked.line.partition(' ')[2]}"
        assert f"{claims['htm']} {claims['htu']}" == f"{asked.line.partition(' ')[0]} {url}"
        self.proven.append(f"{asked.line} {claims.get('nonce')}")
        nonce = {"DPoP-Nonce": "n0nce"}
        if asked.line == "POST /token":
            return self._grant(asked.form, "DPoP")
        if claims.get("nonce") is None:
            challenge = {"WWW-Authenticate": 'DPoP error="use_dpop_nonce", algs="ES256"'}
            return Said({}, 401, challenge | nonce)
        is_living = asked.header("Authorization").removeprefix("DPoP ") in self.living
        return Said({"orders": ["tea", "ink"]}) if is_living and "ath" in claims else Said({}, 403)

    def _verify(self, token: str, audience: str) -> None:
        claims = jwt.decode(token, self._key.public_key(), ["ES256"], audience=audience)
        self.signed.append(claims["iss"])

    def _grant(self, form: dict[str, str], token_type: str = "Bearer") -> Said:
        document: dict[str, Any] = {"token_type": token_type, "expires_in": 3600}
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


class SignIn(OAuth2):
    """An authorization server at which a person signs in: in any browser, or in that one."""

    def __init__(self) -> None:
        super().__init__()
        self.refresh = set()
        self.asked: list[str] = []
        """The grants that were asked for."""
        self._challenge = ""
        self._pending = 1

    def prepare(self) -> None:
        # It comes back as a browser does, and says nothing.
        code = "import sys, urllib.request as web; web.urlopen(sys.argv[1]).read()"
        command = f'{shlex.join([sys.executable, "-c", code])} "$0" &'
        os.environ["BROWSER"] = shlex.join(["sh", "-c", command, "%s"])

    def answer(self, asked: Asked) -> Said:
        if asked.line == "POST /device":
            device = {"device_code": "d3v1ce", "user_code": "WDJB-MJHT", "interval": 0}
            return Said(device | {"verification_uri": f"http://{asked.header('Host')}/activate"})
        if asked.line == "GET /authorize":
            self._challenge = asked.query["code_challenge"]
            back = urlencode({"code": "c0de", "state": asked.query["state"]})
            return Said({}, 302, {"Location": f"{asked.query['redirect_uri']}?{back}"})
        return super().answer(asked)

    def _grant(self, form: dict[str, str], token_type: str = "Bearer") -> Said:
        kind = form["grant_type"].rpartition(":")[2]
        if kind == "device_code" and self._pending:
            self._pending -= 1
            return Said({"error": "authorization_pending"}, 400)
        self.asked.append(kind)
        if kind == "authorization_code":
            digest = sha256(form["code_verifier"].encode()).digest()
            if urlsafe_b64encode(digest).rstrip(b"=").decode() != self._challenge:
                return Said({"error": "invalid_grant"}, 400)
        if kind != "refresh_token":
            token = secrets.token_hex(8)
            self.refresh, form = {token}, {"grant_type": "refresh_token", "refresh_token": token}
        return super()._grant(form, token_type)
