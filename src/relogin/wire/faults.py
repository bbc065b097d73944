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
        "Commas separate parameters and challenges: add one here.",
    ),
    "semicolon": (
        "RFC 9110 §5.6.1",
        "A semicolon is not a separator: use a space after the scheme and commas elsewhere.",
    ),
    "obs-fold": (
        "RFC 9112 §5.2",
        "A field must be one line: replace the line break and the spaces after it by one space.",
    ),
    "line-break": (
        "RFC 9110 §5.5",
        "A field must not contain a line break: remove it, or send the rest as a second field.",
    ),
    # what a challenge begins with
    "missing-scheme": (
        "RFC 9110 §11.3",
        "A challenge begins with a scheme and a space: add them before the parameter.",
    ),
    "comma-after-scheme": (
        "RFC 9110 §11.3",
        "Only a space belongs between the scheme and its first parameter: remove the comma.",
    ),
    "colon-after-scheme": (
        "RFC 9110 §11.3",
        "Only a space belongs between the scheme and its first parameter: remove the colon.",
    ),
    "missing-space": (
        "RFC 9110 §11.3",
        "A space must follow the scheme: add one here.",
    ),
    "bad-space": (
        "RFC 9110 §11.3",
        "This is not an ordinary space: use U+0020.",
    ),
    "duplicate-scheme": (
        "RFC 9110 §11.3",
        "The scheme is here twice: remove the second one.",
    ),
    "header-name": (
        "RFC 9110 §11.6.1",
        "The name of the field is not part of its value: remove it.",
    ),
    # the values of parameters
    "single-quotes": (
        "RFC 9110 §5.6.4",
        "Use double quotes instead of single quotes.",
    ),
    "smart-quotes": (
        "RFC 9110 §5.6.4",
        'Use the ASCII double quote " instead of these.',
    ),
    "escaped-quotes": (
        "RFC 9110 §5.6.4",
        'Do not escape the quotes around a value: use " there, and \\" only inside.',
    ),
    "doubled-quotes": (
        "RFC 9110 §5.6.4",
        "One double quote opens a value and one closes it: remove the others.",
    ),
    "unterminated-quote": (
        "RFC 9110 §5.6.4",
        "This quote is never closed: add a double quote after the text.",
    ),
    "unopened-quote": (
        "RFC 9110 §5.6.4",
        "This quote was never opened: add a double quote before the text.",
    ),
    "unescaped-quote": (
        "RFC 9110 §5.6.4",
        'Inside quotes, write a double quote as \\": add a backslash before each.',
    ),
    "unescaped-backslash": (
        "RFC 9110 §5.6.4",
        "Inside quotes, write a backslash twice: add the second one here.",
    ),
    "control-character": (
        "RFC 9110 §5.5",
        "A field must not contain control characters: remove this one.",
    ),
    "non-latin-1": (
        "RFC 9110 §5.5",
        "This character does not fit into one byte: use ASCII only.",
    ),
    "unquoted-url": (
        "RFC 9110 §11.2",
        "A URL needs double quotes around it.",
    ),
    "unquoted-spaces": (
        "RFC 9110 §11.2",
        "A value with spaces needs double quotes around it.",
    ),
    "unquoted-comma": (
        "RFC 9110 §11.2",
        "A value with commas needs double quotes around it.",
    ),
    "unquoted-base64": (
        "RFC 9110 §11.2",
        "Base64 with = or / needs double quotes around it.",
    ),
    "unquoted-value": (
        "RFC 9110 §11.2",
        "This value needs double quotes around it.",
    ),
    "empty-value": (
        "RFC 9110 §11.2",
        'The value is missing: write "" for an empty one, or remove the parameter.',
    ),
    "valueless-param": (
        "RFC 9110 §11.2",
        "A parameter needs an equals sign and a value: add them, or remove the parameter.",
    ),
    "colon-for-equals": (
        "RFC 9110 §11.2",
        "Use an equals sign between the name of a parameter and its value.",
    ),
    "missing-equals": (
        "RFC 9110 §11.2",
        "The equals sign before the value is missing: add one here.",
    ),
    "bad-equals": (
        "RFC 9110 §11.2",
        "Use exactly one equals sign between the name of a parameter and its value.",
    ),
    "quoted-name": (
        "RFC 9110 §11.2",
        "The name of a parameter has no quotes: remove them.",
    ),
    "duplicate-parameter": (
        "RFC 9110 §11.2",
        "A challenge must not have the same parameter twice: remove this one.",
    ),
    # what is neither scheme nor parameter
    "quoted-challenge": (
        "RFC 9110 §11.3",
        "Only values have quotes, not whole challenges: remove them.",
    ),
    "positional-quoted": (
        "RFC 9110 §11.2",
        "This value has no name: add a name and an equals sign before the quotes.",
    ),
    "bad-token68": (
        "RFC 9110 §11.2",
        "This is not base64: send the scheme alone, or with a base64 value or parameters.",
    ),
    "url-payload": (
        "RFC 9110 §11.3",
        "A URL cannot follow the scheme directly: make it the quoted value of a parameter.",
    ),
    "url-only": (
        "RFC 9110 §11.3",
        "A URL is not a challenge: begin with a scheme, and make the URL a quoted parameter.",
    ),
    "json-payload": (
        "RFC 9110 §11.3",
        "JSON is not a challenge: put it into the body, and send parameters here.",
    ),
    "html-payload": (
        "RFC 9110 §11.3",
        "HTML is not a challenge: put it into the body, and send a scheme here.",
    ),
    "placeholder-braces": (
        "RFC 9110 §11.3",
        "This looks like a placeholder that was not filled in: fill it in or remove it.",
    ),
    "prose": (
        "RFC 9110 §11.3",
        "A sentence is not a challenge: put it into the body, and send a scheme here.",
    ),
    "stray-word": (
        "RFC 9110 §11.3",
        "This word is neither a scheme nor a parameter: remove it.",
    ),
    "stray-character": (
        "RFC 9110 §11.3",
        "This is neither a scheme nor a parameter: remove it.",
    ),
    # bounds
    "too-many-faults": (
        "RFC 9110 §5.4",
        "There are too many faults: the rest was not read.",
    ),
}
"""By kind: the section of the RFC that it breaks, and what to do about it."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A place where a field breaks the rules: characters `start` up to but not including `end`.

    `kind` is a stable name, `section` the rule that is broken, and `sentence` tells the server's
    author what to do. If something is missing, `start` equals `end`.
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
