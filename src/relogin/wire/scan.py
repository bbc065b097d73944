"""The accept path: a field of RFC 9110 §11 to plain tuples, with one compiled pattern in one pass.

It says yes or no, and no more; `relogin.wire.explain` explains a no. Each match is one element of
the list, so a challenge is a match with a scheme and the matches without one that follow it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from relogin.errors import ChallengeSyntaxError
from relogin.wire import Scanned
from relogin.wire.abnf import (
    BWS,
    LIST_SPACE,
    OWS,
    QUOTED_PAIR,
    QUOTED_TEXT,
    TOKEN,
    TOKEN68,
)

__all__ = [
    "lines_of",
    "refused_elements",
    "scan_challenges",
    "scan_credentials",
    "scan_params",
    "sound_elements",
    "too_long",
]

_PARAM = rf'(?P<name>{TOKEN}){BWS}={BWS}(?:"({QUOTED_TEXT})"|({TOKEN}))'
_SEPARATOR = rf"{OWS},[{LIST_SPACE}]*+"
_END = rf"(?:{_SEPARATOR}|{OWS}\Z)"
# No parameter can follow a scheme without a space (`Basic, realm=x`) or a token68.
_CLOSED = rf"(?!{_SEPARATOR}{TOKEN}{BWS}=)"
# A token that an "=" follows is the name of a parameter, never a scheme.
_SCHEME = (
    rf"(?P<scheme>{TOKEN})(?!{BWS}=)(?: ++(?:({TOKEN68})(?={OWS}(?:,|\Z)){_CLOSED}|)|{_CLOSED})"
)
# The last alternative takes all that is left, so that the pass ends at the first fault; it is the
# one match that names nothing.
_REST = r"[\s\S]++"

_ELEMENT = re.compile(rf"(?!\Z)(?:{_SCHEME}|)(?:{_PARAM}|){_END}|{_REST}")
_PARAM_ELEMENT = re.compile(rf"{_PARAM}{_END}|{_REST}")
_elements = _ELEMENT.findall
_params = _PARAM_ELEMENT.findall
_credentials = re.compile(
    rf"{OWS}({TOKEN})(?: ++(?:({TOKEN68}){OWS}\Z|((?!\t)[\s\S]*+|{_END}[\s\S]*+))|{OWS}\Z)"
).fullmatch
_escaped = re.compile(rf"(?s:(?={QUOTED_PAIR}).(.))").sub


_DECODE = 'decode it with .decode("latin-1")'


def lines_of(field: Iterable[str]) -> list[str]:
    """Return the lines of a field; raise `TypeError` if they are no text."""
    if isinstance(field, bytes | bytearray | Mapping) or not isinstance(field, Iterable):
        is_bytes = isinstance(field, bytes | bytearray)
        advice = _DECODE if is_bytes else 'pass headers.get("WWW-Authenticate", "")'
        raise TypeError(
            f"a field is a str, or a list of its lines, not {type(field).__name__}: {advice}"
        )
    lines = list(field)
    for line in lines:
        if not isinstance(line, str):
            advice = f": {_DECODE}" if isinstance(line, bytes | bytearray) else ""
            raise TypeError(f"a field line must be a str, not {type(line).__name__}{advice}")
    return lines


def too_long(field: str, max_length: int, *, secret: bool = False) -> ChallengeSyntaxError:
    """Build the error for a field that is too long to be honest, which nothing reads."""
    return ChallengeSyntaxError(
        f"the field is {len(field)} characters long; at most {max_length} are read "
        "(max_length= changes it)",
        source="" if secret else field,
        start=max_length,
        end=len(field),
        expected="end of field",
        fault="too-long",
    )


def scan_challenges(field: str) -> list[Scanned] | None:
    """Read a whole field, or return `None` if it is not one (RFC 9110 §11.6.1)."""
    found: list[Scanned] = []
    params: dict[str, str] | None = None
    for scheme, token68, name, quoted, token in _elements(field.lstrip(LIST_SPACE)):
        if scheme:
            params = {}
            found.append((scheme, token68 or None, params))
            if not name:
                continue
        elif params is None or not name:
            return None
        name = name.lower()
        if name in params:
            return None
        value = quoted or token
        params[name] = _escaped(r"\1", value) if "\\" in value else value
    return found


def scan_params(field: str) -> dict[str, str] | None:
    """Read a list of parameters, as Authentication-Info is one (RFC 9110 §11.6.3)."""
    params: dict[str, str] = {}
    for name, quoted, token in _params(field.lstrip(LIST_SPACE)):
        name = name.lower()
        if not name or name in params:
            return None
        value = quoted or token
        params[name] = _escaped(r"\1", value) if "\\" in value else value
    return params


def scan_credentials(field: str) -> Scanned | None:
    """Read an Authorization field: one scheme, and its token68 or parameters (RFC 9110 §11.4)."""
    match = _credentials(field)
    if match is None:
        return None
    scheme, token68, listed = match.groups()
    params = scan_params(listed) if listed else {}
    return None if params is None else (scheme, token68, params)


def sound_elements(field: str) -> Iterator[re.Match[str]]:
    """Find the elements of a well-formed field, each with the places of its parts.

    The groups are scheme, 2 for its token68, name, and 4 or 5 for a value that is quoted or not.
    """
    return _ELEMENT.finditer(field, len(field) - len(field.lstrip(LIST_SPACE)))


def refused_elements(
    field: str, start: int, *, params_only: bool = False
) -> Iterator[tuple[int, str]]:
    """Find the elements of a list for which one of the above returned `None`.

    Yields where each stands and, if it is refused for a name that was there before, that name.
    """
    names: set[str] | None = set() if params_only else None
    for match in (_PARAM_ELEMENT if params_only else _ELEMENT).finditer(field, start):
        found = match.groupdict()
        if found.get("scheme"):
            names = set()
        name = found["name"]
        if names is None or not (name or found.get("scheme")):
            yield match.start(), ""
        elif name and name.lower() in names:
            yield match.start("name"), name
        elif name:
            names.add(name.lower())
