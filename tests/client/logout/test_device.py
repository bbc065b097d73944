"""Many short runs against a device with four seats, most of them killed: none loses a seat."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.client.seats import Device
from tests.client.server import Server

ROOT = Path(__file__).parents[3]
RUNS = int(os.environ.get("RELOGIN_DEVICE_RUNS", "12"))
"""How many runs; 200 is what the documentation tells of."""
AT_ONCE = 2  # each may have two sessions for a moment: the one replaced, and the one that stands


def run(device: Device, name: str, chance: random.Random) -> tuple[str, int, str]:
    """Let a client run, and end it somehow; return how, its exit status, and what it said last."""
    how = chance.choice(["finished", "SIGTERM", "SIGTERM", "SIGKILL"])
    number = str(chance.randrange(1, 30) if how == "finished" else 0)
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.client.device_worker", device.url, name, number],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    process.stdout.readline()
    if how != "finished":
        time.sleep(chance.uniform(0, 0.2))
        process.send_signal(getattr(signal, how))
    _, said = process.communicate(timeout=30)
    return how, process.returncode, said


@pytest.mark.timeout(60 + 3 * RUNS)
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="nobody is killed so here")
def test_no_run_that_could_still_speak_leaves_a_seat_taken(server: Server) -> None:
    device = Device(server)

    def one(index: int) -> tuple[str, int, str, list[int]]:
        name = f"run-{index}"
        how, status, said = run(device, name, random.Random(index))
        return how, status, said, device.left_by(name)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        ended = list(pool.map(one, range(RUNS)))
    assert device.refused == 0  # no login found all seats taken
    assert device.most <= device.seats
    for how, status, said, left in ended:
        if how == "SIGKILL":  # which nobody can do anything about
            continue
        assert (status, said) == (0, ""), how  # no request was lost, no logout failed
        assert left == [], how
