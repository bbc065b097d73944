"""Rule 10, stepped by hand: a living session is renewed before a request that is sent anyway."""

from typing import Any

import pytest

from relogin import Grant, LoginRefused
from relogin.client.book import Book, Status
from relogin.client.flow import before, renew_ahead
from relogin.client.policy import Held
from tests.client.steps import KEY, ORIGIN, URL, Clock, Steps, a_book, challenge, refused


def expiring(book: Book) -> Held:
    """Log in for a session that lives 100 s."""
    held = Steps(book, refused()).send(Grant(token="t1", expires_in=100.0)).replay.held
    assert held.renew_at is not None
    return held


def ahead(book: Book, held: Held) -> Steps:
    return Steps(book, refused(), renew_ahead(book, held, "PUT", URL))


def about_to_send(book: Book, held: Held | None) -> Steps:
    return Steps(book, refused(), before(book, held, ORIGIN, "GET", URL))


def test_a_session_is_due_from_its_moment_on() -> None:
    clock = Clock()
    book = a_book(clock)
    held = expiring(book)
    clock.now = (held.renew_at or 0) - 0.01
    assert book.ready(ORIGIN, held)
    clock.now = held.renew_at or 0
    assert not book.ready(ORIGIN, held)


def test_a_request_without_a_session_is_ready() -> None:
    assert a_book().ready(ORIGIN, None)


def test_one_that_is_due_is_renewed_and_one_that_is_not_is_left() -> None:
    clock = Clock()
    book = a_book(clock)
    held = expiring(book)
    assert about_to_send(book, held).result is held
    clock.now = held.renew_at or 0
    assert about_to_send(book, held).send("t2").result.authorization == 'Session token="t2"'


def test_without_a_session_nothing_is_done_before_a_request() -> None:
    assert about_to_send(a_book(), None).result is None


def test_a_session_without_an_end_is_left() -> None:
    book = a_book()
    held = Steps(book, refused()).send("t1").replay.held
    assert about_to_send(book, held).result is held


def test_the_login_is_told_for_which_request_and_what_dies() -> None:
    book = a_book()
    held = expiring(book)
    context = ahead(book, held).login.context
    told = (context.method, context.url, context.realm, context.error, context.challenge)
    assert told == ("PUT", URL, "api", None, None)
    assert context.previous is held.grant


def test_while_one_renews_the_others_go_on_with_the_living_session() -> None:
    book = a_book()
    held = expiring(book)
    leader = ahead(book, held)
    assert ahead(book, held).result is held
    assert leader.send("t2").result.generation > held.generation


def test_whoever_meets_a_401_meanwhile_waits_for_the_same_renewal() -> None:
    book = a_book()
    held = expiring(book)
    leader = ahead(book, held)
    follower = Steps(book, refused(held))
    assert follower.wait.flight is leader.flight


def test_one_that_was_renewed_meanwhile_is_taken() -> None:
    book = a_book()
    held = expiring(book)
    newer = Steps(book, refused(held)).send("t2").replay.held
    assert ahead(book, held).result is newer


@pytest.mark.parametrize("error", [ConnectionError(), LoginRefused()])
def test_a_failure_leaves_the_living_session_in_use(error: Exception) -> None:
    book = a_book()
    held = expiring(book)
    assert ahead(book, held).throw(error).result is held
    assert ahead(book, held).result is held  # and is not tried again before each request


def test_a_login_that_declines_is_not_asked_again_before_a_401() -> None:
    clock = Clock()
    book = a_book(clock)
    held = expiring(book)
    clock.now = held.renew_at or 0
    assert ahead(book, held).send(None).result is held
    assert book.ready(ORIGIN, book.newer(KEY, None))


@pytest.mark.parametrize("interrupt", [KeyboardInterrupt(), GeneratorExit()])
def test_an_interrupt_leaves_no_renewal_behind(interrupt: BaseException) -> None:
    book = a_book()
    held = expiring(book)
    steps = ahead(book, held)
    flight = steps.flight
    with pytest.raises(type(interrupt)):
        steps.throw(interrupt)
    assert flight.status is Status.ABANDONED
    assert ahead(book, held).leads


def test_after_a_reset_in_the_midst_of_it_the_old_session_serves_the_request() -> None:
    book = a_book()
    held = expiring(book)
    steps = ahead(book, held)
    book.reset()
    assert steps.send("t2").result is held
    assert book.newer(KEY, None) is None


def test_what_it_brings_lies_in_the_folder_of_the_request() -> None:
    book = a_book()
    held = expiring(book)
    other: Any = refused(url="https://api.example.com/other/1", challenge=challenge(None, "other"))
    Steps(book, other).send("o1")
    flow = renew_ahead(book, held, "GET", "https://api.example.com/new/1")
    renewed = Steps(book, refused(), flow).send("t2").result
    assert book.for_request(ORIGIN, "https://api.example.com/new/2") is renewed
