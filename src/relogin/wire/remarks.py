"""Remarks: what is well-formed, but probably not what the server meant."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from relogin.wire.scan import sound_elements

__all__ = ["MAX_REMARKS", "REMARKS", "Remark", "remarks"]

MAX_REMARKS: Final = 100
"""How many remarks are made on a field."""

REMARKS: Final = {
    "quotes-in-value": "These quotes are part of the value: use double quotes.",
    "word-as-token68": (
        "Two words are read as a scheme and a value: put a sentence into the body, and send a "
        "scheme with parameters here."
    ),
}
"""By kind: what to do about it. The kinds are part of the public interface."""

_TOKEN68, _BARE = 2, 5  # the groups of an element

_quoted = re.compile(r"['`]").match
# Base64 has capitals, digits or padding in it, and a word has not.
_word = re.compile(r"(?:[A-Za-z]?[a-z]+(?:-[a-z]+)*|[A-Z]{4,})\.*").fullmatch


@dataclass(frozen=True, slots=True)
class Remark:
    """A part of a well-formed field, from `start` up to `end`, that is probably not meant.

    `kind` is stable; `sentence` says what to do about it.

    >>> import relogin
    >>> [remark] = relogin.diagnose("Bearer realm='api'").remarks
    >>> remark.kind, remark.start, remark.end
    ('quotes-in-value', 13, 18)
    """

    kind: str
    start: int
    end: int
    sentence: str


def remarks(field: str) -> Iterator[Remark]:
    """Remark on a field that is well-formed, in the order of its text."""
    for element in sound_elements(field):
        token68, bare = element[_TOKEN68], element[_BARE]
        if token68 and _word(token68):
            yield _remark("word-as-token68", element.start("scheme"), element.end(_TOKEN68))
        elif bare and _quoted(bare):
            yield _remark("quotes-in-value", *element.span(_BARE))


def _remark(kind: str, start: int, end: int) -> Remark:
    return Remark(kind, start, end, REMARKS[kind])
