"""Reading the challenges of a response, as far as they can be read."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from relogin.errors import ChallengeSyntaxError
from relogin.wire import MAX_LENGTH
from relogin.wire.field import parse
from relogin.wire.model import Challenge

__all__ = ["readable"]


def readable(lines: Sequence[str]) -> tuple[Challenge, ...]:
    """Read all challenges that can be read; a malformed line does not hide the others."""
    return _read(tuple(lines))


# A server sends the same challenge each time a session dies.
@lru_cache(maxsize=64)
def _read(lines: tuple[str, ...]) -> tuple[Challenge, ...]:
    try:
        return tuple(parse(lines, lenient=True))
    except ChallengeSyntaxError:  # too long: one overlong line must not hide the others
        short = [line for line in lines if len(line) <= MAX_LENGTH]
        return tuple(challenge for line in short for challenge in parse(line, lenient=True))
