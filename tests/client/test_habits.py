"""Each row of docs/reference/servers.md: by default, and with the option that it names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from relogin.client import Outcome, outcome
from tests.client.either import Either
from tests.client.habits import HABITS, Habit, options, table
from tests.client.server import Answer, Server
from tests.client.travel import Travel

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "servers.md"


def ask(server: Server, either: Either, habit: Habit, given: dict[str, Any]) -> Any:
    """Let a session die, and send the request that meets it; return its answer."""
    travel = Travel(server, habit.read, habit.lines, refusal=habit.refusal, grant=habit.grant)
    travel.routes["/login"] = lambda _: Answer(200, body=b"log in here")
    client = either.attach(travel.login, server.url, **given)
    if habit.method == "GET":
        client.get(f"{server.url}/first")
        travel.kill()
    return client.request(habit.method, f"{server.url}/orders")


@pytest.mark.parametrize("habit", HABITS, ids=lambda habit: f"{habit.refuses}|{habit.option}")
def test_a_habit_is_met_by_default_as_the_table_says(
    server: Server, either: Either, habit: Habit
) -> None:
    answer = ask(server, either, habit, options(habit.given))
    assert is_(answer, habit.does), outcome(answer)


@pytest.mark.parametrize("habit", HABITS, ids=lambda habit: f"{habit.refuses}|{habit.option}")
def test_a_habit_is_met_with_the_option_as_the_table_says(
    server: Server, either: Either, habit: Habit
) -> None:
    answer = ask(server, either, habit, options(habit.given) | options(habit.option))
    assert is_(answer, habit.then), outcome(answer)


def is_(answer: Any, expected: Outcome) -> bool:
    """Whether it is the end expected: with the content, only where the request was sent again."""
    served = answer.content == b"content"
    return outcome(answer) is expected and served is (expected is Outcome.REPLAYED)


def test_the_table_of_the_page_is_the_one_that_is_tested() -> None:
    assert table() in PAGE.read_text(encoding="utf-8")


def test_there_are_thirty_habits_at_least() -> None:
    assert len({habit.refuses + habit.wants for habit in HABITS}) >= 30
