"""Putting a grant on a request."""

from __future__ import annotations

from relogin.client.driver.credentials import sign
from relogin.client.httpx_family.bound import OriginBound
from relogin.client.httpx_family.library import Request
from relogin.client.renewal.policy import Credential

__all__ = ["put", "put_url"]


def put(request: Request, credential: Credential) -> None:
    """Put a grant on a request."""
    if credential.authorization is not None:  # as with most
        request.headers["Authorization"] = credential.authorization
        return
    if credential.query is None:
        sign(request.headers, "", credential)
    else:
        url = str(request.url)  # it is built each time
        put_url(request, sign(request.headers, url, credential), url)
    # A signature is valid for this request only. httpx itself removes Authorization if a redirect
    # leads to another origin.
    kept = () if credential.signer is not None else ("authorization",)
    bound = [name for name in credential.headers if name.lower() not in kept]
    if bound:
        request.headers = OriginBound(request.headers, bound)  # type: ignore[assignment]


def put_url(request: Request, url: str, before: str) -> None:
    """Change the URL of a request, if it differs from the one before."""
    if url != before:
        request.url = type(request.url)(url)
