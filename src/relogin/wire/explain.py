"""The error for a field that the scanner refused: where it goes wrong, what fits, what to do.

The grammar says where and what was expected, the rules of malformed fields say what the fault is.
Of a long field they read only what follows the last sound element, so that an error costs little.
"""

from __future__ import annotations

import re
from typing import Final, cast

from relogin.errors import ChallengeSyntaxError
from relogin.wire.abnf import LIST_SPACE, OWS, TOKEN
from relogin.wire.faults import Fault, excerpt, fault
from relogin.wire.grammar import NEW_NAME, Stop, read
from relogin.wire.recover import Recovery
from relogin.wire.scan import refused_elements

__all__ = ["explain"]

_LIST: Final = {
    "challenges": re.compile(""),
    "credentials": re.compile(rf"{OWS}{TOKEN} ++(?!\t{OWS}(?!,|\Z))"),
    "authentication-info": re.compile(""),
}
"""What stands before the list in each kind of field."""

_NEAR: Final = 1024
"""Up to this character a fault is diagnosed from the start of the field, where it may have begun: a
single quote, say, is sound where it stands."""

_token = re.compile(TOKEN).match


def explain(rule: str, text: str) -> ChallengeSyntaxError:
    """Build the error for a field that `relogin.wire.scan` refused.

    `rule` is ``"challenges"``, ``"credentials"`` or ``"authentication-info"``. The last two hold
    secrets, so the error holds nothing of the field.
    """
    (at, expected), found = _located(rule, text)
    secret = rule != "challenges"
    drawn = "" if secret else "\n  {}\n  {}".format(*excerpt(text, found.start, found.end))
    return ChallengeSyntaxError(
        f"{found.kind}: expected {expected} at character {at}{drawn}\n"
        f"{found.sentence} ({found.section})",
        source="" if secret else text,
        start=found.start,
        end=found.end,
        expected=expected,
        fault=found.kind,
    )


def _located(rule: str, text: str) -> tuple[Stop, Fault]:
    start, repeated = _refused(rule, text)
    if repeated:
        return Stop(start, NEW_NAME), fault("duplicate-parameter", start, start + len(repeated))
    prefix = _prefix(rule, text) if start else ""
    at, expected = cast("Stop", read(rule, prefix + text[start:]))  # as the scanner, it refuses
    stop = Stop(at + start - len(prefix), expected)
    return stop, _fault(rule, text, start) or _not_here(text, stop.at)


def _prefix(rule: str, text: str) -> str:
    """Return what stands in for the sound elements before the rest of a list."""
    name = "~" * (text.count("~") + 1)  # no parameter of the text has this name
    return f'{name}="", ' if rule == "authentication-info" else f'A {name}="", '


def _refused(rule: str, text: str) -> tuple[int, str]:
    """Find where the first unsound element begins (0 if it is the first), and a repeated name."""
    before = _LIST[rule].match(text)
    if before is None:
        return 0, ""
    begin = len(text) - len(text[before.end() :].lstrip(LIST_SPACE))
    params_only = rule != "challenges"
    start, repeated = next(refused_elements(text, begin, params_only=params_only), (begin, ""))
    return (start if start > begin or repeated else 0), repeated


def _fault(rule: str, text: str, start: int) -> Fault | None:
    """Return the fault that this would be in a list of challenges, or `None`."""
    if start < _NEAR:
        start = 0
    first = start == 0 and rule != "authentication-info"
    prefix = "" if first else _prefix("challenges", text)
    recovery = Recovery(max_faults=1)
    recovery.read(prefix + text[start:], start - len(prefix))
    found = next(iter(recovery.faults_in_order()), None)
    if found is not None and found.kind == "prose" and rule != "challenges":
        return fault("stray-word", found.start, found.end)
    return found


def _not_here(text: str, at: int) -> Fault:
    """Return the fault of what a list of challenges would allow here."""
    if word := _token(text, at):
        return fault("stray-word", *word.span())
    return fault("stray-character", at, at + 1) if text[at:] else fault("missing-scheme", at, at)
