"""An MCP server of the official SDK, which is its own authorization server.

    python -m tests.cli.mcp_server PORT

It grants nothing: all that is asked for here is its metadata.
"""

from __future__ import annotations

import sys
import warnings
from typing import Any

__all__ = ["main"]


class Nobody:
    """A provider that knows no client and no token."""

    async def load_access_token(self, token: str) -> None:
        return None

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"nobody asks for {name}")


def main(port: int) -> None:
    """Serve until it is killed."""
    import uvicorn
    from mcp.server.auth.settings import AuthSettings, ClientRegistrationOptions
    from mcp.server.mcpserver import MCPServer

    base: Any = f"http://127.0.0.1:{port}"
    settings = AuthSettings(
        issuer_url=base,
        resource_server_url=f"{base}/mcp",  # type: ignore[arg-type]  # it reads a URL of it
        required_scopes=["read"],
        client_registration_options=ClientRegistrationOptions(enabled=True),
    )
    provider: Any = Nobody()
    server = MCPServer("orders", auth_server_provider=provider, auth=settings)
    uvicorn.run(server.streamable_http_app(), port=port, log_level="error")


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main(int(sys.argv[1]))
