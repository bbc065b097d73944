"""What an exchange yields to its driver, besides requests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

from relogin.client.httpx_family.library import Request, Response
from relogin.client.renewal.commands import Ask, Check, Login, LogOut, Pause, Wait
from relogin.client.signals import Signal

__all__ = ["Begin", "Drain", "Look", "Meanwhile", "Small", "Step"]


class Look:
    """Ask signals about a response."""

    def __init__(self, response: Response, signals: Sequence[Signal]) -> None:
        self.response = response
        self.signals = signals


class Drain:
    """Read a response to its end: its connection may be the only one.

    Read within bounds if it will be replaced; a response that you may get stays complete.
    """

    def __init__(self, response: Response, *, over: bool) -> None:
        self.response = response
        self.over = over


class Small:
    """Send a small request, and return its response."""

    def __init__(self, request: Request, command: Check) -> None:
        self.request = request
        self.command = command


class Begin:
    """Start the next pass over a body, so that the flow sees its errors before the request."""

    def __init__(self, body: Any) -> None:
        self.body = body


Meanwhile: TypeAlias = Look | Drain | Begin | Small | Login | LogOut | Wait | Ask | Pause
Step: TypeAlias = Request | Meanwhile
