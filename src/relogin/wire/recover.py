"""Build challenges and faults from what the rules of `relogin.wire.malformed` find.

No rule by itself sees which challenge is open, which comma is missing, or which parameter repeats a
name.
"""

from __future__ import annotations

import re
from bisect import bisect
from functools import partial
from typing import Final

from relogin.wire import Scanned
from relogin.wire.abnf import BWS, LIST_SPACE, OWS, QUOTABLE, TCHAR, TOKEN, TOKEN68
from relogin.wire.faults import Fault, fault
from relogin.wire.malformed import elements
from relogin.wire.shapes import END, ESCAPED, KNOWN, PARAM, TOKEN68_ONLY
from relogin.wire.sound import Event

__all__ = ["MAX_FAULTS", "Recovery"]

MAX_FAULTS: Final = 100
"""How many faults to look for in a field; after that, the rest is not read."""

_POSITIONS: Final = ("realm", "error", "error_description")
"""What values without a name mean, by their position: Facebook's servers send them."""

_NO_MORE: Final = -1
"""In place of the number of values without a name so far: nobody knows what the next one means."""

_may_begin_param = re.compile(rf"{TOKEN}{BWS}=").match
_unescaped = partial(re.compile(r"\\([\s\S])").sub, r"\1")
_unsendable = re.compile(rf"([^\x00-\xff]++)|(?!{QUOTABLE})[\s\S]")
_UNSENDABLE: Final = ("control-character", "non-latin-1")
_BLANK: Final = "".join(map(chr, range(0x21))) + "\x7f"

# RFC 9112 §5.2: a fold may be replaced by spaces. It is, so that the rules need not know folds.
_folds = re.compile(r"\r?+\n[ \t]++(?:\r?+\n[ \t]++|(?!))*+")
_break = re.compile(r"[\r\n]").search
_ends_at_break = re.compile(rf"{OWS}[\r\n]").match
_ends_element = re.compile(END).match
_is_known = re.compile(KNOWN).match
_is_token68_only = re.compile(rf"{TOKEN68_ONLY}\Z").match
# After a sentence, a word that could be a scheme: neither a parameter nor base64 follows it.
_is_word = re.compile(
    rf"(?!{KNOWN})[A-Za-z]?[a-z'\-]++(?!{TCHAR}| ++(?:{PARAM}|{TOKEN68}(?<==)))"
).match
_ends_known = re.compile(rf"(?:[^\s]++[ \t]++|(?!))*+(?<=[ \t]){KNOWN}\Z").match
_UNQUOTED: Final = frozenset({"scheme", "token68", "flag", "value"})
# The double quotes that may enclose something; if there are none, what servers write instead.
_double_quotes = re.compile(r"\\[\s\S]|(\")").finditer
_other_quotes = re.compile(f"{ESCAPED}|[\u201c-\u201f\u2033]|\xe2\x80[\x9c-\x9f]").finditer


class Recovery:
    """The challenges and the faults in the lines of a field, with a bound on the faults."""

    def __init__(self, max_faults: int = MAX_FAULTS) -> None:
        self.challenges: list[Scanned] = []
        self.faults: list[Fault] = []
        self.repeated: dict[tuple[int, str], list[str]] = {}
        self._max_faults = max_faults
        self._lost = False

    def faults_in_order(self) -> list[Fault]:
        """Return the faults in the order of the text; they are not quite found in that order."""
        return sorted(self.faults, key=lambda fault: (fault.start, fault.end))

    def take(self, scanned: list[Scanned]) -> None:
        """Take the challenges of a line that is well-formed."""
        self.challenges += scanned
        self._lost = self._lost and not scanned

    def read(self, line: str, offset: int) -> None:
        """Read a malformed line, which begins at character `offset` of the field."""
        self._begin(line, offset)
        self._tell_folds(0)
        for found, start, end in elements(self._text):
            if len(self.faults) >= self._max_faults:
                self._stop(start, len(self._text))
                break
            self._tell_folds(end)
            self._take_all(self._whole(found))
            if self._lost:
                self._tell_folds(end + 1)
                break
            if found:
                self._end = end

    def _begin(self, line: str, offset: int) -> None:
        self._unfold(line, offset)
        # A break at the very end cuts nothing off.
        self._last_char = len(self._text.rstrip(LIST_SPACE + ";\r\n"))
        self._cut = bool(_break(self._text, 0, self._last_char))
        # Parameters at the start of a line go on with the line before (RFC 9110 §5.3).
        goes_on = bool(self.challenges) and self.challenges[-1][1] is None and not self._lost
        self._params = self.challenges[-1][2] if goes_on else None
        self._comma = offset - len(", ")  # the one that joins the lines
        self._may_be_param = bool(_may_begin_param(self._text))
        self._unnamed = _NO_MORE if goes_on else 0
        self._half = goes_on and bool(_is_token68_only(self.challenges[-1][0]))
        self._name: tuple[str, int, int] | None = None
        self._quotes: list[int] | None = None  # the double quotes, once they are asked for
        self._nobodys: dict[str, str] = {}  # takes parameters that belong to no challenge
        self._last, self._end = "", 0
        self._told = self._begun = self._ends = self._lost = self._any = False

    def _unfold(self, line: str, offset: int) -> None:
        # As many spaces as there were characters, so that every place stays where it is.
        spaced = _folds.sub(lambda fold: " " * len(fold[0]), line)
        self._text = spaced.lstrip(LIST_SPACE)
        before = len(line) - len(self._text)
        self._raw, self._offset = line[before:], offset + before
        self._folded = {one.start() - before: one.end() - before for one in _folds.finditer(line)}
        self._untold = iter(self._folded.items())
        self._fold = next(self._untold, None)

    def _tell_folds(self, end: int) -> None:
        while self._fold and self._fold[0] < end and len(self.faults) < self._max_faults:
            self._fault("obs-fold", *self._fold)
            self._fold = next(self._untold, None)

    def _whole(self, found: list[Event]) -> list[Event]:
        """Leave out what is quoted, and what a break or a fold has torn in two."""
        for what, text, start, end in found:
            if what == "scheme" and self._is_quoted(start):
                self._lost = True
                return [("quoted-challenge", text, start, end)]
        if not (self._cut or self._folded):
            return found
        torn = {event[0] for event in found if self._torn(*event)}
        if "scheme" in torn or ("token68" in torn and not _is_known(found[-2][1])):
            self._lost = True
            at = _ends_at_break(self._text, found[-1][3])
            return [("line-break", "", at.end() - 1, at.end())] if at else []
        kept = [event for event in found if event[0] not in torn - {"token68"}]
        return [("torn", *event[1:]) if event[0] in torn else event for event in kept]

    def _torn(self, what: str, text: str, start: int, end: int) -> bool:
        if what not in _UNQUOTED:
            return False
        if end in self._folded and what in {"scheme", "token68"}:
            after = self._folded[end]
            # In the middle of a line, the scheme may be half of a name that the fold has cut.
            known = _is_known(text) or (start == 0 and bool(_may_begin_param(self._text, after)))
            if not ((what == "scheme" and known) or _ends_element(self._text, after)):
                return True
        return end < self._last_char and bool(_ends_at_break(self._text, end))

    def _take_all(self, events: list[Event]) -> None:
        for event in events:
            self._take(*event)
            self._any = True
            if self._lost:
                break
        self._lost |= self._ends

    def _take(self, what: str, text: str, start: int, end: int) -> None:
        match what:
            case "separator":
                self._last = ""
                # What follows a break may be anything: another field, or half a word.
                self._lost |= text[0] in "\r\n" and end < self._last_char
            case "scheme":
                self._scheme(text, start, end)
            case "token68":
                self._token68(text)
            case "name":
                self._parameter(text, start, end)
            case "flag":
                self._parameter(text, start, end)
                self._value("flag", "", start, end)
            case "value" | "quoted" | "cut":
                text = self._raw[start : self._cut_end(start, end) if what == "cut" else end]
                self._value(what, self._sendable(what, text, start), start, end)
            case "torn":
                self._fault("bad-token68", start, end)
                self._half = True
            case _:
                self._fault(what, start, end)
                self._at_fault(what, start, end)

    def _at_fault(self, what: str, start: int, end: int) -> None:
        # As with parameters without a challenge, in `_value`.
        self._ends |= self._may_be_param and self._params is None and not self._begun
        self._told |= what == "prose"
        self._begun |= self._told
        if what == "missing-equals":
            self._unnamed = _NO_MORE
        elif what == "stray-word" and end in self._folded:
            # A name may be torn here: the half after the fold would be another parameter.
            self._lost |= bool(_may_begin_param(self._text, self._folded[end]))
        elif what == "prose" and _ends_known(self._text[start:end]):
            self._close()  # what follows is of the scheme that the sentence ends with

    def _close(self) -> None:
        if self._params is not self._nobodys:
            self._params = None

    def _fault(self, kind: str, start: int, end: int) -> None:
        self.faults.append(fault(kind, self._offset + start, self._offset + end))

    def _stop(self, start: int, end: int) -> None:
        if self.faults[-1].kind != "too-many-faults":
            self._fault("too-many-faults", start, end)

    def _scheme(self, scheme: str, start: int, end: int) -> None:
        if self._told and _is_word(self._text, start):
            self._close()
            self._fault("stray-word", start, end)
            return
        if self._last:
            self._fault("missing-comma", self._end, self._end)
        self._params, self._unnamed, self._last = {}, 0, "scheme"
        self._half = bool(_is_token68_only(scheme))
        self.challenges.append((scheme, None, self._params))
        self._end = end

    def _token68(self, token68: str) -> None:
        if self._params is not None and self._params is not self._nobodys:
            self.challenges[-1] = (self.challenges[-1][0], token68, {})
        self._close()
        self._begun = True

    def _is_quoted(self, at: int) -> bool:
        """Whether the double quotes of the line pair up, and `at` is between those of a pair."""
        if self._quotes is None:
            quotes = [one.start() for one in _double_quotes(self._text) if one[1]]
            self._quotes = quotes or [one.start() for one in _other_quotes(self._text)]
        return len(self._quotes) % 2 == 0 and bisect(self._quotes, at) % 2 == 1

    def _parameter(self, text: str, start: int, end: int) -> None:
        if self._last == "value":
            self._fault("missing-comma", self._end, self._end)
        elif self._params == {} and not self._any:
            self.faults.append(fault("comma-after-scheme", self._comma, self._comma + 1))
        self._name, self._unnamed = (text.replace("\\", "").lower(), start, end), _NO_MORE

    def _value(self, what: str, value: str, start: int, end: int) -> None:
        self._last = "value"
        if self._name is None:
            self._unnamed_value(value, start, end)
            return
        (name, *where), self._name = self._name, None
        if self._params is None:
            # Nobody knows whose parameters these are. If the line begins with them, what follows is
            # unknown too: reading it as a challenge has been used to steal credentials.
            self._fault("missing-scheme", *where)
            self._params, self._ends = self._nobodys, not self._begun
        elif self._params is self._nobodys:
            pass
        elif self._half and not value and what != "quoted":
            pass  # the other half of the token68, and its padding
        elif name in self._params:
            self._fault("duplicate-parameter", *where)
            first, at = self._params[name], len(self.challenges) - 1
            self.repeated.setdefault((at, name), [first]).append(value)
        else:
            self._params[name] = value

    def _unnamed_value(self, value: str, start: int, end: int) -> None:
        # Across a break, what looks like a pair of quotes may be anything.
        self._ends |= bool(_break(self._text, start, end))
        start -= 1  # the opening quote, and the closing one if there is one
        end += self._text[end : end + 1] not in {"", " ", ","}
        self._fault("positional-quoted" if self.challenges else "quoted-challenge", start, end)
        if value.lower() in _POSITIONS:  # this looks like a name
            self._unnamed = _NO_MORE
        params = self._params
        if params is not None and len(params) == self._unnamed < len(_POSITIONS):
            params[_POSITIONS[self._unnamed]] = value
            self._unnamed += 1

    def _sendable(self, what: str, text: str, start: int) -> str:
        """Return the value as a field can hold it, which is not always as it was sent."""
        seen: set[str] = set()
        for bad in _unsendable.finditer(self._text, start, start + len(text)):
            kind = _UNSENDABLE[bad.lastindex or 0]
            if kind not in seen:
                seen.add(kind)
                self._fault(kind, *bad.span())
        if self._folded:
            text = _folds.sub(" ", text)
        if "non-latin-1" in seen:  # somebody decoded the octets: back to them
            text = text.encode("utf-8", "surrogatepass").decode("latin-1")
        if seen or self._folded:  # RFC 9110 §5.5: refuse, or replace with a space
            text = _unsendable.sub(" ", text)
        return text if what == "value" else _unescaped(text)

    def _cut_end(self, start: int, end: int) -> int:
        """Where a value that is never closed ends: before a break, and before blanks."""
        cut = _break(self._text, start, end)
        return start + len(self._text[start : cut.start() if cut else end].rstrip(_BLANK))
