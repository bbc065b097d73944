"""What PEP 3333 asks of a gate in between."""

import sys
from collections.abc import Iterable, Iterator
from io import BytesIO
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment
from wsgiref.util import FileWrapper, setup_testing_defaults
from wsgiref.validate import validator

import pytest

import relogin
from relogin.server.wsgi import SessionGate, request
from tests.server.orders import verify

LEGACY: Any = {"legacy": {440: "session_expired"}}


def call(app: WSGIApplication, **environ: Any) -> tuple[str, Iterable[bytes]]:
    """Call an application; returns the status and what it returned, not yet iterated over."""
    setup_testing_defaults(environ)
    started: list[str] = []

    def start_response(status: str, headers: Any, exc_info: Any = None) -> Any:
        started.append(status)
        return written.append

    written: list[bytes] = []
    body = app(environ, start_response)
    return started[-1] if started else "not started", body


def admitted(app: Any, **options: Any) -> WSGIApplication:
    return SessionGate(app, lambda token: token, realm="orders", public=["/*"], **options)


class Chunks:
    def __init__(self, *chunks: bytes) -> None:
        self.chunks = iter(chunks)
        self.closed = 0

    def __iter__(self) -> Iterator[bytes]:
        return self.chunks

    def close(self) -> None:
        self.closed += 1


def starting(status: str, body: Iterable[bytes]) -> WSGIApplication:
    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response(status, [])
        return body

    return app


def test_the_gate_passes_the_standard_librarys_validator() -> None:
    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"ok"]

    for path, status in (("/health", "200 OK"), ("/orders", "401 Unauthorized")):
        gate = SessionGate(validator(app), lambda token: token, realm="a", public=["/health"])
        said, body = call(validator(gate), PATH_INFO=path, QUERY_STRING="", SCRIPT_NAME="")
        assert said == status
        assert b"".join(body)
        body.close()  # type: ignore[attr-defined]


@pytest.mark.parametrize("recheck", [None, 30])
def test_a_file_is_handed_on_as_it_is_so_that_servers_can_send_it_their_way(recheck: Any) -> None:
    body = FileWrapper(BytesIO(b"a"))
    environ = {"wsgi.file_wrapper": FileWrapper}
    assert call(admitted(starting("200 OK", body), recheck=recheck), **environ)[1] is body


def test_a_body_that_is_replaced_is_closed_and_not_read() -> None:
    body = Chunks(b"a")
    status, sent = call(admitted(starting("440 Login Timeout", body), **LEGACY))
    assert status == "401 Unauthorized"
    assert (body.closed, next(body.chunks)) == (1, b"a")
    assert b"session_expired" in b"".join(sent)


def test_a_body_without_close_is_replaced_too() -> None:
    status, _ = call(admitted(starting("440 Login Timeout", [b"a"]), **LEGACY))
    assert status == "401 Unauthorized"


def test_what_is_written_to_a_replaced_response_goes_nowhere() -> None:
    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response("440 Login Timeout", [])(b"the old page")
        return []

    assert b"old page" not in b"".join(call(admitted(app, **LEGACY))[1])


def test_what_is_written_to_any_other_response_is_written() -> None:
    written: list[bytes] = []

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", [])(b"a")
        return []

    admitted(app)({"REQUEST_METHOD": "GET"}, lambda *_: written.append)
    assert written == [b"a"]


def test_a_generator_runs_until_it_has_started_its_response() -> None:
    body = Chunks()

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        def chunks() -> Iterator[bytes]:
            yield b""
            start_response("200 OK", [])
            yield b"a"
            yield b"b"

        body.chunks = chunks()
        return body

    status, sent = call(admitted(app))
    assert status == "200 OK"
    assert list(sent) == [b"", b"a", b"b"]
    sent.close()  # type: ignore[attr-defined]
    assert body.closed == 1


def test_a_generator_runs_no_further_before_its_chunks_are_asked_for() -> None:
    ran: list[str] = []

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterator[bytes]:
        start_response("200 OK", [])
        yield b"a"
        ran.append("on")
        yield b"b"

    _, sent = call(admitted(app))
    assert ran == []
    assert list(sent) == [b"a", b"b"]


def test_a_generator_that_never_starts_ends() -> None:
    assert call(admitted(lambda environ, start_response: iter(())))[0] == "not started"


def test_a_body_that_is_all_there_is_passed_on_as_it_is() -> None:
    body = (b"a", b"b")
    _, sent = call(admitted(starting("200 OK", body), recheck=1.0))
    assert sent is body


class Interrupted(Chunks):
    def __iter__(self) -> Iterator[bytes]:
        yield b""
        raise KeyboardInterrupt


def test_a_body_that_an_interrupt_ends_before_it_starts_is_closed() -> None:
    body = Interrupted()
    with pytest.raises(KeyboardInterrupt):
        call(admitted(lambda environ, start_response: body))
    assert body.closed == 1


def test_a_generator_may_refuse_before_it_starts_and_is_closed() -> None:
    body = Chunks()

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        def chunks() -> Iterator[bytes]:
            yield b""
            raise relogin.Refused("session_revoked")

        body.chunks = chunks()
        return body

    assert call(admitted(app))[0] == "401 Unauthorized"
    assert body.closed == 1


def test_an_application_that_fails_after_it_started_can_start_again() -> None:
    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response("440 Login Timeout", [])
        try:
            int("no number")
        except ValueError:
            start_response("500 No", [], sys.exc_info())
        return [b"sorry"]

    status, body = call(admitted(app, **LEGACY))
    assert (status, list(body)) == ("500 No", [b"sorry"])


def test_an_application_that_starts_again_may_tell_of_a_dead_session_in_its_legacy_way() -> None:
    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", [])
        try:
            int("no number")
        except ValueError:
            start_response("440 Login Timeout", [], sys.exc_info())
        return [b"sorry"]

    told: list[Any] = []
    admitted(app, **LEGACY)({"REQUEST_METHOD": "GET"}, lambda *said: told.append(said))  # type: ignore[arg-type]
    (_, (status, _, exc_info)) = told
    assert status == "401 Unauthorized"
    assert exc_info[0] is ValueError  # without it, a server refuses to start again


def test_an_application_may_refuse_after_it_started_while_nothing_is_sent() -> None:
    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", [])
        raise relogin.Refused("session_revoked")

    told: list[Any] = []
    admitted(app)({"REQUEST_METHOD": "GET"}, lambda *said: told.append(said))  # type: ignore[arg-type]
    (_, (status, _, exc_info)) = told
    assert status == "401 Unauthorized"
    assert exc_info[0] is relogin.Refused


def test_other_exceptions_pass() -> None:
    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        raise OSError

    with pytest.raises(OSError):
        call(admitted(app))


def test_a_public_page_can_say_why_there_is_no_session() -> None:
    def verify(token: str) -> None:
        raise relogin.Refused("session_expired")

    environ: dict[str, Any] = {"REQUEST_METHOD": "GET", "HTTP_COOKIE": "sid=a"}
    gate = SessionGate(starting("200 OK", []), verify, realm="a", cookie="sid", public=["/"])
    gate(environ, lambda *_: lambda _: None)
    assert (environ["relogin.session"], environ["relogin.refused"].error) == (
        None,
        "session_expired",
    )


def why_refused(gate: WSGIApplication, **fields: str) -> tuple[object, object]:
    """Return the session and the error that middleware outside of the gate finds afterwards."""
    environ: dict[str, Any] = {"REQUEST_METHOD": "GET", **fields}
    gate(environ, lambda *_: lambda _: None)
    return environ["relogin.session"], environ["relogin.refused"].error


def test_middleware_outside_finds_why_the_gate_refused_a_request() -> None:
    gate = SessionGate(starting("200 OK", []), verify, realm="orders", cookie="sid")
    assert why_refused(gate, HTTP_COOKIE="sid=expired") == (None, "session_expired")
    assert why_refused(gate) == (None, None)


def test_middleware_outside_finds_why_the_application_refused_a_request() -> None:
    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        raise relogin.Refused(environ["PATH_INFO"] or None)

    gate = SessionGate(app, verify, realm="orders", cookie="sid", public=["/*", "/"])
    good, dead = {"HTTP_COOKIE": "sid=good"}, {"HTTP_COOKIE": "sid=expired"}
    assert why_refused(gate, PATH_INFO="session_revoked", **good) == ("ada", "session_revoked")
    assert why_refused(gate, PATH_INFO="", **dead) == (None, "session_expired")


def test_middleware_outside_finds_no_reason_in_an_outage() -> None:
    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        raise relogin.Refused

    gate = SessionGate(app, lambda _: 1 / 0, realm="orders", cookie="sid", public=["/*"])
    environ: dict[str, Any] = {"REQUEST_METHOD": "GET", "HTTP_COOKIE": "sid=any"}
    gate(environ, lambda *_: lambda _: None)
    assert environ["relogin.refused"] is None


@pytest.mark.parametrize("status", ["200 OK", "401 Unauthorized", "440 Login Timeout"])
def test_an_application_that_writes_to_its_environ_changes_nothing(status: str) -> None:
    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        environ["PATH_INFO"] = "/health"
        environ["REQUEST_METHOD"] = "HEAD"
        del environ["HTTP_AUTHORIZATION"]
        start_response(status, [("Vary", "Accept")])
        return [b"ok"]

    told: list[Any] = []
    gate = SessionGate(app, str, realm="a", public=["/health"], **LEGACY)
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/a"}
    environ["HTTP_AUTHORIZATION"] = 'Session token="a"'
    body = gate(environ, lambda *said: told.extend(said[:2]))  # type: ignore[arg-type]
    headers = dict(told[1])
    assert "private" in headers["Cache-Control"]
    assert sorted(headers["Vary"].split(", ")) == ["Accept", "Authorization"]
    assert b"".join(body)


def test_a_path_is_utf_8_in_disguise() -> None:
    assert request({"REQUEST_METHOD": "GET", "PATH_INFO": "/caf\xc3\xa9"}).path == "/café"
    assert request({"REQUEST_METHOD": "GET", "PATH_INFO": "/\xff"}).path == "/\ufffd"
    assert request({"REQUEST_METHOD": "GET"}).path == ""


@pytest.mark.parametrize("key", ["RAW_URI", "REQUEST_URI"])
def test_what_was_sent_is_looked_at_where_the_server_tells(key: str) -> None:
    app = SessionGate(starting("200 OK", []), lambda t: t, realm="a", public=["/docs/*"])
    for sent, status in (("/docs/a/b?x=%2F", "200 OK"), ("/docs/a%2Fb", "401 Unauthorized")):
        assert call(app, PATH_INFO="/docs/a/b", **{key: sent})[0] == status
