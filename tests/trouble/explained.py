"""Which logins something explains: each needs a reason of its own, from shortly before it.

A session that ended is the reason for one login at its server, and so is a login whose answer did
not come. A killed or stopped process, or a step of the clock, may cost each server one more.
After a 401 that ended within its header a process may log in for no realm, and then for the real
one. While the store is away, each process logs in by itself.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any, NamedTuple

__all__ = ["HALF_REFUSAL", "Strike", "unexplained"]

HALF_REFUSAL = "401 that ended within its header"

# In seconds: how long after its reason a login may come. The next request that meets a dead session
# is sent at once, but its login may fail, pause, and find the lease taken.
_LATE = 15.0
# How long before and after a fault of the store its processes may know different things.
_AROUND = 5.0
# A login that took longer may have been overtaken.
_SLOW = 2.0


class Strike(NamedTuple):
    """A fault, when it was done, and whether the store could not be asked meanwhile."""

    name: str
    began: float
    ended: float
    away: bool = False


class _Reason(NamedTuple):
    until: float
    since: float
    times: int = 1


def unexplained(
    server: list[dict[str, Any]],
    callers: Iterable[dict[str, Any]],
    strikes: list[Strike],
    processes: int,
) -> list[str]:
    """Return the sessions that were logged in to without a reason.

    `server` is what one server has noted, `callers` what all callers have noted of their logins.
    """
    callers = list(callers)
    own, struck = _by_itself(server, _answered(callers), strikes, processes), _by_strikes(strikes)
    reasons = sorted(
        [*own, *struck, *_without_realm(server, callers)], key=lambda reason: reason.since
    )
    open_until: list[float] = []
    found = []
    for login in (line for line in server if line["what"] == "login"):
        while reasons and reasons[0].since < login["at"]:
            reason = reasons.pop(0)
            for _ in range(reason.times):
                heapq.heappush(open_until, reason.until)
        while open_until and open_until[0] < login["at"]:
            heapq.heappop(open_until)
        if open_until:
            heapq.heappop(open_until)
        else:
            found.append(str(login["session"]))
    return found


def _answered(callers: Iterable[dict[str, Any]]) -> set[str]:
    """Return the sessions that a caller got in time."""
    began: dict[str, float] = {}
    answered = set()
    for line in callers:
        if "logs_in" in line:
            began[line["logs_in"]] = line["at"]
        elif "logged_in" in line and line["at"] - began[line["logged_in"]] < _SLOW:
            answered.add(line["session"])
    return answered


def _by_itself(
    server: list[dict[str, Any]], answered: set[str], strikes: list[Strike], processes: int
) -> Iterator[_Reason]:
    away = [strike for strike in strikes if strike.away]
    yield _Reason(float("inf"), 0.0)  # the first login
    for line in filter(partial(_is_reason, answered), server):
        at = line["at"] + line.get("lifetime", 0.0)
        alone = any(s.began - _AROUND <= at <= s.ended + _AROUND for s in away)
        yield _Reason(at + _LATE, line["at"], 1 + processes * alone)


def _is_reason(answered: set[str], line: dict[str, Any]) -> bool:
    if line["what"] == "login":
        # A session of some seconds is renewed ahead, or when it has ended.
        return bool(line["lifetime"]) or line["session"] not in answered
    return line["what"] == "death" and not line["expired"]


def _by_strikes(strikes: list[Strike]) -> Iterator[_Reason]:
    for strike in strikes:
        if strike.name in {"kill", "stop", "step of the clock"}:
            yield _Reason(strike.ended + _AROUND + _LATE, strike.began)


def _without_realm(
    server: list[dict[str, Any]], callers: list[dict[str, Any]]
) -> Iterator[_Reason]:
    for refusal in (line for line in server if line["what"] == HALF_REFUSAL):
        since, until = refusal["at"], refusal["at"] + _LATE
        for line in callers:
            nameless = line.get("realm") == "" and line["server"] == refusal["server"]
            if nameless and since < line["at"] < until:
                yield _Reason(until, since)
