"""From a 401 to the final response: one generator that decides, without I/O, clock or thread.

It yields what is to be done and is sent what came of it. The drivers beside it (requests, httpx in
both its forms) do those things, each in its own way; none of them decides anything.

    yields Login(flight, context)     -> what the login returned; its exception is thrown in
           Wait(flight, seconds)      -> None, when the flight has ended or the time is over
           Replay(held, seen)         -> the `Seen` of the answer
           Ask, Pause                 -> see `relogin.client.fleet`; only where a store is shared
    returns Final

No lock is held at any `yield`, and whatever is thrown in at one leaves no renewal without a leader.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from relogin.client.book import Blocked, Book, Flight, Status
from relogin.client.events import Event, EventKind, heard, tell
from relogin.client.fleet import Ask, Pause, consult, find, give_back, publish, take_turn
from relogin.client.grant import Context, granted
from relogin.client.outcomes import Outcome
from relogin.client.policy import UNAUTHORIZED, Action, Demand, Held, Seen
from relogin.errors import (
    BodyNotReplayable,
    InvalidGrant,
    LoginRefused,
    LoginTimeout,
    LoginUnavailable,
    ReloginError,
)

__all__ = [
    "Ask",
    "Command",
    "Final",
    "Flow",
    "Login",
    "Pause",
    "Replay",
    "Wait",
    "answer",
    "before",
    "renew_ahead",
]


@dataclass(frozen=True, slots=True)
class Login:
    """Call the login. The driver adds `context.http`, and marks its own context as inside."""

    flight: Flight
    context: Context


@dataclass(frozen=True, slots=True)
class Wait:
    """Wait until a flight that another request leads has ended, for so many seconds at most."""

    flight: Flight
    seconds: float


@dataclass(frozen=True, slots=True)
class Replay:
    """Send the request again, signed with this grant."""

    held: Held
    seen: Seen


@dataclass(frozen=True, slots=True)
class Final:
    """The end of the flow: this response is the answer, or the failure to raise with it."""

    seen: Seen
    outcome: Outcome
    failure: ReloginError | None = None


Command: TypeAlias = Login | Wait | Replay | Ask | Pause
Flow: TypeAlias = Generator[Command, Any, Final]

MOST_REPLAYS = 2


def answer(book: Book, seen: Seen) -> Flow:
    """Decide about a response that may say that its session is dead."""
    policy, led, outcome = book.policy, False, Outcome.UNTOUCHED
    for _ in range(MOST_REPLAYS):
        demand = policy.demand(seen)
        if demand is None:
            return _unanswered(book, seen, outcome)
        _tell(book, EventKind.CHALLENGED, demand)
        dead = _dead(seen, demand)
        renewed: Held | Final | None = book.newer(demand.key, dead)
        if renewed is None:
            if led or demand.action is Action.STOP:
                renewed = yield from _elsewhere(book, demand, dead)
            else:
                renewed, led = yield from _renew(book, seen, demand, dead)
        if renewed is None:
            _tell(book, EventKind.REFUSED, demand, reason=demand.error)
            return Final(seen, outcome)
        if isinstance(renewed, Final):
            return renewed
        book.asked(demand.key, seen.url)
        if not policy.may_replay(seen, demand, renewed):
            return _not_replayed(book, seen, demand)
        _tell(book, EventKind.REPLAYED, demand)
        try:
            seen, outcome = (yield Replay(renewed, seen)), Outcome.REPLAYED
        except BodyNotReplayable:  # it looked as if it could be sent twice, and could not
            return _not_replayed(book, replace(seen, replayable=False), demand)
    return Final(seen, outcome)


def before(
    book: Book, held: Held | None, origin: str, method: str, url: str
) -> Generator[Command, Any, Held | None]:
    """Find the grant for a request that is about to be sent, where `Book.ready` says no."""
    if not book.informed(origin, held):
        yield from consult(book, origin)
        held = book.for_request(origin, url)
    if held is not None and held.renew_at is not None and held.renew_at <= book.clock():
        held = yield from renew_ahead(book, held, method, url)
    return held


def renew_ahead(book: Book, held: Held, method: str, url: str) -> Generator[Command, Any, Held]:
    """Renew a living session before its end, for a request that is about to be sent anyway.

    One request does it and the others go on with the living session; so does this one if the
    login fails.
    """
    demand = Demand(held.key, Action.RENEW, held.responder, None, None)
    seen = Seen(None, 0, method, url, held.key.origin)
    mine = book.flight(held.key)
    try:
        if book.join(mine, held) is mine:
            yield from _lead(book, seen, demand, mine, give_up=book.clock())
            if mine.status is Status.DECLINED:
                book.keep(held)
            elif mine.status is Status.RUNNING:
                book.postpone(held)
    finally:
        book.end(mine, Status.ABANDONED)
    return book.newer(held.key, held) or held


def _dead(seen: Seen, demand: Demand) -> Held | None:
    """The grant that was refused: the one the request carried, if it was one for this realm."""
    sent = seen.sent_with
    return sent if sent is not None and sent.key == demand.key else None


def _elsewhere(
    book: Book, demand: Demand, dead: Held | None, *, patient: bool = True
) -> Generator[Command, Any, Held | None]:
    """Find what others have obtained, or are about to: this request shall not log in.

    Many a login ends the session before it, and the server then calls that one revoked while the
    login is still under way.
    """
    give_up = book.clock() + (book.policy.wait_timeout if patient else 0.0)
    while book.clock() < give_up:
        joined = book.under_way(demand.key, dead)
        if isinstance(joined, Held):
            return joined
        if joined is None:
            break
        yield from _follow(book, demand, joined, give_up)
    if book.policy.store is None:
        return None
    return (yield from find(book, demand.key, dead, give_up))


def _renew(
    book: Book, seen: Seen, demand: Demand, dead: Held | None
) -> Generator[Command, Any, tuple[Held | Final, bool]]:
    """Obtain a newer grant: lead a renewal or follow one; tell whether this request led."""
    if demand.action is Action.REPLACE and dead is not None:
        book.drop(dead)
    give_up, led, anew = book.clock() + book.policy.wait_timeout, False, False
    while book.clock() < give_up:
        mine = book.flight(demand.key)  # before `join`, so that `finally` always has it
        try:
            joined = book.join(mine, dead)
            if joined is mine:
                if led:  # its one login was overtaken, and the newcomer's is gone again
                    break
                held = yield from _lead(book, seen, demand, mine, give_up)
                # reset() wants a login of its own, once; another process's was not this request's.
                led, anew = mine.led and (anew or mine.status is not Status.FORGOTTEN), True
                if held is not None:  # at hand, however long the login took
                    return held, led
            elif isinstance(joined, Flight):
                yield from _follow(book, demand, joined, give_up)
        finally:
            book.end(mine, Status.ABANDONED)
        if isinstance(joined, Blocked):
            joined = (yield from _elsewhere(book, demand, dead, patient=False)) or joined
        if isinstance(joined, Held):
            return joined, led
        ended = _ended(book, seen, demand, joined)
        if ended is not None:
            return ended, led
    late = book.newer(demand.key, dead)  # it came at the very last moment
    in_time = book.clock() < give_up
    return late or Final(seen, Outcome.UNAVAILABLE, _in_vain(book, in_time=in_time)), led


def _follow(
    book: Book, demand: Demand, flight: Flight, give_up: float
) -> Generator[Command, Any, None]:
    _tell(book, EventKind.JOINED, demand)
    yield Wait(flight, min(flight.deadline, give_up) - book.clock())


def _lead(
    book: Book, seen: Seen, demand: Demand, flight: Flight, give_up: float
) -> Generator[Command, Any, Held | None]:
    """Renew for all of this process; with a store, for all who share it, if it is their turn."""
    if book.policy.store is None:
        return (yield from _log_in(book, seen, demand, flight))
    if not (yield from take_turn(book, flight, demand, give_up)):
        return None
    try:
        held = yield from _log_in(book, seen, demand, flight)
    except GeneratorExit:  # nothing can be asked any more: the lease ends at its deadline
        raise
    except BaseException:
        yield from give_back(book, flight, unused=False)  # the login may still take effect
        raise
    yield from give_back(book, flight, unused=True)
    return held


def _log_in(
    book: Book, seen: Seen, demand: Demand, flight: Flight
) -> Generator[Command, Any, Held | None]:
    """Log in and settle the flight; only what is no `Exception` leaves it to be abandoned."""
    started, held = book.clock(), None
    flight.led = True
    _tell(book, EventKind.STARTED, demand)
    try:
        grant = granted((yield Login(flight, _context(book, seen, demand, flight))), seen.url)
        if grant is None:
            book.end(flight, Status.DECLINED)
        else:
            held = yield from publish(book, flight, demand, grant, seen.url)
    except Exception as cause:  # noqa: BLE001 - whatever the user's own code raises is its failure
        book.failed(flight, cause, refused=isinstance(cause, LoginRefused))
    finally:
        _tell_end(book, demand, flight, seconds=book.clock() - started)
    return held


def _tell_end(book: Book, demand: Demand, flight: Flight, *, seconds: float) -> None:
    if flight.status is Status.GRANTED:
        _tell(book, EventKind.FINISHED, demand, seconds=seconds)
    else:
        # Still running: an interrupt is on its way, or a newcomer has taken over.
        running = flight.status is Status.RUNNING
        reason = Status.ABANDONED if running else flight.status
        _tell(book, EventKind.FAILED, demand, reason=reason.name.lower(), seconds=seconds)


def _context(book: Book, seen: Seen, demand: Demand, flight: Flight) -> Context:
    return Context(
        challenge=demand.challenge,
        error=demand.error,
        realm=demand.key.realm,
        method=seen.method,
        url=seen.url,
        attempt=flight.attempt,
        previous=flight.previous,
        timeout=book.policy.login_timeout,
    )


def _ended(book: Book, seen: Seen, demand: Demand, joined: Flight | Blocked) -> Final | None:
    """What a renewal that brought no grant means for this request; `None`: look again."""
    if isinstance(joined, Flight) and joined.status is Status.DECLINED:
        return Final(seen, Outcome.DECLINED)
    blocked = joined.blocked if isinstance(joined, Flight) else joined
    if blocked is None:
        return None
    _tell(book, EventKind.REFUSED, demand, reason=blocked.outcome)
    return Final(seen, blocked.outcome, _failure(blocked, book.clock()))


def _failure(blocked: Blocked, now: float) -> ReloginError | None:
    """Build this request's own exception: one raised in many threads would mix their frames."""
    cause = blocked.cause
    if cause is None:
        return None
    error: ReloginError
    if blocked.outcome is Outcome.REFUSED:
        said = f": {cause}" if str(cause) else ""
        error = LoginRefused(f"the login was refused{said}; it is not tried again until reset()")
    elif isinstance(cause, InvalidGrant):
        error = InvalidGrant(str(cause))
    else:
        pause = None if blocked.until is None else max(blocked.until - now, 0.0)
        # Of other exceptions the text may hold anything: a URL with a password in it, say.
        ours = isinstance(cause, LoginUnavailable) and str(cause)
        said = ours or type(cause).__name__
        error = LoginUnavailable(f"the login failed: {said}", retry_after=pause)
    error.__cause__ = cause
    return error


def _in_vain(book: Book, *, in_time: bool) -> LoginTimeout:
    if in_time:
        return LoginTimeout("this request's login was overtaken, or reset() has forgotten it")
    return LoginTimeout(f"nobody renewed the session within {book.policy.wait_timeout:g} s")


def _not_replayed(book: Book, seen: Seen, demand: Demand) -> Final:
    _tell(book, EventKind.REFUSED, demand, reason=Outcome.RENEWED_NOT_REPLAYED)
    failure = None
    if book.policy.strict and not seen.replayable:
        failure = BodyNotReplayable("the session lives again, but the request's body is spent")
    return Final(seen, Outcome.RENEWED_NOT_REPLAYED, failure)


def _unanswered(book: Book, seen: Seen, outcome: Outcome) -> Final:
    """Tell why nothing is done about a response, where there is something to tell."""
    if seen.status == UNAUTHORIZED and seen.origin not in book.policy.origins:
        event = Event(EventKind.REFUSED, seen.origin, reason=Outcome.FOREIGN)
        tell(book.policy.listener, event)
        return Final(seen, Outcome.FOREIGN)
    if heard(book.policy.listener) and seen.origin in book.policy.origins:
        lapsed = book.policy.challenged(seen)
        if lapsed is not None and lapsed.error is not None:
            _tell(book, EventKind.LAPSED, lapsed)
    return Final(seen, outcome)


def _tell(
    book: Book,
    kind: EventKind,
    demand: Demand,
    *,
    reason: str | None = None,
    seconds: float | None = None,
) -> None:
    if heard(book.policy.listener):
        key = demand.key
        event = Event(kind, key.origin, key.realm, demand.error, reason, seconds)
        tell(book.policy.listener, event)
