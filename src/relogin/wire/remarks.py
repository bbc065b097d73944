"""Remarks: what is well-formed, but probably not what the server meant."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from relogin.wire.scan import sound_elements
from relogin.wire.shapes import KNOWN, LIKELY, NO_SCHEME, OR

__all__ = ["MAX_REMARKS", "REMARKS", "Remark", "remarks"]

MAX_REMARKS: Final = 100
"""How many remarks are made on a field."""

REMARKS: Final = {
    "quotes-in-value": "These quotes are part of the value: use double quotes.",
    "word-as-token68": (
        "Two words are read as a scheme and a value: put a sentence into the body, and send a "
        "scheme with parameters here."
    ),
    "name-as-token68": (
        'This is read as base64, not as a parameter: write "" after it for an empty value, or '
        "remove it."
    ),
    "word-before-scheme": (
        "This word is read as a scheme, and the scheme after it as its value: remove the word; a "
        "comma is enough."
    ),
    "list-as-schemes": (
        "These words are read as schemes: put the whole list in one pair of double quotes."
    ),
}
"""By kind: what to do about it. The kinds are part of the public interface."""

_TOKEN68, _BARE = 2, 5  # the groups of an element

_quoted = re.compile(r"['`]").match
_name = re.compile(rf"{NO_SCHEME}=").fullmatch
_joins = re.compile(OR).fullmatch
_is_likely = re.compile(LIKELY).fullmatch
_is_known = re.compile(KNOWN).match
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
    words: list[re.Match[str]] = []  # of a list, behind its first one: they stand alone
    may_be_listed = False
    for element in sound_elements(field):
        if may_be_listed and _is_word_alone(element):
            words.append(element)
            continue
        yield from _on_list(words)
        words, may_be_listed = [], bool(element[_BARE])
        yield from _on_element(element)
    yield from _on_list(words)


def _is_word_alone(element: re.Match[str]) -> bool:
    scheme = element["scheme"] or ""
    alone = not (element[_TOKEN68] or element["name"])
    return alone and scheme.islower() and not _is_known(scheme)


def _on_list(words: list[re.Match[str]]) -> Iterator[Remark]:
    if words:
        yield _remark("list-as-schemes", words[0].start("scheme"), words[-1].end("scheme"))


def _on_element(element: re.Match[str]) -> Iterator[Remark]:
    token68, bare = element[_TOKEN68], element[_BARE]
    if token68 and _joins(element["scheme"]) and _is_likely(token68):
        yield _remark("word-before-scheme", *element.span("scheme"))
    elif token68 and _word(token68):
        yield _remark("word-as-token68", element.start("scheme"), element.end(_TOKEN68))
    elif token68 and _name(token68):
        yield _remark("name-as-token68", *element.span(_TOKEN68))
    elif bare and _quoted(bare):
        yield _remark("quotes-in-value", *element.span(_BARE))


def _remark(kind: str, start: int, end: int) -> Remark:
    return Remark(kind, start, end, REMARKS[kind])
