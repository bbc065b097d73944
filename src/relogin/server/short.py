"""The short way in: the token of a request like most, read without making anything for it.

It comes to what `Gate.claim` comes to, and takes a fifth of its time. Whatever is not as clients
write it takes the long way.
"""

from __future__ import annotations

from collections.abc import Callable, MutableMapping
from typing import Any, TypeAlias

from relogin.server.gate import Gate, Usual
from relogin.wire.scan import MAX_LENGTH

__all__ = ["short_way"]

Scope: TypeAlias = MutableMapping[str, Any]


def short_way(gate: Gate, *, with_request: bool) -> Callable[[Scope], Usual | None]:
    """Return what reads scheme and token out of an ASGI scope, or None where there is more to see.

    What most requests need is decided here, once.
    """
    if not gate.is_plain or with_request or gate.recheck is not None or gate.legacy is not None:
        return lambda _: None
    schemes, starts, exactly = gate.schemes, *gate.open.beginnings

    def read(scope: Scope) -> Usual | None:
        line = None
        for name, value in scope["headers"]:
            if name == b"authorization":
                if line is not None:
                    return None
                line = value
        path = scope["path"]
        if (
            line is None
            or path in exactly
            or path.startswith(starts)
            or scope.get("method") == "OPTIONS"
            or scope.get("root_path")
            or len(line) > MAX_LENGTH
        ):
            return None
        text = str(line, "latin-1")
        for scheme in schemes:
            usual = scheme.usual(text)
            if usual is not None:
                return scheme, usual[1]
        return None

    return read
