"""The idle connections of a store: what is closed, when, and by which process."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import pytest

from relogin.client.stores.idle import Idle


class Connection:
    def __init__(self) -> None:
        self.closed = 0

    def close(self) -> None:
        self.closed += 1


def test_what_is_given_back_is_taken_again() -> None:
    idle, connection = Idle(Connection.close), Connection()
    idle.give_back(connection)
    assert idle.take(Connection) is connection
    assert idle.take(Connection) is not connection
    assert connection.closed == 0


def test_what_was_lent_is_taken_back() -> None:
    idle, connection = Idle(Connection.close), Connection()
    with idle.lend(connection) as lent:
        assert lent is connection
        assert not idle.connections
    assert idle.take(Connection) is connection


def test_what_was_lent_to_a_block_that_fails_is_closed() -> None:
    idle, connection = Idle(Connection.close), Connection()
    with pytest.raises(KeyboardInterrupt), idle.lend(connection):
        raise KeyboardInterrupt
    assert connection.closed == 1
    assert not idle.connections


def test_what_is_idle_is_closed_once() -> None:
    idle, connection = Idle(Connection.close), Connection()
    idle.give_back(connection)
    idle.close()
    idle.close()
    assert connection.closed == 1


def test_what_is_in_use_when_it_is_closed_is_closed_when_it_is_given_back() -> None:
    idle, connection = Idle(Connection.close), Connection()
    idle.close()
    assert connection.closed == 0
    idle.give_back(connection)
    assert connection.closed == 1


class Raced(deque[Connection]):
    """Loses its last connection to another thread as soon as it has said that it has one."""

    def __len__(self) -> int:
        length = super().__len__()
        self.clear()
        return length


def test_a_thread_that_takes_the_last_one_does_not_disturb_a_close() -> None:
    idle, connection = Idle(Connection.close), Connection()
    idle.connections = Raced([connection])
    idle.close()
    assert connection.closed == 1


def test_no_more_are_kept_than_asked_for() -> None:
    idle, connections = Idle(Connection.close, 2), [Connection() for _ in range(3)]
    for connection in connections:
        idle.give_back(connection)
    assert [connection.closed for connection in connections] == [0, 0, 1]


def close(idle: Idle[Connection]) -> None:
    idle.close()


def forget(idle: Idle[Connection]) -> None:
    del idle


@pytest.mark.parametrize("end", [close, forget])
def test_a_child_of_a_fork_closes_no_connection_of_its_parent(
    end: Callable[[Idle[Connection]], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = Connection()
    idle = Idle(Connection.close)
    idle.give_back(connection)
    assert not idle.is_inherited
    monkeypatch.setattr("os.getpid", lambda: idle.pid + 1)
    assert idle.is_inherited
    end(idle)
    assert connection.closed == 0


def test_what_nobody_uses_any_more_closes_its_connections() -> None:
    idle, connection = Idle(Connection.close), Connection()
    idle.give_back(connection)
    del idle
    assert connection.closed == 1
