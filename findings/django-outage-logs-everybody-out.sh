#!/usr/bin/env bash
# Redis pauses for two seconds, and Django logs out for good whoever asks meanwhile, though no session is lost.
#
# Versions:  Django 5.2.16 with its own RedisCache, redis-py 7.1.0; any redis-server. Needs redis-server on the path.
# Behaviour: Django's cache sessions take every exception of the cache for "there is no such session": the page is served
#            as to a stranger, with 200, and the answer deletes the cookie. When Redis is back the session is still in it,
#            but its user has no cookie any more. With cached_db the same pause is a 500, and the user stays logged in.
# Seen (before, in and after the pause; is the session still in Redis):
#            cache      ada, nobody, nobody; session kept
#            cached_db  ada, 500, ada; session kept
# Exits with 1 if that changes.
set -euo pipefail

folder=$(mktemp -d)
redis=
cleanup() {
    [ -z "$redis" ] || kill "$redis" 2>/dev/null || true
    wait
    rm -rf "$folder"
}
trap cleanup EXIT

python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -qq --disable-pip-version-check \
    Django==5.2.16 redis==7.1.0 requests==2.34.2 2>/dev/null
cd "$folder"

port=$(venv/bin/python -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
redis-server --port "$port" --save "" --dir "$folder" >/dev/null &
redis=$!

cat > pause.py <<'PYTHON'
import logging, sys, threading, time, wsgiref.simple_server

import django, redis, requests
from django.conf import settings
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse
from django.urls import path

location = f"redis://127.0.0.1:{sys.argv[1]}/0"
logging.disable(logging.CRITICAL)


def log_in(request):
    request.session["name"] = "ada"
    return HttpResponse("ada")


def who(request):
    return HttpResponse(request.session.get("name", "nobody"))


urlpatterns = [path("login", log_in), path("who", who)]
settings.configure(
    DEBUG=False, SECRET_KEY="x", ALLOWED_HOSTS=["127.0.0.1"], ROOT_URLCONF=__name__, LOGGING_CONFIG=None,
    MIDDLEWARE=["django.contrib.sessions.middleware.SessionMiddleware"],
    SESSION_ENGINE=f"django.contrib.sessions.backends.{sys.argv[2]}", INSTALLED_APPS=["django.contrib.sessions"],
    CACHES={"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": location,
                        "OPTIONS": {"socket_timeout": 0.5, "socket_connect_timeout": 0.5}}},
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "sessions.sqlite3"}},
)
django.setup()
call_command("migrate", verbosity=0)


class Quiet(wsgiref.simple_server.WSGIRequestHandler):
    def log_message(self, *args):
        pass


server = wsgiref.simple_server.make_server("127.0.0.1", 0, get_wsgi_application(), handler_class=Quiet)
base = f"http://127.0.0.1:{server.server_port}"
threading.Thread(target=server.serve_forever, daemon=True).start()

store = redis.Redis.from_url(location)
for _ in range(100):
    try:
        store.ping()
        break
    except redis.ConnectionError:
        time.sleep(0.05)
store.flushall()

session = requests.Session()
session.trust_env = False


def name():
    response = session.get(f"{base}/who")
    return response.text if response.ok else str(response.status_code)


session.get(f"{base}/login")
before = name()
store.client_pause(2000)
during = name()
time.sleep(2.5)
after = name()
kept = "session kept" if store.keys("*session*") else "session lost"
print(f"{sys.argv[2]:10} {before}, {during}, {after}; {kept}")
PYTHON

for mode in cache cached_db; do venv/bin/python -W ignore pause.py "$port" "$mode"; done | tee seen
diff seen - <<'SEEN'
cache      ada, nobody, nobody; session kept
cached_db  ada, 500, ada; session kept
SEEN
