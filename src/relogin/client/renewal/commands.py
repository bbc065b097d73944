"""What a flow asks its driver to do, and how it ends.

Nobody changes one; but `frozen` would set each field by a call of its own, and several are made for
each renewal.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, TypeAlias

from relogin.client.renewal.flight import Flight
from relogin.client.renewal.policy import Credential, ResponseInfo
from relogin.client.terms.grant import Context
from relogin.client.terms.outcomes import Outcome
from relogin.errors import ReloginError

__all__ = [
    "Ask",
    "Check",
    "Command",
    "Final",
    "Flow",
    "LogOut",
    "Login",
    "Pause",
    "Replay",
    "Wait",
]


@dataclass(slots=True)
class Login:
    """Call the login. The driver adds `context.http`, and marks its own context as inside."""

    flight: Flight
    context: Context


@dataclass(slots=True, repr=False)
class LogOut:
    """Call the logout. The driver adds `context.http`, which sends this credential along."""

    credential: Credential
    context: Context


@dataclass(slots=True)
class Wait:
    """Wait until a flight that another request leads has ended, for so many seconds at most."""

    flight: Flight
    seconds: float


@dataclass(slots=True)
class Replay:
    """Send the request again, signed with this grant."""

    credential: Credential
    info: ResponseInfo


@dataclass(slots=True)
class Check:
    """Ask with one small request, signed with this grant, whether its session lives.

    `info` is the request that nobody answered: this one goes the same way, without a body.
    """

    credential: Credential
    method: str
    url: str
    info: ResponseInfo


@dataclass(slots=True)
class Final:
    """The end of the flow: this response is the answer, or the failure to raise with it."""

    info: ResponseInfo
    outcome: Outcome
    failure: ReloginError | None = None
    detail: str | None = None


@dataclass(slots=True, repr=False)
class Ask:
    """Call a method of the store. An asynchronous one is awaited; any other may block."""

    call: Callable[..., Any]
    arguments: tuple[Any, ...]


@dataclass(slots=True)
class Pause:
    """Let so many seconds pass."""

    seconds: float


Command: TypeAlias = Login | LogOut | Wait | Replay | Check | Ask | Pause
Flow: TypeAlias = Generator[Command, Any, Final]
