"""ProxyAdapter: a proxy asks for Digest with 407, and the servers behind it with 401."""

from __future__ import annotations

import io
import pickle
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any
from unittest.mock import Mock

import pytest
import requests

from relogin import BodyNotReplayable, LoginRefused, LoginUnavailable
from relogin.client.logins import BasicLogin, DigestLogin
from relogin.client.requests import SessionAuth
from relogin.client.requests.proxies import ProxyAdapter
from tests.client.digest.servers import apache
from tests.client.digest_site import PASSWORD, USER, DigestSite
from tests.client.server import Answer, Request, Server, serve

TARGET = "http://orders.example.com"


@pytest.fixture
def proxy(server: Server) -> DigestSite:
    return DigestSite(server, proxy=True)


def through(
    session: requests.Session, url: str, password: Any = PASSWORD, **options: Any
) -> requests.Session:
    """Let a session send through a proxy."""
    session.mount("http://", ProxyAdapter(DigestLogin(USER, password), url, **options))
    return session


@pytest.fixture
def caller(session: requests.Session, proxy: DigestSite) -> requests.Session:
    return through(session, proxy.server.url)


@pytest.mark.parametrize("path", ["/", "", "/a?b=%20c#top", "/a b/../c?d=ü", "?x"])
def test_the_407_of_a_proxy_is_answered_for_the_whole_url(
    caller: requests.Session, proxy: DigestSite, path: str
) -> None:
    answers = [caller.get(f"{TARGET}{path}") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert [[past.status_code for past in answer.history] for answer in answers] == [[407], []]
    assert (proxy.wrong, len(proxy.challenged)) == (0, 1)


def test_a_proxy_s_account_leaves_the_request_itself_alone(
    caller: requests.Session, proxy: DigestSite
) -> None:
    caller.get(TARGET)
    prepared = requests.Request("GET", TARGET).prepare()
    assert caller.send(prepared).status_code == 200
    assert "Proxy-Authorization" not in prepared.headers
    assert len(proxy.challenged) == 1


@pytest.mark.parametrize("qop", ["auth", "auth-int"])
def test_a_body_is_sent_whole_after_the_407(
    caller: requests.Session, proxy: DigestSite, qop: str
) -> None:
    proxy.qop = qop
    file = io.BytesIO(b"skipped;content")
    file.seek(8)
    assert caller.post(TARGET, data=file).content == b"content"
    assert caller.post(TARGET, data=b"protected").content == b"protected"
    assert (proxy.wrong, proxy.answers[-1]["qop"]) == (0, qop)


@pytest.mark.parametrize(("qop", "then"), [("auth", 200), ("auth-int", 407)])
def test_a_body_that_can_be_read_once_is_not_sent_short(
    caller: requests.Session, proxy: DigestSite, qop: str, then: int
) -> None:
    def pieces() -> Iterator[bytes]:
        yield b"content"

    proxy.qop = qop
    for expected in (407, then, then):
        answer = caller.post(TARGET, data=pieces())
        assert answer.status_code == expected
        assert answer.content == (b"content" if expected == 200 else b"refused")
    assert proxy.wrong == 0


class Stubborn(io.BytesIO):
    """A file that can be put back so many times; requests does it once to measure it."""

    def __init__(self, times: int) -> None:
        super().__init__(b"content")
        self.times = times

    def seek(self, position: int, whence: int = 0) -> int:
        self.times -= whence == 0
        if self.times < 0:
            raise OSError("spent")
        return super().seek(position, whence)


@pytest.mark.parametrize("times", [1, 2, 3])
def test_a_file_that_cannot_be_put_back_is_not_sent_short(
    caller: requests.Session, proxy: DigestSite, times: int
) -> None:
    proxy.qop = "auth-int"
    assert caller.post(TARGET, data=Stubborn(times)).status_code == 407
    assert caller.get(TARGET).status_code == 200
    assert proxy.wrong == 0


def test_a_file_that_is_spent_on_its_signature_is_told_of(
    caller: requests.Session, proxy: DigestSite
) -> None:
    proxy.qop = "auth-int"
    caller.get(TARGET)
    with pytest.raises(BodyNotReplayable) as spent:
        caller.post(TARGET, data=Stubborn(2))
    assert isinstance(spent.value, requests.RequestException)


def test_a_nonce_that_grew_too_old_is_replaced_without_a_login(
    session: requests.Session, proxy: DigestSite
) -> None:
    password = Mock(return_value=PASSWORD)
    through(session, proxy.server.url, password)
    for _ in range(3):
        assert session.get(TARGET).status_code == 200
        proxy.expire()
    assert (password.call_count, len(proxy.challenged)) == (1, 3)


def test_the_next_nonce_is_taken_from_the_proxy_s_own_field(
    caller: requests.Session, proxy: DigestSite
) -> None:
    proxy.uses, proxy.next_nonces = 1, True
    assert [caller.get(TARGET).status_code for _ in range(4)] == [200] * 4
    assert len(proxy.challenged) == 1


def test_a_proxy_that_does_not_know_the_password_is_told_of(
    caller: requests.Session, proxy: DigestSite
) -> None:
    proxy.proves = False
    with pytest.raises(LoginUnavailable, match="rspauth is wrong"):
        caller.get(TARGET)


def test_a_wrong_password_is_sent_once(session: requests.Session, proxy: DigestSite) -> None:
    through(session, proxy.server.url, "wrong")
    for _ in range(2):
        with pytest.raises(LoginRefused) as refused:
            session.get(TARGET)
        assert isinstance(refused.value, requests.RequestException)
        assert refused.value.response.status_code == 407
    assert proxy.wrong == 1


def test_after_reset_the_password_is_asked_for_again(
    session: requests.Session, proxy: DigestSite
) -> None:
    passwords = ["wrong", PASSWORD]
    adapter = ProxyAdapter(DigestLogin(USER, lambda: passwords.pop(0)), proxy.server.url)
    session.mount("http://", adapter)
    with pytest.raises(LoginRefused, match=r"until reset\(\)"):
        session.get(TARGET)
    adapter.reset()
    assert session.get(TARGET).status_code == 200


def test_threads_wait_for_the_first_answer_that_is_accepted(
    session: requests.Session, proxy: DigestSite
) -> None:
    password = Mock(return_value=PASSWORD)

    def answer(request: Request) -> Answer:
        if "Proxy-Authorization" in request.headers:  # not before all have been challenged
            proxy.server.wait_until(lambda: len(proxy.server.requests) >= 6)
        return proxy.answer(request)

    proxy.server.answers = answer
    through(session, proxy.server.url, password)
    with ThreadPoolExecutor(5) as pool:
        assert set(pool.map(lambda _: session.get(TARGET).status_code, range(20))) == {200}
    assert (proxy.wrong, password.call_count) == (0, 1)


@pytest.mark.parametrize("line", ['Basic realm="proxy"', "Negotiate", 'Digest realm="x"'])
def test_a_407_that_digest_cannot_answer_is_left_as_it_is(
    caller: requests.Session, proxy: DigestSite, line: str
) -> None:
    proxy.lines = lambda _: [line]
    assert caller.get(TARGET).status_code == 407
    assert proxy.answers == []


def test_the_servers_behind_a_proxy_have_accounts_of_their_own(
    caller: requests.Session, proxy: DigestSite
) -> None:
    with serve() as origin:
        proxy.behind = origin.answer
        origin.binding = "token"
        caller.auth = SessionAuth(lambda context: origin._renew(), origin.url)
        assert [caller.get(f"{origin.url}/a").status_code for _ in range(2)] == [200, 200]
        assert [request.token is None for request in origin.requests] == [True, False, False]
    assert (proxy.wrong, len(proxy.challenged)) == (0, 1)


def test_a_407_of_the_server_behind_a_proxy_is_not_answered_without_a_challenge(
    caller: requests.Session, proxy: DigestSite
) -> None:
    proxy.behind = lambda _: Answer(407)
    assert caller.get(TARGET).status_code == 407


# Mistakes


def test_a_proxy_without_tls_needs_a_word() -> None:
    with pytest.raises(ValueError, match="insecure=True"):
        ProxyAdapter(DigestLogin(USER, PASSWORD), "http://proxy.example.com:3128")
    ProxyAdapter(DigestLogin(USER, PASSWORD), "http://proxy.example.com:3128", insecure=True)


@pytest.mark.parametrize(
    ("proxy", "said"),
    [
        (None, "must be a URL, not NoneType"),
        (["http://127.0.0.1:3128"], "must be a URL, not list"),
        ("proxy.example.com:3128", "is wrong: 'proxy.example.com' is not an absolute URL"),
        ("http://ada:secret@127.0.0.1:3128", "is wrong: it must not contain a user or password"),
        ("socks5://127.0.0.1:1080", "is wrong: socks5: the URL must be of http or https"),
    ],
)
def test_a_proxy_that_is_none_is_named_as_its_user_wrote_it(proxy: Any, said: str) -> None:
    with pytest.raises((TypeError, ValueError), match=f"^ProxyAdapter: proxy= {said}") as wrong:
        ProxyAdapter(DigestLogin(USER, PASSWORD), proxy, insecure=True)
    assert "secret" not in str(wrong.value)


def test_a_proxy_adapter_with_another_login_is_a_mistake() -> None:
    with pytest.raises(TypeError, match="the login is a DigestLogin"):
        ProxyAdapter(BasicLogin("https://a.example/", USER, PASSWORD), "https://proxy.example.com")


def test_a_proxy_adapter_is_not_pickled() -> None:
    adapter = ProxyAdapter(DigestLogin(USER, PASSWORD), "https://proxy.example.com")
    with pytest.raises(pickle.PicklingError, match="mount a new one"):
        pickle.dumps(adapter)


# Apache


@pytest.fixture
def forward() -> Iterator[str]:
    with ExitStack() as stack:
        yield stack.enter_context(apache(proxy=True))


@pytest.mark.needs("apache2")
def test_apache_as_a_proxy_lets_the_adapter_through(
    session: requests.Session, server: Server, forward: str
) -> None:
    def answer(request: Request) -> Answer:
        return Answer(200, body=request.body or request.path.encode())

    server.answers = answer
    through(session, forward)
    answers = [session.get(f"{server.url}/a?b=%20c"), session.post(server.url, data=b"x" * 100_000)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert [len(answer.history) for answer in answers] == [1, 0]
    assert (answers[0].text, len(answers[1].content)) == ("/a?b=%20c", 100_000)


def test_an_https_url_is_not_sent_past_the_proxy(
    session: requests.Session, proxy: DigestSite
) -> None:
    session.mount("https://", ProxyAdapter(DigestLogin(USER, PASSWORD), proxy.server.url))
    with pytest.raises(requests.exceptions.InvalidSchema, match="sends http URLs only"):
        session.get("https://orders.example.com/")
    assert not proxy.server.requests
