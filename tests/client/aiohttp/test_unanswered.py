"""An upload that nobody answers, in aiohttp: its middleware sees the error, and may send again."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import requests

from relogin import Grant
from relogin.client import outcome
from relogin.client.aiohttp import SessionAuth
from relogin.client.aiohttp.body import rewinding
from relogin.client.responders import Outgoing, Responder, Signer
from relogin.client.signals import status
from tests.client.aiohttp.sessions import an_auth, got, login_of, run
from tests.client.breaking import HOW, UPLOAD, How, asked, breaking, checks, stalling, uploads
from tests.client.server import Answer, Server, serve


async def put(
    session: aiohttp.ClientSession, server: Server, method: str = "PUT", **options: Any
) -> tuple[int, bytes, str]:
    options = {"data": UPLOAD, **options}
    async with session.request(method, f"{server.url}/upload", **options) as answer:
        return answer.status, await answer.read(), str(outcome(answer))


async def lost(session: aiohttp.ClientSession, server: Server, how: How) -> None:
    """Log in; then the session dies, and no refusal of an upload arrives any more."""
    async with session.get(f"{server.url}/first"):
        pass
    server.kill()
    breaking(server, how)


@pytest.mark.parametrize("how", HOW)
def test_an_upload_that_may_go_twice_is_sent_again(server: Server, how: How) -> None:
    async def main(session: aiohttp.ClientSession) -> None:
        await lost(session, server, how)
        assert await put(session, server) == (200, UPLOAD, "replayed")

    run(an_auth(server), main)
    assert [line for line in asked(server) if "login" not in line][-3:] == [
        "PUT /upload",
        "HEAD /upload",
        "PUT /upload",
    ]
    assert uploads(server) == [UPLOAD]
    assert server.logins == 2


class Again:
    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield UPLOAD


def test_a_body_that_is_iterated_is_sent_again(server: Server) -> None:
    async def main(session: aiohttp.ClientSession) -> None:
        await lost(session, server, "reset")
        assert (await put(session, server, data=Again()))[:2] == (200, UPLOAD)

    run(an_auth(server), main)


def test_an_unanswered_post_is_not_sent_again_and_the_next_request_arrives(server: Server) -> None:
    async def main(session: aiohttp.ClientSession) -> None:
        await lost(session, server, "reset")
        with pytest.raises(aiohttp.ServerDisconnectedError) as caught:
            await put(session, server, "POST")
        assert outcome(caught.value) == "renewed_not_replayed"
        assert (await put(session, server, "POST"))[0] == 200

    run(an_auth(server), main)
    assert uploads(server) == [UPLOAD]
    assert server.logins == 2


def test_a_502_to_another_method_is_the_answer(server: Server) -> None:
    async def main(session: aiohttp.ClientSession) -> None:
        await lost(session, server, "502")
        found = await put(session, server, "POST")
        assert found == (502, b"bad gateway", "renewed_not_replayed")

    run(an_auth(server), main)


@pytest.mark.parametrize("how", HOW)
def test_with_a_session_that_lives_the_end_is_passed_on(server: Server, how: How) -> None:
    async def main(session: aiohttp.ClientSession) -> None:
        async with session.get(f"{server.url}/first"):
            pass
        breaking(server, how, always=True)
        if how == "502":
            assert (await put(session, server, "POST"))[::2] == (502, "untouched")
        else:
            with pytest.raises(aiohttp.ServerDisconnectedError) as caught:
                await put(session, server, "POST")
            assert outcome(caught.value) == "untouched"

    run(an_auth(server), main)
    assert asked(server) == ["POST /upload", "HEAD /upload"]
    assert server.logins == 1


def test_check_false_asks_nothing_about_an_unanswered_upload(server: Server) -> None:
    async def main(session: aiohttp.ClientSession) -> None:
        await lost(session, server, "reset")
        with pytest.raises(aiohttp.ServerDisconnectedError):
            await put(session, server, "POST")

    run(an_auth(server, check=False), main)
    assert checks(server) == []


def test_a_url_of_the_users_is_asked_instead_without_the_fields_of_a_body(server: Server) -> None:
    async def main(session: aiohttp.ClientSession) -> None:
        await lost(session, server, "502")
        fields = {"X-Tenant": "a", "Content-Type": "text/plain", "If-Match": "*"}
        assert (await put(session, server, headers=fields))[0] == 200

    run(an_auth(server, check=f"{server.url}/me"), main)
    small = server.seen("/me")[0]
    assert (small.method, small.body, small.headers["X-Tenant"]) == ("GET", b"", "a")
    assert not {"content-type", "content-length", "if-match"} & {
        name.lower() for name in small.headers
    }


def test_the_small_request_follows_no_redirect(server: Server) -> None:
    with serve() as other:
        server.routes["/me"] = lambda _: Answer(302, (("Location", f"{other.url}/caught"),))

        async def main(session: aiohttp.ClientSession) -> None:
            await got(session, f"{server.url}/first")
            breaking(server, "502", always=True)
            assert (await put(session, server))[0] == 502

        run(an_auth(server, check=f"{server.url}/me"), main)
        assert server.seen("/me")
        assert other.requests == []


def test_many_uploads_at_once_cost_one_small_request_and_one_login(server: Server) -> None:
    async def main(session: aiohttp.ClientSession) -> None:
        await lost(session, server, "502")
        breaking(server, "502", waits_for=8)
        found = await asyncio.gather(*(put(session, server) for _ in range(8)))
        assert [status for status, _, _ in found] == [200] * 8

    run(an_auth(server), main)
    assert (len(checks(server)), server.logins) == (1, 2)
    assert uploads(server) == [UPLOAD] * 8


def test_where_the_small_request_breaks_too_nobody_can_tell(server: Server) -> None:
    def gone(_: object) -> Answer:
        raise ConnectionResetError

    async def main(session: aiohttp.ClientSession) -> None:
        await lost(session, server, "502")
        server.routes["/upload"] = gone
        with pytest.raises(aiohttp.ServerDisconnectedError) as caught:
            await put(session, server, "POST")
        assert outcome(caught.value) == "untouched"

    run(an_auth(server), main)
    assert server.logins == 1


def test_an_error_without_a_body_or_before_a_connection_is_not_asked_about(server: Server) -> None:
    async def main(session: aiohttp.ClientSession) -> None:
        await lost(session, server, "502")
        with pytest.raises(aiohttp.ClientConnectorError):
            await session.put("http://127.0.0.1:1/upload", data=UPLOAD)

    run(an_auth(server), main)
    assert checks(server) == []


def test_a_signal_may_be_what_the_small_request_brings(server: Server) -> None:
    async def main(session: aiohttp.ClientSession) -> None:
        async with session.get(f"{server.url}/first"):
            pass
        server.kill()
        breaking(server, "502", status=440)
        assert (await put(session, server))[0] == 200

    server.refusal_status = 440
    run(an_auth(server, signals=[status(440)]), main)


def test_clients_of_the_users_own_ask_or_leave_it_to_ours(server: Server) -> None:
    async def main(session: aiohttp.ClientSession) -> None:
        await lost(session, server, "502")
        assert (await put(session, server))[0] == 200

    with requests.Session() as http:
        http.trust_env = False
        run(SessionAuth(server.login, server.url, http=http), main)

    async def with_own() -> None:
        async with aiohttp.ClientSession(headers={"X-Own": "a"}) as own:
            auth = SessionAuth(login_of(server), server.url, http=own)
            async with aiohttp.ClientSession(middlewares=[auth]) as session:
                server.answers = None
                await main(session)

    asyncio.run(with_own())
    assert checks(server)[-1].headers["X-Own"] == "a"


def test_login_and_replay_take_another_connection_than_a_refused_upload(server: Server) -> None:
    async def main(session: aiohttp.ClientSession) -> None:
        async with session.get(f"{server.url}/first"):
            pass
        server.kill()
        server.early, server.early_end = True, "deceives"
        assert (await put(session, server, "POST", data=b"x" * 1000))[0] == 200

    run(an_auth(server), main)
    upload, login, replay = server.requests[-3:]
    assert upload.connection != login.connection == replay.connection


def test_a_time_out_is_an_upload_without_an_answer_too(server: Server) -> None:
    async def main(session: aiohttp.ClientSession) -> None:
        await lost(session, server, "502")
        go = stalling(server)
        wait = aiohttp.ClientTimeout(sock_read=0.3)
        assert (await put(session, server, timeout=wait))[::2] == (200, "replayed")
        go.set()

    run(an_auth(server), main)


class SignsNoHead(Signer):
    """Signs what has a body or wants one, and nothing that only asks."""

    def __init__(self, grant: Grant, _: object) -> None:
        self.token = grant.token

    def sign(self, request: Outgoing) -> dict[str, str] | None:
        if request.method == "HEAD":
            return None
        return {"Authorization": f'Session token="{self.token}"'}


def test_a_question_that_cannot_be_signed_is_asked_without(server: Server) -> None:
    async def main(session: aiohttp.ClientSession) -> None:
        await lost(session, server, "reset")
        assert (await put(session, server))[:2] == (200, UPLOAD)

    run(an_auth(server, responders=[Responder("Session", signer=SignsNoHead)]), main)
    (question,) = checks(server)
    assert "Authorization" not in question.headers


class Counting(io.BufferedReader):
    """A file that counts how often it is put anywhere, and knows how often before it was read."""

    seeks = 0
    before: int | None = None

    def seek(self, position: int, whence: int = 0) -> int:
        self.seeks += 1
        return super().seek(position, whence)

    def read(self, most: int | None = -1) -> bytes:
        self.before = self.seeks if self.before is None else self.before
        return super().read(most)


def test_a_file_that_is_being_sent_is_left_alone_until_its_sending_has_ended(
    server: Server, tmp_path: Path
) -> None:
    """A thread of aiohttp's reads it until then, and would go on elsewhere."""
    path, seen = tmp_path / "file", list[tuple[int, int | None]]()
    path.write_bytes(b"x" * 20_000_000)
    file = Counting(io.FileIO(path))

    async def main(session: aiohttp.ClientSession) -> None:
        async with session.get(f"{server.url}/first"):
            pass
        server.kill()
        server.early = True
        assert (await put(session, server, "POST", data=file))[0] == 200

    async def login(context: Any) -> Grant:
        seen.append((file.seeks, file.before))
        return await login_of(server)(context)

    run(an_auth(server, login), main)
    (first, (at_login, before)) = seen
    assert first == (0, None)
    assert at_login == before
    assert uploads(server)[-1] == path.read_bytes()


def test_a_read_that_comes_late_takes_nothing_from_the_next_sending(tmp_path: Path) -> None:
    """Cancelled in the midst of a read, a sending leaves its thread behind."""
    path = tmp_path / "file"
    path.write_bytes(b"x" * 100_000)
    with path.open("rb") as file:
        payload: Any = aiohttp.payload.BufferedReaderPayload(file)
        again = rewinding(payload)
        assert again()
        first, more = payload._read_and_available_len, payload._read
        assert first(10) == (100_000, b"x" * 10)
        assert again()
        assert (more(10), first(None)) == (b"", (None, b""))
        assert file.tell() == 0
        assert payload._read(10) == b"x" * 10
