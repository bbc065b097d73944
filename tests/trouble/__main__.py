"""An hour of trouble: a fleet, real servers, a real store, and many faults at once.

    python -m tests.trouble --seconds 3600 --store redis --seed 7

Prints what happened and which laws were broken; ends with 1 if any was. With RELOGIN_NO_SKIP=1 it
also ends with 1 if the machine lacks something, such as a server of Valkey.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.conftest import NO_SKIP
from tests.trouble.clock import a_clock
from tests.trouble.faults import Faults
from tests.trouble.fleet import Fleet
from tests.trouble.judge import Judgement, judge, judge_left
from tests.trouble.servers import SERVERS, servers
from tests.trouble.stores import STORES

__all__ = ["Trouble", "trouble"]

LIBRARIES = ("requests", "httpx2", "aiohttp")
PEERS = ("google-auth", "singleflight-auth")


@dataclass
class Trouble:
    """What was done and what was not, what came of it, and what the judge says.

    `missing` is what this machine lacks, `failed` are faults that could not be done.
    """

    judgement: Judgement
    faults: Counter[str]
    missing: list[str]
    failed: list[str]
    events: Counter[str]
    left: list[dict[str, Any]]

    def __str__(self) -> str:
        rows = [
            str(self.judgement),
            f"faults     {dict(self.faults.most_common())}",
            f"events     {dict(self.events.most_common())}",
            f"left       {self.left}",
        ]
        rows += [f"missing    {name}" for name in self.missing]
        return "\n".join(rows + [f"not done   {name}" for name in self.failed])


def trouble(
    seconds: float,
    seed: int,
    kind: str,
    *,
    libraries: tuple[str, ...] = LIBRARIES,
    at: tuple[str, ...] = SERVERS,
    processes: int = 3,
    threads: int = 4,
    pause: float = 0.002,
    recovery: float = 32.0,
    patience: float = 90.0,
    sabotage: str | None = None,
    logs: Path | None = None,
) -> Trouble:
    """Run a fleet for a time, with faults; let it recover, and judge.

    `threads` is how many threads or tasks each process has, `pause` how many seconds each waits
    between its requests. `recovery` is how many all have to recover in after the last fault: a
    budget window lasts 30. `patience` is how many they have to end in. `sabotage` names how the
    client is broken on purpose. The logs are left in `logs`, if given.
    """
    with contextlib.ExitStack() as opened:
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory()))
        clock = opened.enter_context(a_clock(folder))
        running = opened.enter_context(servers(at, folder, seed))
        store = opened.enter_context(STORES[kind](folder, random.Random(seed)))
        urls = {server.name: server.url for server in running}
        facts = {"urls": urls, "store": store.name, "threads": threads, "pause": pause}
        facts["sabotage"] = sabotage
        fleet = opened.enter_context(Fleet(facts, libraries, folder))
        faults = Faults(fleet, running, store, clock, seed)
        for _ in range(processes):
            fleet.start()
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            time.sleep(faults.pause())
            faults.strike()
        for server in running:
            server.calm()
        time.sleep(recovery)
        calm_from = time.monotonic()
        for server in running:
            server.death()
        time.sleep(3.0)
        fleet.end(patience)
        for server in running:
            server.note_half_refusals(folder)
        judgement = judge(folder, fleet.killed, calm_from, faults.strikes, processes)
        judge_left(fleet.left, judgement)
        told = (json.dumps(strike._asdict()) + "\n" for strike in faults.strikes)
        (folder / "faults.jsonl").write_text("".join(told))
        if logs is not None:
            shutil.copytree(folder, logs, ignore=_no_logs, dirs_exist_ok=True)
        faults.count["broken connection"] = sum(server.proxy.broken for server in running)
    missing = store.missing + ([] if clock else ["a C compiler, to step the clock"])
    return Trouble(judgement, faults.count, missing, faults.failed, fleet.events, fleet.left)


def _no_logs(_: str, names: list[str]) -> list[str]:
    return [name for name in names if not name.endswith((".jsonl", ".log"))]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--store", choices=STORES, default="sqlite")
    parser.add_argument("--processes", type=int, default=3)
    parser.add_argument("--threads", type=int, default=4, help="threads or tasks of each process")
    parser.add_argument("--pause", type=float, default=0.002, help="between a thread's requests")
    parser.add_argument("--library", choices=[*LIBRARIES, *PEERS], action="append")
    parser.add_argument("--server", choices=SERVERS, action="append")
    parser.add_argument("--logs", type=Path, help="a folder to leave the logs in")
    given = vars(parser.parse_args())
    given["libraries"] = tuple(given.pop("library") or LIBRARIES)
    given["at"] = tuple(given.pop("server") or SERVERS)
    ended = trouble(given.pop("seconds"), given.pop("seed"), given.pop("store"), **given)
    print(ended)
    sys.exit(bool(ended.judgement.broken or (NO_SKIP and ended.missing)))


if __name__ == "__main__":
    main()
