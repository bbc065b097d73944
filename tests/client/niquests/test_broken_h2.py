"""Uploads over HTTP/2, where niquests may return a response before it has arrived."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import niquests
import pytest

from relogin.client import outcome
from relogin.client.niquests import SessionAuth
from tests.client.breaking import UPLOAD
from tests.client.niquests.h2_server import Broken, a_server_that_breaks_off
from tests.client.niquests.ways import BOTH, Both


@pytest.fixture(params=BOTH)
def both(request: pytest.FixtureRequest) -> Both:
    return BOTH[request.param]


@pytest.fixture
def h2() -> Iterator[Broken]:
    with a_server_that_breaks_off() as server:
        yield server


def an_auth(server: Broken) -> SessionAuth:
    logins: list[str] = []

    def log_in(_: object) -> str:
        logins.append(f"t{len(logins)}.")
        server.living.add(logins[-1])
        return logins[-1]

    return SessionAuth(log_in, server.url)


async def three(send: Any, session: Any, url: str, method: str) -> list[Any]:
    """Send three uploads, and gather them if they are on their way only."""
    answers = [await send(method, f"{url}/{number}", data=UPLOAD) for number in range(3)]
    gathering = session.gather(*answers)
    if gathering is not None:
        await gathering
    return answers


@pytest.mark.parametrize("multiplexed", [False, True])
def test_over_http2_too_an_upload_is_renewed_for(h2: Broken, both: Both, multiplexed: bool) -> None:
    async def main(send: Any, session: Any) -> list[Any]:
        session.mount("http://", both.adapter(disable_http1=True))
        await three(send, session, f"{h2.url}/first", "GET")
        h2.living.clear()
        h2.asked.clear()
        h2.breaks_after = 3 if multiplexed else 1
        with pytest.raises(niquests.ConnectionError) as caught:
            await three(send, session, f"{h2.url}/one", "POST")
        assert outcome(caught.value) == "renewed_not_replayed"
        return await three(send, session, f"{h2.url}/two", "POST")

    answers = both(an_auth(h2), multiplexed=multiplexed).run(main)
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert sum("HEAD" in line for line in h2.asked) == 1


def test_an_upload_that_breaks_off_while_it_is_gathered_is_not_sent_again(
    h2: Broken, both: Both
) -> None:
    async def main(send: Any, session: Any) -> None:
        session.mount("http://", both.adapter(disable_http1=True))
        await three(send, session, f"{h2.url}/first", "GET")
        h2.living.clear()
        h2.asked.clear()
        h2.breaks_after = 3
        with pytest.raises(niquests.ConnectionError):
            await three(send, session, f"{h2.url}/one", "PUT")

    both(an_auth(h2), multiplexed=True).run(main)
    assert len([line for line in h2.asked if line.startswith("PUT")]) == 3


def test_an_upload_whose_stream_is_reset_is_sent_again(h2: Broken, both: Both) -> None:
    async def main(send: Any, session: Any) -> Any:
        session.mount("http://", both.adapter(disable_http1=True))
        await send("GET", f"{h2.url}/first")
        h2.living.clear()
        h2.resets = True
        return await send("PUT", f"{h2.url}/one", data=UPLOAD)

    answer = both(an_auth(h2)).run(main)
    assert (answer.status_code, outcome(answer)) == (200, "replayed")
    assert h2.asked[-3:] == ["PUT /one", "HEAD /one", "PUT /one"]
    assert len(h2.living) == 1


def test_what_fails_while_it_is_gathered_for_another_reason_is_passed_on(
    h2: Broken, both: Both
) -> None:
    async def main(send: Any, session: Any) -> None:
        session.mount("http://", both.adapter(disable_http1=True))
        with pytest.raises(niquests.ConnectionError) as caught:
            await three(send, session, h2.url, "POST")
        assert outcome(caught.value) == "untouched"

    both(None, multiplexed=True).run(main)
    assert "HEAD" not in " ".join(h2.asked)


def test_uploads_that_are_on_their_way_are_not_asked_about(h2: Broken, both: Both) -> None:
    async def main(send: Any, session: Any) -> list[Any]:
        await three(send, session, f"{h2.url}/first", "GET")
        return await three(send, session, f"{h2.url}/one", "POST")

    answers = both(an_auth(h2), multiplexed=True, disable_http1=True).run(main)
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert "HEAD" not in " ".join(h2.asked)
