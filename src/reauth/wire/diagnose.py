"""What is wrong with a field, where, and what was meant: the recovery, and how it is shown."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial
from typing import Final

from reauth.wire.abnf import LIST_SPACE, QUOTABLE
from reauth.wire.faults import Fault, excerpt, fault
from reauth.wire.model import Challenge
from reauth.wire.scan import Scanned, scan_challenges

__all__ = ["MAX_FAULTS", "Diagnosis", "diagnose_lines"]

MAX_FAULTS: Final = 100
"""How many faults are looked for in a field before what follows is left unread."""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What `diagnose` says of a field.

    `field` is the text that was read, its lines joined with commas, and the spans of the faults
    refer to it. `challenges` are those that could be read, as `parse(field, lenient=True)` returns
    them; `faults` stand in the order of the text. `str()` draws each fault with carets under it.

    >>> import reauth
    >>> print(reauth.diagnose("Basic realm=My Realm"))
    unquoted-spaces (RFC 9110 §11.2)
      Basic realm=My Realm
                  ^^^^^^^^
      A text with spaces is no token: put it between double quotes.
    read as
      Basic realm="My Realm"
    """

    field: str
    challenges: tuple[Challenge, ...]
    faults: tuple[Fault, ...]

    @property
    def wellformed(self) -> bool:
        """Whether the field is what RFC 9110 §11 allows, so that strict `parse` reads it."""
        return not self.faults

    def __str__(self) -> str:
        drawn = [self._drawn(fault) for fault in self.faults]
        read = "\n".join(f"  {challenge}" for challenge in self.challenges) or "  nothing"
        return "\n".join([*drawn, f"read as\n{read}" if drawn else f"well-formed\n{read}"])

    def _drawn(self, fault: Fault) -> str:
        line, carets = excerpt(self.field, fault.start, fault.end)
        return f"{fault.kind} ({fault.section})\n  {line}\n  {carets}\n  {fault.sentence}"


def diagnose_lines(lines: list[str]) -> Diagnosis:
    """Diagnose the lines of one field; `reauth.diagnose` is the door to this."""
    text = ", ".join(lines)
    scanned = scan_challenges(text)
    if scanned is not None:
        return Diagnosis(text, tuple(map(Challenge._of, scanned)), ())
    recovery, offset = _Recovery(), 0
    for line in lines:
        scanned = scan_challenges(line)
        if scanned is None:
            recovery.read(line, offset)
        else:
            recovery.challenges += scanned
        offset += len(line) + len(", ")
    faults = sorted(recovery.faults, key=lambda fault: (fault.start, fault.end))
    return Diagnosis(text, tuple(map(Challenge._of, recovery.challenges)), tuple(faults))


_POSITIONS: Final = ("realm", "error", "error_description")
"""What values without a name mean, in their order: Facebook's servers write them so."""

_unescaped = partial(re.compile(r"\\([\s\S])").sub, r"\1")
_unsendable = re.compile(rf"(\r?\n[ \t]++)|([^\x00-\xff]++)|(?!{QUOTABLE})[\s\S]")
_UNSENDABLE: Final = ("control-character", "obs-fold", "non-latin-1")


class _Recovery:
    """What was found in the lines of a field: its challenges, and its faults.

    Here is put together what the rules find: which challenge is open, and what is due next.
    """

    def __init__(self) -> None:
        self.challenges: list[Scanned] = []
        self.faults: list[Fault] = []

    def read(self, line: str, offset: int) -> None:
        """Read a malformed line, which begins at character `offset` of the field."""
        from reauth.wire.recover import elements  # loads pyparsing: only when there is a fault

        text = line.lstrip(LIST_SPACE)
        self.offset = offset + len(line) - len(text)
        # Parameters at the start of a line go on with the line before (RFC 9110 §5.3).
        self.params = (self.challenges[-1][2] or None) if self.challenges else None
        self.positional = 0
        self.name: tuple[str, int, int] | None = None
        self.last, self.end, self.lost = "", 0, False
        for found, start, end in elements(text):
            if len(self.faults) >= MAX_FAULTS:
                self._stop(start, len(text))
                break
            for event in found:
                self._take(*event)
            if self.lost:
                break
            if found:
                self.end = end

    def _take(self, what: str, text: str, start: int, end: int) -> None:
        match what:
            case "separator":
                self.last = ""
            case "scheme":
                self._scheme(text)
            case "token68":
                self.challenges[-1] = (self.challenges[-1][0], text, {})
                self.params = None
            case "name":
                self._name(text, start, end)
            case "flag":
                self._name(text, start, end)
                self._value("", start, end)
            case "value" | "quoted" | "cut":
                self._value(self._sendable(what, text, start), start, end)
            case _:
                self._fault(what, start, end)

    def _fault(self, kind: str, start: int, end: int) -> None:
        self.faults.append(fault(kind, self.offset + start, self.offset + end))

    def _stop(self, start: int, end: int) -> None:
        if self.faults[-1].kind != "too-many-faults":
            self._fault("too-many-faults", start, end)

    def _scheme(self, scheme: str) -> None:
        if self.last:
            self._fault("missing-comma", self.end, self.end)
        self.params, self.positional, self.last = {}, 0, "scheme"
        self.challenges.append((scheme, None, self.params))

    def _name(self, text: str, start: int, end: int) -> None:
        if self.last == "value":
            self._fault("missing-comma", self.end, self.end)
        self.name = (text.lower(), start, end)

    def _value(self, value: str, start: int, end: int) -> None:
        self.last = "value"
        if self.name is None:
            self._positional(value, start, end)
            return
        (name, *where), self.name = self.name, None
        if self.params is None:
            self._fault("missing-scheme", *where)
            self.lost = True  # whose parameters these are is not for us to say
        elif name in self.params:
            self._fault("duplicate-parameter", *where)
        else:
            self.params[name] = value

    def _positional(self, value: str, start: int, end: int) -> None:
        if self.params is None:
            self._fault("quoted-challenge", start, end)
            return
        self._fault("positional-quoted", start, end)
        if len(self.params) == self.positional < len(_POSITIONS):
            self.params[_POSITIONS[self.positional]] = value
            self.positional += 1

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
