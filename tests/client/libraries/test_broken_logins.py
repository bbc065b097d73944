"""A login that meets a connection that was closed already: it is tried once more, on a new one.

After an upload was refused early its server may close a connection that it said it would keep, and
a proxy in front says 502 of it. What the login's own client does is tried in each library's tests.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from relogin import Grant, LoginUnavailable
from relogin.client.logins import JSONLogin, OAuth2Login
from tests.client.breaking import dropping
from tests.client.libraries.face import FACES, Client, Face, opened
from tests.client.server import PASSWORD, Answer, Request, Server
from tests.client.token_server import TokenServer

BAD_GATEWAY = Answer(502, body=b"bad gateway")
# We do not look into the connections of niquests.
KEEPING = [name for name in FACES if not name.startswith("niquests")]


def users_own(face: Face) -> Client:
    """A client that the user gives for logins."""
    return face.open(face.auth(Server(url="https://elsewhere.example")))


def renewing(face: Face, server: Server, login: Any = None) -> Client:
    """A client with a session that has died, whose login keeps a connection of the user's own."""
    client = face.open(face.auth(server, login, http=users_own(face).client))
    assert client.get(f"{server.url}/first").status == 200
    server.kill()
    return client


def ready_made(server: Server) -> JSONLogin:
    return JSONLogin(f"{server.url}/login", {"password": PASSWORD}, token="token")


def in_json(server: Server) -> None:
    """Let the login answer in JSON."""
    plain = server._log_in

    def log_in() -> Answer:
        answer = plain()
        if answer.status != 200:
            return answer
        assert isinstance(answer.body, bytes)
        return Answer(200, body=b'{"token": "%s"}' % answer.body)

    server._log_in = log_in  # type: ignore[method-assign]


@pytest.mark.parametrize("name", KEEPING)
@pytest.mark.parametrize("made", ["a function", "ready-made"])
def test_over_a_client_of_the_users_a_kept_connection_that_breaks_is_left(
    name: str, made: str, server: Server
) -> None:
    with opened(name) as face:
        if made == "ready-made":
            in_json(server)
        client = renewing(face, server, ready_made(server) if made == "ready-made" else None)
        dropped = dropping(server, 1)
        assert client.get(f"{server.url}/me").status == 200
        again = server.seen("/login")[-1]
        assert len(dropped) == 1
        assert again.connection != dropped[0].connection
        assert server.logins == 2
        server.kill()
        dropped = dropping(server, 3)
        with pytest.raises(LoginUnavailable):
            client.get(f"{server.url}/me")
        assert len(dropped) == 2


@pytest.mark.parametrize("name", KEEPING)
def test_over_a_client_of_the_users_a_new_connection_that_breaks_is_the_end(
    name: str, server: Server
) -> None:
    with opened(name) as face:
        dropped = dropping(server, 3)
        client = face.open(face.auth(server, http=users_own(face).client))
        with pytest.raises(LoginUnavailable):
            client.get(f"{server.url}/me")
        assert len(dropped) == 1


@pytest.mark.parametrize("name", KEEPING)
def test_over_a_client_of_the_users_a_refresh_token_goes_once(name: str, server: Server) -> None:
    with opened(name) as face:
        tokens = TokenServer(server)
        login = OAuth2Login(tokens.url, "job", "s3cret", refresh_token=tokens.issue())
        client = face.open(face.auth(server, login, http=users_own(face).client))
        assert client.get(f"{server.url}/orders").status == 200
        tokens.kill()
        tokens.lost = 3
        with pytest.raises(LoginUnavailable):
            client.get(f"{server.url}/orders")
        assert len(tokens.asked) == 2


def test_a_login_that_a_proxy_lost_on_its_way_is_tried_once_more(
    face: Face, server: Server
) -> None:
    meets_bad_gateways(face.open(face.auth(server)), server)


def test_a_ready_made_login_that_a_proxy_lost_on_its_way_is_tried_once_more(
    face: Face, server: Server
) -> None:
    in_json(server)
    meets_bad_gateways(face.open(face.auth(server, ready_made(server))), server)


def meets_bad_gateways(client: Any, server: Server) -> None:
    """One costs nothing; of three in a row, a login meets two."""
    server.login_answers.append(BAD_GATEWAY)
    assert client.get(f"{server.url}/me").status == 200
    server.kill()
    server.login_answers.extend([BAD_GATEWAY] * 3)
    with pytest.raises(LoginUnavailable):
        client.get(f"{server.url}/me")
    assert len(server.login_answers) == 1


def with_a_refresh_token(face: Face, server: Server) -> Any:
    """A login that posts twice, the second time over a kept connection, and gets one."""

    def login(context: Any) -> Grant:
        server.login(context)
        return replace(server.login(context), refresh="r")

    async def login_async(context: Any) -> Grant:
        await face.log_in(server, context)
        return replace(await face.log_in(server, context), refresh="r")

    return login_async if face.is_async else login


def test_a_function_that_is_given_a_refresh_token_sends_nothing_twice(
    face: Face, server: Server
) -> None:
    client = face.open(face.auth(server, with_a_refresh_token(face, server)))
    assert client.get(f"{server.url}/me").status == 200
    server.kill()
    posted: list[Request] = []

    def drop(request: Request) -> Answer:
        if request.path != "/login":
            return server.protected(request)
        posted.append(request)
        if len(posted) > 1:
            raise ConnectionResetError
        return server._log_in()

    server.answers = drop
    with pytest.raises(LoginUnavailable):
        client.get(f"{server.url}/me")
    assert len(posted) == 2


def test_a_function_that_is_given_a_refresh_token_is_called_once(
    face: Face, server: Server
) -> None:
    client = face.open(face.auth(server, with_a_refresh_token(face, server)))
    assert client.get(f"{server.url}/me").status == 200
    server.kill()
    server.login_answers.extend([BAD_GATEWAY] * 3)
    with pytest.raises(LoginUnavailable):
        client.get(f"{server.url}/me")
    assert len(server.login_answers) == 2


def test_an_outage_of_the_login_is_not_tried_again_at_once(face: Face, server: Server) -> None:
    server.login_answers.extend([Answer(503)] * 2)
    with pytest.raises(LoginUnavailable):
        face.open(face.auth(server)).get(f"{server.url}/me")
    assert len(server.login_answers) == 1
