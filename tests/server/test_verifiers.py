"""Verifiers: what a token is worth, and what their failure means."""

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable
from functools import partial
from types import MappingProxyType
from typing import Any

import pytest
from itsdangerous import URLSafeTimedSerializer

import relogin
from relogin.server import asgi, flask, wsgi
from relogin.server.starlette import OwnSession
from relogin.server.verifiers import Lookup, Signed, ask, ask_async, unblocking, wants_request

# Asking

NOTHING: dict[str, str] = {}


def trouble(token: str) -> None:
    try:
        NOTHING[token]
    except KeyError as missing:
        raise ConnectionError(f"{token} was not delivered") from missing


def never(_: str) -> Any:
    raise AssertionError("asked without a token")


async def acoroutine(token: str) -> str:
    return token


def a_lambda(token: str) -> Awaitable[str]:
    return acoroutine(token)


class AsyncCallable:
    async def __call__(self, token: str) -> str:
        return token


def test_without_a_token_nobody_is_asked() -> None:
    assert ask(never, None) is None
    assert asyncio.run(ask_async(never, None)) is None


@pytest.mark.parametrize(
    "asking", [ask, lambda verify, token: asyncio.run(ask_async(verify, token))]
)
def test_trouble_is_logged_by_kind_and_place_without_its_text(
    asking: Any, caplog: pytest.LogCaptureFixture
) -> None:
    assert isinstance(asking(trouble, "tok-secret"), ConnectionError)
    (record,) = caplog.records
    assert (record.name, record.levelno, record.exc_info) == ("relogin.server", logging.ERROR, None)
    assert "ConnectionError from KeyError at " in record.getMessage()
    assert f"{__file__}:" in record.getMessage()
    assert "tok-secret" not in caplog.text


def test_what_an_error_came_of_is_logged_too(caplog: pytest.LogCaptureFixture) -> None:
    def verify(token: str) -> None:
        try:
            NOTHING[token]
        except KeyError:
            NOTHING["the default"]

    ask(verify, "t")
    assert "KeyError from KeyError" in caplog.text


def test_a_context_that_was_cut_off_is_not_followed(caplog: pytest.LogCaptureFixture) -> None:
    def verify(token: str) -> None:
        try:
            NOTHING[token]
        except KeyError:
            raise OSError from None

    ask(verify, "t")
    assert "KeyError" not in caplog.text


def test_a_refusal_is_no_trouble_and_keeps_no_frames(caplog: pytest.LogCaptureFixture) -> None:
    def verify(token: str) -> None:
        raise relogin.Refused("session_expired")

    refused = ask(verify, "t")
    assert isinstance(refused, relogin.Refused)
    assert refused.__traceback__ is None
    assert not caplog.records


@pytest.mark.parametrize("stop", [KeyboardInterrupt, asyncio.CancelledError, SystemExit])
def test_what_ends_a_program_is_not_caught(stop: type[BaseException]) -> None:
    def verify(token: str) -> None:
        raise stop

    with pytest.raises(stop):
        ask(verify, "t")


@pytest.mark.parametrize("gate", [wsgi.SessionGate, flask.SessionGate, asgi.SessionGate])
def test_a_gate_refuses_a_verifier_that_cannot_be_called(gate: Any) -> None:
    with pytest.raises(TypeError, match="verify must be a function that takes a token, not dict"):
        gate(None, {"t1": "Ada"}, realm="orders")


@pytest.mark.parametrize("verify", [acoroutine, AsyncCallable(), partial(acoroutine)])
@pytest.mark.parametrize("gate", [wsgi.SessionGate, flask.SessionGate])
def test_a_gate_without_a_loop_refuses_an_asynchronous_verifier(gate: Any, verify: Any) -> None:
    with pytest.raises(TypeError, match="not a coroutine function"):
        gate(None, verify, realm="orders")


def test_a_coroutine_that_shows_only_when_it_is_returned_admits_nobody(
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert isinstance(ask(a_lambda, "t"), TypeError)
    assert "TypeError" in caplog.text


def test_an_awaitable_that_is_no_coroutine_admits_nobody_either() -> None:
    class Later:
        def __await__(self) -> Any:
            raise AssertionError("awaited")

    assert isinstance(ask(lambda _: Later(), "t"), TypeError)


@pytest.mark.parametrize(
    "verify", [acoroutine, AsyncCallable(), partial(acoroutine), a_lambda, str, lambda token: token]
)
def test_a_loop_takes_every_kind_of_verifier(verify: Callable[[str], Any]) -> None:
    assert asyncio.run(ask_async(unblocking(verify), "t")) == "t"


def test_a_plain_verifier_does_not_hold_up_the_loop() -> None:
    def where(token: str) -> threading.Thread:
        return threading.current_thread()

    assert asyncio.run(ask_async(unblocking(where), "t")) is not threading.main_thread()


def test_a_verifier_that_says_that_it_never_waits_runs_where_it_is() -> None:
    class Quick:
        blocking = False

        def __call__(self, token: str) -> threading.Thread:
            return threading.current_thread()

    assert asyncio.run(ask_async(unblocking(Quick()), "t")) is threading.main_thread()


def test_an_asgi_gate_takes_both_kinds() -> None:
    asgi.SessionGate(asgi_nothing, acoroutine, realm="orders")
    asgi.SessionGate(asgi_nothing, str, realm="orders")


async def asgi_nothing(scope: Any, receive: Any, send: Any) -> None:
    pass


# Lookup


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_mapping_admits_what_it_holds() -> None:
    verify = Lookup({"t1": "ada"})
    assert verify("t1") == relogin.Admitted("ada")
    assert verify("t2") is None


def test_a_callable_is_asked_with_the_key_of_the_token() -> None:
    asked: list[str] = []

    def find(key: str) -> str | None:
        asked.append(key)
        return None

    assert Lookup(find, key=str.upper)("t1") is None
    assert asked == ["T1"]


def test_a_session_ends_at_its_time() -> None:
    clock = Clock()
    verify = Lookup({"t1": "1540"}, expires_at=float, clock=clock)
    assert verify("t1") == relogin.Admitted("1540", expires_in=540.0)
    clock.now = 1539.5
    assert verify("t1") == relogin.Admitted("1540", expires_in=0.5)
    for clock.now in (1540.0, 1541.0):
        with pytest.raises(relogin.Refused, match="session_expired"):
            verify("t1")


def test_revoked_is_told_before_expired() -> None:
    verify = Lookup({"t1": "1"}, expires_at=float, revoked=str.isdigit)
    with pytest.raises(relogin.Refused, match="session_revoked"):
        verify("t1")
    assert Lookup({"t1": ""}, revoked=bool)("t1") == relogin.Admitted("")


def test_only_a_dict_is_known_never_to_wait() -> None:
    assert not Lookup({}).blocking
    assert Lookup(MappingProxyType({})).blocking
    assert Lookup(NOTHING.get).blocking


# Signed

SERIALIZER = URLSafeTimedSerializer("a long random secret", salt="session")


def test_a_signed_token_is_admitted_for_what_is_left_of_its_time() -> None:
    admitted = Signed(SERIALIZER, 900)(SERIALIZER.dumps({"user": "ada"}))
    assert admitted is not None
    assert admitted.session == {"user": "ada"}
    assert admitted.expires_in is not None
    assert 890 < admitted.expires_in <= 900


def test_to_check_a_signature_is_not_to_wait() -> None:
    assert not Signed(SERIALIZER, 900).blocking
    assert not OwnSession("secret", 900).blocking


def test_a_genuine_token_that_is_too_old_is_expired() -> None:
    with pytest.raises(relogin.Refused, match="session_expired"):
        Signed(SERIALIZER, -1)(SERIALIZER.dumps("ada"))


@pytest.mark.parametrize(
    "token",
    [
        "forged",
        "a.b.c",
        URLSafeTimedSerializer("another secret", salt="session").dumps("ada"),
        URLSafeTimedSerializer("a long random secret", salt="mail").dumps("ada"),
        SERIALIZER.dumps("ada")[:-1],
    ],
)
@pytest.mark.parametrize("max_age", [900, -1])
def test_a_forged_token_is_unknown_however_old(token: str, max_age: int) -> None:
    assert Signed(SERIALIZER, max_age)(token) is None


class WithRequest:
    def __call__(self, token: str, request: object = None) -> None: ...


def with_default(token: str, store: object = None) -> None: ...


def with_request_last(token: str, store: object = None, request: object = None) -> None: ...


def variadic(*given: object) -> None: ...


@pytest.mark.parametrize(
    ("verify", "wanted"),
    [
        (lambda token: None, False),
        (lambda token, request: None, True),
        (lambda token, asked: None, True),
        (WithRequest(), True),
        (with_default, False),
        (with_request_last, False),
        (variadic, False),
        (partial(lambda request, token: None, None), False),
        ({}.get, False),
        (str, False),
    ],
)
def test_a_verifier_is_given_the_request_where_it_takes_one(verify: Any, wanted: bool) -> None:
    assert wants_request(verify) == wanted
