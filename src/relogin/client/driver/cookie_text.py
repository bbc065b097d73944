"""Reading and editing the text of a Cookie header (RFC 6265 §4.2)."""

from __future__ import annotations

from collections.abc import Collection, Mapping

__all__ = ["values", "with_cookies"]


def with_cookies(
    header: str | bytes | None, cookies: Mapping[str, str], without: Collection[str] = ()
) -> str:
    """Replace or add cookies in the text of a Cookie header, and leave out those named.

    All others stay unchanged. requests accepts octets too.

    >>> with_cookies("a=1; sid=dead; b=2", {"sid": "s1"}, without={"b"})
    'a=1; sid=s1'
    """
    gone = {*cookies, *without}
    kept = [pair for pair in _pairs(header) if _name(pair) not in gone]
    return "; ".join(kept + [f"{name}={value}" for name, value in cookies.items()])


def values(header: str | bytes | None) -> dict[str, str]:
    """Read the text of a Cookie header; if a name is there twice, take the first."""
    found: dict[str, str] = {}
    for pair in _pairs(header):
        found.setdefault(_name(pair), pair.partition("=")[2].strip())
    return found


def _pairs(header: str | bytes | None) -> list[str]:
    text = header.decode("latin-1") if isinstance(header, bytes) else header or ""
    return [pair.strip() for pair in text.split(";") if pair.strip()]


def _name(pair: str) -> str:
    return pair.partition("=")[0].strip()
