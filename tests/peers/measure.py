"""What clients do when a session dies, measured by one script: `python -m tests.peers.measure`.

Prints the first table of docs/explanation/peers.md, and with `--ours` the second: this library over
each HTTP library that is installed. `-` stands where a library has no such thing.
"""

from __future__ import annotations

import io
import logging
import os
import pickle
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any

from tests.peers.ours import OURS, Client, OverRequests
from tests.peers.server import Site, served

THREADS = 20
BODY = b"0123456789"
NONE = "-"


def herd(client: Client, site: Site) -> str:
    """A dead session, met by many at once."""
    client.status("GET", f"{site.url}/")
    site.kill()
    before = site.logins
    succeeded = client.at_once(THREADS, f"{site.url}/").count(200)
    return f"{site.logins - before} / {succeeded}"


def late(client: Client, site: Site) -> str:
    """The same, where half of the 401s arrive after the renewal."""
    site.late = 0.5
    return herd(client, site)


def clock(client: Client, site: Site) -> str:
    """A living session that the client takes to have expired, met by many at once."""
    try:
        client.expire()
    except NotImplementedError:
        return NONE
    before = site.logins
    succeeded = client.at_once(THREADS, f"{site.url}/").count(200)
    return f"{site.logins - before} / {succeeded}"


def shapes() -> Iterator[tuple[str, Any]]:
    """Twelve ways to pass the same ten octets."""
    real = tempfile.TemporaryFile()  # noqa: SIM115 - the client under test reads it
    real.write(BODY)
    real.seek(0)
    offset = io.BytesIO(b"skip" + BODY)
    offset.seek(4)
    pipe, writer = os.pipe()
    os.write(writer, BODY)
    os.close(writer)

    class Again:
        def __iter__(self) -> Iterator[bytes]:
            yield from (BODY[:5], BODY[5:])

    class Unseekable(io.BytesIO):
        def seekable(self) -> bool:
            return False

        def seek(self, *_: int) -> int:
            raise io.UnsupportedOperation("seek")

    spent = iter([BODY[:5], BODY[5:]])

    class Wrapper:
        """Iterates like a progress bar: a new iterator each time, over one that is spent."""

        def __iter__(self) -> Iterator[bytes]:
            yield from spent

    yield "bytes", BODY
    yield "str", BODY.decode()
    yield "file", real
    yield "BytesIO", io.BytesIO(BODY)
    yield "BytesIO at an offset", offset
    yield "BufferedReader", io.BufferedReader(io.BytesIO(BODY))
    yield "iterable", Again()
    yield "generator", (part for part in (BODY[:5], BODY[5:]))
    yield "iterator", iter([BODY[:5], BODY[5:]])
    yield "pipe", os.fdopen(pipe, "rb")
    yield "wrapped iterator", Wrapper()
    yield "no seek", Unseekable(BODY)


def bodies(client: Client, site: Site) -> str:
    """Uploads that meet a dead session: how many arrived whole, how many short with a 200."""
    whole = silent = 0
    for _, body in shapes():
        client.status("GET", f"{site.url}/")
        site.kill()
        try:
            status, text = client.ask("POST", f"{site.url}/upload", body)
        except Exception:  # noqa: BLE001 - peers raise all sorts; that is loud, and so not counted
            continue
        whole += status == 200 and text == str(len(BODY))
        silent += status == 200 and text != str(len(BODY))
    return f"{whole} / {silent}"


def foreign(client: Client, site: Site, *, directly: bool) -> str:
    """A challenge from a host that the user named, or was redirected to: what does it get?"""
    with served(site.scheme, "127.0.0.2") as other:
        client.status("GET", f"{site.url}/")
        before, site.elsewhere = site.logins, f"{other.url}/foreign"
        client.status("GET", site.elsewhere if directly else f"{site.url}/elsewhere")
        got = sum("Authorization" in visit.headers for visit in other.visits)
        return f"{got} / {site.logins - before}"


def outage(client: Client, site: Site) -> str:
    """Ten requests in three seconds while the login answers 503: how often is it tried?"""
    return _attempts(client, site, 503)


def rejected(client: Client, site: Site) -> str:
    """Ten requests in three seconds while the login answers 403: how often is it tried?"""
    return _attempts(client, site, 403)


def _attempts(client: Client, site: Site, status: int) -> str:
    client.status("GET", f"{site.url}/")
    site.kill()
    site.login_status = status
    before = len(site.served("/login"))
    for _ in range(10):
        client.status("GET", f"{site.url}/")
        time.sleep(0.3)
    return str(len(site.served("/login")) - before)


def manners(client: Client, site: Site) -> str:
    """What a requests user expects: history, elapsed, and a session that can be pickled."""
    if not isinstance(client, OverRequests):
        return NONE
    client.session.get(f"{site.url}/")
    site.kill()
    answer = client.session.get(f"{site.url}/")
    held = [
        [past.status_code for past in answer.history] == [401],
        answer.elapsed.total_seconds() > 0,
        _pickles(client.session),
    ]
    return " ".join("yes" if kept else "no" for kept in held)


def _pickles(session: object) -> bool:
    try:
        pickle.dumps(session)
    except Exception:  # noqa: BLE001 - whatever it is, it does not pickle
        return False
    return True


def logged(client: Client, site: Site) -> str:
    """Whether any log record at DEBUG shows the token or the password."""
    text = io.StringIO()
    handler = logging.StreamHandler(text)
    root, level = logging.getLogger(), logging.getLogger().level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        herd(client, site)
        clock(client, site)
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
    found = [secret for secret in (f"token-{site.logins}", "pa55") if secret in text.getvalue()]
    return "yes" if found else "no"


ROWS: tuple[tuple[str, Callable[[Client, Site], str]], ...] = (
    (f"{THREADS} threads, dead session: logins / succeeded", herd),
    ("the same, half of the 401s late", late),
    ("the same, expired by the clock", clock),
    ("12 bodies: whole / silently short", bodies),
    (
        "redirect to a foreign host: credentials / logins",
        lambda c, s: foreign(c, s, directly=False),
    ),
    ("first request to a foreign host: the same", lambda c, s: foreign(c, s, directly=True)),
    ("login refused: attempts in 10 requests, 3 s", rejected),
    ("login down: attempts in 10 requests, 3 s", outage),
    ("401 in history, elapsed counted, pickles", manners),
    ("secret in a DEBUG log", logged),
)


def table(clients: tuple[type[Client], ...]) -> Iterator[list[str]]:
    """Measure everything; yield the rows, the heading first."""
    yield ["", *(client.name for client in clients)]
    for title, measured in ROWS:
        row = [title]
        for kind in clients:
            with served(kind.scheme) as site:
                row.append(measured(kind(site), site))
        yield row
        print(title, row[1:], file=sys.stderr)


def _clients() -> tuple[type[Client], ...]:
    if "--ours" in sys.argv:
        return OURS
    from tests.peers.clients import CLIENTS  # where the peers are installed

    return CLIENTS


if __name__ == "__main__":
    os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"  # it measures on loopback, over http
    warnings.simplefilter("ignore")
    logging.getLogger("urllib3").setLevel(logging.CRITICAL)
    for number, row in enumerate(table(_clients())):
        print("| " + " | ".join(row) + " |")
        if number == 0:
            print("|" + "---|" * len(row))
