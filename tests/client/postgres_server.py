"""A PostgreSQL server of a test's own, on a socket in a folder, that can be stopped and started."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.conftest import PROGRAMS

__all__ = ["PostgresServer", "a_postgres_server"]


class PostgresServer:
    """A cluster made by initdb, with nobody to ask for a password."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.conninfo = f"host={folder} dbname=postgres user=postgres"
        self._run("initdb", "--username=postgres", "--auth=trust", "--no-sync")

    def start(self) -> None:
        settings = (
            f"-c listen_addresses='' -c unix_socket_directories='{self._folder}' -c fsync=off"
        )
        self._run("pg_ctl", "--wait", f"--options={settings}", f"--log={self._folder}/log", "start")

    def stop(self) -> None:
        """Kill it, as a machine dies."""
        with contextlib.suppress(subprocess.CalledProcessError):
            self._run("pg_ctl", "--wait", "--mode=immediate", "stop")

    @contextlib.contextmanager
    def stopped(self) -> Iterator[None]:
        """Let it do nothing in this block, as a machine that is short of everything."""
        processes = self._processes()
        _signal(processes, signal.SIGSTOP)
        try:
            yield
        finally:
            _signal(processes, signal.SIGCONT)

    def _processes(self) -> list[int]:
        postmaster = (self._folder / "data/postmaster.pid").read_text().split()[0]
        children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text()
        return [int(postmaster), *map(int, children.split())]

    def _run(self, name: str, *options: str) -> None:
        command = [
            str(shutil.which(name, path=PROGRAMS)),
            f"--pgdata={self._folder}/data",
            *options,
        ]
        if os.getuid() == 0:  # PostgreSQL refuses to run as root
            command = ["runuser", "-u", "postgres", "--", *command]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        subprocess.run(command, check=True, timeout=60, cwd="/", **quiet)  # type: ignore[call-overload]


def _signal(processes: list[int], number: signal.Signals) -> None:
    for process in processes:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, number)


@contextlib.contextmanager
def a_postgres_server() -> Iterator[PostgresServer]:
    """Run a server; its folder is a short one, because the name of a socket must be."""
    with tempfile.TemporaryDirectory() as folder:
        if os.getuid() == 0:
            shutil.chown(folder, "postgres")
        server = PostgresServer(Path(folder))
        server.start()
        try:
            yield server
        finally:
            server.stop()
