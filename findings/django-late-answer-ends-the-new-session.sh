#!/usr/bin/env bash
# Django answers a request with a dead session last, and the client forgets the session that it has begun meanwhile.
#
# Versions:  Django 5.2.16, requests 2.34.2, httpx 0.28.1, aiohttp 3.14.5.
# Behaviour: whoever sends a session cookie that Django does not know any more gets an answer that deletes the cookie, on any
#            page. A slow page is on its way with a dead cookie; the same client logs in; then the slow page ends. Its
#            "Set-Cookie: sessionid=""; Max-Age=0" names no value, so the jar drops the new cookie: the client is logged
#            out, though its session lives at the server. RFC 6265 §5 orders answers by their arrival and by nothing else.
# Seen (who the client is after its login, and after the late answer):
#            requests  ada, then nobody
#            httpx     ada, then nobody
#            aiohttp   ada, then nobody
# Exits with 1 if that changes.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -qq --disable-pip-version-check \
    Django==5.2.16 requests==2.34.2 httpx==0.28.1 aiohttp==3.14.5 2>/dev/null
cd "$folder"

cat > race.py <<'PYTHON'
import asyncio, socketserver, sys, threading, wsgiref.simple_server

import aiohttp, django, httpx, requests
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse
from django.urls import path

logged_in = threading.Event()


def log_in(request):
    request.session["name"] = "ada"
    return HttpResponse("ada")


def who(request):
    return HttpResponse(request.session.get("name", "nobody"))


def slow(request):
    arrived.set()
    logged_in.wait(10)
    return HttpResponse(request.session.get("name", "nobody"))


arrived = threading.Event()
urlpatterns = [path("login", log_in), path("who", who), path("slow", slow)]
settings.configure(
    DEBUG=False, SECRET_KEY="x", ALLOWED_HOSTS=["127.0.0.1"], ROOT_URLCONF=__name__,
    MIDDLEWARE=["django.contrib.sessions.middleware.SessionMiddleware"],
    SESSION_ENGINE="django.contrib.sessions.backends.cache",
)
django.setup()


class Threaded(socketserver.ThreadingMixIn, wsgiref.simple_server.WSGIServer):
    daemon_threads = True


class Quiet(wsgiref.simple_server.WSGIRequestHandler):
    def log_message(self, *args):
        pass


server = wsgiref.simple_server.make_server("127.0.0.1", 0, get_wsgi_application(), Threaded, Quiet)
base = f"http://127.0.0.1:{server.server_port}"
threading.Thread(target=server.serve_forever, daemon=True).start()


def end_all_sessions():
    from django.core.cache import cache

    cache.clear()
    arrived.clear()
    logged_in.clear()


def with_threads(get):
    get("/login")
    end_all_sessions()
    late = threading.Thread(target=get, args=["/slow"])
    late.start()
    arrived.wait(10)
    get("/login")
    after_login = get("/who")
    logged_in.set()
    late.join()
    return after_login, get("/who")


def in_requests():
    session = requests.Session()
    session.trust_env = False
    return with_threads(lambda page: session.get(base + page).text)


def in_httpx():
    client = httpx.Client(trust_env=False)
    return with_threads(lambda page: client.get(base + page, timeout=20).text)


async def in_aiohttp():
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as client:
        async def get(page):
            async with client.get(base + page) as response:
                return await response.text()

        await get("/login")
        end_all_sessions()
        late = asyncio.create_task(get("/slow"))
        await asyncio.to_thread(arrived.wait, 10)
        await get("/login")
        after_login = await get("/who")
        logged_in.set()
        await late
        return after_login, await get("/who")


seen = {"requests": in_requests(), "httpx": in_httpx(), "aiohttp": asyncio.run(in_aiohttp())}
for client, (after_login, at_last) in seen.items():
    print(f"{client:9} {after_login}, then {at_last}")
sys.exit(set(seen.values()) != {("ada", "nobody")})
PYTHON

venv/bin/python race.py
