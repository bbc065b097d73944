"""A login form in the 401 that Django takes, and a task group in one of its views."""

import asyncio
import json
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.test import Client, override_settings
from django.urls import path

import relogin
from relogin.server.request import Request
from tests.server.orders import averify


def csrf_form(said: relogin.SessionChallenge, request: Request) -> str:
    return str(get_token(request.source))


async def in_a_group(request: HttpRequest) -> HttpResponse:
    async with asyncio.TaskGroup() as group:
        group.create_task(refused())
    return HttpResponse()


async def refused() -> None:
    raise relogin.Refused("session_revoked")


def logged_in(request: HttpRequest) -> HttpResponse:
    return HttpResponse("Hello")


def old(request: HttpRequest) -> HttpResponse:
    return HttpResponse(status=440)


urlpatterns = [path("login", logged_in), path("group", in_a_group), path("old", old)]
IN_DJANGO: dict[str, Any] = {
    "ROOT_URLCONF": __name__,
    "MIDDLEWARE": [
        "django.middleware.csrf.CsrfViewMiddleware",
        "relogin.server.django.SessionGate",
    ],
    "RELOGIN": {
        "realm": "orders",
        "verify": averify,
        "cookie": "sid",
        "public": ["/login"],
        "login_page": csrf_form,
    },
}


def test_the_form_of_a_login_page_has_the_csrf_token_that_django_takes() -> None:
    with override_settings(**IN_DJANGO):
        browser = Client(enforce_csrf_checks=True)
        page = browser.get("/orders", headers={"sec-fetch-mode": "navigate"})
        assert page.status_code == 401
        form = {"csrfmiddlewaretoken": page.content.decode()}
        assert browser.post("/login", form).content == b"Hello"
        assert browser.post("/login", {}).status_code == 403


def test_a_view_of_django_may_refuse_in_a_task_group() -> None:
    with override_settings(**IN_DJANGO):
        browser = Client()
        browser.cookies["sid"] = "good"
        answer = browser.get("/group")
    assert (answer.status_code, json.loads(answer.content)["error"]) == (401, "session_revoked")


def to_login(said: relogin.SessionChallenge) -> dict[str, str]:
    return {"HX-Redirect": f"/login?why={said.error}"}


def where(request: Request) -> dict[str, str]:
    return {"resource_metadata": request.path}


def login_timeout(status: int, headers: dict[str, str]) -> str | None:
    return "session_expired" if status == 440 else None


def test_a_setting_may_name_each_function_of_the_gate() -> None:
    named = {
        "verify": "tests.server.orders.averify",
        "login_page": f"{__name__}.csrf_form",
        "headers": f"{__name__}.to_login",
        "params": f"{__name__}.where",
        "legacy": f"{__name__}.login_timeout",
    }
    with override_settings(**{**IN_DJANGO, "RELOGIN": {**IN_DJANGO["RELOGIN"], **named}}):
        browser = Client()
        browser.cookies["sid"] = "good"
        refused = browser.get("/old")
        assert refused.headers["HX-Redirect"] == "/login?why=session_expired"
        assert relogin.parse(refused.headers["WWW-Authenticate"])[0]["resource_metadata"] == "/old"
        page = Client().get("/old", headers={"sec-fetch-mode": "navigate"})
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert len(page.content) == len(get_token(HttpRequest()))
