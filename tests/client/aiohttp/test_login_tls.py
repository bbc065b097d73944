"""The `ssl` of a request is that of the login that it causes, at the same server alone."""

from __future__ import annotations

from typing import Any

import aiohttp
import anyio
import pytest

from relogin import LoginUnavailable
from relogin.client.aiohttp import SessionAuth
from relogin.client.logins import JSONLogin
from tests.client.authority import Authority
from tests.client.log_in import ACCOUNT
from tests.client.server import Answer, Request, Server, serve

pytestmark = pytest.mark.needs("openssl")

JSON = (("Content-Type", "application/json"),)


def issuing(server: Server) -> Server:
    def issue(_: Request) -> Answer:
        server.kill()
        return Answer(200, JSON, b'{"access_token": "%b"}' % server._renew().encode())

    server.routes["/token"] = issue
    return server


@pytest.fixture
def far(far: Server) -> Server:
    return issuing(far)


def got(server: Server, login: Any, tls: Any, host: str | None = None) -> int:
    """Get the orders with this `ssl` and `server_hostname`, and return the status."""
    url = login.url.removesuffix("/token") if host else server.url

    async def main() -> int:
        auth = SessionAuth(login, url)
        async with (
            aiohttp.ClientSession(middlewares=[auth]) as http,
            http.get(f"{url}/orders", ssl=tls, server_hostname=host) as answer,
        ):
            return answer.status

    return anyio.run(main)


@pytest.mark.parametrize("trusts", [True, False])
def test_a_login_verifies_the_server_of_the_refused_request_as_that_did(
    far: Server, authority: Authority, trusts: bool
) -> None:
    """With `False`, which is common for devices, it verifies nothing."""
    login = JSONLogin(f"{far.url}/token", ACCOUNT)
    assert got(far, login, authority.trusted if trusts else False) == 200


def test_a_login_expects_the_same_name_in_the_certificate(
    far: Server, authority: Authority
) -> None:
    url = far.url.replace("127.0.0.1", "localhost")
    login = JSONLogin(f"{url}/token", ACCOUNT)
    assert got(far, login, authority.trusted, host="127.0.0.1") == 200


def test_a_login_of_your_own_verifies_the_server_as_the_refused_request_did(
    far: Server, authority: Authority
) -> None:
    async def log_in(context: Any) -> Any:
        async with context.http.post(f"{far.url}/token") as answer:
            return (await answer.json())["access_token"]

    assert got(far, log_in, authority.trusted) == 200


def test_the_name_that_a_login_of_your_own_expects_counts(
    far: Server, authority: Authority
) -> None:
    async def log_in(context: Any) -> Any:
        async with context.http.post(f"{far.url}/token", server_hostname="another.example"):
            pytest.fail("it verified another name")

    with pytest.raises(LoginUnavailable, match="CertificateError"):
        got(far, log_in, authority.trusted)


def test_another_server_gets_no_password_unverified(far: Server, authority: Authority) -> None:
    with serve(Server(), authority.shown) as other:
        login = JSONLogin(f"{issuing(other).url}/token", ACCOUNT)
        with pytest.raises(LoginUnavailable, match="certificate verify failed"):
            got(far, login, tls=False)
    assert other.requests == []
