"""What was admitted once ends with its session: streams, events and sockets, on real servers."""

import http.client
import logging
import threading
import time
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from relogin.server.streams import Watch
from tests.server.serving import serving_asgi
from tests.server.streaming import FRAMEWORKS, PAUSING, STOP, Sessions, under_asgi
from tests.threads import until

each_framework = pytest.mark.parametrize("serving", FRAMEWORKS.values(), ids=FRAMEWORKS)
EVERY = 0.1
FIELD = {"Authorization": 'Session token="t1"'}


class Reader:
    """Reads a stream until it ends, in a thread of its own; `whole` tells how it ended."""

    def __init__(self, port: int, path: str) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        self.connection.request("GET", path, headers=FIELD)
        self.response = self.connection.getresponse()
        assert self.response.status == 200
        self.first = self.response.read(3)
        self.whole: bool | None = None
        self.ended_at = 0.0
        self.thread = threading.Thread(target=self._read)
        self.thread.start()

    def _read(self) -> None:
        try:
            self.response.read()
            self.whole = True
        except (http.client.IncompleteRead, ConnectionError):
            self.whole = False
        self.ended_at = time.monotonic()
        self.connection.close()

    def end(self, seconds: float = 10) -> bool | None:
        self.thread.join(seconds)
        return self.whole


def of_ours(caplog: pytest.LogCaptureFixture) -> list[str]:
    records = [record for record in caplog.records if record.name == "relogin.server"]
    assert not [record for record in caplog.records if record.exc_info]  # no traceback
    return [record.getMessage() for record in records]


ENDED = "a response or a socket has ended with its session: session_revoked"


@each_framework
@pytest.mark.parametrize("path", ["/events", "/download"])
def test_a_stream_ends_soon_after_its_session(
    serving: Any, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    sessions = Sessions()
    with serving(sessions, recheck=EVERY) as port:
        reader = Reader(port, path)
        until(lambda: sessions.asked > 2)
        assert reader.whole is None
        ended = time.monotonic()
        sessions.ended.set()
        assert reader.end() == (path == "/events")  # who downloads is told that a part is missing
        assert reader.ended_at - ended < 20 * EVERY
    assert of_ours(caplog) == [ENDED]


@each_framework
@pytest.mark.parametrize("path", ["/asks", "/asks-download"])
def test_an_application_may_ask_itself(
    serving: Any, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    sessions = Sessions()
    with serving(sessions) as port:
        reader = Reader(port, path)
        sessions.ended.set()
        assert reader.end() == (path == "/asks")
    assert of_ours(caplog) == [ENDED]


@pytest.mark.parametrize("framework", PAUSING)
def test_a_stream_that_says_nothing_ends_too(
    framework: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    sessions = Sessions()
    with FRAMEWORKS[framework](sessions, recheck=EVERY) as port:
        reader = Reader(port, "/quiet")
        sessions.ended.set()
        assert reader.end()
    assert of_ours(caplog) == [ENDED]


@each_framework
def test_trouble_in_the_store_ends_no_stream(serving: Any) -> None:
    sessions = Sessions()
    with serving(sessions, recheck=EVERY) as port:
        reader = Reader(port, "/events")
        sessions.trouble = True
        assert reader.end(5 * EVERY) is None
        sessions.trouble = False
        sessions.ended.set()
        assert reader.end()


@each_framework
def test_without_recheck_nobody_is_asked_again(serving: Any) -> None:
    sessions = Sessions()
    with serving(sessions) as port:
        reader = Reader(port, "/events")
        reader.thread.join(0.3)
        assert (reader.whole, sessions.asked) == (None, 1)
        STOP.set()
        reader.end()


# WebSocket


def test_a_socket_that_says_nothing_is_closed_with_the_reason() -> None:
    sessions = Sessions()
    with (
        serving_asgi(under_asgi(sessions, recheck=EVERY)) as port,
        connect(f"ws://127.0.0.1:{port}/", additional_headers=FIELD) as opened,
    ):
        opened.send("hello")
        assert opened.recv(5) == "heard"
        sessions.ended.set()
        with pytest.raises(ConnectionClosed):
            opened.recv(5)
        assert (opened.close_code, opened.close_reason) == (3000, "session_revoked")


def test_a_session_that_was_just_asked_for_is_not_asked_for_again_before_its_time() -> None:
    watch = Watch(1000.0)
    assert not watch.is_due
    watch._due = 0.0
    assert watch.is_due
    assert not watch.is_due
