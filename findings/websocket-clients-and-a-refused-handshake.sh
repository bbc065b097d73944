#!/usr/bin/env bash
# A server refuses a WebSocket handshake with 401 and says why: what ten Python clients let their user see of it.
#
# Versions:  websockets 17.4, trio-websocket 0.12.2, tornado 6.6.1, picows 2.3.1, websocket-client 1.9.2, aiohttp 3.14.5,
#            httpx-ws 0.9.0 (httpx 0.28.1), httpx2 2.16.2, lomond 0.3.4, simple-websocket 1.1.0.
# Behaviour: the answer has two WWW-Authenticate lines and a problem document. Four clients hand over all of it.
#            websocket-client keeps one field of each name, the last: the first challenge is gone. aiohttp's exception has
#            the fields and no content; lomond's event too. httpx-ws and httpx2 give you a response that nobody has read and
#            that is closed, so that `content` and `read()` both raise. simple-websocket tells the status alone.
# Seen (challenges of two, content):
#            websockets        2  yes
#            trio-websocket    2  yes
#            tornado           2  yes
#            picows            2  yes
#            websocket-client  1  yes
#            aiohttp           2  no
#            httpx-ws          2  no
#            httpx2            2  no
#            lomond            2  no
#            simple-websocket  0  no
# Exits with 1 if that changes.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -qq --disable-pip-version-check \
    websockets==17.4 trio-websocket==0.12.2 tornado==6.6.1 picows==2.3.1 websocket-client==1.9.2 aiohttp==3.14.5 \
    httpx-ws==0.9.0 httpx==0.28.1 httpx2==2.16.2 lomond==0.3.4 simple-websocket==1.1.0 2>/dev/null
cd "$folder"

cat > handshakes.py <<'PYTHON'
import asyncio, http.server, json, sys, threading

import aiohttp, httpx, httpx2, httpx_ws, lomond, picows, simple_websocket, tornado.websocket, trio, trio_websocket
import websocket, websockets

CHALLENGES = 'Bearer realm="orders", error="invalid_token"', 'Basic realm="orders"'
PROBLEM = json.dumps({"title": "Your session has ended", "status": 401}).encode()


class Refuser(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def do_GET(self):
        self.send_response(401)
        for challenge in CHALLENGES:
            self.send_header("WWW-Authenticate", challenge)
        self.send_header("Content-Type", "application/problem+json")
        self.send_header("Content-Length", str(len(PROBLEM)))
        self.end_headers()
        self.wfile.write(PROBLEM)


class Server(http.server.ThreadingHTTPServer):
    def handle_error(self, *args):  # a client may reset the connection
        pass


server = Server(("127.0.0.1", 0), Refuser)
url = f"ws://127.0.0.1:{server.server_port}/"
threading.Thread(target=server.serve_forever, daemon=True).start()


async def in_websockets():
    try:
        await websockets.connect(url)
    except websockets.InvalidStatus as refusal:
        return refusal.response.headers.get_all("WWW-Authenticate"), refusal.response.body


def in_trio_websocket():
    async def main():
        try:
            async with trio_websocket.open_websocket_url(url):
                pass
        except BaseException as refusal:
            while isinstance(refusal, BaseExceptionGroup):
                refusal = refusal.exceptions[0]
            lines = [value.decode() for name, value in refusal.headers if name == b"www-authenticate"]
            return lines, refusal.body

    return trio.run(main)


async def in_tornado():
    try:
        await tornado.websocket.websocket_connect(url)
    except tornado.httpclient.HTTPClientError as refusal:
        return refusal.response.headers.get_list("WWW-Authenticate"), refusal.response.body


async def in_picows():
    try:
        await picows.ws_connect(picows.WSListener, url)
    except picows.WSInvalidStatusError as refusal:
        return refusal.response.headers.getall("WWW-Authenticate"), refusal.raw_body


def in_websocket_client():
    try:
        websocket.create_connection(url)
    except websocket.WebSocketBadStatusException as refusal:
        return [refusal.resp_headers["www-authenticate"]], refusal.resp_body


async def in_aiohttp():
    async with aiohttp.ClientSession() as client:
        try:
            await client.ws_connect(url)
        except aiohttp.WSServerHandshakeError as refusal:
            assert not {"body", "content", "text"} & set(dir(refusal))
            return refusal.headers.getall("WWW-Authenticate"), None


def in_httpx_ws():
    with httpx.Client() as client:
        try:
            with httpx_ws.connect_ws(url, client):
                pass
        except httpx_ws.WebSocketUpgradeError as refusal:
            response = refusal.response
    try:
        response.read()
    except httpx.StreamClosed:
        return response.headers.get_list("WWW-Authenticate"), None


async def in_httpx2():
    async with httpx2.AsyncClient() as client:
        try:
            async with client.websocket(url):
                pass
        except Exception as refusal:
            response = refusal.response
            try:
                await response.aread()
            except httpx2.StreamClosed:
                return response.headers.get_list("WWW-Authenticate"), None


def in_lomond():
    for event in lomond.WebSocket(url).connect(ping_rate=0):
        if event.name == "rejected":
            joined = event.response.headers["www-authenticate"]
            return [challenge for challenge in CHALLENGES if challenge in joined], getattr(event.response, "body", None)


def in_simple_websocket():
    try:
        simple_websocket.Client(url)
    except simple_websocket.ConnectionError as refusal:
        assert vars(refusal) == {"status_code": 401}
        return [], None


expected = {
    in_websockets: (2, True), in_trio_websocket: (2, True), in_tornado: (2, True), in_picows: (2, True),
    in_websocket_client: (1, True), in_aiohttp: (2, False), in_httpx_ws: (2, False), in_httpx2: (2, False),
    in_lomond: (2, False), in_simple_websocket: (0, False),
}
changed = False
for client, as_seen in expected.items():
    challenges, content = asyncio.run(client()) if asyncio.iscoroutinefunction(client) else client()
    seen = len(challenges), content is not None and bytes(content) == PROBLEM
    changed |= seen != as_seen
    print(f"{client.__name__[3:].replace('_', '-'):16}  {seen[0]}  {'yes' if seen[1] else 'no'}")
sys.exit(changed)
PYTHON

venv/bin/python -W ignore handshakes.py 2>/dev/null
