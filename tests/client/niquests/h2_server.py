"""A small HTTP/2 server in the clear, which breaks off the uploads of a dead session."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import h2.config
import h2.connection
import h2.events

__all__ = ["Broken", "a_server_that_breaks_off"]


@dataclass
class Broken:
    """What the server knows: which tokens live, and what was asked for, in its order."""

    url: str
    living: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)
    breaks_after: int = 1
    """With how many uploads it breaks off."""
    resets: bool = False
    """Whether it resets the stream of such an upload, and keeps the connection."""


@contextmanager
def a_server_that_breaks_off() -> Iterator[Broken]:
    """Answer with 401 or 200; but to an upload with a dead session, close the connection.

    A stream of `/events` ends with its session.
    """
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = Broken(f"http://127.0.0.1:{listener.getsockname()[1]}")
        accepting = threading.Thread(target=_accept, args=(listener, server), daemon=True)
        accepting.start()
        yield server
        listener.shutdown(socket.SHUT_RDWR)
        accepting.join()


def _accept(listener: socket.socket, server: Broken) -> None:
    with suppress(OSError):
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=_serve, args=(connection, server), daemon=True).start()


def _serve(connection: socket.socket, server: Broken) -> None:
    state = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
    state.initiate_connection()
    requests: dict[int, dict[bytes, bytes]] = {}
    with connection, suppress(OSError):
        connection.sendall(state.data_to_send())
        while octets := connection.recv(65536):
            for event in state.receive_data(octets):
                if isinstance(event, h2.events.RequestReceived):
                    requests[event.stream_id] = dict(event.headers)
                elif isinstance(event, h2.events.DataReceived):
                    state.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                elif isinstance(event, h2.events.StreamEnded) and not _answer(
                    state, event.stream_id, requests[event.stream_id], server
                ):
                    return
            connection.sendall(state.data_to_send())


def _answer(
    state: h2.connection.H2Connection, stream: int, request: dict[bytes, bytes], server: Broken
) -> bool:
    method, path = request[b":method"].decode(), request[b":path"].decode()
    server.asked.append(f"{method} {path}")
    lives = any(token in request.get(b"authorization", b"").decode() for token in server.living)
    if method in {"PUT", "POST"} and not lives:
        if server.resets:
            state.reset_stream(stream)
            return True
        server.breaks_after -= 1
        return server.breaks_after > 0
    headers = [(":status", "200" if lives else "401")]
    if not lives:
        headers.append(("www-authenticate", 'Session realm="api"'))
    elif path == "/events":
        headers.append(("content-type", "text/event-stream"))
        server.living.clear()
    state.send_headers(stream, headers)
    state.send_data(stream, b"" if method == "HEAD" else path.encode(), end_stream=True)
    return True
