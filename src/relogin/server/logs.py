"""What a gate tells its operator: kinds and places of errors, and never the text of one."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterator

__all__ = ["log", "report"]

log: logging.Logger = logging.getLogger("relogin.server")


def report(what: str, raised: BaseException) -> None:
    """Log an error by its kind and place; its text, which may hold a token, never."""
    kinds = " from ".join(type(error).__qualname__ for error in _chain(raised))
    frames = traceback.extract_tb(raised.__traceback__)
    places = " > ".join(f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames)
    log.error("%s: %s at %s", what, kinds, places)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
