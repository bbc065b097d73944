"""What was done about a response, told by `outcome`."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

__all__ = ["Outcome", "detail", "mark", "outcome"]


class Outcome(StrEnum):
    """What was done about a response.

    Each is a `str`, so you can compare it with its name and put it into a log.

    >>> Outcome.REPLAYED == "replayed"
    True
    """

    UNTOUCHED = "untouched"
    """Nothing: it was not a 401, or a 401 for which a login does not help."""
    UNANSWERED = "unanswered"
    """A 401 from a named server that could not be answered; `detail` is what it offered."""
    REPLAYED = "replayed"
    """The request was sent again with a new session; this is its response."""
    REFUSED_AGAIN = "refused_again"
    """The request was sent again with a new session, and refused again."""
    RENEWED_NOT_REPLAYED = "renewed_not_replayed"
    """There is a new session, but the request cannot be sent twice: send it again yourself.

    `detail` says what prevents it, the ``"method"`` or the ``"body"``.
    """
    STREAM_ENDED = "stream_ended"
    """A stream of events ended, or broke off, because its session did: open it again.

    Found out for streams (`text/event-stream`) that a GET has opened.
    """
    DECLINED = "declined"
    """The login returned `None`; you get the 401."""
    REFUSED = "refused"
    """The login was refused, now or earlier with the same password."""
    UNAVAILABLE = "unavailable"
    """The login failed, or did not finish in time."""
    OVER_BUDGET = "over_budget"
    """There were too many logins in a short time; you get the 401."""
    FOREIGN = "foreign"
    """The 401 came from a server that you did not name."""


_MARK = "_relogin_outcome"


_DETAIL = "_relogin_detail"


def mark(response: Any, outcome: Outcome, detail: str | None = None) -> None:
    """Remember on the response what was done."""
    setattr(response, _MARK, outcome)
    setattr(response, _DETAIL, detail)


def outcome(response: Any) -> Outcome:
    """Return what was done about a response, also about one that an exception carries.

    After redirects, it is what was done last on the way.

    >>> import requests
    >>> outcome(requests.Response())
    <Outcome.UNTOUCHED: 'untouched'>
    """
    marked = _marked(response)
    return Outcome.UNTOUCHED if marked is None else getattr(marked, _MARK)


def detail(response: Any) -> str | None:
    """Return more about the `outcome`, if there is more.

    For `unanswered` and `refused_again` it is what the response offered: the schemes of its
    challenges, or ``"no challenge"``. For `renewed_not_replayed` it is ``"method"`` or ``"body"``.

    >>> import requests
    >>> print(detail(requests.Response()))
    None
    """
    marked = _marked(response)
    found = getattr(marked, _DETAIL, None)
    return found if isinstance(found, str) else None


def _marked(response: Any) -> Any:
    for passed in (response, *reversed(getattr(response, "history", ()))):
        if isinstance(getattr(passed, _MARK, None), Outcome):
            return passed
    return None
