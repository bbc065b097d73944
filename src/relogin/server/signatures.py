"""Checks of the operator's functions: a wrong number of parameters raises an error at once."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

__all__ = ["check_app", "check_call", "check_plain", "is_async", "takes_request"]


def takes_request(option: str, call: Callable[..., Any], given: tuple[str, ...]) -> bool:
    """Whether a function takes the request after the arguments that it is always given.

    It does if it needs one more argument, or if its next parameter is called `request`. Raises
    `TypeError` for a function that cannot be called either way. Some functions written in C have no
    signature, and get no request.
    """
    names = ", ".join(given)
    how = f"{option} is called with {names}, or with {names} and request"
    positional = _positional(call, len(given), 1, how)
    needed = sum(one.default is one.empty for one in positional)
    return needed > len(given) or any(one.name == "request" for one in positional[len(given) :][:1])


def check_call(option: str, call: Callable[..., Any], given: tuple[str, ...]) -> None:
    """Raise `TypeError` for a function that cannot be called with these arguments."""
    _positional(call, len(given), 0, f"{option} is called with {', '.join(given)}")


def check_app(app: object, parameters: int, kind: str, gate: str) -> None:
    """Raise `TypeError` for an application of the other kind, with so many parameters."""
    if _takes(app, parameters) and not _takes(app, 5 - parameters):  # WSGI has two, ASGI three
        raise TypeError(f"app is {kind} application: use relogin.server.{gate}.SessionGate")


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


def _takes(call: object, count: int) -> bool:
    from inspect import signature

    try:  # an adapter from one kind to the other may say that it wraps an application
        signature(call, follow_wrapped=False).bind(*[None] * count)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return False
    return True


def _positional(call: Callable[..., Any], given: int, more: int, how: str) -> list[Any]:
    """Return the positional parameters; raise `TypeError` if so many arguments do not fit."""
    from inspect import Parameter, signature  # slow to load

    try:
        called = signature(call)
    except (TypeError, ValueError):
        return []
    kinds = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)
    parameters = called.parameters.values()
    positional = [one for one in parameters if one.kind in kinds]
    for count in range(given, given + more + 1):
        with suppress(TypeError):
            called.bind(*[None] * count)
            return positional
    if any(one.kind is Parameter.KEYWORD_ONLY and one.default is one.empty for one in parameters):
        takes = "a required keyword argument that the gate does not pass"
    else:
        takes = ", ".join(one.name for one in positional) or "nothing"
    raise TypeError(f"{how}; {getattr(call, '__name__', type(call).__name__)} takes {takes}")
