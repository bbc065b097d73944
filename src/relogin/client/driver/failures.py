"""A failure of the flow, in the kind that a library's users catch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from relogin import errors

__all__ = ["Kinds", "by_base", "raisable"]

Kinds = Mapping[type[errors.ReloginError], type[errors.ReloginError]]


def by_base(*kinds: type[errors.ReloginError]) -> Kinds:
    """Find a library's own kind of each failure by the failure it is derived from."""
    return {kind.__mro__[1]: kind for kind in kinds}


def raisable(failure: errors.ReloginError, kinds: Kinds, response: Any) -> errors.ReloginError:
    """Build a failure anew as a library's own kind, with the response that led to it."""
    error = kinds[type(failure)](*failure.args)
    error.__dict__.update(failure.__dict__)
    error.response = response
    # Both libraries' exceptions name the request, and it is the one that was refused.
    error.request = getattr(response, "request", None)  # type: ignore[attr-defined]
    return error
