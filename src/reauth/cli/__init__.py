"""The command `reauth`: explain, build, probe and demo, each a module of that name.

A command is loaded when it is asked for: `reauth --help` and `reauth build` need no extra.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import version
from io import TextIOWrapper

__all__ = ["main"]

EXIT_CODES = "exit codes: 0 well-formed, 1 faults, 2 usage or nothing to read"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line `argv` (without the program's name) and return its exit code."""
    if isinstance(sys.stdout, TextIOWrapper):
        # What a server sent must be shown on every terminal, whatever its encoding.
        sys.stdout.reconfigure(errors="backslashreplace")
    arguments = _parser().parse_args(argv)
    try:
        command = import_module(f"reauth.cli.{arguments.command}")
    except ModuleNotFoundError as missing:
        if (missing.name or "").partition(".")[0] != "rich":
            raise
        return _fail(f'`reauth {arguments.command}` needs rich: pip install "reauth[cli]"')
    try:
        code: int = command.run(arguments)
    except UsageError as error:
        return _fail(str(error))
    except KeyboardInterrupt:
        return 130
    return code


class UsageError(Exception):
    """What the command was asked cannot be done; the message says what to do instead."""


def _fail(message: str) -> int:
    print(f"reauth: {message}", file=sys.stderr)
    return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="reauth",
        description="Read, write and ask for the challenges of WWW-Authenticate.",
        epilog=EXIT_CODES,
    )
    parser.add_argument("--version", action="version", version=f"reauth {version('reauth')}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    explain = commands.add_parser(
        "explain",
        help="say what a challenge field holds, and what is wrong with it",
        description="Say what a challenge field holds, and what is wrong with it.",
        epilog=f"for instance: curl -sI https://api.example.com/ | reauth explain -; {EXIT_CODES}",
    )
    explain.add_argument(
        "field",
        metavar="FIELD",
        help="the field, in quotes, with or without its name; - reads standard input: "
        "a field, or whole responses as curl -i and curl -I show them",
    )
    explain.add_argument("--json", action="store_true", help="a JSON list, one object a field")

    build = commands.add_parser(
        "build",
        help="write a challenge",
        description="Write a challenge: every value escaped, nothing that could not be read back.",
        epilog="for instance: reauth build Session realm=api error=session_expired",
    )
    build.add_argument("scheme", metavar="SCHEME")
    build.add_argument("params", metavar="NAME=VALUE", nargs="*")
    build.add_argument(
        "--token68", metavar="TEXT", help="as in: reauth build Negotiate --token68 YWJj"
    )

    probe = commands.add_parser(
        "probe",
        help="ask a URL, and explain its challenges",
        description="Send one GET without any credential, follow no redirect, and explain the "
        "challenges of the answer.",
        epilog=EXIT_CODES,
    )
    probe.add_argument("url", metavar="URL")
    probe.add_argument("--json", action="store_true", help="a JSON list, one object a field")

    demo = commands.add_parser(
        "demo",
        help="watch a session die and be renewed, once for fifty threads",
        description="Start a server on this machine whose sessions live two seconds, and show "
        "what travels when they die. It ends by itself.",
    )
    demo.add_argument(
        "--browser",
        action="store_true",
        help="serve a page instead, whose script outlives its session; Ctrl-C ends it",
    )
    return parser
