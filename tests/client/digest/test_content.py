"""DigestLogin: `auth-int` protects what can be read ahead, and nothing is sent short."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from relogin import BodyNotReplayable
from relogin.client import Outcome, outcome
from tests.client.digest.conftest import attach, body
from tests.client.digest_site import DigestSite
from tests.client.either import Either
from tests.client.server import Server


class Again:
    """A body that can be iterated over twice."""

    def __iter__(self) -> Iterator[bytes]:
        yield b"con"
        yield b"tent"


def pieces() -> Iterator[bytes]:
    yield b"con"
    yield b"tent"


async def pieces_async() -> AsyncIterator[bytes]:
    yield b"con"
    yield b"tent"


def is_async(either: Either) -> bool:
    return either.driver is not None and either.driver.is_async


def readable(either: Either, kind: str) -> dict[str, Any]:
    """Make a body that can be read twice."""
    if kind == "multipart":
        return {"files": {"f": ("f", io.BytesIO(b"content"))}}
    if kind == "bytes" or is_async(either):  # an asynchronous client takes no file
        return body(either, b"content")
    skipped = b"skipped;" if either.driver is None else b""  # httpx counts a file from its start
    file = io.BytesIO(skipped + b"content")
    file.seek(len(skipped))
    return body(either, {"file": file, "iterable": Again(), "text": "content"}[kind])


def unreadable(either: Either) -> dict[str, Any]:
    """Make a body that can be read once."""
    return body(either, pieces_async() if is_async(either) else pieces())


@pytest.mark.parametrize("kind", ["bytes", "multipart", "file", "iterable", "text"])
@pytest.mark.parametrize("qop", ["auth-int", "auth, auth-int"])
@pytest.mark.parametrize("living", [True, False])
def test_auth_int_protects_a_body_that_can_be_read_twice(
    server: Server, either: Either, kind: str, qop: str, living: bool
) -> None:
    site = DigestSite(server, "SHA-256", qop)
    caller = attach(either, site)
    if living:
        caller.get(server.url)
    answer = caller.post(server.url, **readable(either, kind))
    assert answer.status_code == 200
    assert b"content" in answer.content
    assert b"skipped" not in answer.content
    assert (site.wrong, site.answers[-1]["qop"]) == (0, "auth-int")


def test_a_request_without_a_body_takes_auth_where_it_may(server: Server, either: Either) -> None:
    site = DigestSite(server, qop="auth-int, auth")
    assert attach(either, site).get(server.url).status_code == 200
    assert site.answers[-1]["qop"] == "auth"


def test_a_body_that_can_be_read_once_falls_back_to_auth(server: Server, either: Either) -> None:
    site = DigestSite(server, qop="auth-int, auth")
    caller = attach(either, site)
    caller.get(server.url)
    answer = caller.post(server.url, **unreadable(either))
    assert (answer.status_code, answer.content) == (200, b"content")
    assert site.answers[-1]["qop"] == "auth"


def test_where_only_auth_int_is_taken_a_body_that_can_be_read_once_is_refused(
    server: Server, either: Either
) -> None:
    site = DigestSite(server, qop="auth-int")
    caller = attach(either, site)
    caller.get(server.url)
    answer = caller.post(server.url, **unreadable(either))
    assert (answer.status_code, outcome(answer)) == (401, Outcome.RENEWED_NOT_REPLAYED)
    assert (len(site.answers), site.wrong) == (1, 0)
    assert caller.get(server.url).status_code == 200


def test_strict_raises_for_a_body_that_cannot_be_signed(server: Server, either: Either) -> None:
    site = DigestSite(server, qop="auth-int")
    with pytest.raises(BodyNotReplayable):
        attach(either, site, strict=True).post(server.url, **unreadable(either))


def test_a_generator_that_met_the_first_challenge_goes_out_signed_when_it_is_sent_anew(
    site: DigestSite, either: Either
) -> None:
    caller = attach(either, site)
    answer = caller.post(site.server.url, **unreadable(either))
    assert (answer.status_code, outcome(answer)) == (401, Outcome.RENEWED_NOT_REPLAYED)
    for _ in range(2):
        answer = caller.post(site.server.url, **unreadable(either))
        assert (answer.status_code, answer.content) == (200, b"content")
    site.expire()
    answer = caller.post(site.server.url, **unreadable(either))
    assert answer.status_code == 401
    assert caller.post(site.server.url, **unreadable(either)).status_code == 200
    assert site.wrong == 0
