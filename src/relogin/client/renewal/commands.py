"""The commands of a flow to its driver, and its end.

Treat them as immutable. They are plain classes, because Python compiles code of its own for each
dataclass when it is defined.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
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


class Login:
    """Call the login. The driver adds `context.http`, and marks the call as inside a login."""

    def __init__(self, flight: Flight, context: Context) -> None:
        self.flight = flight
        self.context = context


class LogOut:
    """Call the logout. The driver adds `context.http`, which sends this credential."""

    def __init__(self, credential: Credential, context: Context) -> None:
        self.credential = credential
        self.context = context


class Wait:
    """Wait at most `seconds` until a flight that another request leads has ended."""

    def __init__(self, flight: Flight, seconds: float) -> None:
        self.flight = flight
        self.seconds = seconds


class Replay:
    """Send the request again, signed with this grant."""

    def __init__(self, credential: Credential, info: ResponseInfo) -> None:
        self.credential = credential
        self.info = info


class Check:
    """Ask with one small request, signed with this grant, whether its session lives.

    `info` is the request that got no response: this one takes the same route, without a body.
    """

    def __init__(self, credential: Credential, method: str, url: str, info: ResponseInfo) -> None:
        self.credential = credential
        self.method = method
        self.url = url
        self.info = info

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


class Final:
    """The end of the flow: the response to return, or the failure to raise with it."""

    def __init__(
        self,
        info: ResponseInfo,
        outcome: Outcome,
        failure: ReloginError | None = None,
        detail: str | None = None,
    ) -> None:
        self.info = info
        self.outcome = outcome
        self.failure = failure
        self.detail = detail


class Ask:
    """Call a method of the store. An asynchronous one is awaited; any other may block.

    A task that is cancelled meanwhile completes it `even_if_cancelled`.
    """

    def __init__(
        self,
        call: Callable[..., Any],
        arguments: tuple[Any, ...],
        *,
        even_if_cancelled: bool = True,
    ) -> None:
        self.call = call
        self.arguments = arguments
        self.even_if_cancelled = even_if_cancelled


class Pause:
    """Wait for `seconds`."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds


Command: TypeAlias = Login | LogOut | Wait | Replay | Check | Ask | Pause
Flow: TypeAlias = Generator[Command, Any, Final]
