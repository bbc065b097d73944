"""`relogin explain`: what a header says, what is wrong with it, and what the server meant."""

from __future__ import annotations

import argparse
import json
import re
import sys
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from os.path import isfile

from relogin.cli import EXIT_CODES, UsageError
from relogin.cli.fields import read_responses
from relogin.cli.findings import Finding, findings
from relogin.cli.reaction import reaction
from relogin.cli.response import Response
from relogin.cli.terminal import show, show_table
from relogin.wire.model import Challenge

__all__ = ["declare", "report", "run"]

MOST_INPUT = 1 << 25  # octets of standard input; a HAR file holds a whole visit
INSTEAD = "write one header in single quotes, or - for standard input; the only option is --json"


def declare(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.description = (
        "Show what a WWW-Authenticate header says, what is wrong with it, and what was meant."
    )
    parser.usage = "%(prog)s [-h] [--json] FIELD"
    parser.epilog = f"{EXIT_CODES}. Example: curl -sI https://api.example.com/ | relogin explain -"
    parser.add_argument(
        "words",
        metavar="FIELD",
        nargs="+",  # only to say what to do about it
        help="the header in single quotes, with or without its name; or - to read standard input: "
        "headers, whole responses as curl and developer tools show them, HAR files, JSON, logs",
    )
    parser.add_argument(
        "--json", action="store_true", help="print a JSON list with one object for each field"
    )


def run(arguments: argparse.Namespace) -> int:
    """Explain the argument, or standard input; return 0 if well-formed, 1 if not."""
    text, *more = arguments.words
    if more:
        raise UsageError(
            "the header must be one argument: put it in single quotes, so that the shell does "
            "not split it, as in: relogin explain 'Bearer realm=\"api\"'"
        )
    _refuse_an_address(text)
    if text == "-":
        text = _text(sys.stdin.buffer.read(MOST_INPUT)) if sys.stdin else ""
    if not text.strip():
        raise UsageError("there is nothing to explain: the input is empty")
    _refuse_what_holds_no_header(text.strip())
    responses = read_responses(text)
    if not responses:
        raise UsageError(
            "there is no WWW-Authenticate or Proxy-Authenticate header in the input: paste the "
            "header's line, or the whole response"
        )
    return report(responses, as_json=arguments.json)


def _refuse_an_address(text: str) -> None:
    """Say how to read a file, or the response of a URL, if the argument is its name."""
    if isfile(text) and {".", "/", "\\"} & set(text):  # noqa: PTH113 - never raises, however long
        raise UsageError(f"{text} is a file: to read it, write: relogin explain - < {text}")
    if re.fullmatch(r"https?://\S+", text):
        raise UsageError(f"{text} is a URL: to ask its server, write: relogin probe {text}")


def _refuse_what_holds_no_header(text: str) -> None:
    """Say what to paste in place of a command, or of a response as Python shows it."""
    if re.fullmatch(r"(?:\$ *)?(?:curl|wget|http) .*https?://.*", text):
        raise UsageError("this is a command: run it, and paste or pipe what it prints")
    if re.fullmatch(r"<(?:Client)?Response\b.*\[[1-5][0-9]{2}\b[^\]]*\]>", text):
        raise UsageError(
            "this is a response as Python shows it, without its headers: paste what "
            "print(response.headers) shows"
        )


def _text(octets: bytes) -> str:
    """Read octets as latin-1, as http.client and requests show a field.

    A file that PowerShell or an editor on Windows has written may be in UTF-16, or have a mark.
    """
    if octets.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
        return octets.decode("utf-16", "replace")
    return octets.removeprefix(BOM_UTF8).decode("latin-1")


def report(responses: list[Response], *, as_json: bool) -> int:
    """Print what the responses' challenge fields hold; return 1 if any is at fault, else 0."""
    found = [finding for response in responses for finding in findings(response)]
    if as_json:
        print(json.dumps([finding.to_json() for finding in found], indent=2))
    elif not found:
        for status in dict.fromkeys(response.status for response in responses):
            show(f"No WWW-Authenticate and no Proxy-Authenticate header; the status is {status}.")
            show(f"SessionAuth\n  {reaction(status, [])}")
    else:
        for number, finding in enumerate(found):
            _show(finding, first=number == 0)
    return int(any(finding.faults for finding in found))


def _show(finding: Finding, *, first: bool) -> None:
    if not first:
        show("")
    show(f"{finding.status or ''} {finding.name}".strip(), "heading")
    show(finding.drawing)
    for repeated in finding.repeated:
        values = ", ".join(map(repr, repeated.values))
        show(f"{repeated.name} occurs more than once: {values}")
    for told, one in finding.specified():
        show(f"{told} ({one.document})\n  {one.client}")
    if finding.session_auth:
        show(f"SessionAuth\n  {finding.session_auth}")
    if finding.challenges:
        show("")
        rows = [row for challenge in finding.challenges for row in _rows(challenge)]
        show_table(("scheme", "parameter", "value"), rows)


def _rows(challenge: Challenge) -> list[tuple[str, str, str]]:
    if challenge.token68 is not None:
        return [(challenge.scheme, "token68", challenge.token68)]
    names = list(challenge.params) or [""]
    schemes = [challenge.scheme] + [""] * (len(names) - 1)
    return [
        (scheme, name, challenge.get(name, "")) for scheme, name in zip(schemes, names, strict=True)
    ]
