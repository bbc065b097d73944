"""A response that ends its connection if it refuses a request with a body.

A server that has not read the body closes the connection, even if it promised to keep it: neither a
login nor the repeated request may use it. aiohttp returns a connection to the pool when the last
octet of the response is there, perhaps before we see the response.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from aiohttp import ClientRequest, ClientResponse

from relogin.client.driver.content import has_body
from relogin.client.renewal.policy import UNAUTHORIZED

__all__ = ["end_if_refused"]


def end_if_refused(request: ClientRequest) -> None:
    """Close the connection after the refusal of a request with a body."""
    if has_body(request.headers):
        kind: Any = request.response_class
        request.response_class = _ending(kind)


@cache
def _ending(kind: Any) -> Any:
    async def start(self: Any, connection: Any) -> ClientResponse:
        protocol = connection.protocol
        response: ClientResponse = await kind.start(self, connection)
        if response.status == UNAUTHORIZED:
            protocol.force_close()
            if response.connection is None:  # back in the pool, and not in use yet
                protocol.close()
        return response

    return type(kind.__name__, (kind,), {"start": start, "__module__": kind.__module__})
