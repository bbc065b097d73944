"""A client that authenticates with a key of its own, whose public half servers know."""

from __future__ import annotations

import json
import time
import uuid
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec

__all__ = ["PUBLIC_JWK", "assertion"]

_KEY = ec.generate_private_key(ec.SECP256R1())
PUBLIC_JWK: dict[str, Any] = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(_KEY.public_key()))


def assertion(audience: str, issuer: str = "signer", **claims: Any) -> str:
    """Sign a JWT that says who the client is (RFC 7523 §3), good for one minute."""
    now = int(time.time())
    known = {"iss": issuer, "sub": issuer, "aud": audience, "iat": now, "exp": now + 60}
    return jwt.encode(known | {"jti": uuid.uuid4().hex} | claims, _KEY, algorithm="ES256")
