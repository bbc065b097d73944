"""Ctrl-C for a command that a test starts."""

import signal

__all__ = ["hearing_it"]


def hearing_it() -> None:
    """Have a child process hear Ctrl-C, also where the tests run in the background of a shell.

    There a shell has it ignored, and what is ignored is inherited.
    """
    signal.signal(signal.SIGINT, signal.SIG_DFL)
