"""Instructions of the processor, counted: `python -m tests.benchmarks.instructions`.

Time on a busy machine is noise; valgrind counts the same each time. Each piece of
`tests.benchmarks.renewal` and `tests.benchmarks.added` runs in two processes, one with more calls
than the other: the difference is the calls themselves. Needs valgrind.
"""

from __future__ import annotations

import gc
import os
import re
import shutil
import subprocess
import sys

from tests.benchmarks import added, renewal
from tests.benchmarks.rows import Row, shown

__all__ = ["rows"]

FEW, MANY = 50, 150


def run(kind: str, way: str, whose: str, calls: int) -> None:
    """Call a piece so many times, and leave at once."""
    piece = added.pieces()[whose] if kind == "gate" else renewal.pieces(kind, way)[whose]
    for _ in range(20):
        piece()
    gc.disable()
    for _ in range(calls):
        piece()
    os._exit(0)


def counted(*piece: str) -> float:
    """Count the instructions of one call, in thousands."""
    few, many = (_counted(piece, calls) for calls in (FEW, MANY))
    return (many - few) / (MANY - FEW) / 1000


def _counted(piece: tuple[str, ...], calls: int) -> int:
    counting = ["--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"]
    program = [sys.executable, "-m", "tests.benchmarks.instructions", *piece, str(calls)]
    done = subprocess.run(
        ["valgrind", *counting, *program],
        env={**os.environ, "PYTHONHASHSEED": "0"},
        capture_output=True,
        check=True,
        text=True,
    )
    found = re.search(r"I +refs: +([0-9,]+)", done.stderr)
    assert found is not None, done.stderr
    return int(found[1].replace(",", ""))


def rows() -> list[Row]:
    """Count each piece beside that of its peer."""
    found = []
    for kind, way, title, to, goal in renewal.PIECES:
        ours, theirs = counted(kind, way, "ours"), counted(kind, way, to)
        detail = f"{ours:.0f} of {theirs:.0f} thousand"
        found.append(shown(Row(f"{title}, instructions", ours / theirs, to, goal, detail)))
    return [*found, of_the_gate()]


def of_the_gate() -> Row:
    """Count what the ASGI gate adds, beside what Starlette's middleware does."""
    bare, gate, peer = (
        counted("gate", "", name) for name in ("ASGI bare", "ASGI gate", added.PEER)
    )
    ours, theirs = gate - bare, peer - bare
    detail = f"{ours:.1f} of {theirs:.1f} thousand"
    return shown(
        Row(
            "ASGI gate, instructions",
            ours / theirs,
            "Starlette's AuthenticationMiddleware",
            1.0,
            detail,
        )
    )


if __name__ == "__main__":
    if sys.argv[1:]:
        _, library, state, whose_auth, number = sys.argv
        run(library, state, whose_auth, int(number))
    elif shutil.which("valgrind") is None:
        raise SystemExit("valgrind is not installed")
    rows()
