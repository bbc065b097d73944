"""Where a request of httpx goes: httpx builds the text of a URL anew each time it is asked."""

from __future__ import annotations

from functools import lru_cache

from relogin.client.httpx_family.library import Request
from relogin.client.terms.origins import sent_to

__all__ = ["origin_of"]


def origin_of(request: Request) -> str:
    """Return the origin that a request goes to, like `sent_to` with the text of its URL."""
    url = request.url
    return _origin(url.scheme, url.raw_host, url.port)


@lru_cache(maxsize=256)
def _origin(scheme: str, host: bytes, port: int | None) -> str:
    name = host.decode("ascii")
    authority = f"[{name}]" if ":" in name else name
    return sent_to(f"{scheme}://{authority}" if port is None else f"{scheme}://{authority}:{port}")
