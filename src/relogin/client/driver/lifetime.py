"""Reading from a response how long a session still lives."""

from __future__ import annotations

import re

from relogin.errors import ChallengeSyntaxError
from relogin.wire.model import AuthInfo

__all__ = ["lifetime"]

_seconds = re.compile("[0-9]{1,10}").fullmatch


def lifetime(info: str, age: str | None = None) -> int | None:
    """Read `expires_in` of an Authentication-Info field, in seconds; `None` if it is not there.

    `age` is the Age field of the response, which is subtracted: the lifetime started when the
    server wrote it (RFC 9111 §5.1).

    >>> lifetime("expires_in=540", age="40")
    500
    """
    try:
        said = AuthInfo.parse(info).get("expires_in", "")
    except ChallengeSyntaxError:
        return None
    if not _seconds(said):
        return None
    spent = int(age) if age is not None and _seconds(age) else 0
    return max(int(said) - spent, 0)
