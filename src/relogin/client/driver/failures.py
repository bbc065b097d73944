"""Failures of a flow, as exceptions that the users of a library catch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from relogin import errors

__all__ = ["Kinds", "by_base", "raisable"]

Kinds = Mapping[type[errors.ReloginError], type[errors.ReloginError]]


def by_base(*kinds: type[errors.ReloginError]) -> Kinds:
    """Map each failure to the exception of a library that is derived from it."""
    return {kind.__mro__[1]: kind for kind in kinds}


def raisable(
    failure: errors.ReloginError, kinds: Kinds, response: Any, request: Any = None
) -> errors.ReloginError:
    """Rebuild a failure as the exception of a library, with the response that caused it.

    Without a response, pass the request that was not sent.
    """
    error = kinds[type(failure)](*failure.args)
    error.__dict__.update(failure.__dict__)
    error.response = response
    # The exceptions of both libraries have a `request`: the one that was refused.
    error.request = getattr(response, "request", request)  # type: ignore[attr-defined]
    return error
