"""What was done about a response, told by `outcome`."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

__all__ = ["Outcome", "detail", "mark", "outcome"]


class Outcome(StrEnum):
    """What became of a request whose session might have been dead."""

    UNTOUCHED = "untouched"
    """Nothing was done, and nothing was to be done: no 401, or one that a login does not cure."""
    UNANSWERED = "unanswered"
    """A 401 of a trusted origin that nothing was done about; `detail` says what it offered."""
    REPLAYED = "replayed"
    """The request was sent again with a living session; this is its answer."""
    REFUSED_AGAIN = "refused_again"
    """The session was renewed, and the request that was sent again was refused again."""
    RENEWED_NOT_REPLAYED = "renewed_not_replayed"
    """The session lives again, but this request could not be sent twice: send it anew.

    `detail` says whether its ``"method"`` or its ``"body"`` kept it from that.
    """
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


_DETAIL = "_relogin_detail"


def mark(response: Any, outcome: Outcome, detail: str | None = None) -> None:
    """Remember on the response what was done."""
    setattr(response, _MARK, outcome)
    setattr(response, _DETAIL, detail)


def outcome(response: Any) -> Outcome:
    """Tell what was done about a response of requests or httpx, also one an error carries.

    Of a response that redirects led to it is what was last done on the way.

    >>> import requests
    >>> outcome(requests.Response())
    <Outcome.UNTOUCHED: 'untouched'>
    """
    marked = _marked(response)
    return Outcome.UNTOUCHED if marked is None else getattr(marked, _MARK)


def detail(response: Any) -> str | None:
    """Tell more of the `outcome`, where there is more to tell.

    Of `unanswered` and `refused_again` it is what the response offered: the schemes of its
    challenges, or ``"no challenge"``. Of `renewed_not_replayed` it is ``"method"`` or ``"body"``.
    """
    marked = _marked(response)
    found = getattr(marked, _DETAIL, None)
    return found if isinstance(found, str) else None


def _marked(response: Any) -> Any:
    for passed in (response, *reversed(getattr(response, "history", ()))):
        if isinstance(getattr(passed, _MARK, None), Outcome):
            return passed
    return None
