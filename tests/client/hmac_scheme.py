"""A scheme of one's own: HMAC over method, target and the digest of the content."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping

from relogin import Challenge, Credentials, Grant
from relogin.client.responders import Outgoing, Responder, Signer
from tests.client.server import Answer, Request

__all__ = ["HMAC", "KEY", "HMACSigner", "HMACSite"]

KEY = "k3y"


def signature(key: str, method: str, target: str, content_hash: str) -> str:
    text = f"{method} {target} {content_hash}"
    return hmac.new(key.encode(), text.encode(), "sha256").hexdigest()


class HMACSigner(Signer):
    """Signs with the key that the login returned."""

    def __init__(self, key: str) -> None:
        self._key = key

    def sign(self, request: Outgoing) -> Mapping[str, str] | None:
        content = request.content()
        if content is None:
            return None
        digest = hashlib.sha256()
        for piece in content:
            digest.update(piece)
        proof = signature(self._key, request.method, request.target, digest.hexdigest())
        return {"Authorization": str(Credentials("HMAC", {"signature": proof}))}


def _signer(grant: Grant, _: Challenge | None) -> Signer:
    return HMACSigner(grant.token or "")


HMAC = Responder("HMAC", signer=_signer)


class HMACSite:
    """Admits what is signed with its living key, and says `error="expired"` to all else."""

    def __init__(self) -> None:
        self.key = KEY
        self.refused = 0

    def __call__(self, request: Request) -> Answer:
        if request.path.startswith("/to/"):
            return Answer(302, (("Location", request.path.removeprefix("/to")),))
        content_hash = hashlib.sha256(request.body).hexdigest()
        expected = signature(self.key, request.method, request.path, content_hash)
        if request.headers.get("Authorization") == f'HMAC signature="{expected}"':
            return Answer(200, body=request.body or b"content")
        self.refused += 1
        return Answer(401, (("WWW-Authenticate", 'HMAC realm="orders", error="expired"'),))
