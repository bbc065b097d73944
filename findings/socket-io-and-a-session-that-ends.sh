#!/usr/bin/env bash
# A session of Socket.IO ends: how the server says so decides whether a client ever comes back with a new token.
#
# Versions:  python-socketio 5.18.0 (server, and its two clients), uvicorn 0.54.0; socket.io-client 4.8.4 (npm, Node 20).
#            Needs node and npm.
# Behaviour: the token comes from a function, which each client calls for each connection. So it could renew, if it
#            connected. If the server disconnects a client, it never connects again; those of Python are then at rest, as
#            if they had been told to stop. If the server's `connect` refuses a client that reconnects
#            (ConnectionRefusedError, as its manual says), socket.io-client gives up for good, and those of Python try again
#            forever. A 401 to the request that opens the connection, such as a proxy sends, makes all of them try again.
# Seen (by the way the session ends: what a client does whose next token is good):
#            disconnect  socket.io-client  gone
#            disconnect  Client            gone
#            disconnect  AsyncClient       gone
#            refused     socket.io-client  gone
#            refused     Client            back
#            refused     AsyncClient       back
#            401         socket.io-client  back
#            401         Client            back
#            401         AsyncClient       back
# Exits with 1 if that changes.
set -euo pipefail

for program in node npm; do
    command -v "$program" >/dev/null || { echo "this needs the program $program"; exit 2; }
done
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -qq --disable-pip-version-check \
    python-socketio==5.18.0 uvicorn==0.54.0 requests==2.34.2 websocket-client aiohttp==3.14.5 2>/dev/null
cd "$folder"
export HOME=$folder
npm install --silent --no-audit --no-fund --prefix "$folder" socket.io-client@4.8.4 >/dev/null

cat > server.py <<'PYTHON'
import sys
from pathlib import Path

import socketio, uvicorn

port, good, with_401 = int(sys.argv[1]), sys.argv[2], sys.argv[3] == "401"
sio = socketio.AsyncServer(async_mode="asgi")
inner = socketio.ASGIApp(sio)


@sio.event
async def connect(sid, environ, auth):
    print("came with", auth["token"], flush=True)
    if auth["token"] != good:
        raise ConnectionRefusedError("session_expired")
    sio.start_background_task(end, sid)


async def end(sid):
    while not Path("end").exists():
        await sio.sleep(0.1)
    await sio.disconnect(sid)


async def app(scope, receive, send):
    if not with_401 or scope["type"] != "http":
        return await inner(scope, receive, send)
    print("401", flush=True)
    await send({"type": "http.response.start", "status": 401, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body", "body": b""})


uvicorn.run(app, port=port, lifespan="off", log_level="critical")
PYTHON

cat > client.js <<'JAVASCRIPT'
const { readFileSync } = require("fs");
const { io } = require("socket.io-client");
const socket = io(process.argv[2], {
  auth: give => give({ token: readFileSync("token", "utf8") }), reconnectionDelay: 200, reconnectionDelayMax: 400,
});
socket.on("connect", () => console.log("connected"));
setTimeout(() => {}, 120_000);
JAVASCRIPT

cat > client.py <<'PYTHON'
import asyncio, sys, time
from pathlib import Path

import socketio

url, kind = sys.argv[1:]
quick = {"reconnection_delay": 0.2, "reconnection_delay_max": 0.4}


def auth():
    return {"token": Path("token").read_text()}


def at_once():
    client = socketio.Client(**quick)
    client.connect(url, auth=auth)
    print("connected", flush=True)
    time.sleep(120)


async def in_a_loop():
    client = socketio.AsyncClient(**quick)
    await client.connect(url, auth=auth)
    print("connected", flush=True)
    await asyncio.sleep(120)


at_once() if kind == "Client" else asyncio.run(in_a_loop())
PYTHON

cat > ask.py <<'PYTHON'
import socket, subprocess, sys, time
from pathlib import Path

CLIENTS = {
    "socket.io-client": ["node", "../client.js"],
    "Client": [sys.executable, "../client.py"],
    "AsyncClient": [sys.executable, "../client.py"],
}


def start(words, log):
    with open(log, "w") as out:
        return subprocess.Popen(words, stdout=out, stderr=out)


def stop(process):
    process.kill()
    process.wait()


def seen(text, log, seconds):
    until = time.monotonic() + seconds
    while text not in Path(log).read_text():
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True


def serve(port, good, how=""):
    server = start([sys.executable, "../server.py", str(port), good, how], "server.log")
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return server
        except OSError:
            time.sleep(0.05)
    raise SystemExit("the server does not start")


def ended(way, name, words):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    token, end = Path("token"), Path("end")
    token.write_text("old")
    end.unlink(missing_ok=True)
    server = serve(port, "old")
    url = f"http://127.0.0.1:{port}"
    client = start([*words, url] if words[0] == "node" else [*words, url, name], "client.log")
    try:
        if not seen("connected", "client.log", 20):
            return "never connected"
        if way == "disconnect":
            token.write_text("new")
            end.touch()
            return "back" if seen("came with new", "server.log", 6) else "gone"
        stop(server)
        server = serve(port, "new", way)
        if not seen("came with old" if way == "refused" else "401", "server.log", 20):
            return "gone before it was refused"
        token.write_text("new")
        if way == "401":
            stop(server)
            server = serve(port, "new")
        return "back" if seen("came with new", "server.log", 10) else "gone"
    finally:
        stop(client)
        stop(server)


def in_folder(way, name):
    """Each case has a folder of its own, for the three clients run side by side."""
    folder = Path(f"{way}, {name}")
    folder.mkdir()
    return subprocess.Popen(
        [sys.executable, "../ask.py", way, name], cwd=folder, stdout=subprocess.PIPE, text=True
    )


if len(sys.argv) == 3:
    way, name = sys.argv[1:]
    print(f"{way:10}  {name:16}  {ended(way, name, CLIENTS[name])}")
else:
    for way in ("disconnect", "refused", "401"):
        for case in [in_folder(way, name) for name in CLIENTS]:
            print(case.communicate()[0], end="", flush=True)
PYTHON

"$folder/venv/bin/python" ask.py | tee seen
diff - seen <<'SEEN'
disconnect  socket.io-client  gone
disconnect  Client            gone
disconnect  AsyncClient       gone
refused     socket.io-client  gone
refused     Client            back
refused     AsyncClient       back
401         socket.io-client  back
401         Client            back
401         AsyncClient       back
SEEN
