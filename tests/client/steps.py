"""Step the flow by hand: no threads, no I/O, and a clock that stands until a test moves it."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, TypeVar

from relogin import Grant, LoginUnavailable, SessionError
from relogin.client.events import Event
from relogin.client.renewal.cache import CredentialCache
from relogin.client.renewal.commands import Command, Final, Login, Replay, Wait
from relogin.client.renewal.flight import Flight
from relogin.client.renewal.flow import answer
from relogin.client.renewal.policy import Credential, Key, Policy, ResponseInfo
from relogin.client.responders import SESSION
from relogin.client.terms.outcomes import Outcome

__all__ = [
    "EXPIRED",
    "KEY",
    "ORIGIN",
    "URL",
    "Clock",
    "Steps",
    "Told",
    "a_cache",
    "challenge",
    "log_in",
    "refused",
    "served",
]

ORIGIN = "https://api.example.com:443"
URL = "https://api.example.com/orders/7"
KEY = Key(ORIGIN, "api")
EXPIRED = 'Session realm="api", error="session_expired"'

T = TypeVar("T")


@dataclass
class Clock:
    """Seconds that pass only when a test says so."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Told:
    """A listener that keeps its events."""

    events: list[Event] = field(default_factory=list)

    def __call__(self, event: Event) -> None:
        self.events.append(event)

    def kinds(self) -> list[str]:
        return [event.kind.value for event in self.events]


def a_cache(clock: Clock | None = None, **policy: Any) -> CredentialCache:
    """Make a cache for the origin of these tests."""
    return CredentialCache(
        Policy(**{"origins": frozenset({ORIGIN}), "responders": (SESSION,)} | policy),
        clock or Clock(),
    )


def refused(
    sent_with: Credential | None = None, challenge: str = EXPIRED, **facts: Any
) -> ResponseInfo:
    """A 401 to a GET, or what `facts` say instead."""
    given: dict[str, Any] = {
        "response": SimpleNamespace(headers={}),
        "status": 401,
        "method": "GET",
        "url": URL,
        "origin": ORIGIN,
        "sent_with": sent_with,
        "challenges": [challenge],
    }
    return ResponseInfo(**given | facts)


def served(sent_with: Credential | None = None) -> ResponseInfo:
    """A 200."""
    return refused(sent_with, status=200, challenges=())


class Steps:
    """One flow, taken from command to command."""

    def __init__(
        self,
        cache: CredentialCache,
        info: ResponseInfo,
        flow: Generator[Command, Any, Any] | None = None,
    ):
        self.flow = answer(cache, info) if flow is None else flow
        self.command: Command | None = None
        self.result: Any = None
        self._run(lambda: next(self.flow))

    def _run(self, step: Any) -> None:
        try:
            self.command = step()
        except StopIteration as end:
            self.command, self.result = None, end.value

    def send(self, done: object = None) -> Steps:
        self._run(lambda: self.flow.send(done))
        return self

    def throw(self, error: BaseException) -> Steps:
        self._run(lambda: self.flow.throw(error))
        return self

    @property
    def leads(self) -> bool:
        return isinstance(self.command, Login)

    @property
    def login(self) -> Login:
        assert isinstance(self.command, Login), self.command
        return self.command

    @property
    def replay(self) -> Replay:
        assert isinstance(self.command, Replay), self.command
        return self.command

    @property
    def wait(self) -> Wait:
        assert isinstance(self.command, Wait), self.command
        return self.command

    @property
    def flight(self) -> Flight:
        return (self.wait if isinstance(self.command, Wait) else self.login).flight

    @property
    def final(self) -> Final:
        assert isinstance(self.result, Final), (self.command, self.result)
        return self.result

    @property
    def outcome(self) -> Outcome:
        return self.final.outcome


def log_in(
    cache: CredentialCache, token: str = "t1", info: ResponseInfo | None = None
) -> Credential:
    """Run a renewal, and return the grant that it brought."""
    steps = Steps(cache, refused() if info is None else info)
    credential = steps.send(Grant(token=token)).replay.credential
    steps.send(served(credential))
    assert steps.outcome is Outcome.REPLAYED
    return credential


def fail(cache: CredentialCache, cause: Exception, realm: str = "api") -> LoginUnavailable:
    """Fail one login, and return what the request got."""
    steps = Steps(cache, refused(challenge=challenge(None, realm)))
    failure = steps.throw(cause).final.failure
    assert isinstance(failure, LoginUnavailable)
    return failure


def challenge(error: SessionError | str | None, realm: str = "api") -> str:
    """A challenge of the Session scheme as a server sends it."""
    reason = "" if error is None else f', error="{error}"'
    return f'Session realm="{realm}"{reason}'
