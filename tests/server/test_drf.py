"""Django REST framework says 401 and why, where its own class says 403."""

import io
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.db import connection
from django.test import override_settings
from django.urls import path
from django.utils.translation import gettext_lazy
from rest_framework.authentication import BaseAuthentication, BasicAuthentication
from rest_framework.exceptions import AuthenticationFailed, NotFound
from rest_framework.permissions import AllowAny, BasePermission, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.test import APIClient
from rest_framework.views import APIView

import relogin
from relogin.server.drf import SessionAuthentication
from tests.server.django_site import cookies, expire, sign_in
from tests.server.orders import SECRET, verify


class Orders(APIView):
    authentication_classes: Sequence[type[BaseAuthentication]] = (SessionAuthentication,)
    permission_classes: Sequence[type[BasePermission]] = (IsAuthenticated,)

    def get(self, request: Request) -> Response:
        return Response({"user": str(request.user), "session": str(request.auth)})

    post = get


class Public(Orders):
    permission_classes = (AllowAny,)


class Pay(Orders):
    def get(self, request: Request) -> Response:
        raise relogin.Refused("insufficient_user_authentication", max_age=300)


class Scoped(Orders):
    def get(self, request: Request) -> Response:
        raise relogin.Refused("insufficient_scope", scope="orders:write")


class Write(Orders):
    def get(self, request: Request) -> Response:
        User.objects.create_user("half-made")
        raise relogin.Refused("session_revoked")


class Password(Orders):
    def post(self, request: Request) -> Response:
        raise AuthenticationFailed("The old password is wrong.")


class OpenPassword(Password):
    permission_classes = (AllowAny,)


class Nowhere(Orders):
    def get(self, request: Request) -> Response:
        raise NotFound


class Strict(BaseAuthentication):
    """Some other class of the application's, after ours."""

    def authenticate(self, request: Request) -> None:
        if "X-Key" in request.headers:
            raise AuthenticationFailed("Invalid key.")


class Both(Orders):
    authentication_classes = (
        SessionAuthentication,
        Strict,
    )


class Keyed(BaseAuthentication):
    """Some other class, whose header is translated when it is sent."""

    def authenticate(self, request: Request) -> None:
        return None

    def authenticate_header(self, request: Request) -> Any:
        return gettext_lazy("Key")


class Foreign(Orders):
    authentication_classes = (Keyed,)


class Token(Keyed):
    """As simplejwt has it: what it refuses is its own token."""

    def authenticate(self, request: Request) -> None:
        if "Authorization" in request.headers:
            raise AuthenticationFailed("Token is expired")

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="api"'


class Broken(Keyed):
    """The framework never asks for the header of a second class."""

    def authenticate_header(self, request: Request) -> str:
        raise NotImplementedError("a secret")


class Odd(Orders):
    authentication_classes = (SessionAuthentication, Broken, Keyed)


class Several(Orders):
    authentication_classes = (SessionAuthentication, Token, BasicAuthentication, Keyed, Strict)


class Person:
    is_authenticated = True

    def __str__(self) -> str:
        return "ada"


class WithUser:
    user = Person()


urlpatterns = [
    path("orders", Orders.as_view()),
    path("public", Public.as_view()),
    path("pay", Pay.as_view()),
    path("scoped", Scoped.as_view()),
    path("nowhere", Nowhere.as_view()),
    path("password", Password.as_view()),
    path("open-password", OpenPassword.as_view()),
    path("both", Both.as_view()),
    path("foreign", Foreign.as_view()),
    path("odd", Odd.as_view()),
    path("several", Several.as_view()),
    path("write", Write.as_view()),
    path("login", sign_in),
]

HANDLER = {"EXCEPTION_HANDLER": "relogin.server.drf.exception_handler"}
BASE: dict[str, Any] = {"ROOT_URLCONF": __name__, "MIDDLEWARE": [], "REST_FRAMEWORK": HANDLER}


def sessions(token: str) -> Any:
    return WithUser() if token == "with-user" else Person() if token == "good" else verify(token)


OTHER = {"realm": "orders", "verify": sessions, "cookie": "sid"}


@pytest.fixture(params=["alone", "behind the middleware"])
def client(request: pytest.FixtureRequest) -> Iterator[APIClient]:
    gate = "relogin.server.django.SessionGate"
    if request.param == "alone":
        with override_settings(**BASE, RELOGIN=OTHER):
            yield APIClient()
    else:
        options = OTHER | {"public": ["/*"]}
        with override_settings(**BASE | {"MIDDLEWARE": [gate]}, RELOGIN=options):
            yield APIClient()


def get(client: APIClient, url: str, token: str | None = None, **fields: str) -> Any:
    if token is not None:
        fields["Authorization"] = f'Session token="{token}"'
    return client.get(url, headers=fields)


def told(response: Any) -> tuple[int, str | None]:
    return response.status_code, response.headers.get("WWW-Authenticate")


def test_user_and_session_are_known_to_the_view(client: APIClient) -> None:
    assert get(client, "/orders", "good").json() == {"user": "ada", "session": "ada"}
    assert get(client, "/orders", "with-user").json()["user"] == "ada"


def test_without_credentials_the_answer_is_401_without_a_code(client: APIClient) -> None:
    response = get(client, "/orders")
    assert told(response) == (401, 'Session realm="orders"')
    assert "no-store" in response.headers["Cache-Control"]
    assert "error" not in response.json()


@pytest.mark.parametrize(
    ("token", "error"),
    [
        ("expired", "session_expired"),
        ("revoked", "session_revoked"),
        ("unknown", "session_invalid"),
    ],
)
def test_a_dead_session_is_401_with_the_reason(client: APIClient, token: str, error: str) -> None:
    response = get(client, "/orders", token)
    assert told(response) == (401, f'Session realm="orders", error="{error}"')
    assert response.headers["Content-Type"] == "application/problem+json"
    assert response.json()["error"] == error


@pytest.mark.parametrize("token", [None, "expired", SECRET])
def test_a_public_view_is_served(client: APIClient, token: str | None) -> None:
    assert get(client, "/public", token).json()["user"] == "AnonymousUser"


def test_an_outage_is_503_where_a_session_is_needed(client: APIClient) -> None:
    response = get(client, "/orders", SECRET)
    assert told(response) == (503, None)
    assert response.headers["Retry-After"] == "5"


def test_a_view_may_refuse(client: APIClient) -> None:
    response = get(client, "/pay", "good")
    assert response.status_code == 401
    assert response.json()["max_age"] == 300


def test_a_lacking_scope_is_403_with_the_scope_that_would_do(client: APIClient) -> None:
    with override_settings(RELOGIN=OTHER | {"schemes": ["Bearer"], "public": ["/*"]}):
        response = get(client, "/scoped", Authorization="Bearer good")
    challenge = 'Bearer realm="orders", error="insufficient_scope", scope="orders:write"'
    assert told(response) == (403, challenge)
    assert response.json()["scope"] == "orders:write"


@pytest.mark.requirement("S-14")
def test_a_views_own_401_to_a_living_session_has_no_challenge(client: APIClient) -> None:
    fields = {"Authorization": 'Session token="good"'}
    response = client.post("/password", headers=fields)
    assert told(response) == (401, None)
    assert response.json() == {"detail": "The old password is wrong."}


def test_a_views_own_401_without_a_session_has_the_challenge(client: APIClient) -> None:
    with override_settings(RELOGIN=OTHER | {"public": ["/*"]}):
        response = client.post("/open-password")
    assert told(response) == (401, 'Session realm="orders"')


@pytest.mark.requirement("S-34")
def test_the_content_of_a_refused_request_is_read(client: APIClient) -> None:
    body = io.BytesIO(bytes(1000))
    environ: dict[str, Any] = {"wsgi.input": body, "CONTENT_LENGTH": "1000"}
    client.post("/orders", headers={"Authorization": 'Session token="expired"'}, **environ)
    assert body.tell() == 1000


def test_a_cookie_needs_a_csrf_token_and_a_header_does_not() -> None:
    with override_settings(**BASE, RELOGIN=OTHER):
        client = APIClient(enforce_csrf_checks=True)
        by_header = {"Authorization": 'Session token="good"'}
        assert client.post("/orders", headers=by_header).status_code == 200
        client.cookies["sid"] = "good"
        response = client.post("/orders")
        assert told(response) == (403, None)
        assert response.headers["Content-Type"] == "application/problem+json"
        assert response.json()["error"] == "csrf_invalid"


def test_the_rest_is_the_frameworks_own_affair(client: APIClient) -> None:
    assert get(client, "/nowhere", "good").json()["detail"] == "Not found."
    response = get(client, "/both", **{"X-Key": "wrong"})
    assert response.status_code == 401
    assert response.json()["detail"] == "Invalid key."


def test_a_view_that_asks_for_no_session_keeps_its_own_challenge() -> None:
    with override_settings(**BASE, RELOGIN=OTHER):
        assert told(get(APIClient(), "/foreign", "good")) == (401, "Key")


def test_the_challenges_of_the_other_classes_come_first_and_none_for_a_browsers_window(
    client: APIClient,
) -> None:
    assert told(get(client, "/several")) == (401, 'Bearer realm="api", Key, Session realm="orders"')
    refused = get(client, "/several", Authorization="Bearer old")
    assert told(refused) == (401, 'Bearer realm="api", Key, Session realm="orders"')
    assert refused.json() == {"detail": "Token is expired"}


def test_a_scheme_that_the_gate_offers_is_not_offered_twice(client: APIClient) -> None:
    with override_settings(RELOGIN=OTHER | {"schemes": ["Bearer"], "public": ["/*"]}):
        assert told(get(client, "/several")) == (401, 'Key, Bearer realm="orders"')


def test_a_class_that_cannot_say_its_challenge_does_not_turn_the_401_into_a_500(
    client: APIClient, caplog: pytest.LogCaptureFixture
) -> None:
    assert told(get(client, "/odd")) == (401, 'Key, Session realm="orders"')
    assert "authenticate_header of Broken has failed: NotImplementedError" in caplog.text
    assert "a secret" not in caplog.text


def test_an_outage_offers_nothing(client: APIClient) -> None:
    with override_settings(RELOGIN=OTHER | {"verify": lambda _: 1 / 0, "public": ["/*"]}):
        assert told(get(client, "/several", Cookie="sid=any")) == (503, None)


def test_a_refusal_undoes_what_the_view_wrote(
    client: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    call_command("migrate", verbosity=0)
    monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", True)
    assert get(client, "/write", "good").status_code == 401
    assert not User.objects.filter(username="half-made").exists()


def test_behind_the_middleware_a_verifier_is_asked_once() -> None:
    asked = []

    def once(token: str) -> Person:
        asked.append(token)
        return Person()

    gate = {"MIDDLEWARE": ["relogin.server.django.SessionGate"]}
    with override_settings(**BASE | gate, RELOGIN=OTHER | {"public": ["/*"], "verify": once}):
        get(APIClient(), "/orders", "good")
    assert asked == ["good"]


async def asessions(token: str) -> Any:
    return sessions(token)


def test_a_view_awaits_an_asynchronous_verifier() -> None:
    with override_settings(**BASE, RELOGIN=OTHER | {"verify": asessions}):
        assert get(APIClient(), "/orders", "good").status_code == 200
        assert get(APIClient(), "/orders", "expired").json()["error"] == "session_expired"


def test_without_the_exception_handler_the_status_and_the_reason_are_right_too() -> None:
    with override_settings(**BASE | {"REST_FRAMEWORK": {}}, RELOGIN=OTHER):
        client = APIClient(enforce_csrf_checks=True)
        expired = get(client, "/orders", "expired")
        assert told(expired) == (401, 'Session realm="orders", error="session_expired"')
        down = get(client, "/orders", SECRET)
        assert told(down) == (503, None)
        assert down.headers["Retry-After"] == "5"
        assert down.json()["detail"] == "Sessions cannot be checked at the moment"
        client.cookies["sid"] = "good"
        forged = client.post("/orders")
        assert (told(forged), forged.json()["error"]) == ((403, None), "csrf_invalid")


@pytest.mark.parametrize("session", ["ada", {"user": "ada"}, object()])
@pytest.mark.parametrize("url", ["/orders", "/public"])
def test_a_session_that_is_no_user_is_told_at_the_first_request(session: Any, url: str) -> None:
    with (
        override_settings(**BASE, RELOGIN=OTHER | {"verify": lambda _: session}),
        pytest.raises(ImproperlyConfigured, match=f"this {type(session).__name__} has none, so"),
    ):
        get(APIClient(), url, "any")


# Django's own sessions


@pytest.fixture
def own() -> Iterator[APIClient]:
    call_command("migrate", verbosity=0)
    User.objects.get_or_create(username="ada")
    stack = [
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
    ]
    with override_settings(**BASE | {"MIDDLEWARE": stack}, RELOGIN={"realm": "orders"}):
        yield APIClient()
    call_command("flush", verbosity=0, interactive=False)


def test_a_user_of_djangos_own_sessions_is_known(own: APIClient) -> None:
    own.get("/login")
    assert own.get("/orders").json()["user"] == "ada"


def test_an_expired_session_of_djangos_own_is_told(own: APIClient) -> None:
    own.get("/login")
    expire()
    response = own.get("/orders")
    assert told(response) == (401, 'Session realm="orders", error="session_expired"')
    assert not cookies(response)
    assert settings.SESSION_COOKIE_NAME in own.cookies
