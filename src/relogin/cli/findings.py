"""What `explain` finds in the challenge headers of a response, as values.

The playground of the documentation uses it too.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from relogin.cli.reaction import reaction
from relogin.cli.response import RENAMED, ChallengeField, Response
from relogin.cli.specifications import Specification, specification
from relogin.errors import ChallengeSyntaxError
from relogin.wire.diagnose import Repeated, diagnose
from relogin.wire.faults import Fault
from relogin.wire.model import Challenge
from relogin.wire.remarks import Remark

__all__ = ["Finding", "findings"]

# Which field a status MUST come with, and where that is said.
_REQUIRED = {
    401: ("WWW-Authenticate", "RFC 9110 §15.5.2"),
    407: ("Proxy-Authenticate", "RFC 9110 §15.5.8"),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found out about one field of one response."""

    status: int | None
    name: str
    lines: list[str]
    challenges: tuple[Challenge, ...]
    faults: tuple[Fault, ...]
    drawing: str
    remarks: tuple[Remark, ...] = ()
    repeated: tuple[Repeated, ...] = ()

    @property
    def session_auth(self) -> str:
        """What `SessionAuth` does about the response, if the field is the server's own."""
        return reaction(self.status, self.lines) if self.name == "WWW-Authenticate" else ""

    def specified(self) -> Iterator[tuple[str, Specification]]:
        """Name, once for each scheme, its specification and what it expects of a client."""
        told = (
            (challenge.scheme, one)
            for challenge in self.challenges
            for one in specification(challenge, self.status)
        )
        return iter(dict.fromkeys(told))

    def to_json(self) -> dict[str, Any]:
        """Build what `--json` prints."""
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
            "remarks": [asdict(remark) for remark in self.remarks],
            "repeated": [asdict(repeated) for repeated in self.repeated],
            "specifications": [
                {"scheme": scheme, **one._asdict()} for scheme, one in self.specified()
            ],
            "session_auth": self.session_auth or None,
        }


def findings(response: Response) -> Iterator[Finding]:
    """Examine each challenge header of a response, and report a required one that is missing."""
    for field in response.fields.values():
        yield _diagnosed(response.status, field)
    name, section = _REQUIRED.get(response.status or 0, ("", ""))
    if name and name not in response.fields:
        sentence = f"A {response.status} must have the field {name}, with what the server accepts."
        for renamed in RENAMED.values() & response.fields.keys():
            sentence = (
                f"The field {name} is missing: API Gateway has renamed it to {renamed}, and no "
                "client looks there. Put the reason into the body as well."
            )
        fault = Fault("no-challenge", 0, 0, section, sentence)
        yield _unread(response.status, ChallengeField(name, []), fault)


def _diagnosed(status: int | None, field: ChallengeField) -> Finding:
    try:
        found = diagnose(field.lines)
    except ChallengeSyntaxError as error:
        sentence = f"The field is {error.end} characters long; at most {error.start} are read."
        fault = Fault(error.fault, error.start, error.end, "RFC 9110 §5.4", sentence)
        return _unread(status, field, fault)
    return Finding(
        status,
        field.name,
        field.lines,
        found.challenges,
        found.faults,
        str(found),
        found.remarks,
        found.repeated,
    )


def _unread(status: int | None, field: ChallengeField, fault: Fault) -> Finding:
    """Report a field that is not there, or too long to be read."""
    drawing = f"{fault.kind} ({fault.section})\n  {fault.sentence}"
    return Finding(status, field.name, field.lines, (), (fault,), drawing)
