"""The table and the plot of docs/explanation/performance.md: `python -m tests.benchmarks.speed`.

Everything is measured in one run, each row in turn with its peer. Give `--note` where the machine
was not quiet, and with `--docs` the table and the plot are written into the documentation.
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

from tests.benchmarks import added, imports, instructions, memory, renewal, stores
from tests.benchmarks.rows import plotted, tabled

__all__: list[str] = []

DOCS = Path(__file__).parents[2] / "docs"
PAGE, PLOT = DOCS / "explanation/performance.md", DOCS / "pictures/performance.svg"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=25)
    parser.add_argument("--note", default="")
    parser.add_argument("--docs", action="store_true")
    asked = parser.parse_args()
    counted = instructions.rows() if shutil.which("valgrind") else []
    timed = [*renewal.rows(asked.rounds), *added.rows(), *imports.rows(asked.rounds)]
    found = [*timed, *counted, *stores.rows(), *memory.rows()]
    if asked.docs:
        PLOT.write_text(plotted(found, asked.note), encoding="utf-8")
        PAGE.write_text(tabled(found, PAGE.read_text(encoding="utf-8")), encoding="utf-8")
