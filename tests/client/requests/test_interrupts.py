"""An interrupt at any point of a renewal leaves no renewal without a leader, and no lock taken."""

import ctypes
import gc
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest
import requests

from relogin import Grant
from relogin.client.driver.drive import drive
from relogin.client.renewal.cache import CredentialCache
from relogin.client.renewal.commands import Command, Login, Replay
from relogin.client.renewal.flight import Flight, Status
from relogin.client.renewal.flow import answer
from relogin.client.requests import SessionAuth
from relogin.client.terms.grant import Context
from tests.client.server import Server
from tests.client.steps import KEY, a_cache, refused, served

ROUNDS = 1000


class Interrupted(BaseException):
    """What Ctrl-C is, in a thread that may get one."""


def do(command: Command) -> object:
    if isinstance(command, Login):
        return Grant(token="t")
    assert isinstance(command, Replay)
    return served(command.credential)


@dataclass
class Renewals:
    """A thread that renews over and over, whatever interrupts it."""

    cache: CredentialCache
    interrupted: int = 0
    ready_for: int = -1
    """The number of the interrupt that may come now."""
    left_behind: int = 0
    over: bool = False

    def run(self) -> None:
        sys.settrace(None)  # an interrupt in the midst of measuring coverage would hang that
        ended = False
        while not ended:
            try:
                self.left_behind += len(self.cache._flights) + self.cache._lock.locked()
                self.ready_for = self.interrupted
                # No condition in the `while`: the jump back to one stands outside the `try` in
                # CPython 3.13.0, and an interrupt that came there would not be caught.
                while True:
                    if self.over:
                        break
                    drive(answer(self.cache, refused(self.cache.newer(KEY, None))), do)
                ended = True
            except Interrupted:
                self.interrupted += 1

    def interrupt(self, thread: threading.Thread, times: int) -> None:
        inject, ident = ctypes.pythonapi.PyThreadState_SetAsyncExc, thread.ident
        for number in range(times):
            self._wait_for(number)
            inject(ctypes.c_ulong(ident or 0), ctypes.py_object(Interrupted))
        self._wait_for(times)
        self.over = True
        thread.join(10)

    def _wait_for(self, number: int) -> None:
        until = time.monotonic() + 10.0
        while self.ready_for < number:
            assert time.monotonic() < until, "an interrupt was lost, or the thread hangs"
            time.sleep(0)


@pytest.fixture
def eager() -> Iterator[None]:
    """Let threads take turns so often that an interrupt comes at any point of a renewal.

    Of a renewal only: what is raised in a callback of the garbage collector, such as hypothesis
    has one, goes nowhere.
    """
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    gc.disable()
    yield
    gc.enable()
    sys.setswitchinterval(interval)


@pytest.mark.usefixtures("eager")
def test_no_interrupt_leaves_a_renewal_without_a_leader_or_a_lock_taken() -> None:
    renewals = Renewals(a_cache(budget=10**9))
    thread = threading.Thread(target=renewals.run, daemon=True)
    thread.start()
    renewals.interrupt(thread, ROUNDS)
    assert (renewals.interrupted, renewals.left_behind) == (ROUNDS, 0)


def test_after_ctrl_c_in_a_login_the_next_request_logs_in(
    server: Server, session: requests.Session
) -> None:
    calls: list[int] = []

    def login(context: Context) -> Grant:
        calls.append(1)
        if len(calls) == 1:
            raise KeyboardInterrupt
        return server.login(context)

    session.auth = SessionAuth(login, server.url)
    with pytest.raises(KeyboardInterrupt):
        session.get(f"{server.url}/orders")
    assert session.get(f"{server.url}/orders").status_code == 200


def test_when_the_leader_is_interrupted_one_of_the_others_leads_and_all_succeed(
    server: Server, session: requests.Session
) -> None:
    go_on = threading.Event()
    calls: list[int] = []

    def login(context: Context) -> Grant:
        calls.append(1)
        if len(calls) == 1:
            go_on.wait(10)
            raise KeyboardInterrupt
        return server.login(context)

    session.auth = SessionAuth(login, server.url)
    with ThreadPoolExecutor(10) as pool:
        answers = [pool.submit(session.get, f"{server.url}/orders") for _ in range(10)]
        server.wait_for("/orders", 10)
        go_on.set()
        failed = [each.exception(10) for each in answers]
    assert [type(error) for error in failed if error] == [KeyboardInterrupt]
    assert server.logins == 1


def test_an_interrupt_while_the_others_are_woken_loses_none_of_them() -> None:
    cache = a_cache()
    flight = Flight(KEY)
    assert cache.join(flight, None) is flight
    woken: list[str] = []

    def interrupted_once() -> None:
        woken.append("first")
        if len(woken) == 1:
            raise KeyboardInterrupt

    cache.watch(flight, interrupted_once)
    cache.watch(flight, lambda: woken.append("second"))
    with pytest.raises(KeyboardInterrupt):
        cache.end(flight, Status.DECLINED)
    cache.end(flight, Status.ABANDONED)  # as `finally` does
    assert "second" in woken
    assert flight.status is Status.DECLINED
