"""Programs on loopback: a free port, a certificate, and how one is started and stopped."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

__all__ = ["certificate", "exit_with", "free_port", "python", "running", "running_until_killed"]

_PATIENCE = 40.0
_ROOT = Path(__file__).parents[1]


def free_port() -> int:
    """Find a port of loopback that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


def certificate(folder: Path) -> list[str]:
    """Make a certificate for loopback; return its file and that of its key."""
    files = [str(folder / "certificate.pem"), str(folder / "key.pem")]
    what = ["-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=loopback"]
    name = ["-addext", "subjectAltName=IP:127.0.0.1", "-out", files[0], "-keyout", files[1]]
    command = ["openssl", "req", "-x509", *what, *name]
    subprocess.run(command, check=True, capture_output=True, timeout=30)
    (folder / "both.pem").write_text("".join(Path(file).read_text() for file in files))
    return files


def python(program: str) -> subprocess.CompletedProcess[str]:
    """Run a program in an interpreter of its own, to its end."""
    command = [sys.executable, "-c", program]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


@contextmanager
def running(command: list[str], port: int, log: Path, **environment: str) -> Iterator[None]:
    """Run a program until the end of the block, which begins when it listens."""
    beside = Path(sys.executable).parent / command[0]
    program = str(beside) if beside.exists() else shutil.which(command[0])
    assert program is not None, f"{command[0]} is not installed"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [program, *command[1:]],
            stdout=out,
            stderr=subprocess.STDOUT,
            cwd=_ROOT,
            env={**os.environ, **environment},
        )
        try:
            _wait_for(port, process, log)
            yield
        finally:
            process.terminate()
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@contextmanager
def running_until_killed(command: list[str]) -> Iterator[str]:
    """Run a program until the end of the block; yields the line that it prints when it is ready."""
    process = subprocess.Popen(
        command, cwd=_ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
    finally:
        process.kill()
        process.communicate(timeout=20)


def _wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + _PATIENCE
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            ended = process.poll() is not None
            if ended or time.monotonic() > until:
                raise RuntimeError(
                    f"{process.args!r} does not listen:\n{log.read_text()}"
                ) from None
            time.sleep(0.05)
        else:
            return


def exit_with(succeeds: Callable[[], bool]) -> NoReturn:
    """End the child of a fork, with 0 if it succeeds."""
    try:
        os._exit(0 if succeeds() else 1)
    finally:
        os._exit(2)
