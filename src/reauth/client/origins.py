"""Whose challenges are answered: origins (RFC 6454), said by the user and never learnt."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from functools import lru_cache
from urllib.parse import urlsplit

__all__ = ["check_secure", "origin_of", "sent_to", "trusted"]

_DEFAULT_PORTS = {"http": 80, "https": 443}
# Scheme and authority.
_head = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*+://[^/?#]*+").match


def origin_of(url: str) -> str:
    """Return the origin of an absolute URL, such as ``https://api.example.com:443``.

    Raises `ValueError` for a URL that has none.

    >>> origin_of("HTTPS://user@API.example.com/orders?id=1")
    'https://api.example.com:443'
    >>> origin_of("https://bücher.example")
    'https://xn--bcher-kva.example:443'
    """
    head = _head(url)
    if head is None:
        raise ValueError(f"{url!r} is no absolute URL: give scheme and host, https://…")
    return _normalized(head.group())


def sent_to(url: str | None) -> str:
    """Return the origin a request goes to; where it has none, what is no origin: never trusted.

    >>> sent_to("file:///etc/hosts")
    ''
    """
    try:
        return origin_of(url or "")
    except ValueError:
        return ""


@lru_cache(maxsize=256)
def _normalized(head: str) -> str:
    # To requests and to browsers it ends the authority; httpx takes it for a part of user or host.
    if "\\" in head:
        raise ValueError("a backslash before the path: nobody can say which host that names")
    split = urlsplit(head)
    host, port = split.hostname, split.port or _DEFAULT_PORTS.get(split.scheme)
    if not host or port is None:
        raise ValueError(f"{split.scheme}: is no origin of http or https, or names no host")
    return f"{split.scheme}://{f'[{host}]' if ':' in host else _ascii(host)}:{port}"


def _ascii(host: str) -> str:
    """Write an internationalised name as requests and httpx put it on the wire."""
    if host.isascii():
        return host
    import idna  # requests depends on it, and few names need it

    try:
        return idna.encode(host, uts46=True).decode("ascii")
    except idna.IDNAError as error:
        raise ValueError(f"{host!r} is no host name: {error}") from None


def trusted(
    login: object, origins: str | Iterable[str] | None, *, insecure: bool
) -> frozenset[str]:
    """Settle the origins whose challenges `login` answers: the given ones, or its own.

    Raises `ValueError` where there are none, or where one would carry secrets in the clear.
    """
    if origins is None:
        own = getattr(login, "url", None)
        if not isinstance(own, str):
            raise ValueError(
                "origins= is required for a login that is a bare callable: "
                'SessionAuth(login, "https://api.example.com")'
            )
        origins = own
    found = frozenset(map(origin_of, [origins] if isinstance(origins, str) else origins))
    if not found:
        raise ValueError("origins= names no origin: no challenge would ever be answered")
    for origin in found:
        check_secure(origin, insecure=insecure)
    return found


def check_secure(url: str, *, insecure: bool) -> None:
    """Raise `ValueError` where a secret sent to `url` could be read on its way."""
    origin = origin_of(url)
    if insecure or origin.startswith("https://") or _is_loopback(urlsplit(origin).hostname or ""):
        return
    raise ValueError(
        f"{origin} is not https: whoever is on the way could read the credentials; "
        "use https, or say insecure=True"
    )


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
