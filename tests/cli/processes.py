"""Processes that a test starts, and that end with it whatever happens."""

import signal
import subprocess
import sysconfig
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

__all__ = ["RELOGIN", "running"]

RELOGIN = Path(sysconfig.get_path("scripts")) / "relogin"
"""The command, as it is installed."""


@contextmanager
def running(command: Sequence[str | Path], **streams: Any) -> Iterator["subprocess.Popen[str]"]:
    """Start a command that reacts to Ctrl-C; it is killed if it has not ended by itself.

    A bare `with Popen` waits without bound for a process that is slow to end: the test's timeout
    then cuts that short, and leaves a process that nobody waits for.
    """
    with subprocess.Popen(
        command,
        text=True,
        bufsize=1,
        preexec_fn=_hearing,  # noqa: PLW1509 - it takes no lock
        **streams,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def _hearing() -> None:
    """React to Ctrl-C also where the tests run in the background of a shell.

    A shell lets its background jobs ignore it, and their children inherit that.
    """
    signal.signal(signal.SIGINT, signal.SIG_DFL)
