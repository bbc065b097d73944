"""The faults a field can have: their stable kinds, what each breaks, and how one is drawn.

The kinds are part of the public interface. Each has one sentence that the author of a server can
act on; no sentence holds a character of the field, so that it can be said of a secret one too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

__all__ = ["KINDS", "Fault", "excerpt", "fault"]

KINDS: Final = {
    # what separates
    "missing-comma": (
        "RFC 9110 §5.6.1",
        "Parameters, and challenges, are separated by commas: put one here.",
    ),
    "semicolon": (
        "RFC 9110 §5.6.1",
        "A semicolon separates nothing: write a space after the scheme, and commas elsewhere.",
    ),
    "obs-fold": (
        "RFC 9112 §5.2",
        "A field is one line: write a space for the line break and the whitespace after it.",
    ),
    "line-break": (
        "RFC 9110 §5.5",
        "A field holds no line break: leave it out, or send what follows in a field of its own.",
    ),
    # what a challenge begins with
    "missing-scheme": (
        "RFC 9110 §11.3",
        "The name of the scheme and a space come first: a parameter alone is no challenge.",
    ),
    "comma-after-scheme": (
        "RFC 9110 §11.3",
        "Between the scheme and its first parameter stands a space: leave out the comma.",
    ),
    "colon-after-scheme": (
        "RFC 9110 §11.3",
        "Between the scheme and its first parameter stands a space: leave out the colon.",
    ),
    "missing-space": (
        "RFC 9110 §11.3",
        "Between the scheme and what follows it stands a space: put one here.",
    ),
    "bad-space": (
        "RFC 9110 §11.3",
        "What stands here is no space: write the one that is U+0020.",
    ),
    "duplicate-scheme": (
        "RFC 9110 §11.3",
        "The scheme is written once: leave out the second.",
    ),
    "header-name": (
        "RFC 9110 §11.6.1",
        "The name of the field is no part of its value: leave it out.",
    ),
    # the values of parameters
    "single-quotes": (
        "RFC 9110 §5.6.4",
        "Only double quotes quote: write them for the single ones.",
    ),
    "smart-quotes": (
        "RFC 9110 §5.6.4",
        'Only the double quote of ASCII quotes: write " for these.',
    ),
    "escaped-quotes": (
        "RFC 9110 §5.6.4",
        'The quotes around a value are not escaped: write " there, and \\" only between them.',
    ),
    "doubled-quotes": (
        "RFC 9110 §5.6.4",
        "One double quote opens a value and one closes it: leave out the others.",
    ),
    "unterminated-quote": (
        "RFC 9110 §5.6.4",
        "The quote that is opened here is never closed: put a double quote after the text.",
    ),
    "unopened-quote": (
        "RFC 9110 §5.6.4",
        "The quote that is closed here was never opened: put a double quote before the text.",
    ),
    "unescaped-quote": (
        "RFC 9110 §5.6.4",
        'A double quote inside a quoted text is written \\": put a backslash before each.',
    ),
    "unescaped-backslash": (
        "RFC 9110 §5.6.4",
        "A backslash inside a quoted text is written twice: put the second one here.",
    ),
    "control-character": (
        "RFC 9110 §5.5",
        "A field holds no control characters: leave this one out.",
    ),
    "non-latin-1": (
        "RFC 9110 §5.5",
        "A field is made of octets and this character is none: send US-ASCII only.",
    ),
    "unquoted-url": (
        "RFC 9110 §11.2",
        "A URL is no token: put it between double quotes.",
    ),
    "unquoted-spaces": (
        "RFC 9110 §11.2",
        "A text with spaces is no token: put it between double quotes.",
    ),
    "unquoted-comma": (
        "RFC 9110 §11.2",
        "A text with commas is no token: put it between double quotes.",
    ),
    "unquoted-base64": (
        "RFC 9110 §11.2",
        "Base64 with its = and / is no token: put the value between double quotes.",
    ),
    "unquoted-value": (
        "RFC 9110 §11.2",
        "This value is no token: put it between double quotes.",
    ),
    "empty-value": (
        "RFC 9110 §11.2",
        'A parameter has a value: write "" for the empty one, or leave the parameter out.',
    ),
    "valueless-param": (
        "RFC 9110 §11.2",
        "A parameter is a name, an equals sign and a value: add the value, or leave it out.",
    ),
    "colon-for-equals": (
        "RFC 9110 §11.2",
        "Between the name of a parameter and its value stands an equals sign: write that.",
    ),
    "missing-equals": (
        "RFC 9110 §11.2",
        "Between the name of a parameter and its value stands an equals sign: put one here.",
    ),
    "bad-equals": (
        "RFC 9110 §11.2",
        "Between the name of a parameter and its value stands one equals sign: write that.",
    ),
    "quoted-name": (
        "RFC 9110 §11.2",
        "The name of a parameter is a token: leave out the quotes around it.",
    ),
    "duplicate-parameter": (
        "RFC 9110 §11.2",
        "A parameter occurs once in a challenge: leave this one out.",
    ),
    # what is neither scheme nor parameter
    "quoted-challenge": (
        "RFC 9110 §11.3",
        "Quotes stand around values, not around challenges: leave them out.",
    ),
    "positional-quoted": (
        "RFC 9110 §11.2",
        "A value has a name: put it, and an equals sign, before the quotes.",
    ),
    "bad-token68": (
        "RFC 9110 §11.2",
        "This is no token68: send the scheme alone, or with a value in base64.",
    ),
    "url-payload": (
        "RFC 9110 §11.3",
        "A URL alone cannot follow a scheme: make it the quoted value of a parameter.",
    ),
    "url-only": (
        "RFC 9110 §11.3",
        "A URL is no challenge: name a scheme, and make the URL the quoted value of a parameter.",
    ),
    "json-payload": (
        "RFC 9110 §11.3",
        "JSON is no challenge: send it as content, and parameters here.",
    ),
    "html-payload": (
        "RFC 9110 §11.3",
        "HTML is no challenge: send it as content, and a scheme here.",
    ),
    "placeholder-braces": (
        "RFC 9110 §11.3",
        "This looks like a placeholder that was never filled in: leave it out.",
    ),
    "prose": (
        "RFC 9110 §11.3",
        "A sentence is no challenge: send it as content, and a scheme here.",
    ),
    "stray-word": (
        "RFC 9110 §11.3",
        "This word is neither a scheme nor a parameter: leave it out.",
    ),
    "stray-character": (
        "RFC 9110 §11.3",
        "This is neither a scheme nor a parameter: leave it out.",
    ),
    # bounds
    "too-many-faults": (
        "RFC 9110 §5.4",
        "There are too many faults before this place: what follows was not read.",
    ),
}
"""By kind: the section of the RFC that it breaks, and what to do about it."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One breach of the grammar, from character `start` up to but not including `end`.

    `kind` is stable, `section` names what is broken, `sentence` tells a server's author what to
    do. Where something is missing, `start` and `end` are the same place.
    """

    kind: str
    start: int
    end: int
    section: str
    sentence: str


def fault(kind: str, start: int, end: int) -> Fault:
    """Build the fault of a kind that is in `KINDS`."""
    return Fault(kind, start, end, *KINDS[kind])


def excerpt(text: str, start: int, end: int, *, width: int = 76) -> tuple[str, str]:
    r"""Draw the part of `text` around a span, and the carets to set under it.

    >>> print(*excerpt("Basic realm=a\tb", 13, 14), sep="\n")
    Basic realm=a\tb
                 ^^
    """
    first = 0 if end <= width else max(0, start - width // 3)
    last = min(len(text), first + width)
    before = ("…" if first else "") + _drawn(text[first:start])
    marked = _drawn(text[start : min(end, last)])
    after = _drawn(text[end:last]) + ("…" if last < len(text) else "")
    return before + marked + after, " " * len(before) + "^" * max(1, len(marked))


def _drawn(text: str) -> str:
    # One column a character: what is wide, invisible or moves the cursor is drawn as its escape.
    return "".join(
        c if c.isprintable() and c <= "\xff" else c.encode("unicode_escape").decode("ascii")
        for c in text
    )
