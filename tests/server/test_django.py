"""The Django middleware over Django's own sessions, and its options."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.models import Session
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.http import HttpRequest, HttpResponse
from django.test import AsyncClient, Client, override_settings

from relogin.server.django import Guard, SessionGate
from tests.client.redis_server import a_redis_server
from tests.server.django_site import EXPIRED, OWN, challenge, cookies, expire

REDIS_CACHE = "django.core.cache.backends.redis.RedisCache"
BACKENDS = ["db", "cached_db", "cache", "file", "signed_cookies"]


@pytest.fixture(scope="module", autouse=True)
def database() -> Iterator[None]:
    call_command("migrate", verbosity=0)
    User.objects.create_user("ada", password="a password")
    yield
    call_command("flush", verbosity=0, interactive=False)


@pytest.fixture(autouse=True)
def own_settings() -> Iterator[None]:
    with override_settings(**OWN):
        yield


@pytest.fixture
def client() -> Client:
    return Client()


def signed_in(client: Client) -> str:
    """Log in; returns the key of the session."""
    assert client.get("/login").status_code == 200
    return client.cookies[settings.SESSION_COOKIE_NAME].value


INVALID = 'Session realm="orders", error="session_invalid"'
REVOKED = 'Session realm="orders", error="session_revoked"'
NONE = 'Session realm="orders"'


@pytest.mark.parametrize("backend", BACKENDS)
def test_each_backend_admits_a_user_and_tells_a_forged_session(
    backend: str, tmp_path: Path
) -> None:
    engine = f"django.contrib.sessions.backends.{backend}"
    with override_settings(SESSION_ENGINE=engine, SESSION_FILE_PATH=str(tmp_path)):
        client = Client()
        signed_in(client)
        assert client.get("/orders").content == b"user=ada"
        client.cookies["sessionid"] = "f0rged" * 5
        response = client.get("/orders")
        assert (response.status_code, challenge(response)) == (401, INVALID)
        assert not cookies(response)


@pytest.mark.needs("redis-server")
@pytest.mark.parametrize("backend", ["cache", "cached_db"])
def test_a_cache_that_does_not_answer_ends_no_session(backend: str) -> None:
    with (
        a_redis_server() as server,
        override_settings(
            SESSION_ENGINE=f"django.contrib.sessions.backends.{backend}",
            CACHES={"default": {"BACKEND": REDIS_CACHE, "LOCATION": server.url}},
        ),
    ):
        client = Client(raise_request_exception=False)
        signed_in(client)
        server.stop()
        response = client.get("/orders")
        assert (response.status_code, challenge(response)) == (503, None)
        assert not cookies(response)


def test_a_cookie_that_cannot_be_the_name_of_a_file_is_no_session(tmp_path: Path) -> None:
    engine = "django.contrib.sessions.backends.file"
    with override_settings(SESSION_ENGINE=engine, SESSION_FILE_PATH=str(tmp_path)):
        client = Client()
        client.cookies["sessionid"] = "abcdefgh.ijkl"
        assert challenge(client.get("/orders")) == INVALID


def test_nobody_and_a_visitor_are_told_of_no_session(client: Client) -> None:
    assert challenge(client.get("/orders")) == NONE
    client.get("/visit")
    assert challenge(client.get("/orders")) == NONE


@pytest.mark.parametrize("backend", ["db", "cached_db"])
def test_a_session_that_the_database_still_has_is_expired(backend: str) -> None:
    with override_settings(SESSION_ENGINE=f"django.contrib.sessions.backends.{backend}"):
        client = Client()
        key = signed_in(client)
        expire()
        assert Session.objects.filter(session_key=key).exists()
        if backend == "cached_db":
            from django.core.cache import cache

            cache.clear()
        response = client.get("/orders")
        assert challenge(response) == EXPIRED
        assert not cookies(response)
        assert client.get("/home").content == b"user=AnonymousUser"
        call_command("clearsessions")
        assert challenge(client.get("/orders")) == INVALID


def test_a_signed_cookie_tells_that_it_expired(monkeypatch: pytest.MonkeyPatch) -> None:
    with override_settings(SESSION_ENGINE="django.contrib.sessions.backends.signed_cookies"):
        client = Client()
        signed_in(client)
        later = time.time() + 901
        monkeypatch.setattr("django.core.signing.time.time", lambda: later)
        response = client.get("/orders")
        assert challenge(response) == EXPIRED
        assert not cookies(response)
        monkeypatch.undo()
        visitor = Client()
        visitor.get("/visit")
        assert challenge(visitor.get("/orders")) == NONE


def test_a_file_that_expired_is_told_lost_and_no_new_session_is_begun(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    engine = "django.contrib.sessions.backends.file"
    with override_settings(SESSION_ENGINE=engine, SESSION_FILE_PATH=str(tmp_path)):
        client = Client()
        signed_in(client)
        monkeypatch.setattr(SessionBase, "get_expiry_age", lambda *_, **__: 0)
        response = client.get("/orders")
        assert challenge(response) == INVALID
        assert not cookies(response)


def test_a_changed_password_revokes_the_session_and_each_request_is_told(client: Client) -> None:
    signed_in(client)
    user = User.objects.get(username="ada")
    user.set_password("another password")
    user.save()
    assert client.get("/home").content == b"user=AnonymousUser"
    for _ in range(2):
        response = client.get("/orders")
        assert challenge(response) == REVOKED
        assert not cookies(response)


def test_a_user_who_was_disabled_is_told_revoked(client: Client) -> None:
    signed_in(client)
    User.objects.update(is_active=False)
    try:
        assert challenge(client.get("/orders")) == REVOKED
    finally:
        User.objects.update(is_active=True)


def test_a_dead_session_on_a_public_page_leaves_the_cookie_alone(client: Client) -> None:
    signed_in(client)
    expire()
    response = client.get("/home")
    assert (response.content, cookies(response)) == (b"user=AnonymousUser", set())


def test_a_login_with_a_dead_cookie_begins_a_new_session(client: Client) -> None:
    dead = signed_in(client)
    expire()
    assert signed_in(client) != dead
    assert client.get("/orders").content == b"user=ada"


def test_a_logout_deletes_the_cookie(client: Client) -> None:
    signed_in(client)
    assert client.get("/logout").cookies["sessionid"].value == ""


def test_the_session_may_come_in_authorization() -> None:
    key = signed_in(Client())
    fields: Any = {"Authorization": f'Session token="{key}"'}
    assert Client().get("/orders", headers=fields).content == b"user=ada"
    expire()
    other = Client()
    signed_in(other)
    expire()
    assert challenge(other.get("/orders", headers=fields)) == EXPIRED


def looks_at_the_user(get_response: Any) -> Any:
    def middleware(request: HttpRequest) -> Any:
        str(request.user)
        async_to_sync(request.auser)()
        return get_response(request)

    return middleware


def test_authorization_decides_who_it_is_though_somebody_has_looked_already() -> None:
    User.objects.get_or_create(username="grace")
    stack: list[str] = [*OWN["MIDDLEWARE"]]
    stack.insert(3, f"{__name__}.looks_at_the_user")
    with override_settings(MIDDLEWARE=stack):
        client = Client()
        client.force_login(User.objects.get(username="grace"))
        other = Client()
        key = signed_in(other)
        assert client.get("/orders").content == b"user=grace"
        by_header = {"Authorization": f'Session token="{key}"'}
        assert client.get("/orders", headers=by_header).content == b"user=ada"
        forged = {"Authorization": 'Session token="forged"'}
        assert client.get("/home", headers=forged).content == b"user=AnonymousUser"
        assert client.get("/awaited", headers=by_header).content == b"user=ada"


def test_trouble_in_the_database_is_no_logout(
    client: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    signed_in(client)

    def down(self: SessionBase) -> None:
        raise ConnectionError

    monkeypatch.setattr("django.contrib.sessions.backends.db.SessionStore.load", down)
    response = client.get("/orders")
    assert (response.status_code, cookies(response)) == (503, set())
    assert client.get("/home").content == b"user=AnonymousUser"
    assert "ConnectionError" in caplog.text


def test_a_view_may_refuse(client: Client) -> None:
    signed_in(client)
    assert challenge(client.get("/pay")) == (
        'Session realm="orders", error="insufficient_user_authentication", max_age="300"'
    )


def test_other_exceptions_of_views_pass(client: Client) -> None:
    signed_in(client)
    with pytest.raises(LookupError):
        client.get("/broken")


def test_djangos_csrf_failure_is_a_403_with_its_code() -> None:
    client = Client(enforce_csrf_checks=True)
    signed_in(client)
    response = client.post("/orders")
    assert (response.status_code, response.json()["error"]) == (403, "csrf_invalid")
    assert "WWW-Authenticate" not in response.headers


def test_under_asgi_each_state_has_its_challenge() -> None:
    client: Any = AsyncClient()

    @async_to_sync
    async def get(url: str) -> Any:
        return await client.get(url)

    assert challenge(get("/orders")) == NONE
    get("/login")
    assert get("/orders").content == b"user=ada"
    assert challenge(get("/pay")) is not None
    expire()
    assert challenge(get("/orders")) == EXPIRED


def with_a_note(get_response: Any) -> Any:
    def middleware(request: HttpRequest) -> Any:
        request.session["note"] = request.path
        return get_response(request)

    return middleware


def test_what_a_middleware_outside_put_into_the_session_is_there(client: Client) -> None:
    stack: list[str] = [*OWN["MIDDLEWARE"]]
    stack.insert(1, f"{__name__}.with_a_note")
    with override_settings(MIDDLEWARE=stack):
        signed_in(client)
        assert client.get("/note").content == b"/note"


# Options


def test_the_options_may_be_given_where_the_middleware_is_made() -> None:
    gate = SessionGate(lambda request: HttpResponse(), str, realm="given")
    assert (gate.guard.gate.realm, gate.guard.gate.cookie) == ("given", None)
    own = SessionGate(lambda request: HttpResponse(), realm="given")
    assert (own.guard.gate.realm, own.guard.gate.cookie) == ("given", "sessionid")


def test_without_settings_the_gate_says_what_is_missing() -> None:
    with override_settings():
        del settings.RELOGIN
        with pytest.raises(ImproperlyConfigured, match="RELOGIN"):
            Client().get("/orders")


def test_without_the_authentication_middleware_the_gate_says_what_is_missing() -> None:
    with (
        override_settings(MIDDLEWARE=["relogin.server.django.SessionGate"]),
        pytest.raises(ImproperlyConfigured, match="AuthenticationMiddleware"),
    ):
        Client().get("/orders")


def test_settings_that_change_are_read_again() -> None:
    assert Guard.configured() is Guard.configured()
    with override_settings(RELOGIN={"realm": "other"}, SESSION_COOKIE_NAME="sid"):
        assert Guard.configured().gate.realm == "other"
        assert Guard.configured().gate.cookie == "sid"
    assert Guard.configured().gate.realm == "orders"
