"""A response as far as authentication goes: its status and its challenge headers."""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["KNOWN", "RENAMED", "ChallengeField", "Response"]

# AWS API Gateway renames it, and no client looks there.
RENAMED = {"x-amzn-remapped-www-authenticate": "x-amzn-Remapped-WWW-Authenticate"}
KNOWN = {
    "www-authenticate": "WWW-Authenticate",
    "proxy-authenticate": "Proxy-Authenticate",
} | RENAMED
"""The challenge headers: by their names in lower case, as people write them."""


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
        """Keep the line if it is a challenge header, and return the header that it belongs to."""
        known = KNOWN.get(name.lower())
        if known is None:
            return None
        found = self.fields.setdefault(known, ChallengeField(known, []))
        found.lines.append(value.strip(" \t"))
        return found
