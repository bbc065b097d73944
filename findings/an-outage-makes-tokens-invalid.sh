#!/usr/bin/env bash
# An authorization server answers 503, and two of three APIs tell a client that its token is invalid, though it is not.
#
# Versions:  Django 5.2.16, djangorestframework 3.18.3, djangorestframework-simplejwt 5.5.1 with PyJWT 2.15.1,
#            django-oauth-toolkit 3.4.1, mozilla-django-oidc 5.0.2.
# Behaviour: An API asks its authorization server for the keys of a JWT (simplejwt, JWK_URL), whether a token is active
#            (django-oauth-toolkit, introspection), or whose it is (mozilla-django-oidc, userinfo). While that server answers
#            503, simplejwt and django-oauth-toolkit answer 401 with token_not_valid and invalid_token, so clients discard a
#            valid token and get a new one, or ask their user to log in. mozilla-django-oidc answers 500. PyJWT raises
#            PyJWKClientConnectionError for it, a subclass of the error for an unknown key, and simplejwt catches the latter.
#            simplejwt keeps the keys for five minutes, and django-oauth-toolkit each token it has seen, so this concerns
#            a worker that has just started, keys that have grown old, and tokens that are new.
# Seen (what the authorization server answers, the API's library, what the API answers to a valid token):
#            503 simplejwt     401 token_not_valid
#            503 oauth-toolkit 401 invalid_token
#            503 mozilla-oidc  500
#            200 simplejwt     200
#            200 oauth-toolkit 200
#            200 mozilla-oidc  200
# Exits with 1 if that changes.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -qq --disable-pip-version-check \
    Django==5.2.16 djangorestframework==3.18.3 djangorestframework-simplejwt==5.5.1 PyJWT==2.15.1 cryptography==50.0.2 \
    django-oauth-toolkit==3.4.1 mozilla-django-oidc==5.0.2 2>/dev/null
cd "$folder"

cat > api.py <<'PYTHON'
import json, logging, threading, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import django
import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from django.conf import settings
from django.core.management import call_command
from django.test import Client
from django.urls import path
from jwt.algorithms import RSAAlgorithm

logging.disable(logging.CRITICAL)
key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
public = json.loads(RSAAlgorithm.to_jwk(key.public_key())) | {"kid": "1", "use": "sig", "alg": "RS256"}
claims = {"sub": "ada", "user_id": "1", "token_type": "access", "jti": "1", "exp": time.time() + 600}
token = jwt.encode(claims, key, "RS256", headers={"kid": "1"})
is_down = True


class Authority(BaseHTTPRequestHandler):
    """An authorization server: its keys, its introspection and its userinfo."""

    def do_GET(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        answers = {
            "/keys": {"keys": [public]},
            "/introspect": {"active": True, "username": "ada", "scope": "read", "exp": int(time.time()) + 600},
            "/userinfo": {"sub": "ada", "email": "ada@example.com"},
        }
        body = b"" if is_down else json.dumps(answers[self.path]).encode()
        self.send_response(503 if is_down else 200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Authority)
threading.Thread(target=server.serve_forever, daemon=True).start()
authority = f"http://127.0.0.1:{server.server_port}"

settings.configure(
    SECRET_KEY="x", ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__, LOGGING_CONFIG=None, MIDDLEWARE=[], USE_TZ=True,
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "oauth2_provider", "mozilla_django_oidc"],
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    SIMPLE_JWT={"ALGORITHM": "RS256", "JWK_URL": f"{authority}/keys"},
    OAUTH2_PROVIDER={
        "RESOURCE_SERVER_INTROSPECTION_URL": f"{authority}/introspect",
        "RESOURCE_SERVER_INTROSPECTION_CREDENTIALS": ("api", "secret"),
    },
    OIDC_OP_TOKEN_ENDPOINT="-", OIDC_OP_USER_ENDPOINT=f"{authority}/userinfo", OIDC_RP_CLIENT_ID="api",
    OIDC_RP_CLIENT_SECRET="secret", OIDC_OP_JWKS_ENDPOINT=f"{authority}/keys", OIDC_RP_SIGN_ALGO="RS256",
    OIDC_DRF_AUTH_BACKEND="mozilla_django_oidc.auth.OIDCAuthenticationBackend",
)
django.setup()
call_command("migrate", verbosity=0)

from django.contrib.auth.models import User
from mozilla_django_oidc.contrib.drf import OIDCAuthentication
from oauth2_provider.contrib.rest_framework import OAuth2Authentication
from rest_framework.permissions import IsAuthenticated
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework_simplejwt.authentication import JWTAuthentication

User.objects.create_user("ada", "ada@example.com", id=1)


def view(authentication):
    class Orders(APIView):
        authentication_classes = [authentication]
        permission_classes = [IsAuthenticated]

        def get(self, request):
            return Response("orders")

    return Orders.as_view()


CLASSES = {"simplejwt": JWTAuthentication, "oauth-toolkit": OAuth2Authentication, "mozilla-oidc": OIDCAuthentication}
urlpatterns = [path(name, view(one)) for name, one in CLASSES.items()]
client = Client(raise_request_exception=False, headers={"Authorization": f"Bearer {token}"})


for is_down in (True, False):
    for name in CLASSES:
        answer = client.get(f"/{name}")
        code = answer.headers.get("WWW-Authenticate", "").partition('error="')[2].partition('"')[0]
        said = code or (answer.json()["code"] if answer.status_code == 401 else "")
        print(f"{'503' if is_down else '200'} {name:13} {answer.status_code} {said}".rstrip())
PYTHON

venv/bin/python -W ignore api.py | tee seen
diff seen - <<'SEEN'
503 simplejwt     401 token_not_valid
503 oauth-toolkit 401 invalid_token
503 mozilla-oidc  500
200 simplejwt     200
200 oauth-toolkit 200
200 mozilla-oidc  200
SEEN
