"""A world small enough to try every order of events in: processes, a store and a server, no I/O.

Each process has a `CredentialCache` and some requests; each request is the flow's own generator.
Whatever may happen next is a `Move`. A login and a request take two moves, for a server acts
before its answer arrives, and anything may happen in between.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from relogin import Grant
from relogin.client.renewal.cache import CredentialCache
from relogin.client.renewal.commands import Ask, Final, Login, Pause, Replay, Wait
from relogin.client.renewal.credential import Credential
from relogin.client.renewal.flight import Status
from relogin.client.renewal.flow import answer, before
from relogin.client.stores.memory import MemoryStore
from relogin.client.stores.record import Record
from tests.client.steps import ORIGIN, URL, Clock, a_cache, refused, served

__all__ = ["Bounds", "LawBroken", "Move", "World"]

# More than a request takes that waits for the lease of a process that died.
_MOST_STEPS = 500
# What touches nothing but the process that does it: neither the store nor the server.
_PRIVATE = frozenset({"begin", "arrive", "logged in", "pause"})


class LawBroken(AssertionError):
    """Something happened that must not, in any order of events."""


class Cancelled(BaseException):
    """What a task is cancelled with: no `Exception`, as in asyncio and trio."""


class Move(NamedTuple):
    """What happens next, and to which request or process."""

    what: str
    whom: int = 0


@dataclass(frozen=True)
class Bounds:
    """How large the world is, and how often each kind of trouble may strike."""

    processes: int = 2
    requests: int = 1
    """How many each process sends, at once."""
    deaths: int = 1
    crashes: int = 0
    expiries: int = 0
    """How often the clock may run past the end of every lease while somebody is at work."""
    cancels: int = 0
    """How many requests may be cancelled, at any of their steps."""
    failures: int = 0
    """How often the store or a login may fail before it has acted."""
    losses: int = 0
    """How often it may act, and its answer be lost."""


class _SharedStore(MemoryStore):
    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock

    def get(self, origin: str, account: str) -> Any:
        return super().get(origin, account)._replace(now=self._clock())

    def record(self) -> Record:
        entry = super().get(ORIGIN, "").entries.get("api")
        return Record() if entry is None else Record.loads(entry.text)


@dataclass
class Server:
    """Knows which sessions live, and which refresh tokens were used."""

    logins: int = 0
    living: set[str] = field(default_factory=set)
    used: set[str] = field(default_factory=set)

    def log_in(self, refresh: str | None) -> Grant:
        if refresh is not None:
            if refresh in self.used:
                raise LawBroken(f"the refresh token {refresh} was used twice")
            self.used.add(refresh)
        self.logins += 1
        self.living.add(f"t{self.logins}")
        return Grant(token=f"t{self.logins}", refresh=f"r{self.logins}")

    def accepts(self, credential: Credential | None) -> bool:
        return credential is not None and credential.grant.token in self.living


class Request:
    """One request, from its signing to its end: a program that stops at each move."""

    def __init__(self, world: World, cache: CredentialCache) -> None:
        self.cache = cache
        self.doing = "begin"
        self.waiting: Wait | None = None
        self.since = 0.0
        self.final: Final | None = None
        self.led = False
        self.loses = False
        self._steps = self._program(world)

    def step(self) -> None:
        self._go_on(lambda: next(self._steps))

    def cancel(self) -> None:
        self._go_on(lambda: self._steps.throw(Cancelled()))

    def fail(self) -> None:
        """Let what it does fail before it acts."""
        self._go_on(lambda: self._steps.throw(ConnectionRefusedError()))

    def lose(self) -> None:
        """Let what it does act, and lose the answer."""
        if self.doing == "logged in":
            self._go_on(lambda: self._steps.throw(ConnectionResetError()))
        else:
            self.loses = True
            self.step()

    def _go_on(self, step: Callable[[], str]) -> None:
        try:
            self.doing = step()
        except (StopIteration, Cancelled):
            self.doing, self.waiting = "ended", None

    def can_go_on(self, now: float) -> bool:
        if self.waiting is None:
            return self.doing != "ended"
        ended = self.waiting.flight.status is not Status.RUNNING
        return ended or now >= self.since + self.waiting.seconds

    def _program(self, world: World) -> Generator[str, None, None]:
        credential = self.cache.for_request(ORIGIN, URL)
        if not self.cache.ready(ORIGIN, credential):
            flow = before(self.cache, credential, ORIGIN, "GET", URL)
            credential = yield from self._drive(world, flow)
        info = yield from self._send(world, credential)
        self.final = yield from self._drive(world, answer(self.cache, info))

    def _send(self, world: World, credential: Credential | None) -> Generator[str, None, Any]:
        yield "send"
        accepted = world.server.accepts(credential)
        yield "arrive"
        return served(credential) if accepted else refused(credential)

    def _drive(self, world: World, flow: Generator[Any, Any, Any]) -> Generator[str, None, Any]:
        done: Any = None
        error: BaseException | None = None
        while True:
            try:
                command = flow.send(done) if error is None else flow.throw(error)
            except StopIteration as end:
                return end.value
            done = error = None
            try:
                done = yield from self._do(world, command)
            except LawBroken:
                raise
            except (Exception, Cancelled) as failed:  # noqa: BLE001 - as a driver does
                error = failed

    def _do(self, world: World, command: Any) -> Generator[str, None, Any]:
        if isinstance(command, Ask):
            yield f"ask {command.call.__name__}"
            answer = command.call(*command.arguments)
            if self.loses:
                self.loses = False
                raise ConnectionResetError
            return answer
        if isinstance(command, Replay):
            return (yield from self._send(world, command.credential))
        if isinstance(command, Login):
            self.led = True
            yield "log in"
            previous = command.context.previous
            grant = world.server.log_in(None if previous is None else previous.refresh)
            yield "logged in"
            return grant
        if isinstance(command, Wait):
            self.waiting, self.since = command, world.clock()
            try:
                yield "wait"
            finally:
                self.waiting = None
            return None
        assert isinstance(command, Pause)
        yield "pause"
        return None


class World:
    """Everything there is, the moves that are possible, and the laws."""

    def __init__(self, bounds: Bounds) -> None:
        self.bounds = bounds
        self.clock = Clock()
        self.store = _SharedStore(self.clock)
        self.server = Server()
        self.deaths = self.crashes = self.expiries = 0
        self.cancels = self.failures = self.losses = 0
        caches = [a_cache(self.clock, store=self.store) for _ in range(bounds.processes)]
        self.processes = [
            [Request(self, cache) for _ in range(bounds.requests)] for cache in caches
        ]

    @property
    def requests(self) -> list[Request]:
        return [request for process in self.processes for request in process]

    def moves(self) -> list[Move]:
        """Find what may happen next: nothing, if every request has ended."""
        requests = self.requests
        going = [
            Move("go", number)
            for number, request in enumerate(requests)
            if request.can_go_on(self.clock())
        ]
        going.sort(key=lambda move: requests[move.whom].doing not in _PRIVATE)
        if self._only_one_matters(going):
            return going[:1]
        at_work = any(request.doing != "ended" for request in requests)
        if not at_work:
            return []
        if self.deaths < self.bounds.deaths and self.server.living:
            going.append(Move("death"))
        if self.crashes < self.bounds.crashes:
            going += [
                Move("crash", number)
                for number, process in enumerate(self.processes)
                if any(request.doing not in {"begin", "ended"} for request in process)
            ]
        going += self._mishaps()
        # Where nobody can go on, time passes of itself.
        if self.expiries < self.bounds.expiries or not going:
            going.append(Move("expiry"))
        return going

    def _mishaps(self) -> Iterator[Move]:
        for number, request in enumerate(self.requests):
            asks = request.doing.startswith("ask ")
            if self.cancels < self.bounds.cancels and request.doing not in {"begin", "ended"}:
                yield Move("cancel", number)
            if self.failures < self.bounds.failures and (asks or request.doing == "log in"):
                yield Move("fail", number)
            if self.losses < self.bounds.losses and (asks or request.doing == "logged in"):
                yield Move("lose", number)

    def _only_one_matters(self, going: list[Move]) -> bool:
        """Tell whether the first of these may as well happen now as after any other move.

        It reads the clock, so this is not so while that may run on. Nor is it while it may be
        cancelled, or lose an answer.
        """
        alone = self.bounds.requests == 1 and self.expiries == self.bounds.expiries
        alone &= self.cancels == self.bounds.cancels and self.losses == self.bounds.losses
        return alone and bool(going) and self.requests[going[0].whom].doing in _PRIVATE

    def make(self, move: Move) -> None:
        """Let a move happen."""
        if move.what == "go":
            self.requests[move.whom].step()
        elif move.what == "death":
            self.deaths += 1
            self.server.living.clear()
        elif move.what == "crash":
            self.crashes += 1
            for request in self.processes[move.whom]:
                request._steps.close()
                request.doing, request.waiting, request.final = "ended", None, None
        elif move.what == "expiry":
            self.expiries += 1
            self.clock.now += 31.0  # a lease lasts 30 seconds
        elif move.what == "cancel":
            self.cancels += 1
            self.requests[move.whom].cancel()
        elif move.what == "fail":
            self.failures += 1
            self.requests[move.whom].fail()
        else:
            self.losses += 1
            self.requests[move.whom].lose()

    def check_end(self) -> None:
        """Check what holds when every request has ended."""
        for request in self.requests:
            final = request.final
            if final is not None and final.info.status != 200 and not self._excused(request):
                raise LawBroken(f"a request ended with {final.info.status}: {final.outcome}")
        alone = self.expiries + self.failures + self.losses  # without the store, each for itself
        excused = self.deaths + self.crashes + self.cancels + alone * len(self.requests)
        if self.server.logins > 1 + excused:
            raise LawBroken(f"{self.server.logins} logins for {self.deaths} deaths")
        away = self.crashes + self.failures + self.losses
        if self.store.record().leased(self.clock()) and not away:
            raise LawBroken("a lease was left behind")
        self._check_recovery()

    def _check_recovery(self) -> None:
        """Check that the next process is served, however the others ended."""
        self.server.living.clear()
        if self.failures + self.losses:  # a login that failed is not tried again at once
            self.clock.now += 61.0
        request, before = Request(self, a_cache(self.clock, store=self.store)), self.server.logins
        for _ in range(_MOST_STEPS):
            if request.doing == "ended":
                break
            self.clock.now += 1.0 if request.doing == "pause" else 0.0
            request.step()
        logins = self.server.logins - before
        if request.final is None or request.final.info.status != 200 or logins != 1:
            raise LawBroken(f"afterwards a process made {logins} logins and was not served")

    def _excused(self, request: Request) -> bool:
        """Whether a 401 is right: its own login's session died at once, or one after the other.

        Or a login has failed, for all that wait for it.
        """
        return request.led or self.deaths > 1 or bool(self.failures + self.losses)
