"""Rule 12: a refused response is read within bounds or closed, and its connection is free."""

import io
import threading
import time
import zlib
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from requests.adapters import HTTPAdapter
from urllib3.response import HTTPResponse

from relogin.client import Outcome, outcome
from relogin.client import drain as drain_module
from relogin.client.drain import MOST_OCTETS, drain
from relogin.client.requests import LoginRefused, SessionAuth
from relogin.client.terms.grant import Context, Grant
from tests.client.server import Server, dribble, flood


@pytest.fixture
def single(session: requests.Session) -> requests.Session:
    """A session with one connection, for which it waits."""
    session.mount("http://", HTTPAdapter(pool_connections=1, pool_maxsize=1, pool_block=True))
    return session


def connections(server: Server) -> int:
    return len({request.connection for request in server.requests})


def test_refusal_login_and_replay_go_over_one_connection(
    server: Server, session: requests.Session
) -> None:
    session.auth = SessionAuth(server.login, server.url)
    assert session.get(f"{server.url}/orders").status_code == 200
    assert connections(server) == 1


@pytest.mark.parametrize("stream", [False, True])
def test_a_pool_of_one_connection_is_enough(
    server: Server, single: requests.Session, stream: bool
) -> None:
    single.auth = SessionAuth(server.login, server.url)
    with single.get(f"{server.url}/orders", stream=stream) as answer:
        assert (answer.status_code, answer.content) == (200, b"content")
    assert connections(server) == 1


def test_a_login_that_closes_its_session_leaves_the_connection_open(
    server: Server, single: requests.Session
) -> None:
    def login(context: Context) -> Grant:
        with context.http:
            return server.login(context)

    single.auth = SessionAuth(login, server.url)
    assert single.get(f"{server.url}/orders").status_code == 200
    assert connections(server) == 1


def test_who_waits_for_a_login_keeps_no_connection_from_it(
    server: Server, single: requests.Session
) -> None:
    single.auth = SessionAuth(server.login, server.url)
    answers: list[requests.Response] = []
    threads = [
        threading.Thread(target=lambda: answers.append(single.get(f"{server.url}/orders")))
        for _ in range(5)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert [answer.status_code for answer in answers] == [200] * 5
    assert server.logins == 1


def test_a_401_without_end_is_closed_and_answered(server: Server, single: requests.Session) -> None:
    server.refusal_body = flood
    single.auth = SessionAuth(server.login, server.url)
    answer = single.get(f"{server.url}/orders")
    assert answer.status_code == 200
    assert MOST_OCTETS <= len(answer.history[0].content) <= 2 * MOST_OCTETS


def test_a_401_that_dribbles_is_closed_when_its_time_is_over(
    server: Server, single: requests.Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = threading.Event()
    server.refusal_body = dribble(go_on)
    single.auth = SessionAuth(server.login, server.url)
    monkeypatch.setattr(drain_module.drain, "__defaults__", (MOST_OCTETS, 0.3))
    assert single.get(f"{server.url}/orders").status_code == 200
    go_on.set()


def test_a_401_that_says_nothing_is_closed_when_its_time_is_over(
    server: Server, single: requests.Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = threading.Event()

    def silence() -> Iterator[bytes]:
        go_on.wait(10)
        yield b"at last"

    server.refusal_body = silence
    single.auth = SessionAuth(server.login, server.url)
    monkeypatch.setattr(drain_module.drain, "__defaults__", (MOST_OCTETS, 0.2))
    answer = single.get(f"{server.url}/orders")
    assert (answer.status_code, answer.history[0].content) == (200, b"")
    go_on.set()


def test_the_time_out_of_a_connection_is_as_it_was(
    server: Server, session: requests.Session
) -> None:
    refused = session.get(f"{server.url}/orders", stream=True, timeout=7.0)
    connection: Any = refused.raw.connection
    assert drain(refused)
    assert connection.sock.gettimeout() == 7.0


def test_a_connection_that_its_pool_has_no_room_for_is_drained_all_the_same(
    server: Server, session: requests.Session
) -> None:
    session.mount("http://", HTTPAdapter(pool_connections=1, pool_maxsize=1))
    first, second = (session.get(f"{server.url}/{n}", stream=True) for n in range(2))
    assert first.content == b"refused"  # its connection is in the pool, and it is full
    assert drain(second)
    assert second.content == b"refused"


def test_a_compressed_401_is_kept_readable(server: Server, session: requests.Session) -> None:
    packed = zlib.compressobj(wbits=31)
    octets = packed.compress(b"why " * 1000) + packed.flush()
    server.refusal_body = lambda: octets
    server.refusal_headers = (("Content-Encoding", "gzip"),)
    session.auth = SessionAuth(server.login, server.url)
    answer = session.get(f"{server.url}/orders")
    assert answer.history[0].text == "why " * 1000


def test_a_401_that_decompresses_without_bound_is_cut(
    server: Server, session: requests.Session
) -> None:
    packed = zlib.compressobj(wbits=31)
    octets = b"".join([packed.compress(bytes(2**20)) for _ in range(8)]) + packed.flush()
    server.refusal_body = lambda: octets
    server.refusal_headers = (("Content-Encoding", "gzip"),)
    session.auth = SessionAuth(server.login, server.url)
    answer = session.get(f"{server.url}/orders")
    assert answer.status_code == 200
    assert len(answer.history[0].content) <= 2 * MOST_OCTETS


def test_what_came_whole_is_not_read_whole_where_it_was_compressed(
    server: Server, session: requests.Session
) -> None:
    packed = zlib.compressobj(wbits=31)
    octets = packed.compress(bytes(4 * MOST_OCTETS)) + packed.flush()
    server.refusal_body = lambda: octets
    server.refusal_headers = (("Content-Encoding", "gzip"),)
    assert drain(session.get(f"{server.url}/orders", stream=True)) is False


def test_a_401_that_cannot_be_decompressed_is_closed(
    server: Server, single: requests.Session
) -> None:
    server.refusal_headers = (("Content-Encoding", "gzip"),)
    single.auth = SessionAuth(server.login, server.url)
    assert single.get(f"{server.url}/orders").status_code == 200


def test_a_401_that_is_the_answer_is_left_to_be_streamed(
    server: Server, session: requests.Session
) -> None:
    server.challenges = lambda _: ["Negotiate"]
    server.refusal_body = flood
    session.auth = SessionAuth(server.login, server.url)
    with session.get(f"{server.url}/orders", stream=True) as answer:
        assert outcome(answer) is Outcome.UNANSWERED
        assert next(answer.iter_content(10)) == b"x" * 10


def test_what_the_user_has_read_is_not_read_again(
    server: Server, session: requests.Session
) -> None:
    answer = session.get(f"{server.url}/orders")
    assert drain(answer) is True
    assert answer.content == b"refused"


def test_a_response_without_a_connection_is_drained_too() -> None:
    answer = requests.Response()
    answer.raw = HTTPResponse(io.BytesIO(b"content"), preload_content=False)
    assert drain(answer) is True
    assert answer.content == b"content"


def test_a_response_that_is_not_of_urllib3_is_read(server: Server) -> None:
    answer = requests.Response()
    answer.raw = io.BytesIO(b"content")
    assert drain(answer) is True
    assert answer.content == b"content"


def test_draining_tells_that_there_was_more() -> None:
    answer = requests.Response()
    answer.raw = HTTPResponse(io.BytesIO(b"x" * 100), preload_content=False)
    assert drain(answer, octets=0, seconds=time.monotonic()) is False


def test_a_401_that_ends_in_an_exception_gives_its_connection_back(
    server: Server, single: requests.Session
) -> None:
    def login(_: Context) -> Grant:
        raise LoginRefused("locked")

    single.auth = SessionAuth(login, server.url)
    for _ in range(2):  # the second is refused at once, without a login
        with pytest.raises(LoginRefused) as caught:
            single.get(f"{server.url}/orders")
        assert caught.value.response.content == b"refused"
    assert connections(server) == 1


def test_an_interrupt_while_draining_gives_the_connection_back(
    server: Server, single: requests.Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    single.auth = SessionAuth(server.login, server.url)

    def interrupted(*_: object, **__: object) -> bytes:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(HTTPResponse, "read1", interrupted)
        with pytest.raises(KeyboardInterrupt):
            single.get(f"{server.url}/orders")
    assert single.get(f"{server.url}/orders").status_code == 200
