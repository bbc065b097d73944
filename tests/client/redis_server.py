"""Redis servers of a test's own: one that can be stopped and started, a cluster, a Sentinel."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import redis

__all__ = [
    "RedisNode",
    "RedisServer",
    "a_redis_cluster",
    "a_redis_server",
    "a_sentinel",
    "move_slot",
]


class _Process:
    _running: subprocess.Popen[bytes] | None = None

    def stop(self) -> None:
        """Kill it, as a machine dies."""
        if self._running is not None:
            self._running.kill()
            self._running.wait(20)
            self._running = None


class RedisServer(_Process):
    """A server that forgets everything at a stop, unless it saves. `program` may be Valkey's."""

    def __init__(
        self, folder: Path, options: Sequence[str] = (), program: str = "redis-server"
    ) -> None:
        self.socket = folder / "redis.sock"
        self.url = f"unix://{self.socket}"
        self._command = [
            *(program, "--port", "0", "--unixsocket", str(self.socket)),
            *("--save", "", "--dir", str(folder), *options),
        ]

    def start(self) -> None:
        """Start, and wait until it answers."""
        self._running = subprocess.Popen(self._command, stdout=subprocess.DEVNULL)
        give_up = time.monotonic() + 20
        while not self._answers():
            assert self._running.poll() is None, "redis-server did not start"
            assert time.monotonic() < give_up, "redis-server does not answer"
            time.sleep(0.01)

    def _answers(self) -> bool:
        with socket.socket(socket.AF_UNIX) as client, contextlib.suppress(OSError):
            client.settimeout(1)
            client.connect(str(self.socket))
            client.sendall(b"PING\r\n")
            return client.recv(5) in {b"+PONG", b"-NOAU"}
        return False


@contextlib.contextmanager
def a_redis_server(*options: str, program: str = "redis-server") -> Iterator[RedisServer]:
    """Run a server; its folder is a short one, because the name of a socket must be."""
    with tempfile.TemporaryDirectory() as folder:
        server = RedisServer(Path(folder), options, program)
        try:
            server.start()
            yield server
        finally:
            server.stop()


class RedisNode(_Process):
    """One of several servers, at a port; nothing in it outlives a stop."""

    def __init__(self, port: int, folder: Path, options: Sequence[str]) -> None:
        self.port = port
        self._folder = folder
        self._command = ["redis-server", *options]

    def start(self) -> None:
        # A replica writes down what it takes over, whatever it is told of saving, and would begin
        # with that again.
        (self._folder / "dump.rdb").unlink(missing_ok=True)
        self._running = subprocess.Popen(
            self._command, stdout=subprocess.DEVNULL, env=self._environment()
        )
        _wait_until(lambda: bool(_info(self.port, "server")))

    @contextlib.contextmanager
    def stopped(self) -> Iterator[None]:
        """Let it do nothing in this block; the others take it for dead, and it does not know."""
        assert self._running is not None
        self._running.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._running.send_signal(signal.SIGCONT)

    def _environment(self) -> dict[str, str]:
        # A Sentinel tells the time by the wall clock: set back, it finds nobody dead for so long.
        away = {"LD_PRELOAD"} if "--sentinel" in self._command else set()
        return {name: value for name, value in os.environ.items() if name not in away}


@contextlib.contextmanager
def a_redis_cluster() -> Iterator[list[int]]:
    """Run three nodes that share the slots; yields their ports."""
    ports = _free_ports(3)
    with contextlib.ExitStack() as running:
        for port in ports:
            running.enter_context(
                _listening(port, "--cluster-enabled", "yes", "--cluster-node-timeout", "2000")
            )
        nodes = [f"127.0.0.1:{port}" for port in ports]
        command = ["redis-cli", "--cluster", "create", *nodes, "--cluster-yes"]
        subprocess.run(command, check=True, capture_output=True, timeout=40)
        _wait_until(lambda: all(_info(p, "cluster")["cluster_state"] == "ok" for p in ports))
        yield ports


def move_slot(ports: Sequence[int], key: bytes, *, pause: float = 0.0) -> None:
    """Move the slot of a key to the next node, as redis-cli does; it takes so many seconds."""
    with contextlib.ExitStack() as opened:
        # Patient, for a slot must not be left half way.
        patient = [redis.Redis(port=port, socket_timeout=30.0) for port in ports]
        nodes = [opened.enter_context(node) for node in patient]
        held = next(number for number, node in enumerate(nodes) if _holds(node, key))
        here, there = nodes[held], nodes[(held + 1) % len(nodes)]
        slot = here.cluster("keyslot", key)
        to = there.cluster("myid")
        there.cluster("setslot", slot, "importing", here.cluster("myid"))
        here.cluster("setslot", slot, "migrating", to)
        time.sleep(pause / 2)
        for each in here.execute_command("CLUSTER GETKEYSINSLOT", slot, 1000):
            here.migrate("127.0.0.1", ports[nodes.index(there)], each, 0, 1000)
        time.sleep(pause / 2)
        for node in (there, here, *nodes):
            node.cluster("setslot", slot, "node", to)


def _holds(node: redis.Redis, key: bytes) -> bool:
    with contextlib.suppress(redis.exceptions.MovedError):  # the slot lies elsewhere
        return bool(node.exists(key))
    return False


@contextlib.contextmanager
def a_sentinel() -> Iterator[tuple[int, list[RedisNode]]]:
    """Run a master, a replica and a Sentinel; yields the port of that, and the two."""
    watching, master, replica = _free_ports(3)
    with contextlib.ExitStack() as running:
        nodes = [
            running.enter_context(_listening(master)),
            running.enter_context(_listening(replica, "--replicaof", "127.0.0.1", str(master))),
        ]
        settings = (
            f"sentinel monitor sessions 127.0.0.1 {master} 1\n"
            "sentinel down-after-milliseconds sessions 500\n"
            "sentinel failover-timeout sessions 3000\n"
        )
        running.enter_context(_listening(watching, "--sentinel", settings=settings))
        _wait_until(lambda: _info(replica, "replication")["master_link_status"] == "up")
        _wait_until(lambda: "'slaves': 1" in str(_info(watching, "sentinel")["master0"]))
        yield watching, nodes


def _free_ports(count: int) -> list[int]:
    """Find ports below 50000: a node of a cluster listens 10000 above its own, too."""
    ports: list[int] = []
    while len(ports) < count:
        port = random.randrange(20_000, 50_000)
        with contextlib.suppress(OSError):
            for wanted in (port, port + 10_000):
                socket.create_server(("127.0.0.1", wanted)).close()
            ports.append(port)
    return ports


@contextlib.contextmanager
def _listening(port: int, *options: str, settings: str = "") -> Iterator[RedisNode]:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "redis.conf")
        file.write_text(f"dir {folder}\nport {port}\nbind 127.0.0.1\n{settings}")
        if "--sentinel" not in options:
            options += ("--save", "", "--repl-diskless-sync-delay", "0")
        node = RedisNode(port, Path(folder), [str(file), *options])
        try:
            node.start()
            yield node
        finally:
            node.stop()


def _info(port: int, section: str) -> dict[str, object]:
    with redis.Redis(port=port, socket_timeout=1) as client, contextlib.suppress(redis.RedisError):
        if section == "cluster":
            return dict(client.cluster("info"))
        return dict(client.info(section))
    return {}


def _wait_until(true: Callable[[], bool]) -> None:
    give_up = time.monotonic() + 30
    while True:
        with contextlib.suppress(KeyError):
            if true():
                return
        assert time.monotonic() < give_up, "Redis did not come up"
        time.sleep(0.02)
