"""The content of a form that is sent, as browsers write it (WHATWG, HTML, "Form submission")."""

from __future__ import annotations

import re
import secrets
from collections.abc import Container, Iterable
from typing import Any
from urllib.parse import urlencode

from relogin.client.logins.base import FORM

__all__ = ["MULTIPART", "form_content"]

MULTIPART = "multipart/form-data"
_ERRORS = "xmlcharrefreplace"  # for what the charset does not have
_FILE = '; filename=""\r\nContent-Type: application/octet-stream'
_line_end = re.compile(r"\r\n?|\n")


def form_content(
    pairs: Iterable[tuple[str, Any]], charset: str, enctype: str, files: Container[str] = ()
) -> tuple[dict[str, str], bytes]:
    """Return the header fields and the content of a form; `files` are the names of its files."""
    if enctype != MULTIPART:
        content = urlencode(list(pairs), doseq=True, encoding=charset, errors=_ERRORS)
        return FORM, content.encode()
    boundary = f"----relogin{secrets.token_hex(16)}"
    parts = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="{_escaped(name)}"'
        f"{_FILE if name in files and not value else ''}\r\n\r\n".encode(charset, _ERRORS)
        + (value if isinstance(value, bytes) else f"{value}".encode(charset, _ERRORS))
        for name, given in pairs
        for value in (given if isinstance(given, list | tuple) else [given])
    )
    body = b"\r\n".join((*parts, f"--{boundary}--\r\n".encode()))
    return {"Content-Type": f"{MULTIPART}; boundary={boundary}"}, body


def _escaped(name: str) -> str:
    return _line_end.sub("%0D%0A", name).replace('"', "%22")
