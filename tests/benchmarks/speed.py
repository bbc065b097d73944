"""The table and the plot of docs/explanation/performance.md: `python -m tests.benchmarks.speed`.

Everything is measured in one run, each row in turn with its peer. Give `--note` where the machine
was not quiet, and `--plot` the file that the plot goes to.
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

from tests.benchmarks import imports, instructions, renewal
from tests.benchmarks.gate import added_code
from tests.benchmarks.rows import plotted

__all__: list[str] = []


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=25)
    parser.add_argument("--note", default="")
    parser.add_argument("--plot", type=Path)
    asked = parser.parse_args()
    counted = instructions.rows() if shutil.which("valgrind") else []
    found = [*renewal.rows(asked.rounds), *counted, *added_code(), *imports.rows(asked.rounds)]
    if asked.plot is not None:
        asked.plot.write_text(plotted(found, asked.note), encoding="utf-8")
