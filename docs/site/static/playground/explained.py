"""What the playground shows of a pasted text: plain values, for the page's script to draw."""  # noqa: INP001 - a script for the browser

import json
from typing import Any

from relogin.cli.fields import read_responses
from relogin.cli.findings import Finding, findings
from relogin.cli.reaction import reaction
from relogin.cli.response import Response
from relogin.wire.faults import Fault, excerpt
from relogin.wire.model import Challenge
from relogin.wire.remarks import Remark


def explained(text: str) -> str:
    """Return JSON: one object for each response in the text."""
    return json.dumps([_response(response) for response in read_responses(text)])


def _response(response: Response) -> dict[str, Any]:
    asked = response.fields.get("WWW-Authenticate")
    return {
        "status": response.status,
        "findings": [_finding(finding) for finding in findings(response)],
        "reaction": reaction(response.status, asked.lines if asked else []),
    }


def _finding(finding: Finding) -> dict[str, Any]:
    field = ", ".join(finding.lines)
    return {
        "name": finding.name,
        "faults": [_drawn(field, fault) | {"section": fault.section} for fault in finding.faults],
        "remarks": [_drawn(field, remark) for remark in finding.remarks],
        "challenges": [_challenge(challenge) for challenge in finding.challenges],
    }


def _drawn(field: str, found: Fault | Remark) -> dict[str, str]:
    drawing = "\n".join(excerpt(field, found.start, found.end)) if field else ""
    return {"kind": found.kind, "sentence": found.sentence, "drawing": drawing}


def _challenge(challenge: Challenge) -> dict[str, Any]:
    params = [["token68", challenge.token68]] if challenge.token68 else []
    return {
        "scheme": challenge.scheme,
        "params": [*params, *map(list, challenge.params.items())],
        "text": str(challenge),
    }
