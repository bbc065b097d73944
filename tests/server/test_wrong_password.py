"""Somebody signed in types a wrong old password: nobody logs in for that, and no session ends."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
import requests
from django.contrib.auth.models import AnonymousUser
from django.core.handlers.wsgi import WSGIHandler
from django.test import override_settings
from django.urls import path
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from relogin.client import httpx as httpx_client
from relogin.client.requests import SessionAuth
from relogin.server import wsgi
from relogin.server.drf import SessionAuthentication
from tests.server.frameworks import FRAMEWORKS, Framework
from tests.server.serving import ask, serving_asgi, serving_wsgi

TRIES = 3


class Person(AnonymousUser):
    is_authenticated = True  # type: ignore[assignment]


class Shop:
    """One account; a new login ends the session before it."""

    def __init__(self) -> None:
        self.logins = 0
        self.alive = ""

    def login(self, context: Any) -> str:
        self.logins += 1
        self.alive = f"t{self.logins}"
        return self.alive

    def verify(self, token: str) -> Any:
        return Person() if token == self.alive else None


def with_requests(shop: Shop, url: str) -> list[int]:
    with requests.Session() as session:
        session.trust_env = False
        session.auth = SessionAuth(shop.login, url)
        first = session.get(f"{url}/orders", timeout=10)
        tries = [session.post(f"{url}/password", timeout=10) for _ in range(TRIES)]
        last = session.get(f"{url}/orders", timeout=10)
    return [one.status_code for one in (first, *tries, last)]


def with_httpx(shop: Shop, url: str) -> list[int]:
    auth = httpx_client.SessionAuth(shop.login, url)
    with httpx.Client(auth=auth, trust_env=False) as client:
        first = client.get(f"{url}/orders")
        tries = [client.post(f"{url}/password") for _ in range(TRIES)]
        last = client.get(f"{url}/orders")
    return [one.status_code for one in (first, *tries, last)]


each_client = pytest.mark.parametrize("talk", [with_requests, with_httpx])
Talk = Callable[[Shop, str], list[int]]
EXPECTED = [200, *[401] * TRIES, 200]


@each_client
@pytest.mark.requirement("S-14")
@pytest.mark.parametrize("framework", FRAMEWORKS, ids=lambda one: one.name)
def test_a_wrong_old_password_costs_no_login_behind_a_gate(
    framework: Framework, talk: Talk
) -> None:
    shop = Shop()
    serving = serving_asgi if framework.is_asgi else serving_wsgi
    with serving(framework.build(verify=shop.verify)) as port:
        assert talk(shop, f"http://127.0.0.1:{port}") == EXPECTED
    assert shop.logins == 1  # the first of all; the session that it made is the one that lives


# Django REST framework


class Orders(APIView):
    authentication_classes = (SessionAuthentication,)
    permission_classes = (IsAuthenticated,)

    def get(self, request: Request) -> Response:
        return Response("seven")


class Password(Orders):
    def post(self, request: Request) -> Response:
        raise AuthenticationFailed("The old password is wrong.")


urlpatterns = [path("orders", Orders.as_view()), path("password", Password.as_view())]


@contextmanager
def serving_drf(shop: Shop, **framework: Any) -> Iterator[str]:
    options = {"realm": "orders", "verify": shop.verify}
    with (
        override_settings(
            ROOT_URLCONF=__name__, MIDDLEWARE=[], REST_FRAMEWORK=framework, RELOGIN=options
        ),
        serving_wsgi(WSGIHandler()) as port,
    ):
        yield f"http://127.0.0.1:{port}"


@each_client
def test_a_wrong_old_password_costs_no_login_under_rest_framework(talk: Talk) -> None:
    shop = Shop()
    handler = {"EXCEPTION_HANDLER": "relogin.server.drf.exception_handler"}
    with serving_drf(shop, **handler) as url:
        assert talk(shop, url) == EXPECTED
    assert shop.logins == 1


@each_client
def test_without_our_exception_handler_a_wrong_old_password_is_a_403(talk: Talk) -> None:
    shop = Shop()
    with serving_drf(shop) as url:
        assert talk(shop, url) == [200, *[403] * TRIES, 200]
    assert shop.logins == 1


# No gate at all: the server says 401, and nothing else


@each_client
@pytest.mark.requirement("C-26")
def test_without_a_gate_a_wrong_old_password_costs_one_login_however_often_it_is_tried(
    talk: Talk,
) -> None:
    shop = Shop()

    def application(environ: Any, start_response: Any) -> list[bytes]:
        token = environ.get("HTTP_AUTHORIZATION", "").rpartition(" ")[2]
        alive = token.strip('"').removeprefix('token="') == shop.alive != ""
        wrong = environ["PATH_INFO"] == "/password"
        start_response("401 Unauthorized" if wrong or not alive else "200 OK", [])
        return [b""]

    with serving_wsgi(application) as port:
        assert talk(shop, f"http://127.0.0.1:{port}") == EXPECTED
    assert shop.logins == 2  # the first of all, and one for the path


# Another server's 401, passed on


@pytest.mark.parametrize(
    ("challenge", "warnings"),
    [
        ('Bearer realm="inner", error="invalid_token"', 1),
        ("Bearer", 1),
        ('Session realm="inner"', 1),
        ('Bearer realm="orders", error="insufficient_user_authentication", max_age="60"', 0),
        ('DPoP algs="ES256"', 0),
        ('Bearer realm="', 0),
        (None, 0),
    ],
)
def test_the_gate_warns_once_of_a_challenge_that_seems_to_be_anothers(
    challenge: str | None, warnings: int, caplog: pytest.LogCaptureFixture
) -> None:
    def application(environ: Any, start_response: Any) -> list[bytes]:
        fields = [] if challenge is None else [("WWW-Authenticate", challenge)]
        start_response("401 Unauthorized", fields)
        return [b""]

    gate = wsgi.SessionGate(application, lambda _: "ada", realm="orders")
    living = ("Authorization", 'Session token="good"')
    with serving_wsgi(gate) as port:
        ask(port, "/")  # refused by the gate itself
        answers = [ask(port, "/", living) for _ in range(2)]
    assert {answer.headers.get("WWW-Authenticate") for answer in answers} == {challenge}
    assert caplog.text.count("If it is another server's, answer 502") == warnings
