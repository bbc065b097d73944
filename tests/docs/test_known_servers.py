"""The recipes of docs/how-to/known-servers.md, against what each program answered."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
import requests

from relogin import LoginRefused
from relogin.cli.loopback import Loopback
from tests.docs.pages import run_page
from tests.docs.recorded import RECORDINGS, Recording, Replay

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "known-servers.md"
INTRODUCTION, *SECTIONS = PAGE.read_text(encoding="utf-8").split("\n## ")


class Row(NamedTuple):
    """A row of the page's table."""

    program: str
    dead: str
    login: str
    options: str


def _rows() -> Iterator[Row]:
    for line in INTRODUCTION.splitlines():
        if line.startswith("| ") and not line.startswith("| program "):
            yield Row(*(cell.strip() for cell in line.strip("|").split("|")))


ROWS = {row.program: row for row in _rows()}


DEATHS = [
    pytest.param(recording, death, id=f"{recording.program}-{death[:3]}")
    for recording in RECORDINGS
    for death in recording.dead
]


def _code(cell: str) -> list[str]:
    return re.findall("`([^`]+)`", cell)


def _session(row: Row, url: str, folder: Path, password: str) -> requests.Session:
    """What a reader of this row runs: the code of the page's section, or the row's own."""
    section = next((one for one in SECTIONS if row.program.startswith(one.partition("\n")[0])), "")
    text = re.sub(r"https://\w+\.example\.com", url, f"{INTRODUCTION}\n## {section}")
    page = folder / "page.md"
    page.write_text(text.replace("s3cret", password), encoding="utf-8")
    made = run_page(page, {})
    if section:
        session: requests.Session = made.session
        return session
    options = ", ".join((*_code(row.login), "url", *_code(row.options)))
    names = vars(made) | {"url": url}
    session = requests.Session()
    session.auth = eval(f"SessionAuth({options})".replace("…", repr(password)), names)
    return session


def _ask(recording: Recording, session: requests.Session, url: str) -> requests.Response:
    method, _, target = recording.ask.partition(" ")
    return session.request(
        method,
        url + target,
        data=recording.content or None,
        headers={"Content-Type": "application/json"} if recording.content else None,
    )


def test_each_row_has_a_recording_of_the_same_version() -> None:
    assert {recording.program for recording in RECORDINGS} == set(ROWS)


@pytest.mark.parametrize(("recording", "death"), DEATHS)
def test_the_page_says_how_the_program_answers_for_a_dead_session(
    recording: Recording, death: str
) -> None:
    cell = ROWS[recording.program].dead
    assert death[:3] in cell
    assert [code for code in _code(cell) if not any(code in one for one in recording.dead)] == []


@pytest.mark.parametrize(("recording", "death"), DEATHS)
def test_the_recipe_logs_in_once_for_each_dead_session(
    recording: Recording, death: str, tmp_path: Path
) -> None:
    site = Replay(recording, death)
    with Loopback(site) as server:
        session = _session(ROWS[recording.program], server.url, tmp_path, "s3cret")
        for logins in (1, 2, 3):
            for _ in range(2):
                response = _ask(recording, session, server.url)
                assert response.text == recording.alive.partition("\n\n")[2]
                assert (site.logins, site.unknown) == (logins, [])
            site.kill()


@pytest.mark.parametrize("recording", RECORDINGS, ids=lambda recording: recording.program)
def test_the_recipe_never_sends_a_wrong_password_twice(
    recording: Recording, tmp_path: Path
) -> None:
    site = Replay(recording, recording.dead[0])
    with Loopback(site) as server:
        session = _session(ROWS[recording.program], server.url, tmp_path, "wr0ng")
        for _ in range(2):
            with pytest.raises(LoginRefused):
                _ask(recording, session, server.url)
        assert (site.logins, site.unknown) == (0, [])
