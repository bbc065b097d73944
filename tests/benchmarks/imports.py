"""What importing costs: `python -m tests.benchmarks.imports`.

Each import runs in processes of its own, in turn with `import requests`. The time is the
processor's, the shortest of the rounds. Where a module works with a library, that library is
imported first and does not count.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys

from tests.benchmarks.rows import Row, shown

__all__ = ["rows"]

GOALS = {
    "relogin": ("", 0.20),
    "relogin.server.asgi": ("", 0.35),
    "relogin.client.requests": ("requests", 0.25),
    "relogin.client.httpx": ("httpx", 0.30),
}


def taken(module: str, before: str = "") -> float:
    """Import a module in a new process; return the processor's time in ms."""
    program = f"""
import time{f", {before}" if before else ""}
began = time.process_time()
import {module}
print((time.process_time() - began) * 1000)
"""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, check=True, text=True
    )
    return float(done.stdout)


def rows(rounds: int) -> list[Row]:
    """Measure all imports in turn."""
    shortest = dict.fromkeys(("requests", *GOALS), float("inf"))
    for _ in range(rounds):
        for module in shortest:
            before, _ = GOALS.get(module, ("", 0.0))
            shortest[module] = min(shortest[module], taken(module, before))
    whole = shortest["requests"]
    return [
        shown(
            Row(
                f"import {module}" + (f", after {before}" if before else ""),
                shortest[module] / whole,
                "`import requests`",
                goal,
                f"{shortest[module]:.1f} of {whole:.1f} ms",
            )
        )
        for module, (before, goal) in GOALS.items()
    ]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    rows(parser.parse_args().rounds)
