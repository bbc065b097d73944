#!/usr/bin/env bash
# A login passes the tests of Flask, Django and Starlette, and no browser keeps its cookie.
#
# Versions:  Flask 3.1.3 with Werkzeug 3.1.9, Django 5.2.16, Starlette 1.10.0 with httpx 0.28.1 (PyPI, Python 3.11); Chromium
#            (156 here). Needs chromium.
# Behaviour: a browser drops a cookie whose name begins with `__Host-` if it lacks Secure, has a Domain or a path other than `/`
#            (RFC 6265bis §4.1.3.2), and one for another domain (RFC 6265 §5.3). The test clients of all three frameworks keep such
#            a `__Host-` cookie and send it, so a test logs in where nobody can. Django's looks at neither path nor domain: it sends
#            the cookie of /app to /me, and that of another site. Starlette's sends a Secure cookie over https only, and its address
#            is http://testserver unless you set base_url: there the wrong login passes its test, and the right one fails.
# Seen (which of five cookies /me gets: __Host-wrong is not Secure, app is of the path /app, elsewhere of the domain elsewhere.example):
#            Flask                             __Host-wrong __Host-right over-tls
#            Django                            __Host-wrong __Host-right over-tls app elsewhere
#            Starlette, http://testserver      __Host-wrong
#            Starlette, https://testserver     __Host-wrong __Host-right over-tls
#            Chromium                          __Host-right over-tls
# Exits with 1 if that changes.
set -euo pipefail

browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome) \
    || { echo "this needs Chromium"; exit 2; }
folder=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null || true; rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -qq --disable-pip-version-check \
    flask==3.1.3 werkzeug==3.1.9 django==5.2.16 starlette==1.10.0 httpx==0.28.1
cd "$folder"
export HOME=$folder

cat > cookies.py <<'PYTHON'
import sys
import warnings

warnings.simplefilter("ignore")  # Starlette would like another httpx

import django
import flask
from django.conf import settings
from django.http import HttpResponse, HttpResponseRedirect
from django.test import Client
from django.urls import path
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

COOKIES = {  # the name, and how it is set
    "__Host-wrong": {},
    "__Host-right": {"secure": True},
    "over-tls": {"secure": True},
    "app": {"path": "/app"},
    "elsewhere": {"domain": "elsewhere.example"},
}


def set_all(response):
    for name, options in COOKIES.items():
        response.set_cookie(name, "1", **options)
    return response


def shown(cookies):
    return " ".join(name for name in COOKIES if name in cookies)


shop = flask.Flask("shop")
shop.add_url_rule("/login", "login", lambda: set_all(flask.redirect("/me")))
shop.add_url_rule("/me", "me", lambda: shown(flask.request.cookies))

settings.configure(SECRET_KEY="-", ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"])
django.setup()
urlpatterns = [
    path("login", lambda request: set_all(HttpResponseRedirect("/me"))),
    path("me", lambda request: HttpResponse(shown(request.COOKIES))),
]

star = Starlette(
    routes=[
        Route("/login", lambda request: set_all(PlainTextResponse("in"))),
        Route("/me", lambda request: PlainTextResponse(shown(request.cookies))),
    ]
)


def seen(client):
    client.get("/login")
    return client.get("/me").text


if sys.argv[1:] == ["serve"]:
    from werkzeug.serving import make_server

    server = make_server("127.0.0.1", 0, shop)
    print(server.port, flush=True)
    server.serve_forever()

print("Flask:", seen(shop.test_client()))
print("Django:", seen(Client()))
print("Starlette, http:", seen(TestClient(star)))
print("Starlette, https:", seen(TestClient(star, base_url="https://testserver")))
PYTHON

"$folder/venv/bin/python" cookies.py > seen
"$folder/venv/bin/python" cookies.py serve > port 2>/dev/null &
server=$!
for _ in $(seq 100); do [ -s port ] && break; sleep 0.1; done
page=$("$browser" --headless --no-sandbox --disable-gpu --user-data-dir="$folder/profile" --dump-dom \
    "http://127.0.0.1:$(cat port)/login" 2>/dev/null)
echo "Chromium: $(sed 's/<[^>]*>//g' <<<"$page" | tr -d '\n')" >> seen
cat seen

diff seen - <<'EXPECTED' || { echo "this has changed"; exit 1; }
Flask: __Host-wrong __Host-right over-tls
Django: __Host-wrong __Host-right over-tls app elsewhere
Starlette, http: __Host-wrong
Starlette, https: __Host-wrong __Host-right over-tls
Chromium: __Host-right over-tls
EXPECTED
echo "as described"
