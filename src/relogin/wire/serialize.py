"""Plain values to text, refusing what `relogin.wire.scan` could not read back.

A value that cannot be written is our own caller's mistake, so it is a plain `ValueError`, raised
before anything is sent. It names the character and its place, never the value, which may be a
secret.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from typing import TypeAlias

from relogin.wire.abnf import QUOTABLE, TCHAR, TOKEN, TOKEN68

__all__ = [
    "Params",
    "check_keywords",
    "check_params",
    "check_token",
    "check_token68",
    "check_value",
    "write",
    "write_params",
]

Params: TypeAlias = Mapping[str, str] | Iterable[tuple[str, str]]

_is_token = re.compile(TOKEN).fullmatch
_is_token68 = re.compile(TOKEN68).fullmatch
_is_quotable = re.compile(rf"{QUOTABLE}*+").fullmatch
_needs_escape = re.compile(r'(["\\])').sub
_CHAR68 = r"[A-Za-z0-9\-._~+/]"


def check_keywords(kind: str, unknown: Mapping[str, object]) -> None:
    """Refuse keyword arguments that the class `kind` does not have."""
    for name in unknown:
        raise TypeError(
            f"{kind} takes no argument {name!r}: write its parameters as a dict, "
            f'such as {{"{name}": "..."}}'
        )


def check_params(params: Params) -> dict[str, str]:
    """Return the parameters by their names in lower case, if a header can carry them."""
    checked: dict[str, str] = {}
    for name, value in params.items() if isinstance(params, Mapping) else _pairs(params):
        key = check_token("the parameter name", name).lower()
        if key in checked:
            raise ValueError(f"the parameter {key!r} is given twice (RFC 9110 §11.2)")
        checked[key] = check_value(key, value)
    return checked


def _pairs(params: object) -> Iterator[tuple[str, str]]:
    if isinstance(params, str | bytes | bytearray) or not isinstance(params, Iterable):
        alone = (
            "; pass a single value without a name as token68=" if isinstance(params, str) else ""
        )
        raise TypeError(
            f'the parameters must be a dict, such as {{"realm": "api"}}, not {_kind(params)}{alone}'
        )
    for number, pair in enumerate(params):
        if not isinstance(pair, tuple | list) or len(pair) != 2:
            raise TypeError(
                "the parameters must be a dict, or pairs of a name and a value: "
                f"item {number} is not one"
            )
        yield pair[0], pair[1]


def check_token(kind: str, text: str) -> str:
    """Return `text` if it is a token (RFC 9110 §5.6.2); `kind` says in the error what it is."""
    if type(text) is not str:
        text = _plain(kind, text)
    if not _is_token(text):
        # Not the text itself: in `Credentials("Bearer eyJh...")` the secret is in the wrong place.
        found = _first_outside(TCHAR, text) if text else "it is empty"
        raise ValueError(f"{kind} is not a token: {found} (RFC 9110 §5.6.2){_advice(kind, text)}")
    return text


def _advice(kind: str, text: str) -> str:
    if kind != "the scheme" or " " not in text.strip():
        return ""
    return ": pass the parameters separately as a dict, or a single value as token68="


def check_token68(text: str) -> str:
    """Return `text` if it is a token68 (RFC 9110 §11.2)."""
    if type(text) is not str:
        text = _plain("token68", text)
    if not _is_token68(text):
        value = text.rstrip("=")
        found = _first_outside(_CHAR68, value) if value else "it is empty"
        raise ValueError(f"token68 is not base64: {found} (RFC 9110 §11.2)")
    return text


def check_value(name: str, text: str) -> str:
    """Return `text` if a quoted-string can hold it (RFC 9110 §5.6.4): no controls, only latin-1."""
    if type(text) is not str:
        text = _plain(f"the value of {name!r}", text)
    if not _is_quotable(text):
        found = _first_outside(QUOTABLE, text)
        raise ValueError(
            f"the value of {name!r} cannot be sent in a header field: {found} (RFC 9110 §5.5)"
        )
    return text


def _plain(kind: str, text: object) -> str:
    """Return a `str` of a subclass, such as a member of a `StrEnum`, as a plain one."""
    if isinstance(text, str):
        return str.__str__(text)
    raise TypeError(f"{kind} must be a str, not {_kind(text)}")


def _kind(found: object) -> str:
    name = type(found).__name__
    if isinstance(found, bytes | bytearray):
        return f"{name}: decode it first"
    if isinstance(found, Enum):
        return f"{name}: use its value"
    return f"{name}: use str()" if type(found) in {int, float} else name


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
