"""One request of a login, whatever library sends it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["MOST_OCTETS", "Request"]

MOST_OCTETS = 512 * 1024
"""How much is read of one answer to a login, after decoding."""


@dataclass(frozen=True, slots=True, repr=False)
class Request:
    """What a login wants to be sent: it carries secrets, and shows none.

    `once` says that it may spend a secret, so it is not sent again whatever becomes of it.
    """

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes | None = None
    once: bool = False
