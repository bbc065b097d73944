"""A login before the first response: the proxies and certificates are those of the environment."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import partial
from importlib import import_module
from typing import Any
from urllib.request import getproxies, getproxies_environment

import pytest

from tests.client.authority import Authority
from tests.client.libraries.face import FACES, Client, Face, opened
from tests.client.proxy import Proxy, proxying
from tests.client.server import Answer, Server

pytestmark = pytest.mark.needs("openssl")


@pytest.fixture(params=[face for face in FACES if "requests" in face or "niquests" in face])
def face(request: pytest.FixtureRequest) -> Iterator[Face]:
    """The libraries whose logins take the route of a refused request."""
    with opened(request.param) as begun:
        yield begun


@pytest.fixture(scope="module")
def proxy(authority: Authority) -> Iterator[Proxy]:
    """The environment names a proxy, and whom to trust."""
    with proxying() as running, pytest.MonkeyPatch.context() as monkeypatch:
        if "niquests" in sys.modules:  # it reads the proxies once
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
