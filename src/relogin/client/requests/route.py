"""How a request was sent, for what is sent because of it."""

from __future__ import annotations

from typing import Any

from requests.adapters import BaseAdapter

__all__ = ["Route"]


class Route:
    """How a request was sent: its adapter, its URL, and its options.

    Use it in no other `process`: in a child of a fork, the adapter has the connections of the
    parent, which would read the child's responses.
    """

    def __init__(
        self, adapter: BaseAdapter, url: str, sending: dict[str, Any], process: int
    ) -> None:
        self.adapter = adapter
        self.url = url
        self.sending = sending
        self.process = process
