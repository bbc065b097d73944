#!/usr/bin/env bash
# A worker is told to stop while a session of niquests closes: it goes on as if nobody had said so.
#
# Versions:  niquests 3.21.2 (urllib3-future 2.25.904), httpx 0.28.1, aiohttp 3.14.1, Python 3.11.7.
# Behaviour: a worker opens a session for each of its five rounds, as the manuals show it. Its task is cancelled once, just
#            after its first response. httpx and aiohttp let it end. niquests cancels its own watcher of the connection when
#            a session closes, and waits for it within `except CancelledError: pass`: that takes the cancellation of the
#            worker for the watcher's. All five rounds are done, and the task does not count as cancelled.
# Seen:
#   httpx      told to stop: cancelled
#   aiohttp    told to stop: cancelled
#   niquests   told to stop: five rounds done
# Exits with 1 if that changes.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
cd "$folder"
venv/bin/python -m pip --disable-pip-version-check install -qq niquests==3.21.2 urllib3-future==2.25.904 \
    httpx==0.28.1 aiohttp==3.14.1

cat > workers.py <<'PYTHON'
import asyncio
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import aiohttp
import httpx
import niquests


class Site(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
threading.Thread(target=server.serve_forever, daemon=True).start()
URL = f"http://127.0.0.1:{server.server_address[1]}/"


async def with_httpx(answered):
    async with httpx.AsyncClient() as client:
        await client.get(URL)
        answered.set()


async def with_aiohttp(answered):
    async with aiohttp.ClientSession() as session, session.get(URL) as response:
        await response.read()
        answered.set()


async def with_niquests(answered):
    async with niquests.AsyncSession() as session:
        await session.get(URL)
        answered.set()


async def worker(one_round, answered):
    for _ in range(5):
        await one_round(answered)
    return "five rounds done"


async def told_to_stop(one_round):
    answered = asyncio.Event()
    task = asyncio.create_task(worker(one_round, answered))
    await answered.wait()
    task.cancel()
    try:
        return await task
    except asyncio.CancelledError:
        return "cancelled"


for name, one_round in ("httpx", with_httpx), ("aiohttp", with_aiohttp), ("niquests", with_niquests):
    print(f"{name:10} told to stop: {asyncio.run(told_to_stop(one_round))}")
server.shutdown()
PYTHON

venv/bin/python workers.py | tee seen

# What is compared is the text under "Seen" above.
diff seen - <<'SEEN'
httpx      told to stop: cancelled
aiohttp    told to stop: cancelled
niquests   told to stop: five rounds done
SEEN
