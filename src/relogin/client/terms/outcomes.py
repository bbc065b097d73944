"""What was done about a response, told by `outcome`."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

__all__ = ["Outcome", "mark", "outcome"]


class Outcome(StrEnum):
    """What became of a request whose session might have been dead."""

    UNTOUCHED = "untouched"
    """Nothing was done: no answerable challenge, or one that a login does not cure."""
    REPLAYED = "replayed"
    """The request was sent again with a living session; this is its answer."""
    RENEWED_NOT_REPLAYED = "renewed_not_replayed"
    """The session lives again, but this request could not be sent twice: send it anew."""
    DECLINED = "declined"
    """The login returned `None`: the 401 is the answer."""
    REFUSED = "refused"
    """The login was refused, now or earlier with the same password."""
    UNAVAILABLE = "unavailable"
    """The login could not be done, or did not end in time."""
    OVER_BUDGET = "over_budget"
    """There were too many renewals in a short time: something ends the sessions at once."""
    FOREIGN = "foreign"
    """The challenge came from an origin that is not trusted: it was not answered."""


_MARK = "_relogin_outcome"


def mark(response: Any, outcome: Outcome) -> None:
    """Remember on the response what was done."""
    setattr(response, _MARK, outcome)


def outcome(response: Any) -> Outcome:
    """Tell what was done about a response of requests or httpx, also one an error carries.

    Of a response that redirects led to it is what was last done on the way.

    >>> import requests
    >>> outcome(requests.Response())
    <Outcome.UNTOUCHED: 'untouched'>
    """
    for passed in (response, *reversed(getattr(response, "history", ()))):
        found = getattr(passed, _MARK, None)
        if isinstance(found, Outcome):
            return found
    return Outcome.UNTOUCHED
