"""Some cells of `python -m tests.uploads`: with the gate's drain every refusal arrives."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.uploads.cells import Cell, Site, possible, site, tried
from tests.uploads.clients import BODIES, CLIENTS

# One server for each way, and each server once.
WAYS = {
    "direct": "gunicorn-gthread",
    "tls": "gunicorn-sync",
    "h2": "hypercorn",
    "nginx": "uvicorn",
    "apache": "granian",
    "haproxy": "cheroot",
    "nginx+tls": "waitress",
}
PROGRAMS = {"nginx": "nginx", "apache": "apache2", "haproxy": "haproxy"}


def _way(route: str, *more: str) -> object:
    program = PROGRAMS.get(route.partition("+")[0])
    needs = [pytest.mark.needs("openssl")] + ([pytest.mark.needs(program)] if program else [])
    return pytest.param(route, *more, marks=needs)


def _cell(route: str, client: str, body: str = "bytes") -> Cell:
    return Cell(WAYS[route], route, client, 2_000_000, body)


@pytest.fixture(scope="module", params=[_way(route) for route in WAYS])
def way(request: pytest.FixtureRequest) -> Iterator[tuple[str, Site]]:
    with (
        tempfile.TemporaryDirectory(prefix="uploads-") as folder,
        site(WAYS[request.param], request.param, Path(folder)) as running,
    ):
        yield request.param, running


@pytest.mark.filterwarnings("ignore:Sending a large body directly:ResourceWarning")  # aiohttp's
@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize(
    ("way", "client"),
    [_way(route, client) for route in WAYS for client in CLIENTS if possible(_cell(route, client))],
    indirect=["way"],
    scope="module",
)
def test_an_upload_whose_session_has_died_arrives_once_and_whole(
    way: tuple[str, Site], client: str, body: str
) -> None:
    route, running = way
    count = tried(_cell(route, client, body), running, 1)
    assert not count.wrong
    # A generator is spent: the session is new for the next try.
    expected = (0, 1) if body == "generator" else (1, 0)
    assert (count.arrived, count.renewed) == expected, count.seen


def test_ten_uploads_of_a_client_that_does_nothing_else_all_arrive(way: tuple[str, Site]) -> None:
    route, running = way
    client = "httpx" if route == "h2" else "requests"
    count = tried(_cell(route, client), running, 1, row=10)
    assert (count.arrived, count.wrong) == (10, []), count.seen
