"""A store in a file, and what a test looks at of it."""

from __future__ import annotations

import stat
from pathlib import Path

from relogin.client.stores import Entry
from relogin.client.stores.sqlite import SQLiteStore

ORIGIN = "https://api.example.com:443"


def filled(path: Path, text: str = "one") -> SQLiteStore:
    store = SQLiteStore(path)
    assert store.put(ORIGIN, "", "api", Entry(text, 0))
    return store


def stored(store: SQLiteStore) -> str:
    return store.get(ORIGIN, "").entries["api"].text


def modes(folder: Path) -> dict[str, int]:
    return {file.name: stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()}
