"""Plain values to text, refusing what `relogin.wire.scan` could not read back.

A value that cannot be written is our own caller's mistake, so it is a plain `ValueError`, raised
before anything is sent. It names the character and its place, never the value, which may be a
secret.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from relogin.wire.abnf import QUOTABLE, TCHAR, TOKEN, TOKEN68

__all__ = ["check_token", "check_token68", "check_value", "write", "write_params"]

_is_token = re.compile(TOKEN).fullmatch
_is_token68 = re.compile(TOKEN68).fullmatch
_is_quotable = re.compile(rf"{QUOTABLE}*+").fullmatch
_needs_escape = re.compile(r'(["\\])').sub


def check_token(kind: str, text: str) -> str:
    """Return `text` if it is a token (RFC 9110 §5.6.2); `kind` says in the error what it is."""
    if not isinstance(text, str):
        raise TypeError(f"{kind} must be a str, not {type(text).__name__}")
    if not _is_token(text):
        # Not the text itself: in `Credentials("Bearer eyJh...")` the secret is in the wrong place.
        found = _first_outside(TCHAR, text) if text else "it is empty"
        raise ValueError(f"{kind} is not a token: {found} (RFC 9110 §5.6.2)")
    return text


def check_token68(text: str) -> str:
    """Return `text` if it is a token68 (RFC 9110 §11.2)."""
    if not isinstance(text, str):
        raise TypeError(f"token68 must be a str, not {type(text).__name__}")
    if not _is_token68(text):
        raise ValueError("token68 is empty or has a character that RFC 9110 §11.2 does not allow")
    return text


def check_value(name: str, text: str) -> str:
    """Return `text` if a quoted-string can hold it (RFC 9110 §5.6.4): no controls, only latin-1."""
    if not isinstance(text, str):
        raise TypeError(f"the value of {name!r} must be a str, not {type(text).__name__}")
    if not _is_quotable(text):
        found = _first_outside(QUOTABLE, text)
        raise ValueError(
            f"the value of {name!r} cannot be sent in a header field: {found} (RFC 9110 §5.5)"
        )
    return text


def _first_outside(char: str, text: str) -> str:
    at = len(re.split(rf"(?!{char})[\s\S]", text, maxsplit=1)[0])
    return f"U+{ord(text[at]):04X} at offset {at}"


def write(
    scheme: str, token68: str | None, params: Mapping[str, str], plain: Mapping[str, frozenset[str]]
) -> str:
    """Write one challenge or credentials; `plain` names, by scheme, what must not be quoted."""
    if token68 is not None:
        return f"{scheme} {token68}"
    if not params:
        return scheme
    return f"{scheme} {write_params(params, plain.get(scheme.lower(), frozenset()))}"


def write_params(params: Mapping[str, str], plain: frozenset[str] = frozenset()) -> str:
    """Write a list of parameters (RFC 9110 §11.2), quoted unless `plain` has their names."""
    return ", ".join(
        f"{name}={value}" if name in plain and _is_token(value) else f"{name}={_quote(value)}"
        for name, value in params.items()
    )


def _quote(value: str) -> str:
    return '"' + _needs_escape(r"\\\1", value) + '"'
