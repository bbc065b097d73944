#!/usr/bin/env bash
# An ASGI application refuses a WebSocket: uvicorn calls the complete 401 incomplete, and daphne drops the reason of a close.
#
# Versions:  uvicorn 0.54.0 (websockets 17.4, wsproto 1.3.2), hypercorn 0.18.0, granian 2.8.9, daphne 4.2.3.
# Behaviour: an application may refuse a handshake with a whole HTTP response (the ASGI extension
#            websocket.http.response), or accept it and close it with a code and a reason (RFC 6455 §5.5.1). With the
#            extension, uvicorn's default WebSocket code sends the response and then logs an error, "ASGI callable
#            returned without completing handshake.", for each such refusal; with wsproto it logs none. daphne has no
#            extension, so all that is left is its own 403; and it closes with the code and an empty reason.
# Seen (server, status of the refusal, code and reason of the close, whether an error is logged):
#            daphne             403  3000                  quiet
#            granian            401  3000 session_expired  quiet
#            hypercorn          401  3000 session_expired  quiet
#            uvicorn            401  3000 session_expired  error logged
#            uvicorn, wsproto   401  3000 session_expired  quiet
# Exits with 1 if that changes.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -qq --disable-pip-version-check \
    uvicorn==0.54.0 websockets==17.4 wsproto==1.3.2 hypercorn==0.18.0 granian==2.8.9 daphne==4.2.3 2>/dev/null
cd "$folder"

cat > app.py <<'PYTHON'
async def app(scope, receive, send):
    if scope["type"] != "websocket":
        return
    await receive()
    if scope["path"] == "/closes":
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.close", "code": 3000, "reason": "session_expired"})
    elif "websocket.http.response" in scope.get("extensions", {}):
        headers = [(b"www-authenticate", b'Bearer realm="orders"'), (b"content-length", b"2")]
        await send({"type": "websocket.http.response.start", "status": 401, "headers": headers})
        await send({"type": "websocket.http.response.body", "body": b"no"})
    else:
        await send({"type": "websocket.close"})
PYTHON

cat > ask.py <<'PYTHON'
import socket, subprocess, sys, time
from pathlib import Path

from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

BIN = Path(sys.executable).parent
COMMANDS = {
    "daphne": ["daphne", "-b", "127.0.0.1", "-p", "PORT", "app:app"],
    "granian": ["granian", "--port", "PORT", "--interface", "asgi", "app:app"],
    "hypercorn": ["hypercorn", "--bind", "127.0.0.1:PORT", "app:app"],
    "uvicorn": ["uvicorn", "--port", "PORT", "--lifespan", "off", "app:app"],
    "uvicorn, wsproto": ["uvicorn", "--port", "PORT", "--lifespan", "off", "--ws", "wsproto", "app:app"],
}


def status(port):
    try:
        with connect(f"ws://127.0.0.1:{port}/refuses", open_timeout=10, proxy=None):
            return "open"
    except InvalidStatus as refused:
        return refused.response.status_code


def closed(port):
    with connect(f"ws://127.0.0.1:{port}/closes", open_timeout=10, proxy=None) as socket:
        try:
            socket.recv(10)
        except ConnectionClosed as end:
            return f"{end.rcvd.code} {end.rcvd.reason}".strip()


for name, command in COMMANDS.items():
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    words = [str(BIN / command[0]), *command[1:]]
    with open("log", "w") as log:
        server = subprocess.Popen(
            [word.replace("PORT", str(port)) for word in words], stdout=log, stderr=log
        )
        try:
            for _ in range(200):
                try:
                    socket.create_connection(("127.0.0.1", port), 1).close()
                    break
                except OSError:
                    time.sleep(0.1)
            refused, end = status(port), closed(port)
            time.sleep(0.5)
        finally:
            server.terminate()
            server.wait(20)
    said = "without completing handshake" in Path("log").read_text()
    print(f"{name:17}  {refused}  {end:20}  {'error logged' if said else 'quiet'}")
PYTHON

"$folder/venv/bin/python" ask.py | tee seen
diff - seen <<'SEEN'
daphne             403  3000                  quiet
granian            401  3000 session_expired  quiet
hypercorn          401  3000 session_expired  quiet
uvicorn            401  3000 session_expired  error logged
uvicorn, wsproto   401  3000 session_expired  quiet
SEEN
