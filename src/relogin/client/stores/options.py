"""Checks of the options of a store. Errors say what to pass instead."""

from __future__ import annotations

__all__ = ["seconds"]

_A_CENTURY = 100 * 365.25 * 86400.0  # in seconds: no server counts to infinity


def seconds(store: str, name: str, given: float, *, zero: bool = True) -> float:
    """Return an option that is a number of seconds; of `math.inf`, a century.

    `zero` says whether it may be 0. Raises `TypeError` and `ValueError` for anything else.

    >>> seconds("RedisStore", "keep", 60)
    60
    """
    if not isinstance(given, int | float):
        kind = type(given).__name__
        raise TypeError(f"{store}: {name}= must be a number of seconds, not {kind}")
    if not (given >= 0 if zero else given > 0):
        least = "0 or more" if zero else "above 0"
        raise ValueError(f"{store}: {name}= must be a number of seconds, {least}, not {given:g}")
    return min(given, _A_CENTURY)
