"""The callers: started, killed, stopped and continued, and told to fork.

A caller and the children that it forks are a process group, so that one that hangs can be ended.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from typing import IO, Any, Self

__all__ = ["Fleet"]

ROOT = Path(__file__).parents[2]


class _Process:
    """One caller, and a thread that writes down what it says: its own disk may be full."""

    def __init__(self, facts: dict[str, Any], log: Path) -> None:
        command = [sys.executable, "-m", "tests.trouble.caller", json.dumps(facts)]
        self.library = facts["library"]
        self._running = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT, start_new_session=True
        )
        assert self._running.stdout is not None
        log.write_bytes(self._running.stdout.readline())  # it is ready
        self._writer = threading.Thread(target=_copy, args=(self._running.stdout, log))
        self._writer.start()

    def signal(self, number: signal.Signals) -> None:
        self._running.send_signal(number)

    def say(self, command: str) -> None:
        assert self._running.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # it has died, and the judge is told
            self._running.stdin.write(command.encode() + b"\n")
            self._running.stdin.flush()

    def kill(self) -> bool:
        """Kill it, as kill -9 does; its children go on. Return `False` if it had died before."""
        self._running.kill()
        return self._running.wait() == -signal.SIGKILL

    def end(self, until: float) -> dict[str, Any]:
        """Wait for it and its children; kill those that hang, and tell how all ended.

        The last child has ended when nobody can write any more.
        """
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._running.wait(max(until - time.monotonic(), 0.1))
        self._writer.join(max(until - time.monotonic(), 0.1))
        code, hangs = self._running.poll(), self._writer.is_alive()
        self.kill_all()
        self._running.wait()
        self._writer.join()
        assert self._running.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._running.stdin.close()
        return {"library": self.library, "code": code, "children": code is not None and hangs}

    def kill_all(self) -> None:
        if self._writer.is_alive():  # else all have ended, and others may have their numbers
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._running.pid, signal.SIGKILL)


def _copy(said: IO[bytes], log: Path) -> None:
    with said, log.open("ab", buffering=0) as file:
        shutil.copyfileobj(said, file, 1)


class Fleet:
    """All processes. `libraries` are taken in turn."""

    def __init__(self, facts: dict[str, Any], libraries: tuple[str, ...], folder: Path) -> None:
        self.killed: set[str] = set()
        self.left: list[dict[str, Any]] = []
        self.events: Counter[str] = Counter()
        self._facts = facts
        self._libraries = libraries
        self._folder = folder
        self._running: dict[str, _Process] = {}
        self._gone: dict[str, _Process] = {}
        self._count = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Leave nobody behind, whatever has become of the run."""
        for process in (*self._running.values(), *self._gone.values()):
            process.kill_all()

    def start(self, library: str | None = None) -> None:
        """Start one more process, and wait until it sends."""
        name = f"p{self._count}"
        facts = self._facts | {
            "name": name,
            "library": library or self._libraries[self._count % len(self._libraries)],
            "seed": self._count,
        }
        self._count += 1
        self._running[name] = _Process(facts, self._log(name))

    def _log(self, name: str) -> Path:
        return self._folder / f"caller-{name}.jsonl"

    def kill(self, chosen: random.Random) -> None:
        """Kill one as kill -9 does, and start another."""
        name = chosen.choice(sorted(self._running))
        process = self._running.pop(name)
        if process.kill():
            self.killed.add(name)
        self._gone[name] = process
        self.start(process.library)

    def stop_for(self, chosen: random.Random, seconds: float) -> None:
        """Stop one as SIGSTOP does, and let it go on after a time."""
        process = self._running[chosen.choice(sorted(self._running))]
        process.signal(signal.SIGSTOP)
        go_on = threading.Timer(seconds, process.signal, (signal.SIGCONT,))
        go_on.start()

    def fork(self, chosen: random.Random) -> None:
        """Let one fork in the midst of its requests, if it is of a kind that may."""
        self._running[chosen.choice(sorted(self._running))].say("fork")

    def end(self, seconds: float) -> None:
        """Let all end, and take what they say of themselves; kill those that do not end in time."""
        for process in self._running.values():
            process.say("stop")
        until = time.monotonic() + seconds
        for name, process in self._gone.items():
            said = process.end(until) | {"name": name}
            if name in self.killed:  # only a child of it may be left
                said["code"] = 0
            self.left += [said] if said["children"] or said["code"] else []
        for name, process in self._running.items():
            said = process.end(until) | {"name": name}
            last = json.loads(self._log(name).read_text().splitlines()[-1])
            self.events += Counter(last.get("events", {}))
            self.left.append(said | last.get("left", {}))
        self._running.clear()
        self._gone.clear()
