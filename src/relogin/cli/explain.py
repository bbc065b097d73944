"""`relogin explain`: what challenge fields hold, what is wrong with them, and what was meant."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from rich.table import Table
from rich.text import Text

from relogin.cli import EXIT_CODES, UsageError
from relogin.cli.fields import ChallengeField, Response, read_responses
from relogin.cli.terminal import console, show, visible
from relogin.errors import ChallengeSyntaxError
from relogin.wire.faults import Fault
from relogin.wire.field import diagnose
from relogin.wire.model import Challenge

__all__ = ["declare", "report", "run"]

MOST_INPUT = 1 << 20  # octets of standard input; a challenge stands at the head of a response

# Which field a status MUST come with, and where that is said.
_REQUIRED = {
    401: ("WWW-Authenticate", "RFC 9110 §15.5.2"),
    407: ("Proxy-Authenticate", "RFC 9110 §15.5.8"),
}


def declare(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.description = "Say what a challenge field holds, and what is wrong with it."
    parser.usage = "%(prog)s [-h] [--json] FIELD"
    parser.epilog = (
        f"for instance: curl -sI https://api.example.com/ | relogin explain -; {EXIT_CODES}"
    )
    parser.add_argument(
        "words",
        metavar="FIELD",
        nargs="+",  # only to say what to do about it
        help="the field, in quotes, with or without its name; - reads standard input: "
        "a field, or whole responses as curl -i and curl -I show them",
    )
    parser.add_argument("--json", action="store_true", help="a JSON list, one object a field")


def run(arguments: argparse.Namespace) -> int:
    """Explain the argument, or standard input: 0 well-formed, 1 faults."""
    text, *more = arguments.words
    if more:
        raise UsageError(
            "a field is one argument: put it in single quotes, or the shell takes it to pieces, "
            "as in: relogin explain 'Bearer realm=\"api\"'"
        )
    if text == "-":
        # Octets read as latin-1, as http.client and requests show a field.
        text = sys.stdin.buffer.read(MOST_INPUT).decode("latin-1") if sys.stdin else ""
    if not text.strip():
        raise UsageError("there is nothing to explain: the input is empty")
    return report(read_responses(text), as_json=arguments.json)


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found out about one field of one response."""

    status: int | None
    name: str
    lines: list[str]
    challenges: tuple[Challenge, ...]
    faults: tuple[Fault, ...]
    drawing: str

    def to_json(self) -> dict[str, Any]:
        """Build what `--json` prints of it."""
        return {
            "status": self.status,
            "header": self.name,
            "field": self.lines,
            "wellformed": not self.faults,
            "challenges": [
                {
                    "scheme": challenge.scheme,
                    "token68": challenge.token68,
                    "params": [list(pair) for pair in challenge.params.items()],
                }
                for challenge in self.challenges
            ],
            "faults": [asdict(fault) for fault in self.faults],
        }


def report(responses: list[Response], *, as_json: bool) -> int:
    """Print what the responses' challenge fields hold; return 1 if any is at fault, else 0."""
    findings = [finding for response in responses for finding in _findings(response)]
    if as_json:
        print(json.dumps([finding.to_json() for finding in findings], indent=2))
    elif not findings:
        statuses = ", ".join(str(response.status) for response in responses)
        show(f"No WWW-Authenticate and no Proxy-Authenticate field; the status is {statuses}.")
    else:
        for finding in findings:
            _show(finding)
    return int(any(finding.faults for finding in findings))


def _findings(response: Response) -> Iterator[Finding]:
    for field in response.fields.values():
        yield _diagnosed(response.status, field)
    name, section = _REQUIRED.get(response.status or 0, ("", ""))
    if name and name not in response.fields:
        sentence = f"A {response.status} must come with {name}: say what would be accepted."
        fault = Fault("no-challenge", 0, 0, section, sentence)
        yield _unread(response.status, ChallengeField(name, []), fault)


def _diagnosed(status: int | None, field: ChallengeField) -> Finding:
    try:
        found = diagnose(field.lines)
    except ChallengeSyntaxError as error:
        sentence = f"The field is {error.end} characters long; at most {error.start} are read."
        fault = Fault(error.fault, error.start, error.end, "RFC 9110 §5.4", sentence)
        return _unread(status, field, fault)
    return Finding(status, field.name, field.lines, found.challenges, found.faults, str(found))


def _unread(status: int | None, field: ChallengeField, fault: Fault) -> Finding:
    """Report a field that is not there, or too long to be read."""
    drawing = f"{fault.kind} ({fault.section})\n  {fault.sentence}"
    return Finding(status, field.name, field.lines, (), (fault,), drawing)


def _show(finding: Finding) -> None:
    show(f"{finding.status or ''} {finding.name}".strip(), "heading")
    show(finding.drawing)
    if finding.challenges:
        table = Table("scheme", "parameter", "value")
        for challenge in finding.challenges:
            for cells in _rows(challenge):
                table.add_row(*(Text(visible(cell)) for cell in cells))
        console().print(table)


def _rows(challenge: Challenge) -> list[tuple[str, str, str]]:
    if challenge.token68 is not None:
        return [(challenge.scheme, "token68", challenge.token68)]
    names = list(challenge.params) or [""]
    schemes = [challenge.scheme] + [""] * (len(names) - 1)
    return [
        (scheme, name, challenge.get(name, "")) for scheme, name in zip(schemes, names, strict=True)
    ]
