"""A small Django project behind the middleware: its views, its settings, and what it answers."""

from datetime import timedelta
from typing import Any

from django.contrib.auth import login, logout
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.utils import timezone
from django.views.decorators.csrf import ensure_csrf_cookie

import relogin


def home(request: HttpRequest) -> HttpResponse:
    return HttpResponse(f"user={request.user}")


@ensure_csrf_cookie
def sign_in(request: HttpRequest) -> HttpResponse:
    login(request, User.objects.get(username="ada"))
    return HttpResponse("in")


async def awaited_home(request: HttpRequest) -> HttpResponse:
    return HttpResponse(f"user={await request.auser()}")


def sign_out(request: HttpRequest) -> HttpResponse:
    logout(request)
    return HttpResponse("out")


def visit(request: HttpRequest) -> HttpResponse:
    request.session["basket"] = [7]
    return HttpResponse("visited")


def pay(request: HttpRequest) -> HttpResponse:
    raise relogin.Refused("insufficient_user_authentication", max_age=300)


def broken(request: HttpRequest) -> HttpResponse:
    raise LookupError("broken")


def note(request: HttpRequest) -> HttpResponse:
    return HttpResponse(request.session["note"])


urlpatterns = [
    path("orders", home),
    path("home", home),
    path("login", sign_in),
    path("logout", sign_out),
    path("visit", visit),
    path("pay", pay),
    path("broken", broken),
    path("old-school", login_required(home)),
    path("note", note),
    path("awaited", awaited_home),
]


OWN: dict[str, Any] = {
    "ROOT_URLCONF": __name__,
    "MIDDLEWARE": [
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "relogin.server.django.SessionGate",
    ],
    "RELOGIN": {"realm": "orders", "public": ["/home", "/login", "/visit", "/logout"]},
    "SESSION_COOKIE_AGE": 900,
    "SESSION_EXPIRE_AT_BROWSER_CLOSE": True,
    "CSRF_FAILURE_VIEW": "relogin.server.django.csrf_failure",
}


def challenge(response: Any) -> str | None:
    line: str | None = response.headers.get("WWW-Authenticate")
    return line


EXPIRED = 'Session realm="orders", error="session_expired"'


def expire() -> None:
    Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))


def cookies(response: Any) -> set[str]:
    return set(response.cookies) - {"csrftoken"}
