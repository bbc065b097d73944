"""The command `relogin`: explain, build, probe and demo, each a module of that name.

A command's module declares its arguments (`declare`), says what to write in place of any others
(`INSTEAD`) and does the work (`run`). It is loaded only when its command is given. The extra `cli`
adds colour and tables; without it the text is plain.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from difflib import get_close_matches
from importlib import import_module
from importlib.metadata import version
from io import TextIOWrapper
from types import ModuleType
from typing import Final

__all__ = ["EXIT_CODES", "UsageError", "main"]

COMMANDS: Final = {
    "explain": "say what a WWW-Authenticate header means, or what is wrong",
    "build": "write a WWW-Authenticate header",
    "probe": "send one request to a URL and explain the challenges",
    "demo": "see a session die and fifty threads carry on after one login",
}
EXIT_CODES: Final = "exit codes: 0 well-formed, 1 faults, 2 wrong usage or nothing to read"
_ELSEWHERE: Final = {
    "help": "--help",
    "version": "--version",
    "discover": "probe --discover URL",
}
_EXAMPLES: Final = """\
examples:
  relogin demo
  relogin explain 'Bearer realm="api", error="invalid_token"'
  curl -sI https://api.example.com/ | relogin explain -
  relogin build Session realm=api error=session_expired

`relogin COMMAND --help` tells you more about one command.
"""


class UsageError(Exception):
    """The command cannot do this; the message tells the user what to do instead."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line `argv` (without the program's name) and return its exit code."""
    if isinstance(sys.stdout, TextIOWrapper):
        # What a server sent must be shown on every terminal, whatever its encoding. A pipe gets
        # each line at once: a demo goes on for a while.
        sys.stdout.reconfigure(errors="backslashreplace", line_buffering=True)
    words = sys.argv[1:] if argv is None else argv
    try:
        arguments = _parsed(words or ["--help"])
        code: int = _module(arguments.command).run(arguments)
        if sys.stdout:  # there is none where it was closed
            sys.stdout.flush()
    except UsageError as error:
        return _fail(str(error))
    except KeyboardInterrupt:
        return 130
    except OSError as error:
        return _unwritten(error)
    return code


def _parsed(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="relogin",
        description="Find out why a server refused a request, from its WWW-Authenticate header.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"relogin {version('relogin')}")
    commands = parser.add_subparsers(metavar="COMMAND", title="commands")
    for name, line in COMMANDS.items():
        commands.add_parser(name, help=line)
    command, *rest = words
    if command not in COMMANDS:
        parser.parse_known_args([command] if command.startswith("-") else [])  # --help, --version
        parser.error(_no_command(command))
    chosen, module = commands.choices[command], _module(command)
    module.declare(chosen)
    arguments, unknown = chosen.parse_known_args(rest, argparse.Namespace(command=command))
    if unknown:
        chosen.error(f"cannot use {' '.join(unknown)}: {module.INSTEAD}")
    return arguments


def _no_command(word: str) -> str:
    if word.startswith("-"):
        return f"cannot use {word} here: write the command first, and its options after it"
    if word in _ELSEWHERE:
        return f"there is no command {word!r}: write relogin {_ELSEWHERE[word]}"
    meant = "".join(f"; did you mean {name}?" for name in get_close_matches(word, COMMANDS, 1, 0.7))
    return f"there is no command {word!r}{meant or ': choose from ' + ', '.join(COMMANDS)}"


def _module(command: str) -> ModuleType:
    return import_module(f"relogin.cli.{command}")


def _unwritten(error: OSError) -> int:
    """End without the output, which cannot be written: nobody reads it, or the disk is full."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # or the interpreter would try again at its end
    return 1 if isinstance(error, BrokenPipeError) else _fail(str(error))


def _fail(message: str) -> int:
    print(f"relogin: {message}", file=sys.stderr)
    return 2
