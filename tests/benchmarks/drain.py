"""What a refused upload costs that is read to its end: `python -m tests.benchmarks.drain`.

Each server takes uploads of 50 MB whose session is dead, and such whose session lives, in turn; the
application reads the latter in pieces of 64 KiB and makes a digest of each. Then both come in
floods, eight at a time. Ratios are medians, refused to accepted: of the time that passed, and of
the processor's time that the server spent, which a busy machine disturbs less. Who floods a server
with what it refuses gets no more of it than who floods it with what it accepts if no ratio is
above 1.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path
from statistics import median
from typing import NamedTuple

from tests.uploads.cells import Site, site

ROUNDS = 20
FLOODS = 5
AT_ONCE = 8
BODY = bytes(50_000_000)
SERVERS = ("gunicorn-sync", "gunicorn-gthread", "uvicorn", "hypercorn", "granian")


class Spent(NamedTuple):
    """What one upload or one flood took: seconds, and seconds of the server's processor."""

    took: float
    processor: float


def post(running: Site, token: str) -> int:
    connection = HTTPConnection("127.0.0.1", running.port, timeout=120)
    try:
        connection.request("POST", "/upload/1", BODY, {"Authorization": f'Session token="{token}"'})
        answer = connection.getresponse()
        answer.read()
        return answer.status
    finally:
        connection.close()


def flood(running: Site, token: str) -> int:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        (status,) = set(pool.map(lambda _: post(running, token), range(2 * AT_ONCE)))
        return status


def spent(running: Site, do: Callable[[Site, str], int], token: str, expected: int) -> Spent:
    before, began = running.log()["cpu"], time.perf_counter()
    assert do(running, token) == expected
    took = time.perf_counter() - began
    return Spent(took, running.log()["cpu"] - before)


def compared(running: Site, do: Callable[[Site, str], int], rounds: int) -> str:
    token, refused, accepted = running.ask("/login"), list[Spent](), list[Spent]()
    for _ in range(rounds):
        refused.append(spent(running, do, "dead", 401))
        accepted.append(spent(running, do, token, 200))
    ratios = (median(map(of, refused)) / median(map(of, accepted)) for of in (_took, _processor))
    return "{:5.2f} {:9.2f}".format(*ratios)


def _took(one: Spent) -> float:
    return one.took


def _processor(one: Spent) -> float:
    return one.processor


def peak(running: Site, token: str) -> int:
    """The most memory that the server has held, in KiB, after a flood."""
    flood(running, token)
    return int(running.log()["peak_kib"])


def main() -> None:
    print(
        f"{'':17} {'one':>15} {'flood':>15}  peak of the flood\n{'':17}  time processor", flush=True
    )
    for server in sys.argv[1:] or SERVERS:
        with (
            tempfile.TemporaryDirectory(prefix="uploads-") as folder,
            site(server, "direct", Path(folder)) as running,
        ):
            # The refused ones first: a peak is never given back.
            quiet = int(running.log()["peak_kib"])
            refused = peak(running, "dead")
            accepted = peak(running, running.ask("/login"))
            one, many = compared(running, post, ROUNDS), compared(running, flood, FLOODS)
            peaks = (
                f"+{(refused - quiet) / 1024:.1f} MiB, accepted +{(accepted - quiet) / 1024:.1f}"
            )
            print(f"{server:17} {one} {many}  {peaks}", flush=True)


if __name__ == "__main__":
    main()
