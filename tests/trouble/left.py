"""What a caller has open when all its requests have ended and its client is closed."""

from __future__ import annotations

import gc
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

__all__ = ["left_over"]

_ESTABLISHED, _CLOSE_WAIT = "01", "08"


def left_over(urls: dict[str, str], tasks: int) -> dict[str, int]:
    """Count it, after a moment for threads that are about to end.

    `connections` are those to the servers at `urls`; a store may keep its own for the next request.
    """
    for _ in range(100):
        if threading.active_count() == 1:
            break
        time.sleep(0.05)
    gc.collect()  # urllib3 leaves errors in cycles, and those hold their pools
    open_files = list(map(_target, Path("/proc/self/fd").iterdir()))
    ports = {urlsplit(url).port for url in urls.values()}
    return {
        "threads": threading.active_count(),
        "tasks": tasks,
        "files": len(open_files),
        "connections": sum(f"socket:[{inode}]" in open_files for inode in _sockets(ports)),
    }


def _target(link: Path) -> str:
    try:
        return str(link.readlink())
    except FileNotFoundError:  # it was the one that lists the others
        return ""


def _sockets(ports: set[int | None]) -> list[str]:
    """Find the inodes of the sockets, of all processes, that are connected to these ports."""
    rows = Path("/proc/net/tcp").read_text().splitlines()[1:]
    return [
        inode
        for _, _, remote, state, *_, inode in (row.split()[:10] for row in rows)
        if state in {_ESTABLISHED, _CLOSE_WAIT} and int(remote.partition(":")[2], 16) in ports
    ]
