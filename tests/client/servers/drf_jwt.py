"""djangorestframework-simplejwt behind DRF: tokens of one second, in a process of its own.

Django is configured once in a process: ``python -m tests.client.servers.drf_jwt`` prints its port.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from wsgiref.simple_server import make_server

import django
from django.conf import settings
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.urls import path

__all__: list[str] = []

urlpatterns: list[Any] = []


def configure() -> None:
    settings.configure(
        SECRET_KEY="a key that is as long as HMAC with SHA-256 wants it to be",
        ROOT_URLCONF=__name__,
        ALLOWED_HOSTS=["127.0.0.1"],
        INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "rest_framework"],
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
        PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
        SIMPLE_JWT={"ACCESS_TOKEN_LIFETIME": timedelta(seconds=2)},
    )
    django.setup()
    call_command("migrate", verbosity=0)


def install() -> None:
    from django.contrib.auth.models import User
    from rest_framework.permissions import IsAuthenticated
    from rest_framework.response import Response
    from rest_framework.views import APIView
    from rest_framework_simplejwt.authentication import JWTAuthentication
    from rest_framework_simplejwt.views import TokenObtainPairView

    class Orders(APIView):
        authentication_classes = (JWTAuthentication,)
        permission_classes = (IsAuthenticated,)

        def get(self, request: Any) -> Response:
            return Response({"orders": ["tea", "ink"]})

        def post(self, request: Any) -> Response:
            return Response({"ordered": request.data})

    User.objects.create_user("ada", password="pa55")
    urlpatterns.append(path("token", TokenObtainPairView.as_view()))
    urlpatterns.append(path("orders", Orders.as_view()))


if __name__ == "__main__":
    configure()
    install()
    with make_server("127.0.0.1", 0, get_wsgi_application()) as server:
        print(server.server_port, flush=True)
        server.serve_forever()
