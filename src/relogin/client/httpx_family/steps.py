"""What an exchange yields to its driver, besides requests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from relogin.client.httpx_family.library import Request, Response
from relogin.client.renewal.commands import Ask, Check, Login, LogOut, Pause, Wait
from relogin.client.signals import Signal

__all__ = ["Begin", "Drain", "Look", "Meanwhile", "Small", "Step"]


@dataclass(slots=True, eq=False, repr=False)
class Look:
    """Ask signals about a response."""

    response: Response
    signals: Sequence[Signal]


@dataclass(slots=True, eq=False, repr=False)
class Drain:
    """Read a response to its end: its connection may be the only one.

    Read within bounds if it will be replaced; a response that you may get stays complete.
    """

    response: Response
    over: bool


@dataclass(slots=True, eq=False, repr=False)
class Small:
    """Send a small request, and return its response."""

    request: Request
    command: Check


@dataclass(slots=True, eq=False, repr=False)
class Begin:
    """Start the next pass over a body, so that the flow sees its errors before the request."""

    body: Any


Meanwhile: TypeAlias = Look | Drain | Begin | Small | Login | LogOut | Wait | Ask | Pause
Step: TypeAlias = Request | Meanwhile
