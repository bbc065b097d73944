"""A login of httpx whose connection breaks: what was kept may be closed, and is tried once more."""

from __future__ import annotations

from typing import Any

import pytest

from relogin import Grant
from relogin.client.httpx import LoginUnavailable, SessionAuth
from relogin.client.logins.sending.request import ONCE
from tests.client.breaking import dropping
from tests.client.httpx_drivers import Caller, Driver
from tests.client.server import PASSWORD, Answer, Server


def in_two_steps(driver: Driver, server: Server, **sending: Any) -> Any:
    """A login that asks for something first, so that its connection is a kept one."""
    sending = sending or {"data": {"password": PASSWORD}}

    def login(context: Any) -> Grant:
        assert context.http.get(f"{server.url}/form").status_code == 401
        return server.grant(context.http.post(f"{server.url}/login", **sending))

    async def login_async(context: Any) -> Grant:
        assert (await context.http.get(f"{server.url}/form")).status_code == 401
        return server.grant(await context.http.post(f"{server.url}/login", **sending))

    return login_async if driver.is_async else login


def opened(driver: Driver, server: Server, login: Any = None, **options: Any) -> Caller:
    login = login or in_two_steps(driver, server)
    return driver.open(auth=SessionAuth(login, server.url, **options))


def test_a_login_whose_kept_connection_breaks_is_tried_once_more_on_a_new_one(
    driver: Driver, server: Server
) -> None:
    dropped = dropping(server, 1)
    assert opened(driver, server).get(f"{server.url}/me").status_code == 200
    first, second = server.seen("/login")
    assert first is dropped[0]
    assert first.connection == server.seen("/form")[-1].connection != second.connection
    assert second.body == first.body
    assert server.logins == 1


def test_a_login_is_not_tried_a_third_time(driver: Driver, server: Server) -> None:
    dropped = dropping(server, 3)
    with pytest.raises(LoginUnavailable):
        opened(driver, server).get(f"{server.url}/me")
    assert len(dropped) == 2


def test_a_login_whose_new_connection_breaks_is_not_tried_again(
    driver: Driver, server: Server
) -> None:
    dropped = dropping(server, 3)
    with pytest.raises(LoginUnavailable):
        opened(driver, server, driver.login(server)).get(f"{server.url}/me")
    assert len(dropped) == 1


def test_a_login_whose_body_is_spent_is_not_tried_again(driver: Driver, server: Server) -> None:
    async def pieces() -> Any:
        yield b"secret"

    content = pieces() if driver.is_async else iter([b"secret"])
    dropped = dropping(server, 3)
    with pytest.raises(LoginUnavailable):
        opened(driver, server, in_two_steps(driver, server, content=content)).get(
            f"{server.url}/me"
        )
    assert len(dropped) == 1


def test_a_login_whose_kept_connection_brings_nonsense_is_not_tried_again(
    driver: Driver, server: Server
) -> None:
    server.login_answers.extend([Answer(10), Answer(10)])  # no status is that small
    with pytest.raises(LoginUnavailable):
        opened(driver, server).get(f"{server.url}/me")
    assert len(server.seen("/login")) == 1


def test_what_may_spend_a_secret_is_not_sent_again_over_any_connection(
    driver: Driver, server: Server
) -> None:
    dropped = dropping(server, 3)
    login = in_two_steps(driver, server, content=b"a token", extensions={ONCE: True})
    with pytest.raises(LoginUnavailable):
        opened(driver, server, login).get(f"{server.url}/me")
    assert len(dropped) == 1


def test_what_goes_once_takes_no_connection_on_which_an_upload_was_refused(
    driver: Driver, server: Server
) -> None:
    url, once = f"{server.url}/login", {ONCE: True}

    def login(context: Any) -> Grant:
        return server.grant(context.http.post(url, extensions=once))

    async def login_async(context: Any) -> Grant:
        return server.grant(await context.http.post(url, extensions=once))

    server.early, server.early_end = True, "deceives"
    client = opened(driver, server, login_async if driver.is_async else login)
    assert client.post(f"{server.url}/orders", content=b"order" * 200).status_code == 200


def test_who_traces_a_request_of_a_login_hears_of_both(driver: Driver, server: Server) -> None:
    heard = list[str]()

    def hear(event: str, _: object) -> None:
        heard.append(event)

    async def hear_async(event: str, info: object) -> None:
        hear(event, info)

    dropping(server, 1)
    extensions = {"trace": hear_async if driver.is_async else hear}
    login = in_two_steps(driver, server, content=b"secret", extensions=extensions)
    assert opened(driver, server, login).get(f"{server.url}/me").status_code == 200
    assert heard.count("http11.send_request_headers.started") == 2
