"""`reauth explain`: what challenge fields hold, what is wrong with them, and what was meant."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import dataclass
from typing import Any

from rich.table import Table
from rich.text import Text

import reauth
from reauth.cli import UsageError
from reauth.cli.fields import ChallengeField, Response, read_responses
from reauth.cli.terminal import console, show, visible

__all__ = ["report", "run"]

MOST_INPUT = 1 << 20  # octets of standard input; a challenge stands at the head of a response

# Which field a status MUST come with, and where that is said.
_REQUIRED = {
    401: ("WWW-Authenticate", "RFC 9110 §15.5.2"),
    407: ("Proxy-Authenticate", "RFC 9110 §15.5.8"),
}


def run(arguments: argparse.Namespace) -> int:
    """Explain the argument, or standard input: 0 well-formed, 1 faults."""
    text = arguments.field
    if text == "-":
        # Octets read as latin-1, as http.client and requests show a field.
        text = sys.stdin.buffer.read(MOST_INPUT).decode("latin-1")
    if not text.strip():
        raise UsageError("there is nothing to explain: the input is empty")
    return report(read_responses(text), as_json=arguments.json)


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault as it is reported: of the field, or of the response around it (no span)."""

    kind: str
    section: str
    sentence: str
    start: int | None = None
    end: int | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found out about one field of one response."""

    status: int | None
    name: str
    lines: list[str]
    challenges: tuple[reauth.Challenge, ...]
    faults: list[Fault]
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
            "faults": [
                {
                    name: getattr(fault, name)
                    for name in ("kind", "start", "end", "section", "sentence")
                }
                for fault in self.faults
            ],
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


def _findings(response: Response) -> list[Finding]:
    found = [_diagnosed(response.status, field) for field in response.fields.values()]
    name, section = _REQUIRED.get(response.status or 0, ("", ""))
    if name and name not in response.fields:
        sentence = f"A {response.status} must come with {name}: say what would be accepted."
        fault = Fault("no-challenge", section, sentence)
        found.append(Finding(response.status, name, [], (), [fault], ""))
    return found


def _diagnosed(status: int | None, field: ChallengeField) -> Finding:
    try:
        diagnosis = reauth.diagnose(field.lines)
    except reauth.ChallengeSyntaxError as error:  # too long: nothing of it was read
        fault = Fault(error.fault, "RFC 9110 §5.4", f"{error}.")
        return Finding(status, field.name, field.lines, (), [fault], "")
    faults = [
        Fault(fault.kind, fault.section, fault.sentence, fault.start, fault.end)
        for fault in diagnosis.faults
    ]
    return Finding(
        status, field.name, field.lines, tuple(diagnosis.challenges), faults, str(diagnosis)
    )


def _show(finding: Finding) -> None:
    show(f"{finding.status or ''} {finding.name}".strip(), "heading")
    show(finding.drawing)
    for fault in finding.faults:
        if fault.start is None:  # a fault of the response; the drawing tells those of the field
            show(f"{fault.sentence} ({fault.section})", "bad")
    if finding.challenges:
        table = Table("scheme", "parameter", "value")
        for challenge in finding.challenges:
            for cells in _rows(challenge):
                table.add_row(*(Text(visible(cell)) for cell in cells))
        console().print(table)


def _rows(challenge: reauth.Challenge) -> list[tuple[str, str, str]]:
    if challenge.token68 is not None:
        return [(challenge.scheme, "token68", challenge.token68)]
    names = list(challenge.params) or [""]
    schemes = [challenge.scheme] + [""] * (len(names) - 1)
    return [
        (scheme, name, challenge.get(name, "")) for scheme, name in zip(schemes, names, strict=True)
    ]
