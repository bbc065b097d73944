"""The challenges of a response, line by line."""

from __future__ import annotations

from requests import Response

__all__ = ["CHALLENGE", "challenge_lines"]

CHALLENGE = "www-authenticate"


def challenge_lines(response: Response) -> list[str]:
    """Return the field lines one by one: a malformed one must not hide the others."""
    lines = getattr(getattr(response.raw, "headers", None), "getlist", None)
    if lines is not None:
        return list(lines(CHALLENGE))
    joined = response.headers.get(CHALLENGE)
    return [] if joined is None else [joined]
