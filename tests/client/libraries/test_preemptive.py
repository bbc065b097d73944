"""Logging in before the first request, at a server that hides what it has instead of a 401."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from relogin import Grant, LoginRefused, LoginUnavailable
from relogin.client.carry import Header
from relogin.client.logins import Logout, OAuth2Login
from relogin.client.stores.memory import MemoryStore
from tests.client.libraries.face import Client, Face
from tests.client.libraries.shapes import WHOLE
from tests.client.server import Answer, Request, Server, serve

PRIVATE = "/projects/7"


class Hiding(Server):
    """GitLab's manner: 404 to a request without a token, and 401 to one with a dead token."""

    def refuse(self, error: str | None) -> Answer:
        return Answer(404, body=b"no such project") if error is None else super().refuse(error)


@pytest.fixture
def hiding() -> Iterator[Server]:
    with serve(Hiding(scheme="Bearer")) as server:
        # As a token alone.
        server.challenges = lambda error: (f'Bearer realm="api", error="{error}"',)
        yield server


def opened(face: Face, server: Server, login: Any = None, **options: Any) -> Client:
    return face.open(face.auth(server, login, preemptive=True, **options))


def bearer(request: Request) -> str:
    return request.headers.get("Authorization", "").removeprefix("Bearer ")


@pytest.fixture(autouse=True)
def read_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Request, "token", property(lambda self: bearer(self) or None))


def test_by_default_a_404_is_the_response(face: Face, hiding: Server) -> None:
    client = face.open(face.auth(hiding))
    assert client.get(hiding.url + PRIVATE).status == 404
    assert hiding.logins == 0


def test_the_first_request_carries_a_session(face: Face, hiding: Server) -> None:
    client = opened(face, hiding)
    answers = [client.get(hiding.url + PRIVATE), client.get(hiding.url + PRIVATE)]
    assert [(answer.status, answer.outcome) for answer in answers] == [(200, "untouched")] * 2
    assert hiding.logins == 1
    assert len(hiding.seen(PRIVATE)) == 2


def test_the_first_request_carries_a_cookie(face: Face, hiding: Server) -> None:
    hiding.binding = "cookie"
    client = opened(face, hiding)
    assert client.get(hiding.url + PRIVATE).status == 200
    assert hiding.logins == 1


def test_the_first_request_carries_a_field_of_its_own(face: Face, server: Server) -> None:
    server.answers = lambda request: Answer(body=(request.headers.get("X-Token") or "").encode())
    client = opened(face, server, lambda _: "t1", carry=Header("X-Token"))
    assert client.get(server.url).body == b"t1"


def test_a_server_that_takes_another_scheme_gets_the_same_session_by_it(
    face: Face, server: Server
) -> None:
    by_session = 'Session token="s3cret-1"'

    def answers(request: Request) -> Answer:
        if request.path == "/login":
            return server._log_in()
        sent = request.headers.get("Authorization")
        return Answer() if sent == by_session else server.refuse(None)

    server.answers = answers
    client = opened(face, server)
    assert [client.get(f"{server.url}/{path}").status for path in "ab"] == [200] * 2
    assert server.logins == 1
    sent = [request.headers.get("Authorization") for request in server.requests]
    assert sent == [None, "Bearer s3cret-1", by_session, by_session]


def test_if_that_session_is_refused_too_one_login_follows(face: Face, server: Server) -> None:
    def answers(request: Request) -> Answer:
        if request.path == "/login":
            return server._log_in()
        sent = request.headers.get("Authorization")
        return Answer() if sent == 'Session token="s3cret-2"' else server.refuse("session_invalid")

    server.answers = answers
    client = opened(face, server)
    assert client.get(server.url).status == 200
    assert server.logins == 2


def test_a_herd_waits_for_one_login(face: Face, hiding: Server) -> None:
    client = opened(face, hiding)
    answers = client.at_once(50, lambda index: f"{hiding.url}/projects/{index}")
    assert {getattr(answer, "status", answer) for answer in answers} == {200}
    assert hiding.logins == 1


def test_a_body_is_sent_once_and_whole(face: Face, hiding: Server) -> None:
    client, bodies = opened(face, hiding), face.bodies()
    once = next(body for body in bodies.values() if not body.repeats)
    for body in (bodies["bytes"], once):
        answer = client.post(hiding.url + PRIVATE, body)
        assert (answer.status, WHOLE in answer.body) == (200, True)
    assert len(hiding.seen(PRIVATE)) == 2


@pytest.mark.parametrize(
    ("trouble", "kind"),
    [
        (LoginRefused("no"), LoginRefused),
        (LoginUnavailable("later"), LoginUnavailable),
        (RuntimeError("a fault of the login"), LoginUnavailable),
    ],
)
def test_if_the_login_fails_nothing_is_sent(
    face: Face, hiding: Server, trouble: Exception, kind: type[Exception]
) -> None:
    asked = []

    def login(_: object) -> None:
        asked.append(1)
        raise trouble

    client = opened(face, hiding, login)
    for _ in range(2):
        with pytest.raises(face.failure) as caught:
            client.get(hiding.url + PRIVATE)
        assert isinstance(caught.value, kind)
        error: Any = caught.value
        assert (error.__cause__, error.response) == (trouble, None)
        assert str(error.request.url).endswith(PRIVATE)
    assert (len(asked), hiding.requests) == (1, [])


def test_if_the_login_brings_no_session_nothing_is_sent(face: Face, hiding: Server) -> None:
    client = opened(face, hiding, lambda _: 7)
    with pytest.raises(face.failure, match="must return"):
        client.get(hiding.url + PRIVATE)
    assert hiding.requests == []


def test_a_login_that_declines_is_asked_once_and_again_after_a_challenge(
    face: Face, hiding: Server
) -> None:
    asked: list[Any] = []
    client = opened(face, hiding, lambda context: asked.append(context.challenge))
    assert [client.get(hiding.url + PRIVATE).status for _ in range(2)] == [404, 404]
    assert asked == [None]
    hiding.routes["/me"] = lambda _: Server.refuse(hiding, None)
    answer = client.get(f"{hiding.url}/me")
    assert (answer.status, answer.outcome, len(asked)) == (401, "declined", 2)


def test_another_server_gets_a_request_as_it_is(face: Face, hiding: Server) -> None:
    client = opened(face, hiding)
    assert client.get(hiding.other_host + PRIVATE).status == 404
    assert hiding.logins == 0


def test_a_session_that_dies_is_renewed_once_and_serves_every_path(
    face: Face, hiding: Server
) -> None:
    client = opened(face, hiding)
    client.get(f"{hiding.url}/projects/1")
    hiding.kill("session_expired")
    paths = ("/projects/2", "/users/1", "/projects/3/issues")
    assert [client.get(hiding.url + path).status for path in paths] == [200] * 3
    assert hiding.logins == 2
    assert len(hiding.seen("/users/1")) == 1


def test_the_login_is_told_why_and_what_was_before(face: Face, hiding: Server) -> None:
    told: list[Any] = []

    def login(context: Any) -> Grant:
        told.append((context.realm, context.error, context.method, context.previous))
        return Grant(token="t", refresh=f"r{len(told)}")

    hiding.refuse_all = True
    client = opened(face, hiding, login)
    client.get(hiding.url + PRIVATE)
    assert [one[:3] for one in told] == [("", None, "GET"), ("api", "session_invalid", "GET")]
    assert [one[3] and one[3].refresh for one in told] == [None, "r1"]


def test_a_refresh_token_of_the_first_login_renews_the_session(face: Face, hiding: Server) -> None:
    grants = []

    def token(request: Request) -> Answer:
        grants.append(request.body.decode())
        hiding.kill()
        value = hiding._renew()
        body = f'{{"access_token": "{value}", "token_type": "Bearer", "refresh_token": "r{value}"}}'
        return Answer(200, (("Content-Type", "application/json"),), body.encode())

    hiding.routes["/token"] = token
    login = OAuth2Login(f"{hiding.url}/token", "id", "secret", username="ada", password="pw")
    client = opened(face, hiding, login)
    client.get(hiding.url + PRIVATE)
    hiding.kill("invalid_token")
    assert client.get(hiding.url + PRIVATE).status == 200
    assert ["refresh_token=" in grant for grant in grants] == [False, True]


def test_after_a_logout_the_next_request_logs_in_first(face: Face, hiding: Server) -> None:
    hiding.routes["/session"] = lambda _: Answer(204)
    auth = face.auth(hiding, preemptive=True, logout=Logout(f"{hiding.url}/session"))
    client = face.open(auth)
    client.get(hiding.url + PRIVATE)
    face.run(auth.alogout if face.is_async else auth.logout)
    assert client.get(hiding.url + PRIVATE).status == 200
    assert (hiding.logins, len(hiding.seen(PRIVATE))) == (2, 2)


def test_after_session_revoked_there_is_no_login(face: Face, hiding: Server) -> None:
    client = opened(face, hiding)
    client.get(hiding.url + PRIVATE)
    hiding.kill("session_revoked")
    assert [client.get(hiding.url + PRIVATE).status for _ in range(3)] == [401] * 3
    assert hiding.logins == 1


def test_over_budget_nothing_is_sent(face: Face, hiding: Server) -> None:
    auth = face.auth(hiding, preemptive=True, budget=(1, 60), logout=lambda _: None)
    client = face.open(auth)
    client.get(hiding.url + PRIVATE)
    face.run(auth.alogout if face.is_async else auth.logout)
    with pytest.raises(face.failure, match="budget="):
        client.get(hiding.url + PRIVATE)
    assert len(hiding.seen(PRIVATE)) == 1


def test_a_session_in_the_store_spares_the_login(face: Face, hiding: Server) -> None:
    store = MemoryStore()
    for _ in range(2):
        client = opened(face, hiding, store=store)
        assert client.get(hiding.url + PRIVATE).status == 200
    assert hiding.logins == 1


def test_a_login_over_the_same_client_does_not_wait_for_itself(face: Face, hiding: Server) -> None:
    clients: list[Any] = []

    async def log_in(_: object) -> str:
        answer = await face.send(clients[0].client, "POST", f"{hiding.url}/login")
        return str(answer.body, "ascii")

    def login(_: object) -> str:
        return str(clients[0]("POST", f"{hiding.url}/login").body, "ascii")

    clients.append(opened(face, hiding, log_in if face.is_async else login))
    assert clients[0].get(hiding.url + PRIVATE).status == 200
