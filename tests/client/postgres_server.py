"""A PostgreSQL server of a test's own, and PgBouncer; both can be stopped and started."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.conftest import PROGRAMS

__all__ = ["Pooler", "PostgresServer", "a_pooler", "a_postgres_server"]


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


class Pooler:
    """PgBouncer before a server, on a socket in a folder."""

    def __init__(self, folder: Path, server: PostgresServer, mode: str) -> None:
        self._folder = folder
        self.conninfo = f"host={folder} port=6432 dbname=postgres user=postgres"
        (folder / "users").write_text('"postgres" ""\n')
        (folder / "pgbouncer.ini").write_text(
            f"[databases]\n* = {server.conninfo}\n[pgbouncer]\nauth_type = trust\n"
            f"auth_file = {folder}/users\npool_mode = {mode}\n"
            f"unix_socket_dir = {folder}\nlisten_addr =\n"
        )
        self._command = ["pgbouncer", "--quiet", str(folder / "pgbouncer.ini")]
        if os.getuid() == 0:  # it refuses to run as root, too
            self._command = ["runuser", "-u", "postgres", "--", *self._command]
            for path in (folder, *folder.iterdir()):
                shutil.chown(path, "postgres")

    def start(self) -> None:
        self._running = subprocess.Popen(self._command)
        while not (self._folder / ".s.PGSQL.6432").exists():
            assert self._running.poll() is None, "PgBouncer did not start"
            time.sleep(0.01)

    def stop(self) -> None:
        self._running.terminate()
        self._running.wait(20)


@contextlib.contextmanager
def a_pooler(server: PostgresServer, mode: str = "transaction") -> Iterator[Pooler]:
    """Run PgBouncer before a server; `mode` is when it takes a connection back."""
    with tempfile.TemporaryDirectory() as folder:
        pooler = Pooler(Path(folder), server, mode)
        pooler.start()
        try:
            yield pooler
        finally:
            pooler.stop()
