"""A login form in the 401 that Django takes, and a task group in one of its views."""

import asyncio
import json
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.test import Client, override_settings
from django.urls import path

import relogin
from relogin.server.facts import Request
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


urlpatterns = [path("login", logged_in), path("group", in_a_group)]
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
