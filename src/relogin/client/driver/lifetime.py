"""Reading from a response how long a session still lives."""

from __future__ import annotations

import re
from typing import Final

from relogin.errors import ChallengeSyntaxError
from relogin.wire.model import AuthInfo

__all__ = ["lifetime"]

_seconds = re.compile("[0-9]{1,10}").fullmatch
_age = re.compile(r"[ \t]*+(?=[0-9])0*+([0-9]*+)[ \t]*+(?:,|\Z)").match
_MANY: Final = 11
"""So many digits are more than `expires_in` has: what follows them changes nothing."""


def lifetime(info: str, age: str | None = None) -> int | None:
    """Read `expires_in` of an Authentication-Info field, in seconds; `None` if it is not there.

    `age` is the Age field of the response, which is subtracted: the lifetime started when the
    server wrote it. Of several ages the first counts, and one that is no number counts as 0
    (RFC 9111 §5.1).

    >>> lifetime("expires_in=540", age="40")
    500
    """
    try:
        said = AuthInfo.parse(info).get("expires_in", "")
    except ChallengeSyntaxError:
        return None
    if not _seconds(said):
        return None
    return max(int(said) - _spent(age or ""), 0)


def _spent(age: str) -> int:
    found = _age(age)
    return int(found[1][:_MANY] or 0) if found else 0
