"""The charset of a page and of a form, as browsers choose it (WHATWG, HTML and Encoding)."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable

__all__ = ["charset_in_page", "charset_of_form", "decodable"]

_UTF8 = "utf-8"
# Pages that say one of these are in windows-1252, which has more characters.
_OF_WINDOWS = frozenset({"ascii", "iso8859-1"})
_in_meta = re.compile(
    rb"<meta\s[^>]*?charset\s*+=\s*+[\"']?\s*+([a-z0-9._:-]++)", re.IGNORECASE
).search
_BEGINNING = 1024  # octets in which a page must say its charset


def decodable(label: str) -> str | None:
    """Return the charset that a label means, or `None` if Python cannot decode any octets with it.

    >>> decodable("iso-8859-1"), decodable("undefined")
    ('windows-1252', None)
    """
    try:
        text = b"<\xff".decode(label, "replace")  # from Python 3.13 on, punycode gives none
        charset = "windows-1252" if codecs.lookup(label).name in _OF_WINDOWS else label
        return charset if text else None
    except (LookupError, ValueError):
        return None


def charset_in_page(octets: bytes) -> str:
    """Return the charset that an HTML page says itself, or UTF-8.

    >>> charset_in_page(b'<meta http-equiv=Content-Type content="text/html; charset=koi8-r">')
    'koi8-r'
    """
    said = _in_meta(octets, 0, _BEGINNING)
    charset = None if said is None else decodable(said[1].decode())
    # A page in UTF-16 could not say so in ASCII.
    return _UTF8 if charset is None or _is_utf(charset) else charset


def charset_of_form(asked: Iterable[str], page: str) -> str:
    """Return the first charset that a form asks for and Python knows, or that of its page.

    >>> charset_of_form(["unknown", "iso-8859-2"], "utf-16"), charset_of_form([], "utf-16")
    ('iso-8859-2', 'UTF-8')
    """
    charset = next(filter(None, map(decodable, asked)), page)
    return "UTF-8" if _is_utf(charset) else charset


def _is_utf(charset: str) -> bool:
    return charset.lower().startswith("utf")
