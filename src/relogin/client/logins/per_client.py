"""What is known of each client, for as long as it lives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar
from weakref import ref

__all__ = ["PerClient"]

T = TypeVar("T")


class PerClient(Generic[T]):
    """A value for each client, made when first asked for.

    It compares clients by identity: a session that is a dataclass has no hash.
    """

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._known: dict[int, tuple[ref[Any], T]] = {}

    def __getitem__(self, client: Any) -> T:
        key, known = id(client), self._known
        return known.setdefault(key, (ref(client, lambda _: known.pop(key, None)), self._make()))[1]
