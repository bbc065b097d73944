"""A store that is awaited, as that of Redis can be."""

from __future__ import annotations

import anyio

from relogin.client.stores import Entry, Snapshot
from relogin.client.stores.memory import MemoryStore

__all__ = ["AsyncMemoryStore"]


class AsyncMemoryStore:
    """A store that is awaited."""

    def __init__(self) -> None:
        self.inner = MemoryStore()
        self.hangs = False

    async def get(self, origin: str, account: str) -> Snapshot:
        if self.hangs:
            await anyio.sleep_forever()
        await anyio.sleep(0)
        return self.inner.get(origin, account)

    async def put(self, origin: str, account: str, realm: str, entry: Entry) -> bool:
        await anyio.sleep(0)
        is_stored = self.inner.put(origin, account, realm, entry)
        await anyio.sleep(0)
        return is_stored
