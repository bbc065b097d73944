#!/usr/bin/env bash
# Who tests with aioresponses or VCR.py never runs the middlewares of an aiohttp client.
#
# Versions:  aiohttp 3.13.2 and 3.14.5, aioresponses 0.7.9, vcrpy 9.4.2.
# Behaviour: aiohttp 3.12 gave its client middlewares, for authentication for example: they see each answer and may send
#            the request again. Both libraries replace a method of ClientSession that lies outside of them. With
#            aioresponses a middleware that answers a 401 is not called: the test gets the 401, and the second answer
#            is not asked for. VCR.py calls it while it records, keeps only what came out of it, and does not call it
#            when it plays that back: a test passes with the middleware broken, or gone. With aiohttp 3.14 each mocked
#            answer of aioresponses ends in a TypeError: it makes the response of aiohttp itself, without an argument
#            that is required now.
# Seen (status, calls of the middleware):
#   aiohttp 3.13.2   a real server: 200, 1
#   aiohttp 3.13.2   aioresponses: 401, 0
#   aiohttp 3.13.2   VCR.py, recording: 200, 1; exchanges kept: 1
#   aiohttp 3.13.2   VCR.py, playing: 200, 0
#   aiohttp 3.14.5   a real server: 200, 1
#   aiohttp 3.14.5   aioresponses: TypeError
#   aiohttp 3.14.5   VCR.py, recording: 200, 1; exchanges kept: 1
#   aiohttp 3.14.5   VCR.py, playing: 200, 0
# Exits with 1 if that changes.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
cd "$folder"
quietly() { venv/bin/python -m pip --disable-pip-version-check install -qq "$@"; }
quietly aiohttp==3.13.2 aioresponses==0.7.9 vcrpy==9.4.2

cat > mocked.py <<'PYTHON'
"""A middleware that answers a 401 with a key, before a real server and before two kinds of mocks."""
import asyncio
import http.server
import threading

import aiohttp
import vcr
from aioresponses import aioresponses


class Guarded(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.headers["X-Key"] == "key" else 401)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


server = http.server.HTTPServer(("127.0.0.1", 0), Guarded)
threading.Thread(target=server.serve_forever, daemon=True).start()
url = f"http://127.0.0.1:{server.server_port}/"
calls = []


async def answer_401(request, handler):
    calls.append(request.url)
    response = await handler(request)
    if response.status == 401:
        request.headers["X-Key"] = "key"
        response = await handler(request)
    return response


async def get():
    calls.clear()
    try:
        async with aiohttp.ClientSession(middlewares=[answer_401]) as session:
            async with session.get(url) as response:
                return f"{response.status}, {len(calls)}"
    except TypeError as error:
        return type(error).__name__


def say(what, told):
    print(f"aiohttp {aiohttp.__version__}   {what}: {told}")


async def main():
    say("a real server", await get())
    with aioresponses() as mock:
        mock.get(url, status=401)
        mock.get(url, status=200)
        say("aioresponses", await get())
    cassette = f"{aiohttp.__version__}.yaml"
    with vcr.use_cassette(cassette) as recorded:
        told = await get()
        say("VCR.py, recording", f"{told}; exchanges kept: {len(recorded)}")
    with vcr.use_cassette(cassette, record_mode="none"):
        say("VCR.py, playing", await get())


asyncio.run(main())
server.shutdown()
PYTHON

venv/bin/python mocked.py > seen
quietly aiohttp==3.14.5
venv/bin/python mocked.py >> seen
cat seen

# What is compared is the text under "Seen" above.
diff seen - <<'SEEN'
aiohttp 3.13.2   a real server: 200, 1
aiohttp 3.13.2   aioresponses: 401, 0
aiohttp 3.13.2   VCR.py, recording: 200, 1; exchanges kept: 1
aiohttp 3.13.2   VCR.py, playing: 200, 0
aiohttp 3.14.5   a real server: 200, 1
aiohttp 3.14.5   aioresponses: TypeError
aiohttp 3.14.5   VCR.py, recording: 200, 1; exchanges kept: 1
aiohttp 3.14.5   VCR.py, playing: 200, 0
SEEN
