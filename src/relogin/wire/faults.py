"""The faults a field can have: their stable kinds, what each breaks, and how one is drawn.

The kinds are part of the public interface. Each has one sentence that the author of a server can
act on. No sentence quotes the field, which may be a secret.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

__all__ = ["KINDS", "Fault", "excerpt", "fault"]

_SENTENCES: Final = {
    "RFC 9110 §5.4": {
        "too-many-faults": "There are too many faults: the rest was not read.",
    },
    "RFC 9110 §5.5": {
        "line-break": (
            "A field must not contain a line break: remove it, or send the rest as a second field."
        ),
        "control-character": "A field must not contain control characters: remove this one.",
        "non-latin-1": "This character does not fit into one byte: use ASCII only.",
    },
    "RFC 9110 §5.6.1": {
        "missing-comma": "Commas separate parameters and challenges: add one here.",
        "semicolon": (
            "A semicolon is not a separator: use a space after the scheme and commas elsewhere."
        ),
    },
    "RFC 9110 §5.6.4": {
        "single-quotes": "Use double quotes instead of single quotes.",
        "smart-quotes": 'Use the ASCII double quote " instead of these.',
        "escaped-quotes": (
            'Do not escape the quotes around a value: use " there, and \\" only inside.'
        ),
        "doubled-quotes": "One double quote opens a value and one closes it: remove the others.",
        "unterminated-quote": "This quote is never closed: add a double quote after the text.",
        "unopened-quote": "This quote was never opened: add a double quote before the text.",
        "unescaped-quote": (
            'Inside quotes, write a double quote as \\": add a backslash before each.'
        ),
        "unescaped-backslash": "Inside quotes, write a backslash twice: add the second one here.",
    },
    "RFC 9110 §11.2": {
        "unquoted-url": "A URL needs double quotes around it.",
        "unquoted-spaces": "A value with spaces needs double quotes around it.",
        "unquoted-comma": "A value with commas needs double quotes around it.",
        "unquoted-base64": "Base64 with = or / needs double quotes around it.",
        "unquoted-value": "This value needs double quotes around it.",
        "empty-value": 'The value is missing: write "" for an empty one, or remove the parameter.',
        "valueless-param": (
            "A parameter needs an equals sign and a value: add them, or remove the parameter."
        ),
        "colon-for-equals": "Use an equals sign between the name of a parameter and its value.",
        "missing-equals": "The equals sign before the value is missing: add one here.",
        "bad-equals": "Use exactly one equals sign between the name of a parameter and its value.",
        "quoted-name": "The name of a parameter has no quotes: remove them.",
        "duplicate-parameter": (
            "A challenge must not have the same parameter twice: remove this one."
        ),
        "positional-quoted": (
            "This value has no name: add a name and an equals sign before the quotes."
        ),
        "bad-token68": (
            "This is not base64: send the scheme alone, or with a base64 value or parameters."
        ),
    },
    "RFC 9110 §11.3": {
        "missing-scheme": (
            "A challenge begins with a scheme and a space: add them before the parameter."
        ),
        "comma-after-scheme": (
            "Only a space belongs between the scheme and its first parameter: remove the comma."
        ),
        "colon-after-scheme": (
            "Only a space belongs between the scheme and its first parameter: remove the colon."
        ),
        "missing-space": "A space must follow the scheme: add one here.",
        "bad-space": "This is not an ordinary space: use U+0020.",
        "duplicate-scheme": "The scheme is here twice: remove the second one.",
        "quoted-challenge": "Only values have quotes, not whole challenges: remove them.",
        "url-payload": (
            "A URL cannot follow the scheme directly: make it the quoted value of a parameter."
        ),
        "url-only": (
            "A URL is not a challenge: begin with a scheme, and make the URL a quoted parameter."
        ),
        "json-payload": "JSON is not a challenge: put it into the body, and send parameters here.",
        "html-payload": "HTML is not a challenge: put it into the body, and send a scheme here.",
        "placeholder-braces": (
            "This looks like a placeholder that was not filled in: fill it in or remove it."
        ),
        "prose": "A sentence is not a challenge: put it into the body, and send a scheme here.",
        "stray-word": "This word is neither a scheme nor a parameter: remove it.",
        "stray-character": "This is neither a scheme nor a parameter: remove it.",
    },
    "RFC 9110 §11.6.1": {
        "header-name": "The name of the field is not part of its value: remove it.",
    },
    "RFC 9112 §5.2": {
        "obs-fold": (
            "A field must be one line: replace the line break and the spaces after it by one space."
        ),
    },
}
"""By the section of the RFC that it breaks, and by its kind: what to do about a fault."""

KINDS: Final = {
    kind: (section, sentence)
    for section, sentences in _SENTENCES.items()
    for kind, sentence in sentences.items()
}


@dataclass(frozen=True, slots=True)
class Fault:
    """A place where a field breaks the rules: characters `start` up to but not including `end`.

    `kind` is a stable name, `section` the rule that is broken, and `sentence` tells the server's
    author what to do. If something is missing, `start` equals `end`.

    >>> import relogin
    >>> [fault] = relogin.diagnose("Basic realm='the api'").faults
    >>> fault.kind, fault.section, fault.sentence
    ('single-quotes', 'RFC 9110 §5.6.4', 'Use double quotes instead of single quotes.')
    """

    kind: str
    start: int
    end: int
    section: str
    sentence: str


def fault(kind: str, start: int, end: int) -> Fault:
    """Build the fault of a kind that is in `KINDS`."""
    return Fault(kind, start, end, *KINDS[kind])


_WIDTH = 76  # of a terminal of 80 columns, less an indent and the signs of what is left out


def excerpt(text: str, start: int, end: int) -> tuple[str, str]:
    r"""Draw the part of `text` around a span, and the carets to set under it.

    >>> print(*excerpt("Basic realm=a\tb", 13, 14), sep="\n")
    Basic realm=a\tb
                 ^^
    """
    first = 0 if end <= _WIDTH else max(0, start - _WIDTH // 3)
    last = min(len(text), first + _WIDTH)
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
