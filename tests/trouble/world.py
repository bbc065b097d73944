"""A world small enough to try every order of events in: processes, a store and a server, no I/O.

Each process has a `CredentialCache` and some requests; each request is the flow's own generator.
Whatever may happen next is a `Move`. A login and a request take two moves, for a server acts
before its answer arrives, and anything may happen in between.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from relogin import Grant
from relogin.client.renewal.ahead import before
from relogin.client.renewal.cache import CredentialCache
from relogin.client.renewal.commands import Ask, Final, Login, Pause, Replay, Wait
from relogin.client.renewal.credential import Credential
from relogin.client.renewal.flight import Status
from relogin.client.renewal.flow import answer
from tests.client.steps import KEY, ORIGIN, URL, Clock, a_cache, refused, served
from tests.trouble.bounds import Bounds
from tests.trouble.losing_store import LosingStore

__all__ = ["LawBroken", "Move", "World"]

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


@dataclass
class Server:
    """Knows which sessions live, and which refresh tokens were used."""

    forgives: bool = False
    """Whether a refresh token may be used again."""
    logins: int = 0
    living: set[str] = field(default_factory=set)
    used: dict[str, str] = field(default_factory=dict)
    """The refresh tokens that were used, by the one that was obtained with each."""

    def log_in(self, refresh: str | None) -> Grant:
        if refresh is not None:
            if refresh in self.used.values() and not self.forgives:
                raise LawBroken(f"the refresh token {refresh} was used twice")
            self.used[f"r{self.logins + 1}"] = refresh
        self.logins += 1
        self.living.add(f"t{self.logins}")
        return Grant(token=f"t{self.logins}", refresh=f"r{self.logins}")

    def accepts(self, credential: Credential | None) -> bool:
        return credential is not None and credential.grant.token in self.living


class Request:
    """One request, from its signing to its end: a program that stops at each move."""

    def __init__(self, world: World, cache: CredentialCache, refused: set[str]) -> None:
        self.cache = cache
        self.refused = refused
        self.doing = "begin"
        self.waiting: Wait | None = None
        self.since = 0.0
        self.final: Final | None = None
        self.led = False
        self.loses = False
        self.crashed = False
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
        if accepted or credential is None:
            return served(credential) if accepted else refused(credential)
        assert credential.grant.token is not None
        self.refused.add(credential.grant.token)
        return refused(credential)

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
            answer = world.ask(command)
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
            refresh = None if previous is None else previous.refresh
            self._check_knowledge(world, refresh)
            grant = world.server.log_in(refresh)
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

    def _check_knowledge(self, world: World, refresh: str | None) -> None:
        """Check that a process has obtained nothing with the refresh token that it uses."""
        space = self.cache.space(KEY)
        latest = None if space is None or space.latest is None else space.latest.token
        obtained = None if latest is None else f"r{latest[1:]}"
        while obtained is not None:
            obtained = world.server.used.get(obtained)
            if obtained is not None and obtained == refresh:
                raise LawBroken(f"{refresh} was used again by a process that has had {latest}")


class World:
    """Everything there is, the moves that are possible, and the laws."""

    def __init__(self, bounds: Bounds) -> None:
        self.bounds = bounds
        self.clock = Clock()
        self.store = LosingStore(self.clock, keeps=bounds.reverts > 0)
        self.server = Server(forgives=bounds.reverts > 0)
        self.deaths = self.crashes = self.expiries = 0
        self.cancels = self.failures = self.losses = 0
        self.resets = self.reverts = self.setbacks = 0
        self.processes = [self._process() for _ in range(bounds.processes)]

    def _process(self, requests: int | None = None) -> list[Request]:
        store = self.store if self.bounds.stored else None
        cache, refused = a_cache(self.clock, store=store), set[str]()
        most = self.bounds.requests if requests is None else requests
        return [Request(self, cache, refused) for _ in range(most)]

    def ask(self, command: Ask) -> Any:
        """Ask the store, and check that nobody takes a lease without need or puts without one."""
        before = self.store.record()
        answer, after = command.call(*command.arguments), self.store.record()
        grant = before.grant if before.alive() else None
        if after.of_lease != before.of_lease and grant and grant.token in self.server.living:
            raise LawBroken("a lease was taken although the store held a living grant")
        # With a lease, it is a lost grant that is brought back.
        if after.lease is None and after.put_by not in {before.put_by, before.holder}:
            raise LawBroken("a grant was put by a process that did not hold the lease")
        return answer

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
        if self.resets < self.bounds.resets and self.store.entry() is not None:
            going.append(Move("reset"))
        if self.reverts < self.bounds.reverts:
            going += [Move("revert", most) for most in range(len(self.store.before))]
        if self.setbacks < self.bounds.setbacks:
            going.append(Move("setback"))
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
        with self._watched():
            self._make(move)

    @contextmanager
    def _watched(self) -> Iterator[None]:
        """Check that no process takes over what it knows to be dead."""
        held = [self._held(process) for process in self.processes]
        yield
        for process, earlier in zip(self.processes, held, strict=True):
            now = self._held(process)
            if now is not earlier and now is not None and now.grant.token in process[0].refused:
                raise LawBroken("a process took over a grant that it knew to be dead")

    @staticmethod
    def _held(process: list[Request]) -> Credential | None:
        return process[0].cache.newer(KEY, None)

    def _make(self, move: Move) -> None:
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
                request.crashed = True
        elif move.what == "expiry":
            self.expiries += 1
            self.clock.now += 31.0  # a lease lasts 30 seconds
        elif move.what == "cancel":
            self.cancels += 1
            self.requests[move.whom].cancel()
        elif move.what == "fail":
            self.failures += 1
            self.requests[move.whom].fail()
        elif move.what == "lose":
            self.losses += 1
            self.requests[move.whom].lose()
        else:
            self._change_store(move)

    def _change_store(self, move: Move) -> None:
        if move.what == "reset":
            self.resets += 1
            self.store.lose(None)
        elif move.what == "revert":
            self.reverts += 1
            self.store.lose(self.store.before[move.whom])
            self.store.keeps = self.reverts < self.bounds.reverts
        else:
            assert move.what == "setback"
            self.setbacks += 1
            self.store.behind += 7200.0

    def check_end(self) -> None:
        """Check what holds when every request has ended."""
        for request in self.requests:
            final = request.final
            if final is not None and final.info.status != 200 and not self._excused(request):
                raise LawBroken(f"a request ended with {final.info.status}: {final.outcome}")
        alone = self.expiries + self.failures + self.losses  # without the store, each for itself
        excused = self.deaths + self.crashes + self.cancels + alone * len(self.requests)
        # What the store has lost is not shared, and a clock that is set back ends leases.
        excused += self.resets + self.reverts + self.setbacks
        if self.server.logins > 1 + excused:
            raise LawBroken(f"{self.server.logins} logins for {self.deaths} deaths")
        away = self.crashes + self.failures + self.losses + self.reverts
        if self.store.record().leased(self.store.now) and not away:
            raise LawBroken("a lease was left behind")
        self._check_recovery()

    def _check_recovery(self) -> None:
        """Check that the next death costs one login for all, however the others ended."""
        self.server.living.clear()
        if self.failures + self.losses:  # a login that failed is not tried again at once
            self.clock.now += 61.0
        before, new = self.server.logins, self._process(requests=int(self.bounds.stored))
        alive = [process[0] for process in self.processes if not process[0].crashed]
        for request in [*(Request(self, one.cache, one.refused) for one in alive), *new]:
            for _ in range(_MOST_STEPS):
                if request.doing == "ended":
                    break
                self.clock.now += 1.0 if request.doing == "pause" else 0.0
                with self._watched():
                    request.step()
            if request.final is None or request.final.info.status != 200:
                raise LawBroken("afterwards a process was not served")
            if self.server.logins != before + 1:
                raise LawBroken(f"afterwards {self.server.logins - before} logins were made")

    def _excused(self, request: Request) -> bool:
        """Whether a 401 is right: its own login's session died at once, or one after the other.

        Or a login has failed, for all that wait for it.
        """
        return request.led or self.deaths > 1 or bool(self.failures + self.losses)
