"""What is between a client and its origin: a proxy, TLS by a private authority, HTTP/2."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from functools import partial
from typing import Any

import anyio
import httpx
import hypercorn.asyncio
import pytest
import requests
from anyio.from_thread import start_blocking_portal
from hypercorn.config import Config

import relogin.client.httpx
import relogin.client.requests
from relogin.client.events import Event
from tests.client.authority import Authority
from tests.client.httpx_drivers import Driver
from tests.client.proxy import Proxy, proxying
from tests.client.server import PASSWORD, Server

pytestmark = pytest.mark.needs("openssl")


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    with proxying() as running:
        yield running


def check(proxy: Proxy, origin: Server) -> None:
    """All of it went through tunnels to the origin, and the proxy heard nothing more than that."""
    assert {head.partition(" HTTP/")[0] for head in proxy.heads} == {
        f"CONNECT 127.0.0.1:{origin.port}"
    }
    assert {request.connection for request in origin.requests} == proxy.ports
    for secret in ("s3cret", PASSWORD, "Authorization:", "Cookie:"):
        assert secret not in "".join(proxy.heads)


# requests


def test_requests_renews_and_logs_in_with_the_authority_that_its_session_trusts(
    far: Server, session: requests.Session, authority: Authority
) -> None:
    session.verify = authority.path
    session.auth = relogin.client.requests.SessionAuth(far.login, far.url)
    assert session.get(f"{far.url}/orders").status_code == 200
    assert far.logins == 1


def test_requests_logs_in_nowhere_that_no_trusted_authority_vouches_for(
    far: Server, session: requests.Session, authority: Authority
) -> None:
    session.auth = relogin.client.requests.SessionAuth(far.login, far.url)
    with pytest.raises(requests.exceptions.SSLError):
        session.get(f"{far.url}/orders")
    assert (far.requests, far.logins) == ([], 0)


def test_requests_renews_and_logs_in_through_its_proxy_which_hears_no_secret(
    far: Server, session: requests.Session, authority: Authority, proxy: Proxy
) -> None:
    session.verify = authority.path
    session.proxies = {"https": proxy.url}
    session.auth = relogin.client.requests.SessionAuth(far.login, far.url)
    assert session.get(f"{far.url}/orders").status_code == 200
    far.kill()
    assert session.get(f"{far.url}/orders").status_code == 200
    assert far.logins == 2
    check(proxy, far)


def test_requests_gets_the_407_of_a_proxy_and_nothing_is_renewed(
    session: requests.Session, proxy: Proxy
) -> None:
    proxy.asks = True
    events: list[Event] = []
    session.proxies = {"http": proxy.url}
    session.auth = relogin.client.requests.SessionAuth(
        no_login, "http://127.0.0.1:1", on_event=events.append
    )
    assert session.get("http://127.0.0.1:1/orders").status_code == 407
    assert events == []


def test_requests_raises_for_a_407_to_connect_and_nothing_is_renewed(
    far: Server, session: requests.Session, proxy: Proxy
) -> None:
    proxy.asks = True
    events: list[Event] = []
    session.proxies = {"https": proxy.url}
    session.auth = relogin.client.requests.SessionAuth(no_login, far.url, on_event=events.append)
    with pytest.raises(requests.exceptions.ProxyError):
        session.get(f"{far.url}/orders")
    assert events == []


def no_login(_: object) -> None:
    pytest.fail("a 407 is a matter between the client and its proxy")


# httpx


def test_httpx_logs_in_with_a_client_that_trusts_the_authority(
    driver: Driver, far: Server, authority: Authority
) -> None:
    http = driver.open(verify=authority.trusted).client
    auth = relogin.client.httpx.SessionAuth(driver.login(far), far.url, http=http)
    client = driver.open(auth=auth, verify=authority.trusted)
    assert client.get(f"{far.url}/orders").status_code == 200
    assert far.logins == 1


def test_httpx_logs_in_nowhere_that_no_trusted_authority_vouches_for(
    driver: Driver, far: Server, authority: Authority
) -> None:
    """A client shows its auth no certificates: `http=` does, and else there is no login."""
    auth = relogin.client.httpx.SessionAuth(driver.login(far), far.url)
    client = driver.open(auth=auth, verify=authority.trusted)
    with pytest.raises(relogin.client.httpx.LoginUnavailable) as caught:
        client.get(f"{far.url}/orders")
    assert isinstance(caught.value.__cause__, httpx.ConnectError)
    assert far.logins == 0


def test_httpx_renews_and_logs_in_through_its_proxy_which_hears_no_secret(
    driver: Driver, far: Server, authority: Authority, proxy: Proxy
) -> None:
    way = {"proxy": proxy.url, "verify": authority.trusted}
    http = driver.open(**way).client
    auth = relogin.client.httpx.SessionAuth(driver.login(far), far.url, http=http)
    client = driver.open(auth=auth, **way)
    assert client.get(f"{far.url}/orders").status_code == 200
    far.kill()
    assert client.get(f"{far.url}/orders").status_code == 200
    assert far.logins == 2
    check(proxy, far)


def test_httpx_gets_the_407_of_a_proxy_and_nothing_is_renewed(driver: Driver, proxy: Proxy) -> None:
    proxy.asks = True
    events: list[Event] = []
    auth = relogin.client.httpx.SessionAuth(no_login, "http://127.0.0.1:1", on_event=events.append)
    client = driver.open(auth=auth, proxy=proxy.url)
    assert client.get("http://127.0.0.1:1/orders").status_code == 407
    assert events == []


def test_httpx_raises_for_a_407_to_connect_and_nothing_is_renewed(
    driver: Driver, far: Server, authority: Authority, proxy: Proxy
) -> None:
    proxy.asks = True
    events: list[Event] = []
    auth = relogin.client.httpx.SessionAuth(no_login, far.url, on_event=events.append)
    client = driver.open(auth=auth, proxy=proxy.url, verify=authority.trusted)
    with pytest.raises(httpx.ProxyError):
        client.get(f"{far.url}/orders")
    assert events == []


# HTTP/2


class Orders:
    """A resource, its login, and refusals, as an application of ASGI."""

    def __init__(self) -> None:
        self.logins = 0
        self.versions: list[str] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.versions.append(scope["http_version"])
        fields = dict(scope["headers"])
        if scope["path"] == "/login":
            self.logins += 1
            await answer(send, 200, f"s3cret-{self.logins}".encode())
        elif fields.get(b"authorization") == f'Session token="s3cret-{self.logins}"'.encode():
            body = await receive()
            await answer(send, 200, body["body"])
        else:
            await answer(send, 401, b"x" * 8192)


async def answer(send: Any, status: int, body: bytes) -> None:
    fields = [(b"www-authenticate", b'Session realm="api", error="session_expired"')]
    await send(
        {"type": "http.response.start", "status": status, "headers": fields[: status == 401]}
    )
    await send({"type": "http.response.body", "body": body})


@pytest.fixture
def http2(authority: Authority) -> Iterator[tuple[Orders, str]]:
    """The orders over HTTP/2, and their origin; asked for first, so that it ends last."""
    orders, config = Orders(), Config()
    config.certfile, config.keyfile = (
        str(authority.folder / f"server.{n}") for n in ("pem", "key")
    )
    config.accesslog = config.errorlog = None
    listening = socket.create_server(("127.0.0.1", 0))
    origin = f"https://127.0.0.1:{listening.getsockname()[1]}"
    config.bind = [f"fd://{listening.detach()}"]
    with start_blocking_portal() as portal:
        stop = portal.call(anyio.Event)
        app: Any = orders
        serve = partial(hypercorn.asyncio.serve, app, config, shutdown_trigger=stop.wait)
        serving = portal.start_task_soon(serve)
        yield orders, origin
        portal.call(stop.set)
        try:
            serving.result(10)
        except* (
            KeyError
        ):  # hypercorn 0.18 raises it if a frame comes for a stream it has just ended
            pass


def test_streams_of_one_connection_share_a_login(
    http2: tuple[Orders, str], driver: Driver, authority: Authority
) -> None:
    orders, origin = http2

    def log_in(context: Any) -> Any:
        return context.http.post(f"{origin}/login").text

    async def log_in_async(context: Any) -> Any:
        return (await context.http.post(f"{origin}/login")).text

    way = {"http2": True, "verify": authority.trusted}
    login = log_in_async if driver.is_async else log_in
    auth = relogin.client.httpx.SessionAuth(login, origin, http=driver.open(**way).client)
    client = driver.open(auth=auth, **way)
    # httpcore's threads step on each other in one connection of HTTP/2: KeyError in its streams.
    number = 20 if driver.is_async else 1
    answers = client.at_once(number, lambda _: f"{origin}/orders")
    assert [(each.status_code, each.http_version) for each in answers] == [(200, "HTTP/2")] * number
    assert client.put(f"{origin}/orders", content=b"whole").content == b"whole"
    assert orders.logins == 1
    assert set(orders.versions) == {"2"}
