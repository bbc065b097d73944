"""A registry's tokens beside oras-py's own login: `python -m tests.peers.registry`.

Counts the token requests of one push and one pull, and of twenty threads that list the tags of one
repository, against Debian's docker-registry and the token server of `tests.client.registry`.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import chdir
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import oras.client

from relogin.client.logins import RegistryLogin
from relogin.client.requests import SessionAuth
from tests.client.registry.distribution import distribution
from tests.client.registry.token_server import TokenServer, token_server


def ours(registry: str, tokens: TokenServer) -> Any:
    """oras-py with our object as its session's auth."""
    client = oras.client.OrasClient(hostname=urlsplit(registry).netloc, insecure=True)
    client.session.auth = SessionAuth(RegistryLogin("alice", "s3cret", [tokens.url]), registry)
    return client


def theirs(registry: str, _: TokenServer) -> Any:
    """oras-py as its documentation says."""
    client = oras.client.OrasClient(hostname=urlsplit(registry).netloc, insecure=True)
    client.auth.set_basic_auth("alice", "s3cret")
    return client


def _counted(tokens: TokenServer, act: Callable[[], object]) -> str:
    before = len(tokens.asked)
    try:
        act()
    except Exception as error:  # noqa: BLE001 - what it raises is what is asked for
        return f"{len(tokens.asked) - before} ({type(error).__name__})"
    return str(len(tokens.asked) - before)


def measure(make: Callable[[str, TokenServer], Any]) -> list[str]:
    """Return the token requests of a push, of a pull after it, and of twenty threads."""
    with tempfile.TemporaryDirectory() as name, chdir(name):
        folder = Path(name)
        (folder / "hello.txt").write_text("hello")
        with token_server(folder) as tokens, distribution(folder, tokens.url) as registry:
            target = f"{urlsplit(registry).netloc}/foo/bar:v1"
            client = make(registry, tokens)
            found = [
                _counted(tokens, lambda: client.push(target=target, files=["hello.txt"])),
                _counted(tokens, lambda: client.pull(target=target, outdir=str(folder / "out"))),
            ]
            ours(registry, tokens).push(target=target, files=["hello.txt"])
            fresh = make(registry, tokens)

            def tags(_: int) -> object:
                return fresh.get_tags(target)

            def twenty() -> None:
                with ThreadPoolExecutor(20) as pool:
                    list(pool.map(tags, range(20)))

            return [*found, _counted(tokens, twenty)]


if __name__ == "__main__":
    os.environ["NO_PROXY"] = "127.0.0.1"
    print("| | push | pull after it | 20 threads |\n|---|---|---|---|")
    print("| oras-py with `RegistryLogin` |", " | ".join(measure(ours)), "|")
    print("| oras-py with its own login |", " | ".join(measure(theirs)), "|")
