"""Uploads without a response in aiohttp, and the small request that asks why."""

from __future__ import annotations

from aiohttp import (
    ClientConnectionError,
    ClientConnectorError,
    ClientRequest,
    ClientResponse,
    ClientSession,
    ConnectionTimeoutError,
)

from relogin.client.aiohttp.lookahead import drain, look
from relogin.client.driver.content import of_a_body
from relogin.client.driver.credentials import for_request, sign, unsign
from relogin.client.renewal.cache import CredentialCache
from relogin.client.renewal.commands import Check
from relogin.client.renewal.policy import ResponseInfo
from relogin.client.terms.signer import Outgoing

__all__ = ["NEVER_SENT", "UNANSWERED", "ask", "challenge_lines"]


UNANSWERED = (ClientConnectionError, TimeoutError)
"""Errors after which a request may have reached its server, except `NEVER_SENT`."""
NEVER_SENT = (ClientConnectorError, ConnectionTimeoutError)


async def ask(
    cache: CredentialCache, http: ClientSession, request: ClientRequest, command: Check
) -> ResponseInfo:
    """Send a small request like an upload without its body; return its response."""
    headers = request.headers.copy()
    for name in {name for name in headers if of_a_body(name)}:
        headers.popall(name)
    url = unsign(headers, command.url, command.credential)  # what signed the upload itself
    outgoing = Outgoing(command.method, url, headers, lambda: ())
    credential = for_request(cache.current(command.credential), outgoing)
    if credential is not None:
        url = sign(headers, url, credential)
    async with http.request(command.method, url, headers=headers, allow_redirects=False) as answer:
        signal = await look(cache.policy.signals_for(answer.status), answer)
        await drain(answer)
        return command.answered(answer, answer.status, challenge_lines(answer), signal)


def challenge_lines(response: ClientResponse) -> list[str]:
    """Return the field lines one by one: a malformed one must not hide the others."""
    return [
        line.decode("latin-1")
        for name, line in response.raw_headers
        if name.lower() == b"www-authenticate"
    ]
