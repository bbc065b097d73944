"""The steps of an exchange: a `Session` executes them in a thread, an `AsyncSession` in a task."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from niquests import PreparedRequest, Response
from niquests.adapters import AsyncBaseAdapter, BaseAdapter

from relogin.client.driver.bodies import AsyncChunks
from relogin.client.renewal.commands import Ask, Check, Login, LogOut, Pause, Wait
from relogin.client.signals import Signal

__all__ = ["AnyAdapter", "Begin", "Drain", "Look", "Send", "Sending", "Step", "Way", "adapter_of"]


@dataclass(frozen=True, slots=True)
class Way:
    """How an adapter sends, without what it does about errors."""

    send: Callable[..., Any]


AnyAdapter: TypeAlias = "BaseAdapter | AsyncBaseAdapter | Way"  # the documentation has no niquests
Sending: TypeAlias = dict[str, Any]
"""The options with which a session sends a request over an adapter."""


@dataclass(frozen=True, slots=True)
class Send:
    """Send a request over this adapter."""

    adapter: AnyAdapter
    prepared: PreparedRequest
    sending: Sending


@dataclass(frozen=True, slots=True)
class Look:
    """Ask signals about a response."""

    response: Response
    signals: Sequence[Signal]
    whole: bool
    """Whether signals see its body: the body of a streamed response cannot be put back."""


@dataclass(frozen=True, slots=True)
class Drain:
    """Read a response: a 401 within bounds, any other to its end, as you may get it."""

    response: Response
    bounded: bool


@dataclass(frozen=True, slots=True)
class Begin:
    """Start the next pass over a body, so that the flow sees its errors before the request."""

    body: AsyncChunks


Step: TypeAlias = Send | Look | Drain | Begin | Login | LogOut | Check | Wait | Ask | Pause


def adapter_of(response: Response) -> AnyAdapter:
    """Return the adapter that a response came over, which niquests does not declare."""
    received: Any = response
    adapter: AnyAdapter = received.connection
    return adapter
