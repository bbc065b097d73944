"""The commands of a flow to its driver, and its end.

Treat them as immutable. They are not `frozen`, because that would set each field by a slow call.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from relogin.client.renewal.flight import Flight
from relogin.client.renewal.policy import Credential, ResponseInfo
from relogin.client.terms.grant import Context
from relogin.client.terms.origins import sent_to
from relogin.client.terms.outcomes import Outcome
from relogin.errors import ReloginError
from relogin.reasons import SessionError

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


@dataclass(slots=True, eq=False, repr=False)
class Login:
    """Call the login. The driver adds `context.http`, and marks the call as inside a login."""

    flight: Flight
    context: Context


@dataclass(slots=True, eq=False, repr=False)
class LogOut:
    """Call the logout. The driver adds `context.http`, which sends this credential."""

    credential: Credential
    context: Context


@dataclass(slots=True, eq=False, repr=False)
class Wait:
    """Wait at most `seconds` until a flight that another request leads has ended."""

    flight: Flight
    seconds: float


@dataclass(slots=True, eq=False, repr=False)
class Replay:
    """Send the request again, signed with this grant."""

    credential: Credential
    info: ResponseInfo


@dataclass(slots=True, eq=False, repr=False)
class Check:
    """Ask with one small request, signed with this grant, whether its session lives.

    `info` is the request that got no response: this one takes the same route, without a body.
    """

    credential: Credential
    method: str
    url: str
    info: ResponseInfo

    def answered(
        self,
        response: Any,
        status: int,
        challenges: Sequence[str],
        signal: SessionError | str | None,
    ) -> ResponseInfo:
        """Describe the response to the small request."""
        origin, sent = sent_to(self.url), self.credential
        info = ResponseInfo(response, status, self.method, self.url, origin, sent, challenges)
        info.signal = signal
        return info


@dataclass(slots=True, eq=False, repr=False)
class Final:
    """The end of the flow: the response to return, or the failure to raise with it."""

    info: ResponseInfo
    outcome: Outcome
    failure: ReloginError | None = None
    detail: str | None = None


@dataclass(slots=True, eq=False, repr=False)
class Ask:
    """Call a method of the store. An asynchronous one is awaited; any other may block.

    If it is `brief`, a cancelled task completes it.
    """

    call: Callable[..., Any]
    arguments: tuple[Any, ...]
    brief: bool = True


@dataclass(slots=True, eq=False, repr=False)
class Pause:
    """Wait for `seconds`."""

    seconds: float


Command: TypeAlias = Login | LogOut | Wait | Replay | Check | Ask | Pause
Flow: TypeAlias = Generator[Command, Any, Final]
