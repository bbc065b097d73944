"""A response as far as authentication goes: its status and its challenge headers."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

__all__ = ["KNOWN", "OTHERS", "RENAMED", "ChallengeField", "Response"]

# AWS API Gateway renames it, and no client looks there.
RENAMED = {"x-amzn-remapped-www-authenticate": "x-amzn-Remapped-WWW-Authenticate"}
KNOWN = {
    "www-authenticate": "WWW-Authenticate",
    "proxy-authenticate": "Proxy-Authenticate",
} | RENAMED
"""The challenge headers: by their names in lower case, as people write them."""
OTHERS = (
    r"(?:Proxy-)?(?:Authorization|Authentication-Info)|(?:Set-)?Cookie|Host|User-Agent|Accept|Server"
    r"|Date|Vary|Location|Content-(?:Type|Length)|Cache-Control|Connection"
)
"""The names of some other headers, as a pattern."""
# Playwright and Firefox join the lines of a header like this. A fold is something else.
_joint = re.compile(r"(?<!\r)\n(?![ \t])")
# Other names in the lists of CORS.
_EXPOSED = (
    r"X-[\w-]+|[\w-]+-ID|(?:Access-Control|Content|RateLimit)-[\w-]+|ETag|Link|Retry-After|Expires"
    r"|Last-Modified|Pragma|Allow"
)
# Cookie and X-API-Key are schemes too.
_is_another_name = re.compile(
    rf"(?!(?:Cookie|X-API-Key)\Z)(?:{OTHERS}|{'|'.join(KNOWN)}|{_EXPOSED})(?=[\"']|\Z)",
    re.IGNORECASE,
).match


@dataclass(slots=True)
class ChallengeField:
    """The lines of one field of one response; RFC 9110 §5.3 joins them with commas."""

    name: str
    lines: list[str]


@dataclass(slots=True)
class Response:
    """What a response says about authentication. `status` is `None` without a status line."""

    status: int | None = None
    fields: dict[str, ChallengeField] = field(default_factory=dict)

    def add(self, name: str, value: str) -> ChallengeField | None:
        """Keep its lines if it is a challenge header, and return the header that it belongs to."""
        known = KNOWN.get(name.lower())
        if known is None:
            return None
        found = self.fields.setdefault(known, ChallengeField(known, []))
        found.lines += [line.strip(" \t") for line in _joint.split(value)]
        return found

    def mention(self, name: str, value: str) -> None:
        """Keep what a text puts behind the name, unless that is another name: it lists names."""
        if not _is_another_name(value):
            self.add(name, value)
