"""A store in memory that can lose what it holds, and whose clock can be set back."""

from __future__ import annotations

from typing import Any

from relogin.client.stores import Entry
from relogin.client.stores.memory import MemoryStore
from relogin.client.stores.record import Record
from tests.client.steps import ORIGIN, Clock

__all__ = ["LosingStore"]

# How many of its changes a store may lose at once.
_MOST_LOST = 3


class LosingStore(MemoryStore):
    """A store that can lose what it holds; `behind` says how far its clock has been set back.

    After a loss its revisions come again.
    """

    compares = True

    def __init__(self, clock: Clock, *, keeps: bool) -> None:
        super().__init__()
        self._clock = clock
        self.behind = 0.0
        self.keeps = keeps
        self.before: list[Entry | None] = []

    def get(self, origin: str, account: str) -> Any:
        return super().get(origin, account)._replace(now=self.now)

    @property
    def now(self) -> float:
        return self._clock() - self.behind

    def put(self, origin: str, account: str, realm: str, entry: Entry) -> bool:
        before = self.entry()
        if self.compares and before is not None and before.text != entry.before:
            return False
        done = super().put(origin, account, realm, entry)
        if done and self.keeps:
            self.before = [before, *self.before][:_MOST_LOST]
        return done

    def entry(self) -> Entry | None:
        return self._of_this_process().entries.get((ORIGIN, ""), {}).get("api")

    def lose(self, entry: Entry | None) -> None:
        """Come back with an earlier entry, or with none."""
        entries = {} if entry is None else {"api": entry}
        self._of_this_process().entries[ORIGIN, ""] = entries
        self.before = []

    def record(self) -> Record:
        entry = self.entry()
        return Record() if entry is None else Record.loads(entry.text)
