"""Whose challenges the client answers: origins (RFC 6454) that the user named, never learnt."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from contextlib import suppress
from functools import lru_cache
from urllib.parse import urlsplit

__all__ = ["check_secure", "named", "origin_of", "sent_to", "trusted"]

_DEFAULT_PORTS = {"http": 80, "https": 443}
# A WebSocket handshake is a GET of http or https (RFC 6455 §4.1), and a session there is the same.
# So it is with a stream of events, for which niquests has names of its own.
_HANDSHAKES = dict.fromkeys(("ws", "ws+rfc8441", "psse"), "http") | dict.fromkeys(
    ("wss", "wss+rfc8441", "sse"), "https"
)
# Scheme and authority.
_ambiguous = re.compile(r"[\\\x00-\x20\x7f]").search
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
        shown = _shown(url)
        named = repr(shown) if shown or not url else "this"
        raise ValueError(
            f"{named} is not an absolute URL: write it with scheme and host, as in https://…"
        )
    return _normalized(head.group())


def _shown(url: str) -> str:
    """Return the beginning of what may be the host; around it there may be a password."""
    return re.sub(r"[^\w.*\-].*+", "", url.rpartition("@")[2], flags=re.DOTALL)[:60]


def sent_to(url: str | None) -> str:
    """Return the origin that a request goes to, or an empty str, which is never trusted.

    >>> sent_to("file:///etc/hosts")
    ''
    """
    head = _head(url or "")
    try:
        return "" if head is None else _normalized(head.group())
    except ValueError:
        return ""


@lru_cache(maxsize=256)
def _normalized(head: str) -> str:
    # To requests and to browsers a backslash ends the authority; httpx takes it for a part of user
    # or host. And some libraries drop some blanks.
    if _ambiguous(head):
        raise ValueError("there is a backslash or space before the path, so the host is ambiguous")
    scheme = head.partition(":")[0].lower()
    scheme = _HANDSHAKES.get(scheme, scheme)
    host, port = _host_and_port(head, _DEFAULT_PORTS.get(scheme))
    if not host or not port:
        raise ValueError(
            f"{scheme}: the URL must be of http or https, with a host, and with a port up to 65535"
        )
    return f"{scheme}://{f'[{host}]' if ':' in host else _ascii(host)}:{port}"


def _host_and_port(head: str, default: int | None) -> tuple[str | None, int | None]:
    with suppress(ValueError):  # its message may show a part of a password
        split = urlsplit(head)
        return split.hostname, default if split.port is None else split.port
    return None, None


def _ascii(host: str) -> str:
    """Write an internationalised name as requests and httpx put it on the wire."""
    if host.isascii():
        return host
    import idna  # requests depends on it, and few names need it

    try:
        return idna.encode(host, uts46=True).decode("ascii")
    except idna.IDNAError as error:
        raise ValueError(f"{host!r} is not a host name: {error}") from None


def trusted(
    login: object, origins: str | Iterable[str] | None, *, insecure: bool
) -> frozenset[str]:
    """Return the origins whose challenges `login` answers: those given, or its own.

    Raises `ValueError` if there are none, or if secrets would be sent to one in the clear.
    """
    if origins is None:
        origins = getattr(login, "url", None)
        if not isinstance(origins, str):
            raise ValueError(
                "SessionAuth: origins= is required, because this login does not say where its "
                'token may go: SessionAuth(login, "https://api.example.com")'
            )
    if not isinstance(origins, Iterable):
        raise TypeError(
            f"SessionAuth: origins= must be a URL or a list of URLs, not {_kind(origins)}"
        )
    each = [origins] if isinstance(origins, str) else origins
    found = frozenset(named(url, "SessionAuth: origins=", _SEVERAL) for url in each)
    if not found:
        raise ValueError("SessionAuth: origins= is empty: no challenge would ever be answered")
    for origin in found:
        check_secure(origin, insecure=insecure)
    return found


_SEVERAL = "a URL or a list of URLs, each a str;"


def named(url: object, option: str, takes: str = "a URL,") -> str:
    """Return the origin of a URL that the user names; only scheme, host and port of it count.

    Errors name the `option`, such as ``SessionAuth: origins=``, and what it `takes`.
    """
    if not isinstance(url, str):
        raise TypeError(f"{option} must be {takes} not {_kind(url)}")
    try:
        origin = origin_of(url)
    except ValueError as error:
        reason = str(error)
    else:
        if "@" in urlsplit(url).netloc:
            reason = f"it must not contain a user or password: {origin}"
        elif "*" in url:
            reason = "no wildcards: every path of an origin counts; name each other origin"
        elif not origin.startswith(("https:", "http:")):
            reason = f"{origin.partition(':')[0]}: the URL must be of http or https"
        elif not _is_plain(origin):
            reason = f"{origin} cannot be an origin: there are no wildcards, so name each URL"
        else:
            return origin
    raise ValueError(f"{option} is wrong: {reason}")


# Any origin that a request can have, whether it exists or not.
_is_plain = re.compile(r"https?+://(?:[a-z0-9._\-]++|\[[0-9a-z:.%]++\]):[0-9]++").fullmatch


def _kind(value: object) -> str:
    return type(value).__name__


def check_secure(url: str, *, insecure: bool) -> None:
    """Raise `ValueError` if a secret sent to `url` could be read on its way."""
    origin = origin_of(url)
    if insecure or origin.startswith("https://") or _is_loopback(urlsplit(origin).hostname or ""):
        return
    raise ValueError(
        f"{origin} is not https: anybody on the network could read the token; "
        "use https, or set insecure=True"
    )


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
