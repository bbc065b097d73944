#!/usr/bin/env bash
# A slow request that began before a login undoes it: Litestar, Pyramid, Flask and Django put the old session's cookie back.
#
# Versions:  Litestar 2.25.0, Pyramid 2.1, Flask 3.1.3, Django 5.2.19, Starlette 1.10.0, aiohttp-session 2.12.1 (PyPI, Python 3.11).
# Behaviour: a visitor has something in the cart, a page asks for /slow, and meanwhile the visitor logs in. The response to /slow arrives
#            last. If the server sends the session's cookie with each response, that one has the session as it was before the login, and
#            the client stores it: the login is lost, with no error anywhere, and the handler of /slow need not touch the session.
#            Litestar does so as it is, and Pyramid for each request that reads the session. Flask does if the session is permanent
#            ("remember me"), and Django with SESSION_SAVE_EVERY_REQUEST (here with signed_cookies). Starlette and aiohttp-session do not.
# Seen (who you are after /slow, and after a slow request that reads the session):
#            litestar           nobody  nobody
#            pyramid            ada     nobody
#            flask              ada     ada
#            flask-permanent    nobody  nobody
#            django             ada     ada
#            django-save-every  nobody  nobody
#            starlette          ada     ada
#            aiohttp            ada     ada
# Exits with 1 if that changes.
set -euo pipefail

script=$(realpath "$0")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
export HOME=$folder
python3 -m venv venv
venv/bin/python -m pip install -qq --disable-pip-version-check 'litestar[cryptography]==2.25.0' pyramid==2.1 flask==3.1.3 django==5.2.19 \
    starlette==1.10.0 aiohttp==3.14.5 aiohttp-session==2.12.1 cryptography itsdangerous==2.2.0 uvicorn==0.54.0 httpx==0.28.1 2>/dev/null

cat > app.py <<'PYTHON'
"""One app of a framework, on a port: /start, /slow, /reads, /login, /me."""

import asyncio
import sys
import time

name, port = sys.argv[1], int(sys.argv[2])
SECRET = "6f1d1e5c0a4b4e0e9a375a3e8a4d1c11"

if name == "starlette":
    import uvicorn
    from starlette.applications import Starlette
    from starlette.middleware import Middleware
    from starlette.middleware.sessions import SessionMiddleware
    from starlette.responses import PlainTextResponse
    from starlette.routing import Route

    async def start(r):
        r.session["cart"] = 1
        return PlainTextResponse("ok")

    async def slow(r):
        await asyncio.sleep(3)
        return PlainTextResponse("ok")

    async def reads(r):
        await asyncio.sleep(3)
        return PlainTextResponse(str(r.session.get("cart")))

    async def login(r):
        r.session["user"] = "ada"
        return PlainTextResponse("ok")

    async def me(r):
        return PlainTextResponse(str(r.session.get("user")))

    routes = [Route("/" + f.__name__, f, methods=["GET", "POST"]) for f in (start, slow, reads, login, me)]
    uvicorn.run(Starlette(routes=routes, middleware=[Middleware(SessionMiddleware, secret_key=SECRET)]), port=port, log_level="error")
elif name.startswith("flask"):
    import logging
    from flask import Flask, session

    logging.getLogger("werkzeug").disabled = True
    app = Flask("app")
    app.secret_key = SECRET

    @app.route("/start")
    def start():
        session["cart"] = 1
        session.permanent = name == "flask-permanent"
        return "ok"

    @app.route("/slow")
    def slow():
        time.sleep(3)
        return "ok"

    @app.route("/reads")
    def reads():
        time.sleep(3)
        return str(session.get("cart"))

    @app.route("/login", methods=["POST"])
    def login():
        session["user"] = "ada"
        return "ok"

    @app.route("/me")
    def me():
        return str(session.get("user"))

    app.run(port=port, threaded=True)
elif name.startswith("django"):
    from socketserver import ThreadingMixIn
    from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server
    import django
    from django.conf import settings
    from django.core.wsgi import get_wsgi_application
    from django.http import HttpResponse
    from django.urls import path

    def start(r):
        r.session["cart"] = 1
        return HttpResponse("ok")

    def slow(r):
        time.sleep(3)
        return HttpResponse("ok")

    def reads(r):
        time.sleep(3)
        return HttpResponse(str(r.session.get("cart")))

    def login(r):
        r.session["user"] = "ada"
        return HttpResponse("ok")

    def me(r):
        return HttpResponse(str(r.session.get("user")))

    urlpatterns = [path(f.__name__, f) for f in (start, slow, reads, login, me)]
    settings.configure(
        SECRET_KEY=SECRET,
        ROOT_URLCONF=__name__,
        ALLOWED_HOSTS=["*"],
        SESSION_ENGINE="django.contrib.sessions.backends.signed_cookies",
        SESSION_SAVE_EVERY_REQUEST=name == "django-save-every",
        MIDDLEWARE=["django.contrib.sessions.middleware.SessionMiddleware"],
    )
    django.setup()

    class Server(ThreadingMixIn, WSGIServer):
        daemon_threads = True

    class Quiet(WSGIRequestHandler):
        def log_message(self, *a):
            pass

    make_server("127.0.0.1", port, get_wsgi_application(), Server, Quiet).serve_forever()
elif name == "pyramid":
    from socketserver import ThreadingMixIn
    from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server
    from pyramid.config import Configurator
    from pyramid.response import Response
    from pyramid.session import SignedCookieSessionFactory

    def start(r):
        r.session["cart"] = 1
        return Response("ok")

    def slow(r):
        time.sleep(3)
        return Response("ok")

    def reads(r):
        s = r.session.get("cart")
        time.sleep(3)
        return Response(str(s))

    def login(r):
        r.session["user"] = "ada"
        return Response("ok")

    def me(r):
        return Response(str(r.session.get("user")))

    with Configurator(session_factory=SignedCookieSessionFactory(SECRET)) as config:
        for f in (start, slow, reads, login, me):
            config.add_route(f.__name__, "/" + f.__name__)
            config.add_view(f, route_name=f.__name__)

    class Server(ThreadingMixIn, WSGIServer):
        daemon_threads = True

    class Quiet(WSGIRequestHandler):
        def log_message(self, *a):
            pass

    make_server("127.0.0.1", port, config.make_wsgi_app(), Server, Quiet).serve_forever()
elif name == "litestar":
    import uvicorn
    from litestar import Litestar, Request, get, post
    from litestar.middleware.session.client_side import CookieBackendConfig

    @get("/start")
    async def start(request: Request) -> str:
        request.session["cart"] = 1
        return "ok"

    @get("/slow")
    async def slow() -> str:
        await asyncio.sleep(3)
        return "ok"

    @get("/reads")
    async def reads(request: Request) -> str:
        await asyncio.sleep(3)
        return str(request.session.get("cart"))

    @post("/login")
    async def login(request: Request) -> str:
        request.session["user"] = "ada"
        return "ok"

    @get("/me")
    async def me(request: Request) -> str:
        return str(request.session.get("user"))

    config = CookieBackendConfig(secret=b"sixteen letters.")
    uvicorn.run(Litestar([start, slow, reads, login, me], middleware=[config.middleware]), port=port, log_level="error")
elif name == "aiohttp":
    from aiohttp import web
    from aiohttp_session import get_session, setup
    from aiohttp_session.cookie_storage import EncryptedCookieStorage

    async def start(r):
        (await get_session(r))["cart"] = 1
        return web.Response(text="ok")

    async def slow(r):
        await asyncio.sleep(3)
        return web.Response(text="ok")

    async def reads(r):
        s = await get_session(r)
        await asyncio.sleep(3)
        return web.Response(text=str(s.get("cart")))

    async def login(r):
        (await get_session(r))["user"] = "ada"
        return web.Response(text="ok")

    async def me(r):
        return web.Response(text=str((await get_session(r)).get("user")))

    app = web.Application()
    setup(app, EncryptedCookieStorage(SECRET[:32].encode()))
    for f in (start, slow, reads, me):
        app.router.add_get("/" + f.__name__, f)
    app.router.add_post("/login", login)
    web.run_app(app, host="127.0.0.1", port=port, print=None)
PYTHON

cat > ask.py <<'PYTHON'
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import httpx


def ask(name):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with open(name + ".log", "w") as log:
        server = subprocess.Popen([sys.executable, "app.py", name, str(port)], stdout=log, stderr=log)
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(200):
            try:
                httpx.get(url + "/me")
                break
            except httpx.TransportError:
                time.sleep(0.2)
        return [who(url, path) for path in ("/slow", "/reads")]
    finally:
        server.terminate()
        server.wait()


def who(url, path):
    with httpx.Client(base_url=url, timeout=30) as client:
        assert client.get("/start").text == "ok"
        time.sleep(1.6)  # Pyramid writes a session again if that is a second ago
        slow = threading.Thread(target=client.get, args=[path])
        slow.start()
        time.sleep(1)
        assert client.post("/login").text == "ok"
        assert client.get("/me").text == "ada"
        slow.join()
        return client.get("/me").text.replace("None", "nobody")


names = sys.argv[1:]
with ThreadPoolExecutor(4) as pool:
    for name, found in zip(names, pool.map(ask, names)):
        print(f"{name:19}{found[0]:8}{found[1]}", flush=True)
PYTHON

sed -n '/^# Seen/,/^# Exits/p' "$script" | sed '1d;$d;s/^# *//' > expected
mapfile -t names < <(cut -d' ' -f1 expected)
venv/bin/python ask.py "${names[@]}" | tee seen
diff expected seen
