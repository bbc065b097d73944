#!/usr/bin/env bash
# A logout over aiohttp names the session that it ends, and ends another one: the newer session of the same client.
#
# Versions:  aiohttp 3.14.5, httpx 0.28.1, requests 2.34.2.
# Behaviour: a client has logged in twice, so its jar has the newer session. It gives the older one back: DELETE with
#            "Cookie: sid=1". requests and httpx send that field as it is. aiohttp puts the cookies of the jar over it, and
#            sends sid=2: the newer session ends, the older one keeps its seat, and all three report 204.
# Seen (the sessions that still live after the logout of session 1):
#            requests  204  2
#            httpx     204  2
#            aiohttp   204  1
# Exits with 1 if that changes.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -qq --disable-pip-version-check \
    aiohttp==3.14.5 httpx==0.28.1 requests==2.34.2 2>/dev/null
cd "$folder"

cat > logout.py <<'PYTHON'
import asyncio
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import aiohttp
import httpx
import requests

living = []


class Site(BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def end(self, status, *fields):
        self.send_response(status)
        for field in fields:
            self.send_header(*field)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_POST(self):
        living.append(str(len(living) + 1))
        self.end(200, ("Set-Cookie", f"sid={living[-1]}; Path=/"))

    def do_DELETE(self):
        living.remove(self.headers["Cookie"].removeprefix("sid="))
        self.end(204)


server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
threading.Thread(target=server.serve_forever, daemon=True).start()
url = f"http://127.0.0.1:{server.server_port}/session"
older = {"Cookie": "sid=1"}


def over(client):
    client.post(url), client.post(url)
    return client.delete(url, headers=older).status_code


async def over_aiohttp():
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as client:
        for _ in range(2):
            async with client.post(url):
                pass
        async with client.delete(url, headers=older) as response:
            return response.status


seen = {}
for name, log_out in {
    "requests": lambda: over(requests.Session()),
    "httpx": lambda: over(httpx.Client()),
    "aiohttp": lambda: asyncio.run(over_aiohttp()),
}.items():
    living.clear()
    seen[name] = log_out(), *living
    print(f"{name:8}  {seen[name][0]}  {', '.join(living)}")
sys.exit(seen != {"requests": (204, "2"), "httpx": (204, "2"), "aiohttp": (204, "1")})
PYTHON

venv/bin/python logout.py
