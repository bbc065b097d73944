"""Digest beside the other libraries: `python -m tests.peers.digest`.

Prints a Markdown table. Each cell is one client in a process of its own against a fresh site of
`tests.client.digest_site`, which checks answers by itself, or against a server that others wrote.
NIQUESTS_PYTHON names a Python that has niquests, which does not live beside urllib3; without it
that column is left out.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.client.digest.servers import SERVERS, httpbin_url, program
from tests.client.digest_site import PASSWORD, USER, DigestSite
from tests.client.server import serve
from tests.peers.digest_clients import CLIENTS

ROOT = Path(__file__).parents[2]
OTHER = 'Session realm="x", error="session_expired"'
MALFORMED = 'Bearer error_description="a "quoted" word"'


@dataclass(frozen=True)
class Case:
    """One row: what the site does, what is sent, and how the cell tells what came of it."""

    name: str
    site: dict[str, Any] = field(default_factory=dict)
    sent: tuple[tuple[str, str | None], ...] = (("GET", None),)
    tells: Callable[[DigestSite, list[Any]], str] = lambda _, statuses: shown(statuses)
    password: str = PASSWORD
    before: Callable[[DigestSite], None] = lambda _: None


def shown(statuses: list[Any]) -> str:
    return " ".join(map(str, statuses)) or "nothing"


def _algorithm(site: DigestSite, statuses: list[Any]) -> str:
    names = [sent.get("algorithm", "MD5") for sent in site.answers]
    return f"{shown(statuses)} {' '.join(dict.fromkeys(names))}".strip()


def _name(site: DigestSite, statuses: list[Any]) -> str:
    hashed = bool(site.answers) and site.answers[0].get("username") != USER
    return f"{shown(statuses)} {'hashed' if hashed else 'plain name'}"


def _challenges(site: DigestSite, statuses: list[Any]) -> str:
    return f"{shown(statuses)}, {len(site.challenged)} challenges"


def _wrong(site: DigestSite, _: list[Any]) -> str:
    return f"sent {site.wrong} times"


def _two(first: str, second: str) -> Any:
    line = 'Digest realm="dig", nonce="{nonce}", algorithm={algorithm}, qop="auth"'

    def lines(challenge: str) -> list[str]:
        nonce = challenge.partition('nonce="')[2].partition('"')[0]
        return [line.format(nonce=nonce, algorithm=name) for name in (first, second)]

    return lines


def _refuse_twice(site: DigestSite) -> None:
    """The second request's nonce is too old, and so is the next."""
    right = site.answer
    seen = 0

    def answer(request: Any) -> Any:
        nonlocal seen
        seen += 1
        if seen == 3:  # after a challenge and its answer
            site.refuses = 2
        return right(request)

    site.server.answers = answer


GETS = (("GET", None),) * 3
CASES = [
    Case("`Session …, Digest …` in one line", {"lines": lambda ours: [f"{OTHER}, {ours}"]}),
    Case("a Session line, then a Digest line", {"lines": lambda ours: [OTHER, ours]}),
    Case("a malformed line, then a Digest line", {"lines": lambda ours: [MALFORMED, ours]}),
    Case(
        "a line with MD5, then one with SHA-256",
        {"algorithm": "SHA-256", "lines": _two("MD5", "SHA-256")},
        tells=_algorithm,
    ),
    Case("SHA-256", {"algorithm": "SHA-256"}),
    Case("SHA-512-256", {"algorithm": "SHA-512-256"}),
    Case("MD5-sess", {"algorithm": "MD5-sess"}),
    Case("SHA-256-sess", {"algorithm": "SHA-256-sess"}),
    Case("no qop (RFC 2069)", {"qop": None}),
    Case("qop `auth-int`, GET", {"qop": "auth-int"}),
    Case("qop `auth-int`, POST of bytes", {"qop": "auth-int"}, (("POST", "bytes"),)),
    Case(
        "qop `auth-int`, GET, then POST of a file",
        {"qop": "auth-int"},
        (("GET", None), ("POST", "file")),
    ),
    Case("`userhash=true`", {"userhash": True}, tells=_name),
    Case("a nonce that is too old twice in a row, three GETs", sent=GETS, before=_refuse_twice),
    Case(
        "one nonce a request and `nextnonce`, three GETs",
        {"uses": 1, "next_nonces": True},
        GETS,
        _challenges,
    ),
    Case("a wrong password, three GETs", sent=GETS, tells=_wrong, password="wrong"),
    Case("a wrong `rspauth`", {"proves": False}),
]
REAL: dict[str, tuple[Callable[[], Any], Callable[[str], str], str]] = {
    **{name: (begin, str, PASSWORD) for name, begin in SERVERS.items()},
    "httpbin `auth-int`, SHA-256": (
        lambda: program("httpbin"),
        lambda base: httpbin_url(base, "auth-int", "SHA-256"),
        "s3cret",
    ),
    "httpbin `stale_after=1`": (
        lambda: program("httpbin"),
        lambda base: httpbin_url(base, stale_after="1"),
        "s3cret",
    ),
}


def run(client: str, password: str, plan: list[tuple[str, str, str | None]]) -> list[Any]:
    """Let one client send a plan."""
    python = os.environ["NIQUESTS_PYTHON"] if client == "niquests" else sys.executable
    command = [python, "-m", "tests.peers.digest_clients", client, USER, password]
    ran = subprocess.run(
        [*command, json.dumps(plan)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    found: list[Any] = json.loads(ran.stdout) if ran.returncode == 0 else ["failed"]
    return found


def cell(case: Case, client: str) -> str:
    """Run one case with one client."""
    with serve() as server:
        site = DigestSite(server, **case.site)
        case.before(site)
        plan = [(method, f"{server.url}/orders?a=b", kind) for method, kind in case.sent]
        return case.tells(site, run(client, case.password, plan))


def real(name: str, client: str) -> str:
    """Get three times from a server that others wrote."""
    begin, place, password = REAL[name]
    server: AbstractContextManager[str] = begin()
    with server as base:
        return shown(run(client, password, [("GET", place(base), None)] * 3))


def main() -> None:
    """Print the table."""
    clients = [c for c in CLIENTS if c != "niquests" or "NIQUESTS_PYTHON" in os.environ]
    clients = [c for c in clients if c != "curl" or shutil.which("curl")]
    print("| | " + " | ".join(clients) + " |")
    print("|---" * (len(clients) + 1) + "|")
    for case in CASES:
        print(f"| {case.name} | " + " | ".join(cell(case, c) for c in clients) + " |", flush=True)
    for name in REAL:
        print(f"| {name} | " + " | ".join(real(name, c) for c in clients) + " |", flush=True)


if __name__ == "__main__":
    main()
