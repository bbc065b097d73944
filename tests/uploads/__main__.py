"""python -m tests.uploads: what becomes of uploads whose session has died, cell by cell."""

from __future__ import annotations

import argparse
import itertools
import json
import logging
import sys
import tempfile
from pathlib import Path

from tests.uploads.cells import ROUTES, Cell, Count, cells, site, tried
from tests.uploads.clients import BODIES, CLIENTS
from tests.uploads.programs import SERVERS

_UNITS = {"K": 1000, "M": 1_000_000}
_ROW = "{:17} {:12} {:14} {:>6} {:10} {:>7} {:>7} {:>5} {:>6}  {}"


def main() -> int:
    options = _parser().parse_args()
    logging.getLogger("asyncio").setLevel(logging.ERROR)  # it tells of each send that fails
    wanted = cells(
        options.servers,
        options.routes,
        options.clients,
        [_octets(size) for size in options.sizes],
        options.bodies,
        options.method,
    )
    heads = ("server", "route", "client", "size", "body", "arrived", "renewed", "lost", "s each")
    print(_ROW.format(*heads, "seen"), flush=True)
    wrong, total = 0, Count()
    for (server, route), group in itertools.groupby(wanted, key=lambda cell: cell[:2]):
        with (
            tempfile.TemporaryDirectory(prefix="uploads-") as folder,
            site(server, route, Path(folder), drain=options.drain) as running,
        ):
            for cell in group:
                how = {name: getattr(options, name) for name in ("row", "each", "bare")}
                count = tried(cell, running, options.tries, **how)
                _show(cell, count, options.tries * options.row)
                if options.json is not None:
                    _keep(options.json, cell, count, options)
                wrong += len(count.wrong)
                total.arrived += count.arrived
                total.renewed += count.renewed
                total.lost += count.lost
    print(f"\n{total.arrived} arrived, {total.renewed} renewed, {total.lost} lost, {wrong} wrong")
    return min(wrong, 1)


def _show(cell: Cell, count: Count, uploads: int) -> None:
    size = f"{cell.size / 1e6:g}M" if cell.size >= 1_000_000 else f"{cell.size // 1000}K"
    seen = ", ".join(f"{number}x {what}" for what, number in count.seen.most_common())
    wrong = "".join(f"\n    WRONG: {what}" for what in count.wrong)
    head = (cell.server, cell.route, cell.client, size, cell.body)
    counts = (count.arrived, count.renewed, count.lost, f"{count.seconds / uploads:.2f}")
    print(_ROW.format(*head, *counts, seen + wrong), flush=True)


def _keep(file: Path, cell: Cell, count: Count, options: argparse.Namespace) -> None:
    """Add a cell to a file with one JSON object a line: a long run may be cut into slices."""
    how = {name: getattr(options, name) for name in ("tries", "row", "each", "drain", "bare")}
    with file.open("a") as kept:
        kept.write(json.dumps({**cell._asdict(), **how, **vars(count)}) + "\n")


def _octets(size: str) -> int:
    return int(float(size[:-1]) * _UNITS[size[-1]])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.uploads", description=__doc__)
    choices = {"servers": SERVERS, "routes": ROUTES, "clients": CLIENTS, "bodies": BODIES}
    for name, names in choices.items():
        parser.add_argument(f"--{name}", nargs="+", choices=names, default=list(names))
    parser.add_argument("--sizes", nargs="+", metavar="SIZE", default=["100K", "2M", "50M"])
    parser.add_argument("--method", default="POST")
    parser.add_argument("--tries", type=int, default=5)
    parser.add_argument("--row", type=int, default=1, help="uploads one after another, each try")
    drain = "let the gate answer before it has read the body"
    parser.add_argument("--no-drain", dest="drain", action="store_false", help=drain)
    each = "let the session die before each upload of a row, not only before the first"
    parser.add_argument("--each", action="store_true", help=each)
    bare = "without relogin's adapter and transport for uploads"
    parser.add_argument("--bare", action="store_true", help=bare)
    kept = "a file that each cell is added to, as a line of JSON"
    parser.add_argument("--json", type=Path, metavar="FILE", help=kept)
    return parser


if __name__ == "__main__":
    sys.exit(main())
