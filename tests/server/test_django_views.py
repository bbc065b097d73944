"""Single views of Django that ask for a session, or for more."""

from collections.abc import Iterator
from io import BytesIO
from typing import Any

import pytest
from asgiref.sync import async_to_sync, iscoroutinefunction
from django.core.exceptions import ImproperlyConfigured
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, HttpResponse
from django.test import AsyncClient, Client, override_settings
from django.urls import path
from django.utils.decorators import method_decorator
from django.views import View

from relogin.server.django import Guard, facts, required, step_up
from tests.server.django_site import EXPIRED, challenge
from tests.server.orders import averify, verify


def why(request: HttpRequest) -> HttpResponse:
    return HttpResponse(str(request.META["relogin.refused"]))


@required
def plain(request: HttpRequest) -> HttpResponse:
    return HttpResponse(request.META["relogin.session"])


@required
async def awaited(request: HttpRequest) -> HttpResponse:
    return HttpResponse(request.META["relogin.session"])


class Page(View):
    @method_decorator(step_up(max_age=300))
    def get(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse("paid")


decorated = [
    path("why", why),
    path("docs/a/b", why),
    path("plain", plain),
    path("awaited", awaited),
    path("pay", Page.as_view()),
]


SINGLE = {
    "ROOT_URLCONF": tuple(decorated),
    "MIDDLEWARE": ["relogin.server.django.SessionGate"],
    "RELOGIN": {"realm": "orders", "public": ["/*"], "verify": averify},
}


async def get_under_asgi(url: str, **options: Any) -> Any:
    return await AsyncClient().get(url, **options)


@pytest.fixture(params=["wsgi", "asgi"])
def visit_with(request: pytest.FixtureRequest) -> Iterator[Any]:
    with override_settings(**SINGLE):
        get: Any = Client().get if request.param == "wsgi" else async_to_sync(get_under_asgi)
        yield lambda url, token: get(url, headers={"Authorization": f'Session token="{token}"'})


@pytest.mark.parametrize("url", ["/plain", "/awaited"])
def test_a_decorated_view_needs_a_session_and_tells_why_not(visit_with: Any, url: str) -> None:
    assert visit_with(url, "good").content == b"ada"
    assert challenge(visit_with(url, "expired")) == EXPIRED


def test_a_decorated_view_may_ask_for_more(visit_with: Any) -> None:
    assert visit_with("/pay", "good").content == b"paid"
    assert 'max_age="300"' in str(challenge(visit_with("/pay", "aged")))


def test_a_public_page_can_say_why_there_is_no_session(visit_with: Any) -> None:
    assert visit_with("/why", "expired").content == b"session_expired"
    assert visit_with("/why", "good").content == b"None"


@pytest.mark.parametrize(
    ("url", "token", "error"),
    [
        ("/plain", "expired", "session_expired"),
        ("/pay", "aged", "insufficient_user_authentication"),
    ],
)
def test_a_log_finds_why_a_view_was_refused(
    visit_with: Any, url: str, token: str, error: str
) -> None:
    response = visit_with(url, token)
    assert response.status_code == 401
    request = response.wsgi_request if hasattr(response, "wsgi_request") else response.asgi_request
    assert request.META["relogin.refused"].error == error


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ({}, 200),
        ({"RAW_URI": "/docs/a/b?c=%2F"}, 200),
        ({"RAW_URI": "/docs/a%2Fb"}, 401),
        ({"REQUEST_URI": "/docs/a%2Fb"}, 401),
    ],
)
def test_the_path_as_it_was_sent_is_looked_at(sent: dict[str, Any], status: int) -> None:
    options = {"realm": "orders", "public": ["/docs/*"], "verify": verify}
    with override_settings(**SINGLE | {"RELOGIN": options}):
        assert Client().get("/docs/a/b", **sent).status_code == status


def test_under_asgi_the_path_as_it_was_sent_is_looked_at() -> None:
    scope = {"method": "GET", "path": "/docs/a/b", "raw_path": b"/docs/a%2Fb", "headers": []}
    asked = facts(ASGIRequest(scope, BytesIO()))
    assert (asked.path, asked.raw_path) == ("/docs/a/b", "/docs/a%2Fb")


def test_without_the_middleware_a_decorated_view_says_what_is_missing() -> None:
    with (
        override_settings(**SINGLE | {"MIDDLEWARE": []}),
        pytest.raises(ImproperlyConfigured, match="add the middleware"),
    ):
        Client().get("/plain")


def test_a_view_keeps_its_name_and_kind() -> None:
    assert (plain.__name__, iscoroutinefunction(plain)) == ("plain", False)
    assert (awaited.__name__, iscoroutinefunction(awaited)) == ("awaited", True)


def test_a_response_that_is_replaced_is_closed() -> None:
    closed: list[bool] = []

    class Kept(HttpResponse):
        def close(self) -> None:
            closed.append(True)

    guard = Guard(verify, realm="orders", public=["/"], legacy={440: "session_expired"})
    request = HttpRequest()
    request.path_info, request.META = "/", {"REQUEST_METHOD": "GET"}
    assert guard.dress(guard.decide(request), Kept(status=440)).status_code == 401
    assert closed
