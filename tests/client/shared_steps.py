"""Step processes that share a store by hand: the store's clock stands until a test moves it."""

from __future__ import annotations

from collections.abc import Callable, Generator
from functools import partial
from typing import Any

from relogin import Grant
from relogin.client.renewal.ahead import before
from relogin.client.renewal.cache import CredentialCache
from relogin.client.renewal.commands import Ask, Command, Pause
from relogin.client.renewal.policy import Credential, ResponseInfo
from relogin.client.stores import Entry, Snapshot
from relogin.client.stores.memory import MemoryStore
from relogin.client.stores.record import Record
from relogin.client.terms.grant import Context
from relogin.client.terms.outcomes import Outcome
from tests.client.steps import ORIGIN, URL, Clock, Steps, Told, challenge, refused, served
from tests.client.steps import a_cache as a_lone_cache

__all__ = [
    "GRANT",
    "Process",
    "Store",
    "a_cache",
    "adopted",
    "log_in",
    "request",
    "sign",
    "token",
]

GRANT = Grant(token="t1", refresh="r1")


class Store(MemoryStore):
    """A store that notes its calls, and fails if a test wants it to.

    Its clock is its own: it only runs as fast as that of the processes.
    """

    ahead = 5000.0

    def __init__(self, clock: Clock | None = None) -> None:
        super().__init__()
        self.clock = clock or Clock()
        self.asked: list[str] = []
        self.failure: Exception | None = None
        self.before_put: Callable[[], object] | None = None

    def get(self, origin: str, account: str) -> Snapshot:
        self._count("get")
        return super().get(origin, account)._replace(now=self.now)

    @property
    def now(self) -> float:
        return self.clock() + self.ahead

    def put(self, origin: str, account: str, realm: str, entry: Entry) -> bool:
        self._count("put")
        intervene, self.before_put = self.before_put, None
        if intervene is not None:
            intervene()
        return super().put(origin, account, realm, entry)

    def _count(self, method: str) -> None:
        self.asked.append(method)
        if self.failure is not None:
            raise self.failure

    @property
    def record(self) -> Record:
        entry = MemoryStore.get(self, ORIGIN, "").entries.get("api")
        try:
            return Record() if entry is None else Record.loads(entry.text)
        except ValueError:
            return Record()

    @record.setter
    def record(self, record: Record) -> None:
        entry = MemoryStore.get(self, ORIGIN, "").entries.get("api", Entry("", 0))
        assert MemoryStore.put(self, ORIGIN, "", "api", Entry(record.dumps(), entry.revision))


class Process(Steps):
    """A request of one process; its questions to the store are answered at once."""

    def __init__(
        self,
        cache: CredentialCache,
        info: ResponseInfo,
        flow: Generator[Any, Any, Any] | None = None,
    ):
        self.cache = cache
        super().__init__(cache, info, flow)

    def _run(self, step: Callable[[], Command]) -> None:
        super()._run(step)
        while isinstance(self.command, Ask):
            ask = self.command
            try:
                answer = ask.call(*ask.arguments)
            except Exception as error:  # noqa: BLE001 - a store may raise anything
                super()._run(partial(self.flow.throw, error))
            else:
                super()._run(partial(self.flow.send, answer))

    @property
    def pauses(self) -> bool:
        return isinstance(self.command, Pause)

    def go_on(self, after: float = 0.1) -> Process:
        """End the pause."""
        assert isinstance(self.command, Pause), self.command
        clock = self.cache.clock
        assert isinstance(clock, Clock)
        clock.now += after
        self.send()
        return self

    @property
    def context(self) -> Context:
        return self.login.context


def a_cache(store: Store, told: Told | None = None, **policy: Any) -> CredentialCache:
    """Make the cache of one more process that shares the store."""
    return a_lone_cache(store.clock, store=store, listener=told, **policy)


def request(
    cache: CredentialCache, sent_with: Credential | None = None, error: str = "session_expired"
) -> Process:
    """Begin a request that was refused."""
    return Process(cache, refused(sent_with, challenge(error)))


def log_in(
    cache: CredentialCache, grant: Grant = GRANT, sent_with: Credential | None = None
) -> Credential:
    """Run a renewal, and return what it brought."""
    process = request(cache, sent_with)
    credential = process.send(grant).replay.credential
    process.send(served(credential))
    assert process.outcome is Outcome.REPLAYED
    return credential


def adopted(cache: CredentialCache, sent_with: Credential | None = None) -> Credential:
    """Meet a 401, and return the grant that another process had obtained."""
    process = request(cache, sent_with)
    credential = process.replay.credential
    process.send(served(credential))
    return credential


def sign(cache: CredentialCache) -> Process:
    """Begin a request: what it is signed with is the process's `result`."""
    credential = cache.for_request(ORIGIN, URL)
    if cache.ready(ORIGIN, credential):
        return Process(cache, refused(), _ready(credential))
    return Process(cache, refused(), before(cache, credential, ORIGIN, "GET", URL))


def _ready(credential: Credential | None) -> Generator[Command, Any, Credential | None]:
    return credential
    yield


def token(credential: Credential | None) -> str | None:
    return None if credential is None else credential.grant.token
