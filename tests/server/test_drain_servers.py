"""A refusal arrives whatever the server: the client sends all of its body before it reads."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.programs import free_port, running

SIZE = 20_000_000
WSGI, ASGI = "tests.server.refusing:under_wsgi", "tests.server.refusing:under_asgi"


def gunicorn(port: int, worker: str) -> list[str]:
    bound = ["--bind", f"127.0.0.1:{port}", "--worker-class", worker, "--no-control-socket"]
    return ["gunicorn", *bound, WSGI]


COMMANDS = {
    "gunicorn": lambda port: gunicorn(port, "sync"),
    "gunicorn-gthread": lambda port: gunicorn(port, "gthread"),
    "uvicorn": lambda port: ["uvicorn", "--port", str(port), "--lifespan", "off", ASGI],
    "hypercorn": lambda port: ["hypercorn", "--bind", f"127.0.0.1:{port}", ASGI],
    "hypercorn-trio": lambda port: [
        *("hypercorn", "--worker-class", "trio", "--bind", f"127.0.0.1:{port}", ASGI)
    ],
    "granian": lambda port: ["granian", "--port", str(port), "--interface", "asgi", ASGI],
}
# What sends 100 before any application is asked: there the client uploads, and has to be read.
SEND_100 = {"gunicorn", "gunicorn-gthread", "hypercorn", "hypercorn-trio"}


@pytest.fixture(scope="module", params=COMMANDS)
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, int]]:
    port = free_port()
    log = tmp_path_factory.mktemp("server") / "log"
    with running(COMMANDS[request.param](port), port, Path(log)):
        yield request.param, port


def head(token: str, *more: str, size: int = SIZE, method: str = "POST") -> bytes:
    lines = [f"{method} / HTTP/1.1", "Host: a", f"Content-Length: {size}", *more]
    return "\r\n".join([*lines, f'Authorization: Session token="{token}"', "", ""]).encode()


def answer(client: socket.socket) -> bytes:
    """Read to the end of a problem document."""
    read = b""
    while not read.endswith(b"}"):
        piece = client.recv(65536)
        assert piece, read
        read += piece
    return read


def open_to(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=20)


@pytest.mark.requirement("S-34")
def test_a_client_that_sends_all_before_it_reads_gets_the_401(server: tuple[str, int]) -> None:
    with open_to(server[1]) as client:
        client.sendall(head("dead") + bytes(SIZE))
        read = answer(client)
    assert read.startswith(b"HTTP/1.1 401")
    assert b"session_invalid" in read


@pytest.mark.parametrize("method", ["POST", "GET"])  # a search may be a GET with content
def test_the_401_of_an_application_that_refuses_arrives_too(
    server: tuple[str, int], method: str
) -> None:
    with open_to(server[1]) as client:
        client.sendall(head("good", method=method) + bytes(SIZE))
        read = answer(client)
    assert read.startswith(b"HTTP/1.1 401")
    assert b"session_revoked" in read


def test_a_client_that_waits_for_100_gets_the_401_whether_or_not_it_gets_the_100(
    server: tuple[str, int],
) -> None:
    name, port = server
    with open_to(port) as client:
        client.sendall(head("dead", "Expect: 100-continue"))
        first = client.recv(65536)
        assert first.startswith(b"HTTP/1.1 100") == (name in SEND_100)
        if name in SEND_100:
            client.sendall(bytes(SIZE))
            first = answer(client)
    assert b"HTTP/1.1 401" in first


def test_past_the_bound_the_connection_is_closed_and_not_left_silent(
    server: tuple[str, int],
) -> None:
    size = 70_000_000
    with open_to(server[1]) as client:
        try:
            client.sendall(head("slow", size=size) + bytes(size))
            while client.recv(65536):
                pass
        except ConnectionError:  # a reset is an end too
            pass
