"""Turn rules, each with a name and a pattern, into a parser that says what it found and where."""

from __future__ import annotations

import re

import pyparsing as pp

from relogin.wire.faults import KINDS
from relogin.wire.shapes import STOP_OR_PARAM
from relogin.wire.sound import Event

__all__ = ["between", "rules"]


def rules(name: str, *alternatives: tuple[str, str], where: str = "") -> pp.ParserElement:
    """Combine rules into one: the first that matches counts, and none is tried except `where` says.

    The result is one pattern, and the last group that matched tells which rule did: trying each
    rule by itself takes twice as long.
    """
    tried, found = [], {}
    for number, (kind, pattern) in enumerate(alternatives):
        tried.append(f"(?:{_own(pattern, number)})(?P<_{number}>)")
        found[f"_{number}"] = kind, *_groups(pattern, number)

    def events(_text: str, _at: int, results: pp.ParseResults) -> list[Event]:
        match: re.Match[str] = results[0]
        kind, at, groups = found[match.lastgroup or ""]
        events = [(kind, "", *match.span(at))] if kind in KINDS else []
        return events + [
            (what, match[group], *match.span(group))
            for group, what in groups
            if match[group] is not None
        ]

    rule = pp.Regex(f"{where}(?:{'|'.join(tried)})", as_match=True)
    return rule.leave_whitespace().set_name(name).add_parse_action(events)


def _own(pattern: str, number: int) -> str:
    """Give the groups of a pattern names that no other rule's have."""
    return re.sub(r"\(\?P([<=])(\w+)", rf"(?P\g<1>\g<2>_{number}", pattern)


def _groups(pattern: str, number: int) -> tuple[str | int, list[tuple[str, str]]]:
    """Where the fault of a rule is, and its groups, each with what it finds.

    The second group of a kind has an underscore at its end.
    """
    names = re.findall(r"\(\?P<([a-z]\w*)>", pattern)
    at = f"at_{number}" if "at" in names else 0
    groups = [(f"{one}_{number}", one.rstrip("_").replace("_", "-")) for one in names]
    return at, [group for group in groups if group[1] != "at"]


def between(opening: str, closing: str) -> str:
    """Write the pattern of a value between quotes, up to the first that may close it."""
    value = rf"(?:(?!{closing}{STOP_OR_PARAM})[\s\S]|(?!))*+"
    return rf"{opening}(?P<value>{value}){closing}"
