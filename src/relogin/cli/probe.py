"""`relogin probe`: send one request without credentials, and explain the challenges it gets.

With `--discover` it also fetches the metadata that a Bearer challenge names.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from functools import partial
from urllib.parse import urlsplit

import requests

from relogin.cli import EXIT_CODES, UsageError
from relogin.cli.discover import MOST_OCTETS, Fetched, discover, show_discovery
from relogin.cli.explain import report
from relogin.cli.findings import findings
from relogin.cli.response import Response
from relogin.cli.terminal import show

TIMEOUT = 10.0  # seconds, to connect and again for the head of the response
INSTEAD = "write one URL; the options are --json and --discover"


def declare(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.description = (
        "Send one GET without credentials, follow no redirect, and explain the challenges in the "
        "response."
    )
    parser.epilog = EXIT_CODES
    parser.add_argument("url", metavar="URL", help="an http or https URL")
    parser.add_argument(
        "--json", action="store_true", help="print a JSON list with one object for each field"
    )
    parser.add_argument(
        "--discover",
        action="store_true",
        help="follow the metadata of the resource (RFC 9728) and of its authorization servers "
        "(RFC 8414), and say what a client would have to do; with --json, print one object",
    )


def run(arguments: argparse.Namespace) -> int:
    """Send the request and report: 0 well-formed, 1 faults."""
    _check(arguments.url)
    with _Session() as session, _ask(session, arguments.url) as answer:
        response = Response(answer.status_code)
        for name in ("WWW-Authenticate", "Proxy-Authenticate"):
            for line in answer.raw.headers.getlist(name):  # one by one: requests would join them
                response.add(name, line)
        if arguments.discover:
            lines = answer.raw.headers.getlist("WWW-Authenticate")
            return _discover(session, arguments, response, lines)
    if not arguments.json:
        show(f"{answer.status_code} {answer.reason}", "heading")
        if answer.is_redirect:
            show(f"Location: {answer.headers['Location']} (not followed)")
    return report([response], as_json=arguments.json)


def _discover(
    session: requests.Session,
    arguments: argparse.Namespace,
    response: Response,
    lines: Sequence[str],
) -> int:
    """Report the challenges and what they lead to; return 1 for faults, also in the metadata."""
    found = discover(arguments.url, lines, partial(_fetch, session))
    if arguments.json:
        fields = [finding.to_json() for finding in findings(response)]
        print(json.dumps({"fields": fields, "discovery": found.to_json()}, indent=2))
        wellformed = all(one["wellformed"] for one in fields)
        return int(not wellformed or bool(found.faults))
    code = report([response], as_json=False)
    show_discovery(found)
    return code or int(bool(found.faults))


def _fetch(session: requests.Session, url: str) -> Fetched:
    """Get the beginning of a document, without credentials."""
    try:
        with _get(session, url, {"Accept": "application/json"}) as answer:
            content = b""
            for piece in answer.iter_content(MOST_OCTETS):
                content += piece
                if len(content) >= MOST_OCTETS:
                    break
            return answer.status_code, content
    except requests.RequestException as error:
        raise UsageError(f"no response from {url}: {_reason(error)}") from error


def _ask(session: requests.Session, url: str) -> requests.Response:
    try:
        return _get(session, url)
    except requests.RequestException as error:
        raise UsageError(f"no response from {url}: {_reason(error)}") from error


def _get(
    session: requests.Session, url: str, headers: Mapping[str, str] | None = None
) -> requests.Response:
    """Send a GET without credentials; its content is not read yet."""
    return session.get(url, headers=headers, auth=_no_credential, stream=True, timeout=TIMEOUT)


class _Session(requests.Session):
    """Follows no redirect, and does not decode its Location, which may not be text."""

    def get_redirect_target(self, resp: requests.Response) -> None:
        """Say that there is none."""


def _check(url: str) -> None:
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - raises if it is out of range
    except ValueError as error:
        raise UsageError(f"this is not a URL: {error}") from error
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UsageError("this is not an http or https URL: begin with https://")
    if parts.username is not None:
        raise UsageError("remove the user name from the URL: probe sends no credentials")


def _no_credential(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Send no credential: without an auth, requests would look for a password in ~/.netrc."""
    return request


def _reason(error: BaseException) -> str:
    """Find what the operating system said, below what urllib3 and requests made of it."""
    while error.__context__ is not None:
        error = error.__context__
    return str(error)
