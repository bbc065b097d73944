"""How an OAuth 2.0 client says who it is (RFC 6749 §2.3, RFC 7523 §2.2)."""

from __future__ import annotations

import base64
from typing import NamedTuple
from urllib.parse import quote_plus

__all__ = ["Client", "authenticated"]

_JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


class Client(NamedTuple):
    """How the client says who it is: in header fields, or in the form."""

    headers: dict[str, str]
    fields: dict[str, str]
    secrets: tuple[str, ...]
    once: bool = False
    """Whether a server takes it only once."""


def authenticated(
    name: str | None, secret: str | None, assertion: str | None, *, in_form: bool
) -> Client:
    """Authenticate a client by its secret or by an assertion, if it has one of them."""
    fields = {} if name is None else {"client_id": name}
    if assertion is not None:
        fields |= {"client_assertion_type": _JWT_BEARER, "client_assertion": assertion}
        return Client({}, fields, (assertion,), once=True)
    if secret is None or name is None:
        return Client({}, fields, ())
    if in_form:
        return Client({}, fields | {"client_secret": secret}, (secret,))
    basic = base64.b64encode(f"{quote_plus(name)}:{quote_plus(secret)}".encode()).decode()
    return Client({"Authorization": f"Basic {basic}"}, {}, (secret, basic))
