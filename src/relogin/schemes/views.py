"""Shared by all typed views: they read any value that was received, and check what they send."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

__all__ = ["check", "oauth_text", "oauth_uri", "received", "scope_token", "stated", "words"]

View = TypeVar("View")

# RFC 6750 §3, from RFC 6749: scope-token, error_description and error, error_uri.
scope_token: Callable[[str], re.Match[str] | None] = re.compile(r"[!#-\[\]-~]++").fullmatch
oauth_text: Callable[[str], re.Match[str] | None] = re.compile(r"[ !#-\[\]-~]++").fullmatch
oauth_uri: Callable[[str], re.Match[str] | None] = re.compile(r"[!#-\[\]-~]++").fullmatch


def received(view: type[View], values: Mapping[str, Any]) -> View:
    """Make a view of a received challenge, without the checks for sending."""
    self = object.__new__(view)
    for name, value in values.items():
        object.__setattr__(self, name, value)
    return self


def check(name: str, text: object, fits: Any, takes: str) -> None:
    """Raise `TypeError` for anything but a `str`, `ValueError` for one that does not fit."""
    if not isinstance(text, str):
        raise TypeError(f"{name} must be a str, not {type(text).__name__}")
    if not fits(text):
        raise ValueError(f"{name} {takes}")


def stated(params: Mapping[str, str | None]) -> dict[str, str]:
    """Leave out the parameters that have no value."""
    return {name: value for name, value in params.items() if value is not None}


def words(given: str | Iterable[str]) -> frozenset[str]:
    """Read a set of words, or a `str` that lists them."""
    return frozenset(given.split() if isinstance(given, str) else given)
