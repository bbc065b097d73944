"""Proxies and certificates of the environment: a login has those for its own URL."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from typing import Any
from urllib.request import getproxies, getproxies_environment

import pytest

from relogin import Grant
from tests.client.authority import Authority
from tests.client.libraries.face import FACES, Client, Face, opened
from tests.client.proxy import Proxy, proxying
from tests.client.server import Answer, Server

pytestmark = pytest.mark.needs("openssl")

TOKEN = "letmein"


@pytest.fixture(params=[face for face in FACES if "requests" in face or "niquests" in face])
def face(request: pytest.FixtureRequest) -> Iterator[Face]:
    """The libraries whose logins take the route of a refused request."""
    with opened(request.param) as begun:
        yield begun


@pytest.fixture(scope="module")
def proxy(authority: Authority) -> Iterator[Proxy]:
    """The environment names a proxy, and whom to trust."""
    with proxying() as running, pytest.MonkeyPatch.context() as monkeypatch:
        if find_spec("niquests") is not None:  # it reads the proxies once
            utils = import_module("niquests.utils")
            monkeypatch.setattr(utils, "getproxies", getproxies)
            monkeypatch.setattr(utils, "getproxies_environment", getproxies_environment)
        for name in ("NO_PROXY", "no_proxy", "https_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("HTTPS_PROXY", running.url)
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", authority.path)
        yield running


def trusting(face: Face, auth: Any) -> Client:
    """Open a client that looks into the environment, as they all do by default."""
    client = face.open(auth)
    client.client.trust_env = True
    return client


def test_a_login_before_the_first_request_uses_proxy_and_certificates(
    face: Face, far: Server, proxy: Proxy
) -> None:
    client = trusting(face, face.auth(far, preemptive=True))
    assert client.get(f"{far.url}/orders").status == 200
    assert far.logins == 1
    assert {request.connection for request in far.requests} <= proxy.ports


def test_the_check_after_an_upload_without_a_response_uses_proxy_and_certificates(
    face: Face, far: Server, proxy: Proxy
) -> None:
    client = trusting(face, face.auth(far, preemptive=True))
    assert client.post(f"{far.url}/orders", face.bodies()["bytes"]).status == 200
    far.kill()
    far.early, far.early_end = True, "silent"
    with pytest.raises(face.failure):
        client.post(f"{far.url}/orders", face.bodies()["bytes"])
    far.early = False
    assert client.post(f"{far.url}/orders", face.bodies()["bytes"]).status == 200
    assert far.logins == 2
    assert {request.connection for request in far.requests} <= proxy.ports


@pytest.mark.usefixtures("netrc")
def test_a_login_with_the_environment_takes_no_account_from_netrc(
    face: Face, far: Server, proxy: Proxy
) -> None:
    client = trusting(face, face.auth(far, preemptive=True))
    assert client.get(f"{far.url}/orders").status == 200
    [login] = far.seen("/login")
    assert "Authorization" not in login.headers


def test_a_login_that_is_redirected_uses_the_proxy_of_where_it_goes(
    face: Face, server: Server, far: Server, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first server needs none."""
    monkeypatch.setenv("NO_PROXY", "localhost")
    server.url = server.url.replace("127.0.0.1", "localhost")
    server.answers = lambda _: Answer(307, (("Location", f"{far.url}/login"),))
    log_in = partial(face.log_in, server) if face.is_async else server.login
    client = trusting(face, face.auth(far, log_in, preemptive=True))
    assert client.get(f"{far.url}/orders").status == 200
    assert (len(server.requests), far.logins) == (1, 1)
    assert {request.connection for request in far.requests} <= proxy.ports


@pytest.fixture
def near(server: Server, monkeypatch: pytest.MonkeyPatch, proxy: Proxy) -> Server:
    """A server that needs no proxy, and gets nothing through this one, which only makes tunnels."""
    monkeypatch.setenv("HTTP_PROXY", proxy.url)
    monkeypatch.setenv("NO_PROXY", "localhost")
    server.url = server.url.replace("127.0.0.1", "localhost")
    return server


def posting(face: Face, url: str) -> Any:
    """Return a login that follows redirects; the token is the body of the answer."""

    def log_in(context: Any) -> Grant:
        return Grant(token=context.http.post(url).text)

    async def log_in_async(context: Any) -> Grant:
        return Grant(token=(await context.http.post(url)).text)

    return log_in_async if face.is_async else log_in


def test_a_login_takes_the_proxy_that_the_request_did_not_need(
    face: Face, near: Server, far: Server, proxy: Proxy
) -> None:
    near.living = TOKEN
    far.answers = lambda _: Answer(200, (), TOKEN.encode())
    client = trusting(face, face.auth(near, posting(face, f"{far.url}/token")))
    assert client.get(f"{near.url}/orders").status == 200
    [login] = far.requests
    assert login.connection in proxy.ports


def test_a_login_needs_no_proxy_where_no_proxy_says_so(
    face: Face, near: Server, far: Server, proxy: Proxy
) -> None:
    far.living = TOKEN
    near.answers = lambda _: Answer(200, (), TOKEN.encode())
    client = trusting(face, face.auth(far, posting(face, f"{near.url}/token")))
    assert client.get(f"{far.url}/orders").status == 200
    [login] = near.requests
    assert login.connection not in proxy.ports


def test_a_redirect_of_a_login_leaves_the_proxy_where_no_proxy_says_so(
    face: Face, near: Server, far: Server, proxy: Proxy
) -> None:
    far.living = TOKEN
    far.routes["/sign-in"] = lambda _: Answer(307, (("Location", f"{near.url}/token"),))
    near.answers = lambda _: Answer(200, (), TOKEN.encode())
    client = trusting(face, face.auth(far, posting(face, f"{far.url}/sign-in")))
    assert client.get(f"{far.url}/orders").status == 200
    [login] = near.requests
    assert login.connection not in proxy.ports


def test_a_session_that_looks_at_no_environment_has_logins_that_do_not(
    face: Face, server: Server, far: Server, authority: Authority, proxy: Proxy
) -> None:
    server.living = TOKEN
    far.answers = lambda _: Answer(200, (), TOKEN.encode())
    client = face.open(face.auth(server, posting(face, f"{far.url}/token")))
    assert client.get(f"{server.url}/orders", verify=authority.path).status == 200
    [login] = far.requests
    assert login.connection not in proxy.ports


def test_a_login_takes_the_proxy_that_a_request_names_whatever_the_environment_says(
    face: Face, near: Server, far: Server, proxy: Proxy
) -> None:
    near.living = TOKEN
    far.answers = lambda _: Answer(200, (), TOKEN.encode())
    with proxying() as named:
        client = trusting(face, face.auth(near, posting(face, f"{far.url}/token")))
        assert client.get(f"{near.url}/orders", proxies={"https": named.url}).status == 200
    [login] = far.requests
    assert login.connection in named.ports


def test_a_login_takes_no_proxy_if_the_request_names_none(
    face: Face, server: Server, far: Server, proxy: Proxy
) -> None:
    server.living = TOKEN
    far.answers = lambda _: Answer(200, (), TOKEN.encode())
    client = trusting(face, face.auth(server, posting(face, f"{far.url}/token")))
    unset: dict[str, Any] = {"https": None}
    assert client.get(f"{server.url}/orders", proxies=unset).status == 200
    [login] = far.requests
    assert login.connection not in proxy.ports
