"""What the operator's functions take: a wrong number of arguments is told at once."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

__all__ = ["check_call", "check_plain", "is_async", "takes_request"]

_MANY = 99


def takes_request(option: str, call: Callable[..., Any], given: tuple[str, ...]) -> bool:
    """Whether a function takes the request after the arguments that it is always given.

    It does if it cannot be called without, or if that parameter is called `request`. Raises
    `TypeError` for a function that cannot be called in either way. Some functions written in C do
    not tell what they take, and get no request.
    """
    names = ", ".join(given)
    how = f"{option} is called with {names}, or with {names} and request"
    placed = _placed(call, len(given), 1, how)
    needed = sum(one.default is one.empty for one in placed)
    return needed > len(given) or any(one.name == "request" for one in placed[len(given) :][:1])


def check_call(option: str, call: Callable[..., Any], given: tuple[str, ...]) -> None:
    """Raise `TypeError` for a function that cannot be called with these arguments."""
    _placed(call, len(given), 0, f"{option} is called with {', '.join(given)}")


def check_plain(option: str, call: Callable[..., Any]) -> None:
    """Raise `TypeError` for a coroutine function: nobody would await what it returns."""
    if is_async(call):
        raise TypeError(f"{option} must be a plain function, not a coroutine function")


def is_async(call: Callable[..., Any]) -> bool:
    """Whether calling this returns a coroutine."""
    from inspect import iscoroutinefunction

    while isinstance(call, partial):
        call = call.func
    return iscoroutinefunction(call) or iscoroutinefunction(type(call).__call__)


def _placed(call: Callable[..., Any], given: int, more: int, how: str) -> list[Any]:
    """Return the parameters that are filled by place; raises `TypeError` if they do not fit."""
    from inspect import Parameter, signature  # costs time to load, and is needed here alone

    try:
        parameters = signature(call).parameters.values()
    except (TypeError, ValueError):
        return []
    by_place = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)
    placed = [one for one in parameters if one.kind in by_place]
    needed = [one for one in parameters if one.default is Parameter.empty]
    least = sum(one.kind in by_place for one in needed)
    most = _MANY if any(one.kind is Parameter.VAR_POSITIONAL for one in parameters) else len(placed)
    named = any(one.kind is Parameter.KEYWORD_ONLY for one in needed)
    if named or most < given or least > given + more:
        takes = (
            "a required keyword argument that the gate does not pass"
            if named
            else (", ".join(one.name for one in placed) or "nothing")
        )
        raise TypeError(f"{how}; {getattr(call, '__name__', type(call).__name__)} takes {takes}")
    return placed
