"""The bounds of the world that the explorer and the walks play in."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Bounds"]


@dataclass(frozen=True)
class Bounds:
    """How large the world is, and how often each kind of trouble may strike."""

    processes: int = 2
    requests: int = 1
    """How many each process sends, at once."""
    stored: bool = True
    """Whether the processes share a store."""
    deaths: int = 1
    crashes: int = 0
    expiries: int = 0
    """How often the clock may run past the end of every lease while somebody is at work."""
    cancels: int = 0
    """How many requests may be cancelled, at any of their steps."""
    failures: int = 0
    """How often the store or a login may fail before it has acted."""
    losses: int = 0
    """How often it may act, and its answer be lost."""
    resets: int = 0
    """How often the store may lose all that it holds."""
    reverts: int = 0
    """How often it may lose its latest changes. Then a refresh token may be used again whose use is
    lost, as it may without `replicas`; but by no process that knows it is used."""
    setbacks: int = 0
    """How often its clock may be set back."""
