"""Which paths a pattern names. A pattern never opens a path that it does not spell out.

Servers, proxies and routers disagree about `//`, `..`, `;`, encoded slashes and letter case. So a
path that can be read in two ways is never public, and asks for every step-up there is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

__all__ = ["EVERYTHING", "Patterns", "is_plain"]

# Segments without `.` and `..`, path parameters, backslashes and controls; and without `%`: the
# path was decoded once, so a `%` that is left was encoded twice.
_plain = re.compile(r"(?:/(?!\.\.?(?:/|\Z))[^/\\%;\x00-\x1f\x7f]+|(?!))*+/?").fullmatch
_encoded_slash = re.compile(r"%(?:2f|5c)", re.IGNORECASE).search
EVERYTHING = "/*"


class Patterns:
    """Some paths: `/health` is one, `/docs/*` all below `/docs/`, `/users/*/photo` one segment.

    Raises `ValueError` for a pattern that does not begin with a slash, that no plain path could
    match, or whose `*` is only a part of a segment.

    >>> public = Patterns(["/health", "/docs/*"])
    >>> public.name("/docs/a/b"), public.name("/docs"), public.name("/docs/../orders")
    (True, False, False)
    """

    __slots__ = ("_everything", "_exact", "_heads", "_match", "_match_loosely")

    def __init__(self, patterns: Iterable[str]) -> None:
        listed = tuple(patterns)
        expression = "|".join(map(_expression, listed)) or "(?!)"
        self._everything = EVERYTHING in listed
        self._exact = frozenset(one for one in listed if "*" not in one)
        self._heads = tuple(one[: one.index("*")] for one in listed if "*" in one)
        self._match = re.compile(expression).fullmatch
        self._match_loosely = re.compile(f"(?:{expression})/*", re.IGNORECASE).fullmatch

    def name(self, path: str, raw_path: str = "") -> bool:
        """Whether a pattern spells out this path, which leaves no doubt."""
        return self._everything or bool(
            self._match(path or "/") and is_plain(path) and not _encoded_slash(raw_path)
        )

    @property
    def beginnings(self) -> tuple[tuple[str, ...], frozenset[str]]:
        """How the paths begin that a pattern may name, and the paths that it names exactly.

        For any other path you need not call `name`, which takes longer.
        """
        heads = ("",) if self._everything else self._heads
        return heads, self._exact | {""} if "/" in self._exact else self._exact

    def may_name(self, path: str) -> bool:
        """Whether some router could take this path for one that a pattern spells out."""
        return bool(self._match_loosely(path + "/") or self._match_loosely(path)) or not is_plain(
            path
        )


def is_plain(path: str) -> bool:
    """Whether everybody reads this path, which was decoded once, in the same way."""
    return bool(_plain(path))


def _expression(pattern: str) -> str:
    if not pattern.startswith("/"):
        raise ValueError(f"the path pattern {pattern!r} does not begin with a slash")
    if "?" in pattern:
        raise ValueError(f"the path pattern {pattern!r} has a query: write the path alone")
    if not is_plain(pattern):
        raise ValueError(f"the path pattern {pattern!r} is not a plain path and would never match")
    segments = pattern.split("/")
    if any("*" in segment and segment != "*" for segment in segments):
        raise ValueError(f"in the path pattern {pattern!r} a * must be a whole segment")
    one = ["[^/]+" if segment == "*" else re.escape(segment) for segment in segments]
    below = ".*" if segments[-1] == "*" else one[-1]
    return "/".join((*one[:-1], below))
