"""The sound elements of a malformed field, each read in one step: most elements are sound."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TypeAlias

from relogin.wire.abnf import BWS, LIST_SPACE, OWS, QUOTED_TEXT, TOKEN, TOKEN68
from relogin.wire.shapes import (
    CODE,
    FLAGS,
    HAS_APOSTROPHE,
    KNOWN,
    QUOTE,
    SENTENCE,
    STOP,
    TOLD_IN_TWO,
)

__all__ = ["QOP", "SCOPES", "SOUND_ELEMENTS", "Event", "sound_elements"]

Event: TypeAlias = tuple[str, str, int, int]
"""What was found, its text, and where: from a character up to, but not including, another.

It is the kind of a fault, or what the text is: a separator, scheme, token68, name, flag (a name
without a value), value, quoted (a value with escapes) or cut (one that is never closed).
"""

_IN_LIST = rf"(?={OWS}(?:,|\Z))"
_NO_PARAM_NEXT = rf"(?!{OWS},[{LIST_SPACE}]*+{TOKEN}{BWS}=)"
# Well-formed so far, but what follows the comma is no challenge.
QOP = rf"(?i:qop){BWS}={BWS}auth(?:-int)?,{OWS}auth"
_SCOPE_TOKEN = r"[^\s,;=\"']++"
SCOPES = rf"(?!{QUOTE}){_SCOPE_TOKEN}(?:,{OWS}(?!{KNOWN})(?=[a-z*]){_SCOPE_TOKEN}{STOP}|(?!))++"
_LIST = rf"(?:{QOP}|(?i:scope){BWS}={BWS}{SCOPES})"
# One element of a list as RFC 9110 has it.
_ELEMENT = (
    rf"(?:(?<![\s\S])|{OWS}(?P<separator>,)[{LIST_SPACE}]*+)"
    rf"(?:(?!{TOLD_IN_TWO}|{HAS_APOSTROPHE}|{FLAGS})(?P<scheme>{TOKEN})(?!{BWS}=)"
    rf"(?: ++(?:(?P<token68>{TOKEN68}){_IN_LIST}{_NO_PARAM_NEXT}|)|{_NO_PARAM_NEXT})|)"
    rf"(?:(?!['`]|{_LIST})(?P<name>{TOKEN}){BWS}={BWS}(?:\"(?P<quoted>{QUOTED_TEXT})\"|(?P<value>(?!['`])(?:{CODE}|{TOKEN}(?!{SENTENCE}))))|)"
)
SOUND_ELEMENTS = "(?:{}{}|(?!))++".format(re.sub(r"\(\?P<\w+>", "(?:", _ELEMENT), _IN_LIST)
_sound_element = re.compile(_ELEMENT + _IN_LIST)
_IN_ELEMENT = tuple(_sound_element.groupindex)


def sound_elements(line: str, at: int, end: int) -> Iterator[tuple[list[Event], int, int]]:
    """Take a run of sound elements apart: what each holds, and from which character to which."""
    while at < end and (match := _sound_element.match(line, at)):
        yield (
            [
                (what, match[what], *match.span(what))
                for what in _IN_ELEMENT
                if match[what] is not None
            ],
            *match.span(),
        )
        at = match.end()
