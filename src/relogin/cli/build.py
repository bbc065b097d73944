"""`relogin build`: write a challenge that every reader of RFC 9110 reads back."""

from __future__ import annotations

import argparse
from contextlib import suppress

from relogin.cli import UsageError
from relogin.cli.response import KNOWN
from relogin.session import SCHEME, SessionChallenge
from relogin.wire.model import Challenge
from relogin.wire.serialize import check_token68

INSTEAD = (
    "write parameters as NAME=VALUE right after the scheme, without dashes; a token68 has none"
)


def declare(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.description = (
        "Write a WWW-Authenticate header, with its values quoted and escaped. A value that no "
        "client could read back is an error."
    )
    parser.epilog = "example: relogin build Session realm=api error=session_expired"
    parser.add_argument("scheme", metavar="SCHEME", help="such as Session, Bearer or Basic")
    parser.add_argument(
        "params",
        metavar="NAME=VALUE",
        nargs="*",
        default=[],
        help="a parameter; repeat it for more",
    )
    parser.add_argument(
        "--token68",
        metavar="TEXT",
        action="append",
        default=[],
        help="as in: relogin build Negotiate --token68 YWJj",
    )


def run(arguments: argparse.Namespace) -> int:
    """Print the challenge; raise `UsageError` if it cannot be sent."""
    if arguments.scheme.lower().rstrip(":") in KNOWN:
        raise UsageError("begin with the scheme: the name of the header is not part of its value")
    if " " in arguments.scheme or "=" in arguments.scheme:
        raise UsageError(
            "the scheme comes first, and each parameter is an argument of its own, "
            "as in: relogin build Session realm=api"
        )
    if len(arguments.token68) > 1:
        raise UsageError("write --token68 once: a challenge has one token68 or parameters")
    for argument in arguments.params[:-1]:
        if argument.endswith(","):
            raise UsageError(f"{argument!r} ends in a comma: only spaces stand between parameters")
    try:
        pairs = [_pair(argument) for argument in arguments.params]
        challenge = Challenge(arguments.scheme, pairs, token68=next(iter(arguments.token68), None))
        if challenge.scheme.lower() == SCHEME.lower():
            challenge = _of_the_scheme(challenge)
    except ValueError as error:
        raise UsageError(str(error)) from error
    print(challenge)
    return 0


def _pair(argument: str) -> tuple[str, str]:
    name, equals, value = argument.partition("=")
    if len(value) > 1 and value[0] == value[-1] == '"':
        raise UsageError(f"leave out the double quotes around {value}: they are added")
    if equals and value != "=":  # two of them pad base64
        return name, value
    hint = f"; to pass a token68, write --token68 {argument}" if _is_token68(argument) else ""
    raise UsageError(f"{argument!r} is not NAME=VALUE{hint}")


def _is_token68(text: str) -> bool:
    with suppress(ValueError):
        return bool(check_token68(text))
    return False


def _of_the_scheme(challenge: Challenge) -> Challenge:
    """Check a Session challenge against SPEC.md, which is stricter than the grammar."""
    session = SessionChallenge.from_challenge(challenge).to_challenge()
    for name, value in challenge.params.items():
        if session.get(name) != value:
            raise UsageError(f"the Session scheme has no such parameter or value: {name}={value}")
    return session
