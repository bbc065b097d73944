"""django-allauth's headless API, in a process of its own.

Django is configured once in a process: ``python -m tests.client.servers.allauth_server`` prints its
port. ``POST /kill`` ends every session.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any
from wsgiref.simple_server import make_server

import django
from django.conf import settings
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.urls import include, path

__all__: list[str] = []

urlpatterns: list[Any] = []

_APPS = ["auth", "contenttypes", "sessions"]


def configure(folder: str) -> None:
    settings.configure(
        SECRET_KEY="a key that is as long as HMAC with SHA-256 wants it to be",
        ROOT_URLCONF=__name__,
        ALLOWED_HOSTS=["127.0.0.1"],
        INSTALLED_APPS=[
            *(f"django.contrib.{app}" for app in _APPS),
            *("allauth", "allauth.account", "allauth.headless"),
        ],
        MIDDLEWARE=[
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.middleware.csrf.CsrfViewMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
            "allauth.account.middleware.AccountMiddleware",
        ],
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.sqlite3",
                "NAME": Path(folder) / "db.sqlite",
            }
        },
        # The tables as they are now, without the history that led to them.
        MIGRATION_MODULES=dict.fromkeys([*_APPS, "account"]),
        PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
        DEFAULT_AUTO_FIELD="django.db.models.AutoField",
        HEADLESS_ONLY=True,
        ACCOUNT_EMAIL_VERIFICATION="none",
        ACCOUNT_RATE_LIMITS=False,
        CACHES={"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}},
    )
    django.setup()
    call_command("migrate", run_syncdb=True, verbosity=0)


def install() -> None:
    from django.contrib.auth.models import User
    from django.contrib.sessions.models import Session
    from django.http import HttpResponse
    from django.views.decorators.csrf import csrf_exempt

    def kill(_: Any) -> HttpResponse:
        return HttpResponse(Session.objects.all().delete()[0])

    User.objects.create_user("ada", password="pa55")
    urlpatterns.append(path("_allauth/", include("allauth.headless.urls")))
    urlpatterns.append(path("kill", csrf_exempt(kill)))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        configure(folder)
        install()
        with make_server("127.0.0.1", 0, get_wsgi_application()) as server:
            print(server.server_port, flush=True)
            server.serve_forever()
