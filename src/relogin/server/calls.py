"""How many arguments a callable of the operator's takes: told when the gate is made."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

__all__ = ["takes_request"]


def takes_request(word: str, call: Callable[..., Any], given: tuple[str, ...]) -> bool:
    """Whether a callable takes the request after what it is given in any case.

    It does where it cannot be called without, and where that parameter is called `request`. Raises
    `TypeError` for one that cannot be called in either way. Some that are written in C do not tell
    what they take, and get no request.
    """
    from inspect import Parameter, signature  # costs time to load, and is needed here alone

    try:
        parameters = signature(call).parameters.values()
    except (TypeError, ValueError):
        return False
    by_place = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)
    placed = [one for one in parameters if one.kind in by_place]
    least = sum(one.default is Parameter.empty for one in placed)
    most = _MANY if any(one.kind is Parameter.VAR_POSITIONAL for one in parameters) else len(placed)
    named = any(
        one.kind is Parameter.KEYWORD_ONLY and one.default is Parameter.empty for one in parameters
    )
    if named or most < len(given) or least > len(given) + 1:
        raise TypeError(
            f"{word} is called with {', '.join(given)}, or with {', '.join(given)} and request; "
            f"{getattr(call, '__name__', type(call).__name__)} takes {_told(placed, named=named)}"
        )
    return least > len(given) or any(one.name == "request" for one in placed[len(given) :][:1])


_MANY = 99


def _told(placed: list[Any], *, named: bool) -> str:
    if named:
        return "a required keyword argument that the gate does not pass"
    return ", ".join(one.name for one in placed) or "nothing"
