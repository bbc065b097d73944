"""One cell: a server, a way to it, a client, a size and a body, tried a number of times."""

from __future__ import annotations

import json
import ssl
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPSConnection
from pathlib import Path
from typing import Any, NamedTuple

from tests.programs import certificate
from tests.uploads import clients, programs
from tests.uploads.clients import CLIENTS, Job, Upload

__all__ = ["ROUTES", "Cell", "Count", "Site", "cells", "site", "tried"]

ROUTES = ("direct", "tls", "h2", *(p + s for p in programs.PROXIES for s in ("", "+tls")))


class Cell(NamedTuple):
    """What is tried."""

    server: str
    route: str
    client: str
    size: int
    body: str
    method: str = "POST"


@dataclass
class Count:
    """What became of the uploads of a cell.

    `arrived` is 200 with the whole body, once; `renewed` is the answer or the exception, with a
    session that lives again; `lost` is the same with a session that is still dead. `wrong` names
    bodies that the server applied short, mixed up or twice, and logins too many.
    """

    arrived: int = 0
    renewed: int = 0
    lost: int = 0
    wrong: list[str] = field(default_factory=list)
    seen: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0


@dataclass(frozen=True)
class Site:
    """A server that runs, with the way to it, and the way around that to its log."""

    url: str
    authority: str
    port: int
    tls: bool
    http2: bool

    def ask(self, path: str) -> str:
        """Ask the server itself, past any proxy."""
        connection: HTTPConnection = HTTPConnection("127.0.0.1", self.port, timeout=30)
        if self.tls:
            trusted = ssl.create_default_context(cafile=self.authority)
            connection = HTTPSConnection("127.0.0.1", self.port, timeout=30, context=trusted)
        try:
            connection.request("POST", path, headers={"Content-Length": "0"})
            return connection.getresponse().read().decode()
        finally:
            connection.close()

    def log(self) -> dict[str, Any]:
        told: dict[str, Any] = json.loads(self.ask("/log"))
        return told


@contextmanager
def site(server: str, route: str, folder: Path, *, drain: bool = True) -> Iterator[Site]:
    """Run a server, and the proxy before it."""
    folder.chmod(0o755)  # a proxy's own user enters it
    files = certificate(folder)
    proxy, _, secure = route.partition("+")
    tls = route in {"tls", "h2"}
    with ExitStack() as opened:
        port = opened.enter_context(
            programs.served(server, folder, files if tls else [], drain=drain)
        )
        front = port
        if proxy in programs.PROXIES:
            front = opened.enter_context(programs.via(proxy, port, folder, tls=bool(secure)))
        scheme = "https" if tls or secure else "http"
        url = f"{scheme}://127.0.0.1:{front}"
        yield Site(url, files[0], port, tls, http2=route == "h2")


def possible(cell: Cell) -> bool:
    """Tell whether there is such a cell: not every program speaks TLS, or HTTP/2."""
    if cell.route == "h2":
        return cell.server in programs.HTTP2 and cell.client in clients.HTTP2
    return not (cell.route == "tls" and cell.server in programs.PLAIN_ONLY)


def cells(
    servers: list[str],
    routes: list[str],
    names: list[str],
    sizes: list[int],
    bodies: list[str],
    method: str,
) -> Iterator[Cell]:
    """Name all cells that there are, those of one server and route together."""
    for server in servers:
        for route in routes:
            for name in names:
                for size in sizes:
                    for body in bodies:
                        cell = Cell(server, route, name, size, body, method)
                        if possible(cell):
                            yield cell


def tried(
    cell: Cell,
    running: Site,
    tries: int,
    *,
    row: int = 1,
    each: bool = False,
    bare: bool = False,
) -> Count:
    """Try a cell: each time with a client and a session of its own, which dies before `row`.

    With `each`, it dies before each upload of the row.
    """
    count, began = Count(), time.monotonic()
    for _ in range(tries):
        running.log()
        job = Job(
            url=running.url,
            authority=running.authority,
            method=cell.method,
            body=cell.body,
            size=cell.size,
            kill=lambda: running.ask("/kill"),
            number=row,
            each=each,
            http2=running.http2,
            bare=bare,
        )
        try:
            uploads = CLIENTS[cell.client](job)
        except Exception as error:  # noqa: BLE001 - the server does not answer even a first login
            count.seen[f"{type(error).__name__} before the upload"] += 1
            continue
        _judge(count, uploads, running.log(), deaths=row if each else 1)
    count.seconds = time.monotonic() - began
    return count


def _judge(count: Count, uploads: list[Upload], log: dict[str, Any], *, deaths: int) -> None:
    applied = Counter(entry["path"] for entry in log["uploads"])
    digests = {entry["path"]: entry["sha256"] for entry in log["uploads"]}
    for upload in uploads:
        count.seen[upload.seen] += 1
        if applied[upload.path] > 1:
            count.wrong.append(f"{upload.path} was applied {applied[upload.path]} times")
        if upload.arrived != (applied[upload.path] == 1):
            count.wrong.append(f"{upload.path}: {upload.seen}, applied {applied[upload.path]}")
        if digests.get(upload.path, upload.sha256) != upload.sha256:
            count.wrong.append(f"{upload.path} was applied short or mixed up")
        if upload.arrived:
            count.arrived += 1
        elif log["logins"] > deaths:  # the first is that of the request before the session died
            count.renewed += 1
        else:
            count.lost += 1
    if log["logins"] > 1 + deaths:
        count.wrong.append(f"{log['logins'] - 1} logins")
