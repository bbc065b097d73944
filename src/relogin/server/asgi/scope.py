"""The facts of a request in an ASGI scope."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any, TypeAlias

from relogin.server.request import Request

__all__ = ["Scope", "path_below", "request"]

Scope: TypeAlias = MutableMapping[str, Any]


def request(scope: Scope) -> Request:
    """Return the facts of a request; a WebSocket handshake is a GET."""
    headers = scope["headers"]

    def lines(name: str) -> list[str]:
        key = name.encode()
        return [value.decode("latin-1") for field, value in headers if field == key]

    sent = scope.get("raw_path") or b""
    method, mount = scope.get("method", "GET"), scope.get("root_path", "")
    return Request(method, path_below(scope), lines, str(sent, "latin-1"), mount, scope)


def path_below(scope: Scope) -> str:
    """Return the path below the mount; some servers and routers put `root_path` before it."""
    path: str = scope["path"]
    mount: str = scope.get("root_path", "")
    if not mount:
        return path
    mount = mount.rstrip("/")
    return path[len(mount) :] if f"{path}/".startswith(f"{mount}/") else path
