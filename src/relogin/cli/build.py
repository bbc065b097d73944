"""`relogin build`: write a challenge that every reader of RFC 9110 reads back."""

from __future__ import annotations

import argparse

from relogin.cli import UsageError
from relogin.session import SCHEME, SessionChallenge
from relogin.wire.model import Challenge


def declare(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.description = (
        "Write a WWW-Authenticate header. Values are quoted and escaped; one that no client could "
        "read back is refused."
    )
    parser.epilog = "for instance: relogin build Session realm=api error=session_expired"
    parser.add_argument("scheme", metavar="SCHEME", help="such as Session, Bearer or Basic")
    parser.add_argument(
        "params",
        metavar="NAME=VALUE",
        nargs="*",
        default=[],
        help="a parameter; repeat it for more",
    )
    parser.add_argument(
        "--token68", metavar="TEXT", help="as in: relogin build Negotiate --token68 YWJj"
    )


def run(arguments: argparse.Namespace) -> int:
    """Print the challenge; raise `UsageError` if it cannot be sent."""
    if " " in arguments.scheme:
        raise UsageError(
            "the scheme and each parameter must be separate arguments, "
            "as in: relogin build Session realm=api"
        )
    try:
        pairs = [_pair(argument) for argument in arguments.params]
        challenge = Challenge(arguments.scheme, pairs, token68=arguments.token68)
        if challenge.scheme.lower() == SCHEME.lower():
            challenge = _of_the_scheme(challenge)
    except ValueError as error:
        raise UsageError(str(error)) from error
    print(challenge)
    return 0


def _pair(argument: str) -> tuple[str, str]:
    name, equals, value = argument.partition("=")
    if not equals:
        raise UsageError(
            f"{argument!r} is not NAME=VALUE; to pass a token68, write --token68 {argument}"
        )
    return name, value


def _of_the_scheme(challenge: Challenge) -> Challenge:
    """Check a Session challenge against SPEC.md, which is stricter than the grammar."""
    session = SessionChallenge.from_challenge(challenge).to_challenge()
    for name, value in challenge.params.items():
        if session.get(name) != value:
            raise UsageError(f"the Session scheme has no such parameter or value: {name}={value}")
    return session
