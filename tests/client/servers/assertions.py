"""A client with a key of its own: it signs who it is, and proofs for its tokens."""

from __future__ import annotations

import base64
import hashlib
import json
import time
import uuid
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec

__all__ = ["PUBLIC_JWK", "assertion", "proof"]

_KEY = ec.generate_private_key(ec.SECP256R1())
PUBLIC_JWK: dict[str, Any] = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(_KEY.public_key()))


def assertion(audience: str, issuer: str = "signer", **claims: Any) -> str:
    """Sign a JWT that says who the client is (RFC 7523 §3), good for one minute."""
    now = int(time.time())
    known = {"iss": issuer, "sub": issuer, "aud": audience, "iat": now, "exp": now + 60}
    return jwt.encode(known | {"jti": uuid.uuid4().hex} | claims, _KEY, algorithm="ES256")


def proof(method: str, url: str, nonce: str | None, token: str | None) -> str:
    """Sign a proof for one request (RFC 9449 §4.2)."""
    claims = {"jti": uuid.uuid4().hex, "htm": method, "htu": url, "iat": int(time.time())}
    if nonce is not None:
        claims["nonce"] = nonce
    if token is not None:
        digest = hashlib.sha256(token.encode()).digest()
        claims["ath"] = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    header = {"typ": "dpop+jwt", "jwk": PUBLIC_JWK}
    return jwt.encode(claims, _KEY, algorithm="ES256", headers=header)
