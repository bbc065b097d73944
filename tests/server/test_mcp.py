"""A real MCP server behind the gate, and the SDK's own client: it finds where to log in."""

import asyncio
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import mcp
from mcp.client.auth import OAuthClientProvider
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import AuthorizationCodeResult, OAuthClientMetadata
from pydantic import AnyUrl

from tests.server.mcp_authority import METADATA, serving


class Kept:
    """What the client remembers."""

    def __init__(self) -> None:
        self.tokens: Any = None
        self.client: Any = None

    async def get_tokens(self) -> Any:
        return self.tokens

    async def set_tokens(self, tokens: Any) -> None:
        self.tokens = tokens

    async def get_client_info(self) -> Any:
        return self.client

    async def set_client_info(self, client_info: Any) -> None:
        self.client = client_info


def client_for(url: str) -> tuple[Any, list[str]]:
    """A client whose user agrees at once: the code tells the scope that was asked for."""
    asked: list[str] = []
    answer: list[AuthorizationCodeResult] = []

    async def browse(to: str) -> None:
        query = parse_qs(urlsplit(to).query)
        scope = query.get("scope", [""])[0]
        asked.append(scope)
        answer.append(AuthorizationCodeResult(code=scope or "none", state=query["state"][0]))

    async def come_back() -> AuthorizationCodeResult:
        return answer[-1]

    told = OAuthClientMetadata(
        redirect_uris=[AnyUrl("http://127.0.0.1/back")], client_name="a test"
    )
    return OAuthClientProvider(url, told, Kept(), browse, come_back), asked


def test_an_mcp_client_logs_in_where_the_challenge_says_and_steps_up_by_scope() -> None:
    with serving() as authority:
        url = f"{authority.origin}/mcp"
        auth, asked = client_for(url)

        async def talk() -> Any:
            async with httpx2.AsyncClient(auth=auth) as http:
                transport = streamable_http_client(url, http_client=http)
                async with mcp.Client(transport) as client:
                    return await client.call_tool("orders", {})

        result = asyncio.run(talk())
    assert result.content[0].text == "seven orders"
    assert authority.asked[0] == METADATA
    assert asked == ["orders:read", "orders:read orders:write"]
