"""The log of the gates: kinds and places of errors, never their text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import logging

__all__ = ["log", "report"]


def log() -> logging.Logger:
    """Return the logger of all gates; `logging` is imported when it is first needed."""
    import logging

    return logging.getLogger("relogin.server")


def report(what: str, raised: BaseException) -> None:
    """Log the kind and the place of an error, never its text, which may contain a token."""
    import traceback

    kinds = " from ".join(type(error).__qualname__ for error in _chain(raised))
    frames = traceback.extract_tb(raised.__traceback__)
    places = " > ".join(f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames)
    log().error("%s: %s at %s", what, kinds, places)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
