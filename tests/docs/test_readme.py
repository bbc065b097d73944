"""The README's server, served as it stands there, answers what the README says; and it is short."""

import re
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.docs.api import serving
from tests.docs.pages import fences

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")


def examples(language: str, heading: str) -> list[str]:
    """The fences in one language under one heading of the README."""
    section = README.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    return [fence.text for fence in fences(section) if fence.language == language]


@pytest.fixture
def server() -> dict[str, Any]:
    """The names that the server's example defines."""
    [text] = examples("python", "On a server")
    names: dict[str, Any] = {}
    exec(compile(text, "README.md", "exec"), names)
    return names


def ask(server: dict[str, Any], token: str | None, path: str = "/orders") -> requests.Response:
    headers = {} if token is None else {"Authorization": f'Session token="{token}"'}
    with serving(server["app"]) as origin:
        return requests.get(origin + path, headers=headers, timeout=5)


def test_a_living_session_reaches_the_view(server: dict[str, Any]) -> None:
    server["app"].get("/orders")(lambda: "tea, ink")
    assert ask(server, "t1").text == "tea, ink"


def test_a_dead_session_is_answered_as_shown(server: dict[str, Any]) -> None:
    answer = ask(server, "t0")
    [shown] = examples("http", "On a server")
    status, *fields = shown.strip().splitlines()
    assert f"HTTP/1.1 {answer.status_code} {answer.reason}" == status
    for field in fields:
        name, _, value = field.partition(": ")
        assert answer.headers[name] == value


def test_an_unknown_session_is_called_invalid(server: dict[str, Any]) -> None:
    assert 'error="session_invalid"' in ask(server, "t2").headers["WWW-Authenticate"]


def test_trouble_in_verify_is_503_and_no_challenge(server: dict[str, Any]) -> None:
    server["expired"] = None  # what verify looks into is away
    answer = ask(server, "t1")
    assert answer.status_code == 503
    assert "WWW-Authenticate" not in answer.headers


def test_a_public_page_needs_no_session(server: dict[str, Any]) -> None:
    assert ask(server, None, "/login").status_code == 404  # the example has no view there


def test_no_example_of_the_readme_has_more_than_ten_lines_of_code() -> None:
    written = [fence.text for fence in fences(README) if fence.language == "python"]
    assert len(written) == 3
    assert all(sum(map(bool, map(str.strip, text.splitlines()))) <= 10 for text in written)


def test_the_prose_of_the_readme_has_450_words_at_most() -> None:
    prose = re.sub(r"^```.*?^```$", "", README, flags=re.MULTILINE | re.DOTALL)
    assert len(prose.split()) <= 450  # with all links and pictures
    assert len(re.findall(r"\w[\w'.-]*", re.sub(r"\]\([^)]*\)", "", prose))) <= 450
