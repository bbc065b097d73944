"""The parsing expression grammar of grammar/recovery.peg, executed as it is.

Its notation is told at its top. It is made to be plain and not to be fast: nothing is remembered
from one try to the next.
"""

import ast
import re
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

Found: TypeAlias = list[tuple[str, int, int]]
Matcher: TypeAlias = Callable[[str, int, Found], int | None]

PATH = Path(__file__).parents[2] / "grammar" / "recovery.peg"

_SIGNS = re.compile(
    r"""\s+ | \#.*
    | (?P<rule>[a-z0-9-]+)[ ]*=\s
    | (?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')(?P<any_case>i?)
    | (?P<one><?\[(?:[^\]\\]|\\.)*\]|\.)
    | (?P<label>[a-z0-9-]+):
    | (?P<same>[=~][a-z0-9-]+)
    | (?P<name>[a-z0-9-]+)
    | \{(?P<least>\d+)(?P<more>,?)\}
    | (?P<place>\^\^?|\$)
    | (?P<sign>[/&!?*+()])
    | (?P<unknown>.)""",
    re.VERBOSE,
)
_PLACES = {"^": r"\A", "^^": r"(?<!\S)", "$": r"\Z"}
_TIMES = {"?": (0, 1), "*": (0, None), "+": (1, None)}


class Grammar:
    """The rules by their names: each takes a text, a place and a list of what has been found."""

    def __init__(self, source: str) -> None:
        signs = [sign for sign in _SIGNS.finditer(source) if sign.lastgroup]
        assert not [sign for sign in signs if sign["unknown"]]
        self._signs = signs[::-1]
        self.rules: dict[str, Matcher] = {}
        self.used: set[str] = set()
        self.labels: set[str] = set()
        while self._signs:
            name = self._signs.pop()["rule"]
            self.rules[name] = self._choice()

    def _at(self, group: str, *wanted: str) -> bool:
        found = self._signs[-1][group] if self._signs else None
        return bool(found) and (not wanted or found in wanted)

    def _choice(self) -> Matcher:
        options = [self._sequence()]
        while self._at("sign", "/"):
            self._signs.pop()
            options.append(self._sequence())
        return _first_of(options) if len(options) > 1 else options[0]

    def _sequence(self) -> Matcher:
        parts = []
        while self._signs and not self._at("rule") and not self._at("sign", "/", ")"):
            parts.append(self._prefixed())
        return _all_of(parts) if len(parts) > 1 else parts[0]

    def _prefixed(self) -> Matcher:
        if self._at("sign", "&", "!"):
            return _ahead(self._signs.pop()["sign"] == "&", self._prefixed())
        if self._at("label"):
            label = self._signs.pop()["label"]
            self.labels.add(label)
            return _labelled(label, self._prefixed())
        matcher = self._primary()
        while self._at("sign", "?", "*", "+") or self._at("least"):
            matcher = _repeated(matcher, *_times(self._signs.pop()))
        return matcher

    def _primary(self) -> Matcher:
        sign = self._signs.pop()
        if sign["name"]:
            self.used.add(sign["name"])
            return self._rule(sign["name"])
        if sign["same"]:
            return _same(sign["same"][1:], re.IGNORECASE if sign["same"][0] == "~" else 0)
        if sign["sign"]:
            inside = self._choice()
            self._signs.pop()
            return inside
        return _terminal(sign)

    def _rule(self, name: str) -> Matcher:
        def match(text: str, at: int, found: Found) -> int | None:
            return self.rules[name](text, at, found)

        return match


def _times(sign: re.Match[str]) -> tuple[int, int | None]:
    if sign["least"]:
        return int(sign["least"]), None if sign["more"] else int(sign["least"])
    return _TIMES[sign["sign"]]


def _terminal(sign: re.Match[str]) -> Matcher:
    if sign["text"]:
        unescaped = re.sub(
            r"\\(x..|.)", lambda one: str(ast.literal_eval(f'"{one[0]}"')), sign["text"][1:-1]
        )
        pattern = re.compile(re.escape(unescaped), re.IGNORECASE if sign["any_case"] else 0)
    else:
        one = re.sub(r"\A<(.+)", r"(?<=\1)", sign["one"] or "")
        pattern = re.compile(_PLACES.get(sign["place"] or "") or one, re.DOTALL)

    def match(text: str, at: int, found: Found) -> int | None:
        one = pattern.match(text, at)
        return one.end() if one else None

    return match


def _same(label: str, flags: int) -> Matcher:
    def match(text: str, at: int, found: Found) -> int | None:
        _, start, end = next(one for one in reversed(found) if one[0] == label)
        one = re.compile(re.escape(text[start:end]), flags).match(text, at)
        return one.end() if one else None

    return match


def _first_of(options: list[Matcher]) -> Matcher:
    def match(text: str, at: int, found: Found) -> int | None:
        for option in options:
            end = option(text, at, found)
            if end is not None:
                return end
        return None

    return match


def _all_of(parts: list[Matcher]) -> Matcher:
    def match(text: str, at: int, found: Found) -> int | None:
        before, end = len(found), at
        for part in parts:
            now = part(text, end, found)
            if now is None:
                del found[before:]
                return None
            end = now
        return end

    return match


def _repeated(part: Matcher, least: int, most: int | None) -> Matcher:
    def match(text: str, at: int, found: Found) -> int | None:
        before, times = len(found), 0
        while most is None or times < most:
            now = part(text, at, found)
            if now is None or (now == at and times >= least):
                break
            at, times = now, times + 1
        if times < least:
            del found[before:]
            return None
        return at

    return match


def _ahead(wanted: bool, part: Matcher) -> Matcher:
    def match(text: str, at: int, found: Found) -> int | None:
        before = len(found)
        matched = part(text, at, found) is not None
        del found[before:]
        return at if matched == wanted else None

    return match


def _labelled(label: str, part: Matcher) -> Matcher:
    def match(text: str, at: int, found: Found) -> int | None:
        before = len(found)
        found.append((label, at, at))
        end = part(text, at, found)
        if end is None:
            del found[before:]
        else:
            found[before] = (label, at, end)
        return end

    return match
