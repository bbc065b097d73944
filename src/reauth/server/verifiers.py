"""Verifiers: what judges a token, how it is asked, and what its failure means.

A verifier is any callable that is given a token. It returns the session, or `reauth.Admitted`;
raises `reauth.Refused` to say why not, or returns None for a token it does not know. Anything else
it raises is trouble in the store: the session may well be alive.
"""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from inspect import iscoroutinefunction
from typing import Any, TypeAlias

from reauth.server.gate import Refused

__all__ = ["AsyncVerifier", "Verifier", "ask", "ask_async", "is_async", "synchronous"]

Verifier: TypeAlias = Callable[[str], Any]
AsyncVerifier: TypeAlias = Callable[[str], Awaitable[Any]]

_log = logging.getLogger("reauth.server")


def ask(verify: Verifier, token: str | None) -> object:
    """Return what the verifier answers or raises; without a token it is not asked."""
    if token is None:
        return None
    try:
        return _without_waiting(verify(token))
    except Exception as raised:  # noqa: BLE001  whatever a store raises, it must not end in a 401
        return _judged(raised)


async def ask_async(verify: Verifier | AsyncVerifier, token: str | None) -> object:
    """Return what the verifier answers or raises, as `ask` does, without holding up the loop.

    One that is no coroutine function runs in a thread, unless it says `blocking = False`.
    """
    if token is None:
        return None
    try:
        if is_async(verify) or not getattr(verify, "blocking", True):
            answer = verify(token)
        else:
            answer = await asyncio.to_thread(verify, token)
        return await answer if hasattr(answer, "__await__") else answer
    except Exception as raised:  # noqa: BLE001  as above
        return _judged(raised)


def synchronous(verify: Verifier) -> Verifier:
    """Return a verifier that can be asked without a loop; raises `TypeError` for another one.

    The coroutine of one that was not awaited would count as a session, and admit everybody.
    """
    if is_async(verify):
        raise TypeError("this gate asks its verifier without an event loop: give it a plain one")
    return verify


def is_async(verify: Verifier | AsyncVerifier) -> bool:
    """Whether calling this verifier returns a coroutine."""
    return iscoroutinefunction(verify) or iscoroutinefunction(type(verify).__call__)


def _without_waiting(answer: object) -> object:
    if not hasattr(answer, "__await__"):
        return answer
    if isinstance(answer, Coroutine):
        answer.close()
    raise TypeError("the verifier is asynchronous, and this gate asks it without an event loop")


def _judged(raised: Exception) -> Exception:
    """Log trouble in the store by its kind and place; its text, which may hold the token, never."""
    if not isinstance(raised, Refused):
        kinds = " from ".join(type(error).__qualname__ for error in _chain(raised))
        frames = traceback.extract_tb(raised.__traceback__)
        places = " > ".join(f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames)
        _log.error("the session store has trouble: %s at %s", kinds, places)
    return raised


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
