"""A response that ends its connection if it refuses a request with a body.

Its server may not have read the body, and then closes the connection, whatever it said: neither a
login nor the request itself may take it again. aiohttp hands it back as soon as the last octet of a
response is there, which may be before anybody sees it.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from aiohttp import ClientRequest, ClientResponse

from relogin.client.driver.content import has_body
from relogin.client.renewal.policy import UNAUTHORIZED

__all__ = ["end_if_refused"]


def end_if_refused(request: ClientRequest) -> None:
    """Let the refusal of a request with a body be the last that comes over its connection."""
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
            if response.connection is None:  # it is back already, and nobody had time to take it
                protocol.close()
        return response

    return type(kind.__name__, (kind,), {"start": start, "__module__": kind.__module__})
