"""A session with `trust_env` has logins that use the environment's proxy for their own URL."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import aiohttp
import anyio
import pytest

from relogin.client.aiohttp import SessionAuth
from tests.client.authority import Authority
from tests.client.proxy import Proxy, proxying
from tests.client.server import Answer, Server, serve

pytestmark = pytest.mark.needs("openssl")

TOKEN = "letmein"


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    for name in ("http_proxy", "https_proxy", "ALL_PROXY", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    with proxying() as running:
        monkeypatch.setenv("HTTP_PROXY", running.url)
        monkeypatch.setenv("HTTPS_PROXY", running.url)
        monkeypatch.setenv("NO_PROXY", "localhost")
        yield running


@pytest.fixture
def near(server: Server) -> Server:
    """A server that needs no proxy, and gets nothing through this one, which only makes tunnels."""
    server.url = server.url.replace("127.0.0.1", "localhost")
    return server


def got(
    api: Server, tokens: Server, authority: Authority, own: str | None = None, **options: Any
) -> int:
    """Get the orders of one server with a token of the other; the login may name its `own` proxy.

    Returns the status.
    """
    api.living = TOKEN
    tokens.answers = lambda _: Answer(200, (), TOKEN.encode())

    async def log_in(context: Any) -> str:
        async with context.http.post(f"{tokens.url}/token", proxy=own) as answer:
            text: str = await answer.text()
        return text

    async def main() -> int:
        auth = SessionAuth(log_in, api.url)
        way = aiohttp.TCPConnector(ssl=authority.trusted)
        async with (
            aiohttp.ClientSession(middlewares=[auth], connector=way, trust_env=True) as http,
            http.get(f"{api.url}/orders", **options) as answer,
        ):
            return answer.status

    return anyio.run(main)


def test_a_login_takes_the_proxy_that_the_request_did_not_need(
    near: Server, far: Server, authority: Authority, proxy: Proxy
) -> None:
    assert got(near, far, authority) == 200
    assert {request.connection for request in far.requests} <= proxy.ports


def test_a_login_needs_no_proxy_where_no_proxy_says_so(
    near: Server, far: Server, authority: Authority, proxy: Proxy
) -> None:
    assert got(far, near, authority) == 200
    assert len(near.requests) == 1


def test_a_login_takes_the_proxy_that_the_request_named(
    far: Server, authority: Authority, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The environment has none for either of them."""
    monkeypatch.setenv("NO_PROXY", "*")
    with proxying() as named, serve(Server(), authority.shown) as api:
        assert got(api, far, authority, proxy=named.url) == 200
    [login] = far.requests
    assert login.connection in named.ports


def test_a_login_takes_the_proxy_that_it_names_itself(
    near: Server, far: Server, authority: Authority, proxy: Proxy
) -> None:
    with proxying() as own:
        assert got(near, far, authority, own.url) == 200
    [login] = far.requests
    assert login.connection in own.ports
