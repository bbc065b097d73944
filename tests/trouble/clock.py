"""The wall clock of all that is started here, which can be stepped while they run.

libfaketime could do it in principle; Debian's fails for time.sleep of Python 3.11 and for Redis.
"""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["Clock", "a_clock"]

_SOURCE = Path(__file__).with_name("clock.c")


class Clock:
    """How many seconds the clock is off, in a file that all processes look into."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._seconds = 0
        self._write()

    def step(self, seconds: int) -> None:
        self._seconds += seconds
        self._write()

    def _write(self) -> None:
        # In place, since the others have mapped this very file.
        with os.fdopen(os.open(self._file, os.O_WRONLY | os.O_CREAT, 0o644), "wb") as file:
            file.write(struct.pack("q", self._seconds))


@contextmanager
def a_clock(folder: Path) -> Iterator[Clock | None]:
    """Let what is started in this block see a clock of its own; `None` without a C compiler."""
    compiler = shutil.which("cc")
    if compiler is None:
        yield None
        return
    library, clock = folder / "clock.so", Clock(folder / "clock")
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", library, _SOURCE], check=True)
    folder.chmod(0o755)  # PostgreSQL runs as another user
    facts = {"LD_PRELOAD": str(library), "TROUBLE_CLOCK": str(folder / "clock")}
    before = {name: os.environ.get(name) for name in facts}
    os.environ |= facts
    try:
        yield clock
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})
