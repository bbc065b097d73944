#!/usr/bin/env bash
# One session token of django-allauth ends, and three parts of one site answer with three statuses.
#
# Versions:  django-allauth 65.22.1, Django 5.2.19, djangorestframework 3.18.3, django-ninja 1.7.1 (PyPI, Python 3.11).
# Behaviour: an app sends the token of allauth's headless API in X-Session-Token. allauth ships what checks it for its own
#            endpoints, for Django REST framework and for Django Ninja. Once the session has ended, these answer 410, 403 and
#            401, none with WWW-Authenticate. A client that renews at 401, as nearly all do, carries on at one of the three.
#            The 403 comes from Django REST framework: allauth's XSessionTokenAuthentication has no authenticate_header, so
#            the 401 becomes a 403, which is also what a user without permission gets.
# Seen (status while the session lives, and after it has ended; has WWW-Authenticate):
#            allauth  200  410  no
#            DRF      200  403  no
#            Ninja    200  401  no
# Exits with 1 if that changes.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -qq --disable-pip-version-check \
    django-allauth==65.22.1 Django==5.2.19 djangorestframework==3.18.3 django-ninja==1.7.1 2>/dev/null
cd "$folder"

cat > ask.py <<'PYTHON'
import sys

import django
from django.conf import settings

settings.configure(
    SECRET_KEY="a key that is as long as HMAC with SHA-256 wants it to be",
    ROOT_URLCONF="__main__",
    ALLOWED_HOSTS=["testserver"],
    INSTALLED_APPS=[
        "django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions",
        "allauth", "allauth.account", "allauth.headless", "rest_framework", "ninja",
    ],
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "allauth.account.middleware.AccountMiddleware",
    ],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    DEFAULT_AUTO_FIELD="django.db.models.AutoField",
    ACCOUNT_EMAIL_VERIFICATION="none",
    HEADLESS_ONLY=True,
)
django.setup()

from allauth.headless.contrib.ninja.security import x_session_token_auth
from allauth.headless.contrib.rest_framework.authentication import XSessionTokenAuthentication
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.test import Client
from django.urls import include, path
from ninja import NinjaAPI
from rest_framework.permissions import IsAuthenticated
from rest_framework.response import Response
from rest_framework.views import APIView


class Orders(APIView):  # as allauth's documentation has it
    authentication_classes = [XSessionTokenAuthentication]
    permission_classes = [IsAuthenticated]

    def get(self, request):
        return Response({"orders": []})


ninja = NinjaAPI(auth=[x_session_token_auth])


@ninja.get("/orders")
def orders(request):
    return {"orders": []}


AUTH = "/_allauth/app/v1/auth"
urlpatterns = [
    path("_allauth/", include("allauth.headless.urls")),
    path("drf/orders", Orders.as_view()),
    path("ninja/", ninja.urls),
]
call_command("migrate", verbosity=0)
User.objects.create_user("ada", password="pa55word")


def ask(where, token):
    return Client().get(where, headers={"X-Session-Token": token})


login = Client().post(
    f"{AUTH}/login", {"username": "ada", "password": "pa55word"}, content_type="application/json"
)
token = login.json()["meta"]["session_token"]
places = {"allauth": f"{AUTH}/session", "DRF": "/drf/orders", "Ninja": "/ninja/orders"}
living = {name: ask(where, token).status_code for name, where in places.items()}
Session.objects.all().delete()
seen = {}
for name, where in places.items():
    answer = ask(where, token)
    told = "yes" if answer.has_header("WWW-Authenticate") else "no"
    seen[name] = (living[name], answer.status_code, told)
    print(f"{name:7}  {living[name]}  {answer.status_code}  {told}")
usual = {"allauth": (200, 410, "no"), "DRF": (200, 403, "no"), "Ninja": (200, 401, "no")}
sys.exit(seen != usual)
PYTHON
venv/bin/python ask.py 2>/dev/null
