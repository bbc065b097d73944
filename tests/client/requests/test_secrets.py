"""Rule 15: no token, cookie, password or refresh token in anything that is shown or stored."""

from __future__ import annotations

import logging
import pickle
import traceback
from collections.abc import Iterator
from contextlib import suppress

import pytest
import requests

from relogin import Grant, LoginRefused
from relogin.client.events import Event, EventKind, tell
from relogin.client.renewal.commands import Login, Replay
from relogin.client.requests import SessionAuth
from relogin.client.requests.route import Route
from relogin.client.responders import BEARER
from relogin.client.terms.grant import Context
from tests.client.picklable import PicklableLogin
from tests.client.server import COOKIE, PASSWORD, Server, serve
from tests.client.steps import KEY, Steps, a_cache, log_in, refused

SECRETS = (PASSWORD, "s3cret-", "r3fresh")


@pytest.fixture(params=["token", "cookie"])
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    with serve(Server(binding=request.param, expires_in=5)) as running:
        yield running


def login_to(server: Server) -> object:
    def login(context: Context) -> Grant:
        grant = server.login(context)
        return Grant(grant.token, grant.cookies, 600, "r3fresh-token")

    return login


def shows_secret(text: object) -> list[str]:
    return [secret for secret in SECRETS if secret in str(text)]


@pytest.mark.requirement("C-12")
def test_no_log_record_at_any_level_holds_a_secret(
    server: Server, session: requests.Session, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    session.auth = SessionAuth(login_to(server), server.url)  # type: ignore[arg-type]
    session.get(f"{server.url}/first")
    server.kill()
    session.post(f"{server.url}/second", data=b"x")
    server.refuse_all = True
    session.get(f"{server.url}/third")
    ours = [record for record in caplog.records if record.name.startswith("relogin")]
    assert len(ours) > 5
    assert not any(shows_secret(r.getMessage()) or shows_secret(r.__dict__) for r in ours)


@pytest.mark.requirement("C-12")
def test_no_event_holds_a_secret(server: Server, session: requests.Session) -> None:
    told: list[Event] = []
    session.auth = SessionAuth(login_to(server), server.url, on_event=told.append)  # type: ignore[arg-type]
    session.get(f"{server.url}/first")
    server.kill()
    session.get(f"{server.url}/second")
    assert len(told) > 4
    assert not shows_secret(told)


@pytest.mark.requirement("C-12")
def test_no_representation_of_ours_holds_a_secret(
    server: Server, session: requests.Session
) -> None:
    seen: list[Context] = []
    login = login_to(server)

    def looking(context: Context) -> object:
        seen.append(context)
        return login(context)  # type: ignore[operator]

    auth = SessionAuth(looking, server.url)
    session.auth = auth
    session.get(f"{server.url}/first")
    server.kill()
    answer = session.get(f"{server.url}/second")
    credential = auth._cache.newer(KEY._replace(origin=server.url), None)
    assert credential is not None
    shown = [
        auth, auth._cache, auth._cache.policy, credential, credential.grant, seen, auth._routes,
        answer.request.hooks, vars(auth._cache), seen[1].previous,
    ]  # fmt: skip
    assert not any(map(shows_secret, map(repr, shown)))


@pytest.mark.requirement("C-12")
def test_no_command_of_the_flow_shows_a_secret() -> None:
    cache = a_cache()
    steps = Steps(cache, refused())
    assert isinstance(steps.command, Login)
    shown = [steps.command]
    steps.send(Grant(token="s3cret-1", refresh="r3fresh"))
    assert isinstance(steps.command, Replay)
    assert not shows_secret(repr([*shown, steps.command, cache.__dict__]))


def raising(server: Server, session: requests.Session) -> list[BaseException]:
    caught: list[BaseException] = []
    for _ in range(2):
        try:
            session.get(f"{server.url}/orders")
        except requests.RequestException as error:
            caught.append(error)
    return caught


@pytest.mark.requirement("C-12")
def test_no_exception_message_holds_a_secret(server: Server, session: requests.Session) -> None:
    def login(context: Context) -> Grant:
        server.login(context)
        raise LoginRefused("locked")

    session.auth = SessionAuth(login, server.url)
    caught = raising(server, session)
    assert len(caught) == 2
    for error in caught:
        assert not shows_secret(
            (repr(error), error.args, "".join(traceback.format_exception(error)))
        )


@pytest.mark.requirement("C-12")
@pytest.mark.parametrize(
    "result",
    [
        "s3cret- with a space",
        b"s3cret-",
        ["s3cret-"],
        Grant(cookies={COOKIE: "s3cret-;x"}),
        Grant(cookies={"s3cret=": "x"}),
        Grant(token="s3cret-\x00"),
    ],
)
def test_a_grant_that_cannot_be_sent_is_refused_without_being_shown(
    server: Server, session: requests.Session, result: object
) -> None:
    session.auth = SessionAuth(lambda _: result, server.url, responders=[BEARER])
    server.scheme = "Bearer"
    caught = raising(server, session)
    assert len(caught) == 2
    for error in caught:
        assert not shows_secret("".join(traceback.format_exception(error)))


@pytest.mark.requirement("C-12")
def test_what_is_pickled_holds_no_secret(server: Server, session: requests.Session) -> None:
    session.auth = SessionAuth(PicklableLogin(server.url))
    with suppress(requests.RequestException):
        session.get(f"{server.url}/orders")
    assert not shows_secret(pickle.dumps(session.auth))


def test_a_route_is_not_shown() -> None:
    assert "proxy-password" not in repr(Route(object(), "u", {"proxies": "proxy-password"}, 1))  # type: ignore[arg-type]


def test_the_repr_of_a_grant_says_what_it_holds_and_not_the_values() -> None:
    grant = Grant("s3cret", {"sid": "s3cret"}, 600, "s3cret")
    assert repr(grant) == "<Grant with token, cookies, refresh, expires_in=600>"


# Events and their log


def test_a_listener_that_fails_costs_no_request(caplog: pytest.LogCaptureFixture) -> None:
    def listener(_: Event) -> None:
        raise ValueError("a mistake of the user's")

    log_in(a_cache(listener=listener))
    assert "the event callback failed on challenged" in caplog.text


def test_a_listener_may_be_interrupted() -> None:
    def listener(_: Event) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Steps(a_cache(listener=listener), refused())


def test_the_log_quotes_what_a_server_said(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "relogin.client")
    tell(None, Event(EventKind.REFUSED, "o", realm="a\nb", error="c\nd", reason="e\nf"))
    (record,) = caplog.records
    assert "\n" not in record.getMessage()
