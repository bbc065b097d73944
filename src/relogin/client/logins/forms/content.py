"""The content of a form that is sent, as browsers write it (WHATWG, HTML, "Form submission")."""

from __future__ import annotations

import secrets
from collections.abc import Container, Iterable, Iterator
from typing import Any
from urllib.parse import urlencode

from relogin.client.logins.base import FORM
from relogin.client.logins.forms.form import line_end

__all__ = ["MULTIPART", "form_content"]

MULTIPART, PLAIN = "multipart/form-data", "text/plain"
_ERRORS = "xmlcharrefreplace"  # for what the charset does not have
_FILE = '; filename=""\r\nContent-Type: application/octet-stream'


def form_content(
    pairs: Iterable[tuple[str, Any]], charset: str, enctype: str, files: Container[str]
) -> tuple[dict[str, str], bytes]:
    """Return the header fields and the content of a form; `files` are the names of its files."""
    if enctype == PLAIN:
        lines = (f"{name}={_lines(value)}\r\n" for name, value in _each(pairs))
        return {"Content-Type": PLAIN}, "".join(lines).encode(charset, _ERRORS)
    if enctype != MULTIPART:
        content = urlencode(list(pairs), doseq=True, encoding=charset, errors=_ERRORS)
        return FORM, content.encode()
    boundary = f"----relogin{secrets.token_hex(16)}"
    parts = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="{_escaped(name)}"'
        f"{_FILE if name in files and not value else ''}\r\n\r\n".encode(charset, _ERRORS)
        + (value if isinstance(value, bytes) else f"{value}".encode(charset, _ERRORS))
        for name, value in _each(pairs)
    )
    body = b"\r\n".join((*parts, f"--{boundary}--\r\n".encode()))
    return {"Content-Type": f"{MULTIPART}; boundary={boundary}"}, body


def _each(pairs: Iterable[tuple[str, Any]]) -> Iterator[tuple[str, Any]]:
    """Yield a pair for each of several values."""
    for name, given in pairs:
        for value in given if isinstance(given, list | tuple) else [given]:
            yield name, value


def _lines(value: Any) -> str:
    return line_end.sub("\r\n", value.decode() if isinstance(value, bytes) else f"{value}")


def _escaped(name: str) -> str:
    return line_end.sub("%0D%0A", name).replace('"', "%22")
