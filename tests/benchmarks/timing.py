"""Timing pieces of code against each other in one run, so that a noisy machine hits them alike."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from statistics import median, quantiles

__all__ = ["interleaved", "ratio", "shuffled", "unhindered"]


def interleaved(
    pieces: Mapping[str, Callable[[], object]], *, rounds: int = 15, seconds: float = 0.01
) -> dict[str, list[float]]:
    """Run the pieces in turn, round after round; return each one's µs per call, by round."""
    calls = {name: _calls_in(piece, seconds) for name, piece in pieces.items()}
    taken: dict[str, list[float]] = {name: [] for name in pieces}
    for _ in range(rounds):
        for name, piece in pieces.items():
            taken[name].append(_timed(piece, calls[name]) * 1e6)
    return taken


def ratio(ours: list[float], theirs: list[float]) -> float:
    """The median of the ratios round by round: what drifts between rounds cancels out."""
    return median(a / b for a, b in zip(ours, theirs, strict=True))


def shuffled(pieces: Mapping[str, Callable[[], object]], calls: int) -> dict[str, list[float]]:
    """Call each piece so often, one after another in a new order each time; return µs by call.

    For pieces that wait for another process: where two calls follow each other, the second finds
    that process awake.
    """
    chance, order = random.Random(0), list(pieces)
    taken: dict[str, list[float]] = {name: [] for name in pieces}
    for _ in range(calls):
        chance.shuffle(order)
        for name in order:
            taken[name].append(_timed(pieces[name], 1) * 1e6)
    return taken


def unhindered(taken: list[float]) -> float:
    """Return the first decile: what a call takes when nothing else wants the processor."""
    return quantiles(taken, n=10)[0]


def _calls_in(piece: Callable[[], object], seconds: float) -> int:
    def timed(calls: int) -> float:
        return min(_timed(piece, calls) for _ in range(3))  # one may be disturbed

    calls = 1
    while (spent := timed(calls) * calls) < seconds / 4:
        calls = max(calls * 2, int(calls * seconds / max(spent, 1e-9) / 8))
    return max(1, int(calls * seconds / spent))


def _timed(piece: Callable[[], object], calls: int) -> float:
    started = time.perf_counter()
    for _ in range(calls):
        piece()
    return (time.perf_counter() - started) / calls
