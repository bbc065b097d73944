#!/usr/bin/env bash
# Two session cookies of one name, the dead one at / and the living one at /app: seven of nine Python frameworks read the dead one.
#
# Versions:  requests 2.34.2, httpx 0.28.1, aiohttp 3.14.5, curl (any); Werkzeug 3.1.9 (Flask, Quart), falcon 4.4.0, Django
#            5.2.19, Starlette 1.10.0 (FastAPI), aiohttp 3.14.5, tornado 6.6.1, bottle 0.13.4, Litestar 2.25.0, WebOb 1.8.11
#            (Pyramid); cookie 1.1.1 (Express), cookies 0.9.2 (Koa), hono 4.13.19, h3 2.0.8, @fastify/cookie 11.1.5. Needs
#            curl, node and npm.
# Behaviour: an application moved from / to /app, and a browser still has its old cookie. After a login it has both, and sends
#            both: the one with the longer path first (RFC 6265 §5.4), so the living session stands before the dead one. A
#            framework that keeps cookies in a dict, one after the other, is left with the last, which is the dead one: the
#            user logs in, with success, and is logged out. The five readers on Node take the first, and so do Werkzeug and
#            falcon. aiohttp's client sends one cookie of a name, the nearer one.
# Seen:
#            curl, requests, httpx                   send  session=living; session=dead
#            aiohttp                                 sends session=living
#            Werkzeug, falcon                        read  living
#            Django, Starlette, aiohttp, tornado,
#            bottle, Litestar, WebOb                 read  dead
#            Express, Koa, hono, h3, Fastify         read  living
# Exits with 1 if that changes.
set -euo pipefail

for program in curl node npm; do command -v "$program" >/dev/null || { echo "this needs $program"; exit 2; }; done
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -qq --disable-pip-version-check requests==2.34.2 httpx==0.28.1 aiohttp==3.14.5 \
    werkzeug==3.1.9 falcon==4.4.0 django==5.2.19 starlette==1.10.0 tornado==6.6.1 bottle==0.13.4 litestar==2.25.0 \
    webob==1.8.11 legacy-cgi==2.6.4 2>/dev/null
cd "$folder"
echo '{}' > package.json
npm install --silent --no-audit --no-fund cookie@1.1.1 cookies@0.9.2 hono@4.13.19 h3@2.0.8 fastify@5.12.8 \
    @fastify/cookie@11.1.5 >/dev/null

cat > clients.py <<'PYTHON'
import asyncio, http.server, subprocess, sys, threading

import aiohttp, httpx, requests

sent = ""


class Server(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        global sent
        sent = self.headers["Cookie"]
        self.send_response(200)
        if self.path == "/login":
            self.send_header("Set-Cookie", "session=dead; Path=/; HttpOnly")
        if self.path == "/app/login":
            self.send_header("Set-Cookie", "session=living; Path=/app; HttpOnly")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
urls = [f"http://localhost:{server.server_port}{path}" for path in ("/login", "/app/login", "/app/orders")]


async def by_aiohttp():
    async with aiohttp.ClientSession() as session:
        for url in urls:
            async with session.get(url):
                pass


def by(client):
    for url in urls:
        client.get(url)


CLIENTS = {
    "curl": lambda: subprocess.run(["curl", "-s", "-c", "jar", "-b", "jar", *urls], check=True),
    "requests": lambda: by(requests.Session()),
    "httpx": lambda: by(httpx.Client()),
    "aiohttp": lambda: asyncio.run(by_aiohttp()),
}
as_expected = True
for name, ask in CLIENTS.items():
    ask()
    as_expected &= sent == ("session=living" if name == "aiohttp" else "session=living; session=dead")
    print(f"{name:12} sends {sent}")
sys.exit(not as_expected)
PYTHON

cat > frameworks.py <<'PYTHON'
import sys

import bottle, falcon, falcon.testing, litestar, starlette.requests, tornado.httputil, webob, werkzeug
from aiohttp.test_utils import make_mocked_request
from django.conf import settings
from django.core.handlers.wsgi import WSGIRequest

HEADER = sys.argv[1]
settings.configure()
scope = {"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": [(b"cookie", HEADER.encode())]}
environ = falcon.testing.create_environ(headers={"Cookie": HEADER})
fields = tornado.httputil.HTTPHeaders({"Cookie": HEADER, "Host": "localhost"})
line = tornado.httputil.RequestStartLine("GET", "/", "HTTP/1.1")
READ = {
    "Werkzeug": ("living", werkzeug.Request(dict(environ)).cookies["session"]),
    "falcon": ("living", falcon.Request(dict(environ)).cookies["session"]),
    "Django": ("dead", WSGIRequest(dict(environ)).COOKIES["session"]),
    "Starlette": ("dead", starlette.requests.Request(scope).cookies["session"]),
    "aiohttp": ("dead", make_mocked_request("GET", "/", headers={"Cookie": HEADER}).cookies["session"]),
    "tornado": ("dead", tornado.httputil.HTTPServerRequest(headers=fields, start_line=line).cookies["session"].value),
    "bottle": ("dead", bottle.BaseRequest(dict(environ)).get_cookie("session")),
    "Litestar": ("dead", litestar.Request(scope).cookies["session"]),
    "WebOb": ("dead", webob.Request(dict(environ)).cookies["session"]),
}
for name, (_, read) in READ.items():
    print(f"{name:12} reads {read}")
sys.exit(any(expected != read for expected, read in READ.values()))
PYTHON

cat > frameworks.mjs <<'NODE'
import * as cookie from 'cookie'
import Cookies from 'cookies'
import fastify from 'fastify'
import fastifyCookie from '@fastify/cookie'
import { H3, getCookie } from 'h3'
import { parse } from 'hono/utils/cookie'

const header = process.argv[2]
const app = fastify()
await app.register(fastifyCookie)
app.get('/', async request => request.cookies.session)
const h3 = new H3().get('/', event => getCookie(event, 'session'))
const read = {
  Express: cookie.parse(header).session,
  Koa: new Cookies({ headers: { cookie: header } }, {}).get('session'),
  hono: parse(header).session,
  h3: await (await h3.request('/', { headers: { cookie: header } })).text(),
  Fastify: (await app.inject({ url: '/', headers: { cookie: header } })).body,
}
for (const [name, value] of Object.entries(read)) console.log(name.padEnd(12), 'reads', value)
process.exit(Object.values(read).every(value => value === 'living') ? 0 : 1)
NODE

"$folder/venv/bin/python" clients.py
"$folder/venv/bin/python" frameworks.py 'session=living; session=dead'
node frameworks.mjs 'session=living; session=dead'
