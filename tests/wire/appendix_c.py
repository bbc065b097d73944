"""SPEC.md, Appendix C, written down sentence by sentence: a plain reader to check the shipped one.

It finds with grammar/recovery.peg as it stands, and is made to be compared with the text, not fast.
"""

import re
from dataclasses import dataclass, field
from typing import TypeAlias

from relogin.wire import Scanned
from relogin.wire.faults import KINDS
from relogin.wire.scan import scan_challenges
from tests.wire.peg import PATH, Found, Grammar

GRAMMAR = Grammar(PATH.read_text("utf-8"))
FOUND = {"separator", "scheme", "token68", "name", "flag", "value", "quoted", "cut"}
UNQUOTED = {"scheme", "token68", "flag", "value"}
BLANK = "".join(map(chr, range(0x21))) + "\x7f"
UNNAMED = ("realm", "error", "error_description")
NOTHING_MORE = " \t,;\r\n"

Fault: TypeAlias = tuple[str, int, int]

_fold = re.compile(r"\r?\n[ \t]+(?:\r?\n[ \t]+)*")
_param = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+[ \t]*=").match
_break = re.compile(r"[ \t]*[\r\n]").match
_element_end = re.compile(r"[ \t]*(?:[,;\r\n]|\Z)").match
_double_quotes = re.compile(r'\\[\s\S]|(")').finditer
_other_quotes = re.compile('\\\\"|&quot;|&#34;|[\u201c-\u201f\u2033]|\xe2\x80[\x9c-\x9f]').finditer
_unsendable = re.compile(r"([^\x00-\xff]+)|[^\t -~\x80-\xff]")


def known(text: str) -> bool:
    return GRAMMAR.rules["known"](text, 0, []) == len(text)


@dataclass
class Challenge:
    scheme: str
    token68: str | None = None
    params: dict[str, str] = field(default_factory=dict)


def read(lines: list[str]) -> tuple[list[Scanned], list[Fault]]:
    """C.2: the challenges, and the faults in the order of the text."""
    strict = scan_challenges(", ".join(lines))
    if strict is not None:
        return strict, []
    challenges: list[Challenge] = []
    faults: list[Fault] = []
    offset, stopped = 0, False
    for line in lines:
        alone = scan_challenges(line)
        if alone is None:
            reader = Line(line, offset, challenges, faults, goes_on=not stopped)
            reader.read()
            stopped = reader.stopped
        else:
            challenges += [Challenge(*one) for one in alone]
            stopped = stopped and not alone
        offset += len(line) + len(", ")
    read = [(one.scheme, one.token68, one.params) for one in challenges]
    return read, sorted(faults, key=lambda fault: fault[1:])


class Line:
    """C.3: one malformed line."""

    def __init__(
        self,
        line: str,
        offset: int,
        challenges: list[Challenge],
        faults: list[Fault],
        *,
        goes_on: bool,
    ) -> None:
        unfolded = _fold.sub(lambda fold: " " * len(fold[0]), line)
        self.text = unfolded.lstrip(" \t,")
        skipped = len(line) - len(self.text)
        self.raw, self.line_at, self.offset = line[skipped:], offset, offset + skipped
        self.folds = {one.start() - skipped: one.end() - skipped for one in _fold.finditer(line)}
        self.told = 0
        self.challenges, self.faults = challenges, faults
        continued = goes_on and challenges and challenges[-1].token68 is None
        self.open: Challenge | None = challenges[-1] if continued else None
        self.continued = bool(continued)
        self.unnamed = len(UNNAMED) if continued else 0
        self.last = ""  # scheme or value, since the last separator
        self.name: Found = []
        self.end = 0  # of the last piece in which anything was found, or of a scheme in this one
        self.found_any = False
        self.half = self.open is not None and self.open.scheme.lower() in {"negotiate", "ntlm"}
        self.prose = False
        self.quotes = [one.start() for one in _double_quotes(self.text) if one[1]]
        self.quotes = self.quotes or [one.start() for one in _other_quotes(self.text)]
        self.nobodys = self.token68_or_prose = self.stopped = self.stops = False
        self.begins_with_param = bool(_param(self.text))

    def read(self) -> None:
        at = 0
        self.tell_folds(0)
        while at < len(self.text) and not self.stopped:
            if len(self.faults) >= 100:
                if self.faults[-1][0] != "too-many-faults":
                    self.fault("too-many-faults", at, len(self.text))
                self.stopped = True
                return
            found: Found = []
            end = GRAMMAR.rules["piece"](self.text, at, found)
            assert end is not None
            assert end > at
            at = end
            self.tell_folds(at)
            self.take_piece([one for one in found if one[0] in FOUND | set(KINDS)], at)

    def take_piece(self, found: Found, at: int) -> None:
        for one in self.whole(found):
            if not self.stopped:
                self.take(*one)
                self.found_any = True
        self.stopped = self.stopped or self.stops
        if self.stopped:
            self.tell_folds(at + 1)
        elif found:
            self.end = at

    def fault(self, kind: str, start: int, end: int) -> None:
        self.faults.append((kind, self.offset + start, self.offset + end))

    def tell_folds(self, end: int) -> None:
        for start, stop in list(self.folds.items())[self.told :]:
            if start < end and len(self.faults) < 100:
                self.fault("obs-fold", start, stop)
                self.told += 1

    def follows(self, at: int) -> bool:
        return self.text[at:].strip(NOTHING_MORE) != ""

    # What a line break has torn

    def whole(self, found: Found) -> Found:
        for what, start, end in found:
            if what == "scheme" and self.is_quoted(start):
                self.stops = True
                return [("quoted-challenge", start, end)]
        torn = {one[0] for one in found if self.torn(*one)}
        scheme = next((self.text[a:b] for what, a, b in found if what == "scheme"), "")
        if "scheme" in torn or ("token68" in torn and not known(scheme)):
            self.stops = True
            behind = _break(self.text, found[-1][2])
            return [("line-break", behind.end() - 1, behind.end())] if behind else []
        kept = [one for one in found if one[0] not in torn - {"token68"}]
        return [("torn", *one[1:]) if one[0] in torn else one for one in kept]

    def torn(self, what: str, start: int, end: int) -> bool:
        if what in {"scheme", "token68"} and end in self.folds:
            whole = what == "scheme" and known(self.text[start:end])
            after = self.folds[end]
            whole = whole or (what == "scheme" and start == 0 and bool(_param(self.text, after)))
            if not whole and not _element_end(self.text, after):
                return True
        return what in UNQUOTED and bool(_break(self.text, end)) and self.follows(end)

    # What was found

    def take(self, what: str, start: int, end: int) -> None:
        text = self.text[start:end]
        match what:
            case "separator":
                self.last = ""
                self.stopped = text[0] in "\r\n" and self.follows(end)
            case "scheme":
                self.take_scheme(text, start, end)
            case "token68":
                if self.open:
                    self.open.token68 = text
                self.open, self.token68_or_prose = None, True
            case "torn":
                self.fault("bad-token68", start, end)
                self.half = True
            case "name" | "flag":
                self.begin_parameter(start, end)
                if what == "flag":
                    self.take_value("flag", "", start, end)
            case "value" | "quoted" | "cut":
                self.take_value(what, self.value(what, start, end), start, end)
            case _:
                self.take_fault(what, start, end)

    def take_scheme(self, text: str, start: int, end: int) -> None:
        if self.prose and self.is_word_of_the_sentence(text, end):
            self.fault("stray-word", start, end)
            self.open = None
            return
        if self.last:
            self.fault("missing-comma", self.end, self.end)
        self.open, self.last, self.unnamed, self.end = Challenge(text), "scheme", 0, end
        self.challenges.append(self.open)
        self.nobodys = self.continued = False
        self.half = text.lower() in {"negotiate", "ntlm"}

    def is_quoted(self, at: int) -> bool:
        return len(self.quotes) % 2 == 0 and sum(one <= at for one in self.quotes) % 2 == 1

    def is_word_of_the_sentence(self, text: str, end: int) -> bool:
        if known(text) or not re.fullmatch(r"[A-Za-z]?[a-z'\-]+", text):
            return False
        behind = re.match(" +", self.text[end:])
        if not behind:
            return True
        end += behind.end()
        padded = re.match(r"[A-Za-z0-9._~+/\-]+=+", self.text[end:])
        return not padded and GRAMMAR.rules["param"](self.text, end, []) is None

    def begin_parameter(self, start: int, end: int) -> None:
        if self.last == "value":
            self.fault("missing-comma", self.end, self.end)
        elif self.continued and self.open and not self.open.params and not self.found_any:
            self.faults.append(("comma-after-scheme", self.line_at - 2, self.line_at - 1))
        name = self.text[start:end].replace("\\", "").lower()
        self.name, self.unnamed = [(name, start, end)], len(UNNAMED)

    def take_value(self, what: str, value: str, start: int, end: int) -> None:
        self.last = "value"
        if not self.name:
            self.take_unnamed(value, start, end)
            return
        name, *where = self.name.pop()
        if self.nobodys:
            return
        if self.open is None:
            self.fault("missing-scheme", *where)
            self.nobodys, self.stops = True, self.stops or not self.token68_or_prose
        elif not value and what != "quoted" and self.half:
            pass
        elif name in self.open.params:
            self.fault("duplicate-parameter", *where)
        else:
            self.open.params[name] = value

    def take_unnamed(self, value: str, start: int, end: int) -> None:
        self.stops = self.stops or bool(re.search(r"[\r\n]", self.text[start:end]))
        kind = "positional-quoted" if self.challenges else "quoted-challenge"
        closed = self.text[end : end + 1] not in {"", " ", ","}
        self.fault(kind, start - 1, end + closed)
        if value.lower() in UNNAMED:
            self.unnamed = len(UNNAMED)
        if self.open and len(self.open.params) == self.unnamed < len(UNNAMED):
            self.open.params[UNNAMED[self.unnamed]] = value
            self.unnamed += 1

    def value(self, what: str, start: int, end: int) -> str:
        if what == "cut":
            end = start + len(re.split("[\r\n]", self.text[start:end])[0].rstrip(BLANK))
        seen = set()
        for one in _unsendable.finditer(self.text, start, end):
            kind = "non-latin-1" if one[1] else "control-character"
            if kind not in seen:
                self.fault(kind, *one.span())
                seen.add(kind)
        value = _fold.sub(" ", self.raw[start:end])
        if "non-latin-1" in seen:
            value = value.encode("utf-8", "surrogatepass").decode("latin-1")
        value = _unsendable.sub(" ", value)
        return value if what == "value" else re.sub(r"\\([\s\S])", r"\1", value)

    def take_fault(self, kind: str, start: int, end: int) -> None:
        self.fault(kind, start, end)
        nothing_open = self.open is None and not self.nobodys
        if self.begins_with_param and nothing_open and not self.token68_or_prose:
            self.stops = True
        if kind == "missing-equals":
            self.unnamed = len(UNNAMED)
        elif kind == "stray-word" and end in self.folds:
            self.stopped = bool(_param(self.text, self.folds[end]))
        elif kind == "prose":
            self.prose = self.token68_or_prose = True
            *others, last = re.split("[ \t]+", self.text[start:end])
            if others and known(last):
                self.open = None
