"""Put together what the rules of `relogin.wire.malformed` find: challenges, and faults.

Which challenge is open, which comma is missing, which parameter is the second of its name: no rule
sees that by itself.
"""

from __future__ import annotations

import re
from functools import partial
from typing import Final

from relogin.wire.abnf import BWS, LIST_SPACE, QUOTABLE, TOKEN
from relogin.wire.faults import Fault, fault
from relogin.wire.malformed import elements

__all__ = ["MAX_FAULTS", "Recovery"]

MAX_FAULTS: Final = 100
"""How many faults are looked for in a field before what follows is left unread."""

_POSITIONS: Final = ("realm", "error", "error_description")
"""What values without a name mean, in their order: Facebook's servers write them so."""

_may_begin_param = re.compile(rf"{TOKEN}{BWS}=").match
_unescaped = partial(re.compile(r"\\([\s\S])").sub, r"\1")
_unsendable = re.compile(rf"(\r?\n[ \t]++)|([^\x00-\xff]++)|(?!{QUOTABLE})[\s\S]")
_UNSENDABLE: Final = ("control-character", "obs-fold", "non-latin-1")


class Recovery:
    """What was found in the lines of a field: its challenges, and at most so many faults."""

    def __init__(self, max_faults: int = MAX_FAULTS) -> None:
        self.challenges: list[tuple[str, str | None, dict[str, str]]] = []
        self.faults: list[Fault] = []
        self._max_faults = max_faults

    def faults_in_order(self) -> list[Fault]:
        """The faults in the order of the text, which is not quite that of their discovery."""
        return sorted(self.faults, key=lambda fault: (fault.start, fault.end))

    def read(self, line: str, offset: int) -> None:
        """Read a malformed line, which begins at character `offset` of the field."""
        self._text = text = line.lstrip(LIST_SPACE)
        self._offset = offset + len(line) - len(text)
        # Parameters at the start of a line go on with the line before (RFC 9110 §5.3).
        goes_on = bool(self.challenges) and self.challenges[-1][1] is None
        self._params = self.challenges[-1][2] if goes_on else None
        self._comma = offset - len(", ")  # the one that joins the lines
        self._may_be_param = bool(_may_begin_param(text))
        self._unnamed = 0
        self._name: tuple[str, int, int] | None = None
        self._last, self._end, self._begun, self._lost = "", 0, False, False
        for found, start, end in elements(text):
            if len(self.faults) >= self._max_faults:
                self._stop(start, len(text))
                break
            for event in found:
                self._take(*event)
            if self._lost:
                break
            if found:
                self._end = end

    def _take(self, what: str, text: str, start: int, end: int) -> None:
        match what:
            case "separator":
                self._last = ""
            case "scheme":
                self._scheme(text)
            case "token68":
                self.challenges[-1] = (self.challenges[-1][0], text, {})
                self._params, self._begun = None, True
            case "name":
                self._parameter(text, start, end)
            case "flag":
                self._parameter(text, start, end)
                self._value("", start, end)
            case "value" | "quoted" | "cut":
                self._value(self._sendable(what, text, start), start, end)
            case _:
                self._fault(what, start, end)
                # As with a parameter of nobody, in `_value`.
                self._lost |= self._may_be_param and self._params is None and not self._begun
                self._begun = self._begun or what == "prose"

    def _fault(self, kind: str, start: int, end: int) -> None:
        self.faults.append(fault(kind, self._offset + start, self._offset + end))

    def _stop(self, start: int, end: int) -> None:
        if self.faults[-1].kind != "too-many-faults":
            self._fault("too-many-faults", start, end)

    def _scheme(self, scheme: str) -> None:
        if self._last:
            self._fault("missing-comma", self._end, self._end)
        self._params, self._unnamed, self._last = {}, 0, "scheme"
        self.challenges.append((scheme, None, self._params))

    def _parameter(self, text: str, start: int, end: int) -> None:
        if self._last == "value":
            self._fault("missing-comma", self._end, self._end)
        elif self._params == {} and not (self._last or self._end):
            self.faults.append(fault("comma-after-scheme", self._comma, self._comma + 1))
        self._name = (text.lower(), start, end)

    def _value(self, value: str, start: int, end: int) -> None:
        self._last = "value"
        if self._name is None:
            self._unnamed_value(value, start, end)
            return
        (name, *where), self._name = self._name, None
        if self._params is None:
            # Whose parameters these are is not for us to say. If the line begins with them, neither
            # is what follows: taking it for a challenge has been used to steal credentials.
            self._fault("missing-scheme", *where)
            self._params, self._lost = {}, not self._begun
        elif name in self._params:
            self._fault("duplicate-parameter", *where)
        else:
            self._params[name] = value

    def _unnamed_value(self, value: str, start: int, end: int) -> None:
        start -= 1  # the opening quote, and the closing one if there is one
        end += self._text[end : end + 1] not in {"", " ", ","}
        self._fault("positional-quoted" if self.challenges else "quoted-challenge", start, end)
        params = self._params
        if params is not None and len(params) == self._unnamed < len(_POSITIONS):
            params[_POSITIONS[self._unnamed]] = value
            self._unnamed += 1

    def _sendable(self, what: str, text: str, start: int) -> str:
        """Return the value as a field can hold it, which is not always as it was sent."""
        seen: set[str] = set()
        for bad in _unsendable.finditer(text):
            kind = _UNSENDABLE[bad.lastindex or 0]
            if kind not in seen:
                seen.add(kind)
                self._fault(kind, start + bad.start(), start + bad.end())
        if "non-latin-1" in seen:  # somebody decoded the octets: back to them
            text = text.encode("utf-8", "surrogatepass").decode("latin-1")
        if seen:  # RFC 9110 §5.5: refuse, or replace with a space
            text = _unsendable.sub(" ", text)
        return text if what == "value" else _unescaped(text.rstrip() if what == "cut" else text)
