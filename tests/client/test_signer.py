"""A responder of one's own signs each request: method, target and content, in every library."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest
import requests

from relogin import BodyNotReplayable, Grant, InvalidGrant
from relogin.client import Outcome, outcome
from relogin.client.driver.credentials import extend, sent_with
from relogin.client.requests.signing import write_url
from relogin.client.responders import SESSION, Outgoing, Responder, Signer
from relogin.client.terms.grant import Context
from tests.client.either import Either, an_either
from tests.client.hmac_scheme import HMAC, HMACSigner, HMACSite
from tests.client.server import Server
from tests.client.steps import KEY, URL, a_cache


@pytest.fixture
def site(server: Server) -> HMACSite:
    server.answers = found = HMACSite()
    return found


@pytest.fixture(params=["requests", "httpx"])
def threaded(request: pytest.FixtureRequest) -> Iterator[Either]:
    """The libraries that take files and generators of threads."""
    with an_either(request.param) as begun:
        yield begun


@pytest.fixture
def caller(server: Server, either: Either, site: HMACSite) -> Any:
    return either.attach(lambda _: site.key, server.url, responders=[HMAC])


def body(either: Either, content: Any) -> dict[str, Any]:
    return {"data" if either.driver is None else "content": content}


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
def test_every_request_is_signed_by_itself(
    server: Server, either: Either, site: HMACSite, caller: Any, method: str
) -> None:
    for number in range(3):
        content = body(either, b"%d" % number)
        answer = caller.request(method, f"{server.url}/orders/{number}?a=%20b#top", **content)
        assert answer.status_code == 200
    assert site.refused == 1


def test_a_key_that_changed_is_renewed_and_the_request_signed_anew(
    server: Server, either: Either, site: HMACSite, caller: Any
) -> None:
    caller.get(server.url)
    site.key = "another"
    answer = caller.post(server.url, **body(either, b"content"))
    assert (answer.status_code, outcome(answer)) == (200, Outcome.REPLAYED)


class Hopeful(HMACSigner):
    """It would sign again after each 401."""

    def refused(self, *_: Any) -> bool:
        return True


def hopeful(grant: Grant, _: Any) -> Signer:
    assert grant.token is not None
    return Hopeful(grant.token)


def test_a_signer_may_sign_once_again_before_a_login_follows(
    server: Server, either: Either, site: HMACSite
) -> None:
    responders = [replace(HMAC, signer=hopeful)]
    caller = either.attach(lambda _: site.key, server.url, responders=responders)
    caller.get(server.url)
    site.key, before = "another", site.refused
    assert caller.get(server.url).status_code == 200
    assert site.refused == before + 2


def test_a_file_is_read_to_sign_it_and_sent_whole(
    server: Server, threaded: Either, site: HMACSite
) -> None:
    caller = threaded.attach(lambda _: site.key, server.url, responders=[HMAC])
    caller.get(server.url)
    answer = caller.post(server.url, **body(threaded, io.BytesIO(b"x" * 200_000)))
    assert (answer.status_code, len(answer.content), site.refused) == (200, 200_000, 1)


def test_a_redirect_is_signed_for_where_it_leads_once_it_is_refused(
    server: Server, site: HMACSite, caller: Any
) -> None:
    caller.get(server.url)
    assert caller.get(f"{server.url}/to/orders").status_code == 200
    first, second = (request.headers["Authorization"] for request in server.seen("/orders"))
    assert first is None  # what signs one request says nothing in another
    assert second.startswith("HMAC signature=")


def test_what_cannot_be_signed_goes_out_without(
    server: Server, threaded: Either, site: HMACSite
) -> None:
    caller = threaded.attach(lambda _: site.key, server.url, responders=[HMAC])
    caller.get(server.url)

    def pieces() -> Iterator[bytes]:
        yield b"content"

    answer = caller.post(server.url, **body(threaded, pieces()))
    assert (answer.status_code, outcome(answer)) == (401, Outcome.RENEWED_NOT_REPLAYED)
    assert "Authorization" not in server.requests[-1].headers


class Stuck(io.BytesIO):
    """A file that cannot be put back once it was read to its end."""

    def seek(self, offset: int, whence: int = 0) -> int:
        if whence == 0 and self.tell() == len(self.getvalue()) > offset and self.was_read:
            raise OSError("no way back")
        return super().seek(offset, whence)

    was_read = False

    def read(self, size: int | None = -1) -> bytes:
        self.was_read = True
        return super().read(size)


def test_a_file_that_cannot_be_put_back_is_never_sent_short(
    server: Server, threaded: Either, site: HMACSite
) -> None:
    caller = threaded.attach(lambda _: site.key, server.url, responders=[HMAC])
    caller.get(server.url)
    with pytest.raises(BodyNotReplayable, match="cannot be read a"):
        caller.post(server.url, **body(threaded, Stuck(b"content")))


class Never(Signer):
    """Cannot sign anything."""

    def sign(self, request: Outgoing) -> Mapping[str, str] | None:
        return None


def test_a_replay_that_cannot_be_signed_is_not_sent(
    server: Server, either: Either, site: HMACSite
) -> None:
    responder = Responder("HMAC", signer=lambda _grant, _challenge: Never())
    caller = either.attach(lambda _: site.key, server.url, responders=[responder])
    answer = caller.get(server.url)
    assert (answer.status_code, outcome(answer)) == (401, Outcome.RENEWED_NOT_REPLAYED)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("https://a/b/c?d=e", "/b/c?d=e"),
        ("https://a", "/"),
        ("https://a?b", "/?b"),
        ("https://user@[::1]:80/#x", "/"),
        ("not a URL", "/"),
    ],
)
def test_the_target_is_what_goes_on_the_wire(url: str, target: str) -> None:
    outgoing = Outgoing("GET", url, {})
    assert outgoing.target == target
    assert outgoing.content() == ()


def test_a_responder_that_does_not_say_how_a_token_travels_is_told_so() -> None:
    with pytest.raises(InvalidGrant, match="the responder for Custom cannot send a token"):
        Responder("Custom").carried("t")


def test_a_context_that_is_no_logout_s_signs_nothing() -> None:
    context = Context(challenge=None, error=None, realm="", method="GET", url="https://a.example")
    headers: dict[str, str] = {}
    assert context.sign(headers, "https://a.example/x") == "https://a.example/x"
    assert headers == {}


class Deaf(Signer):
    """A signer that must learn nothing."""

    def sign(self, request: Outgoing) -> Mapping[str, str]:
        return {}

    def learn(self, sent: Mapping[str, str], answered: Mapping[str, str]) -> None:
        pytest.fail("the answer is not to this signature")


def test_a_signer_learns_nothing_from_an_answer_to_another_url() -> None:
    cache = a_cache()
    credential = replace(cache.made(KEY, SESSION, Grant(token="t1")), signer=Deaf(), signed_url=URL)
    extend(cache, credential, {}, "https://api.example.com/elsewhere", {})


def test_a_field_that_signs_one_url_is_no_signature_of_another() -> None:
    cache = a_cache()
    signed = cache.made(KEY, HMAC, Grant(token="t1")).signed({"X-Signature": "1"}, URL)
    sent = {"X-Signature": "1"}  # clients keep it on a redirect
    assert sent_with(cache, signed, sent, URL) is signed
    assert sent_with(cache, signed, sent, "https://api.example.com/elsewhere") is None


@pytest.mark.parametrize(
    ("url", "sent"), [("/a?b c", "/a?b%20c"), ("/a?[x]", "/a?%5Bx%5D"), ("/a?b=%20", "/a?b=%20")]
)
def test_a_url_that_urllib3_would_encode_is_written_before_it_is_signed(
    url: str, sent: str
) -> None:
    prepared = requests.PreparedRequest()
    prepared.url = f"http://api.example.com{url}"  # as niquests leaves it
    write_url(prepared)
    assert prepared.url == f"http://api.example.com{sent}"
