"""The callers: started, killed, stopped and continued, and told to fork."""

from __future__ import annotations

import json
import random
import shutil
import signal
import subprocess
import sys
import threading
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
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT
        )
        assert self._running.stdout is not None
        log.write_bytes(self._running.stdout.readline())  # it is ready
        self._writer = threading.Thread(target=_copy, args=(self._running.stdout, log))
        self._writer.start()

    def signal(self, number: signal.Signals) -> None:
        self._running.send_signal(number)

    def say(self, command: str) -> None:
        assert self._running.stdin is not None
        self._running.stdin.write(command.encode() + b"\n")
        self._running.stdin.flush()

    @property
    def has_children(self) -> bool:
        """Whether a child of a fork goes on although its parent has ended."""
        return self._writer.is_alive()

    def wait(self, seconds: float = 20.0) -> None:
        """Wait for the end; the writer's comes with that of the last child."""
        try:
            self._running.wait(seconds)
        except subprocess.TimeoutExpired:
            self._running.kill()
            raise
        self._writer.join(60)
        assert self._running.stdin is not None
        self._running.stdin.close()


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
        self._count = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Leave nobody behind, whatever has become of the run."""
        for process in self._running.values():
            process.signal(signal.SIGKILL)

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
        self.killed.add(name)
        process.signal(signal.SIGKILL)
        process.wait()
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

    def end(self) -> None:
        """Let all end, and take what they say of themselves."""
        for process in self._running.values():
            process.say("stop")
        for name, process in self._running.items():
            try:
                process.wait(90)
            except subprocess.TimeoutExpired:
                raise AssertionError(f"{name} ({process.library}) does not end") from None
            said = json.loads(self._log(name).read_text().splitlines()[-1])
            self.events += Counter(said["events"])
            left = {"library": process.library, "children": process.has_children}
            self.left.append(left | said["left"])
        self._running.clear()
