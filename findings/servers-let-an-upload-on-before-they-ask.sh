#!/usr/bin/env bash
# gunicorn, hypercorn, Werkzeug and cheroot send "100 Continue" before they ask the application; uvicorn and granian do not.
#
# Versions:  gunicorn 27.0.1, hypercorn 0.18.0, Werkzeug 3.1.9, cheroot 11.1.2, uvicorn 0.54.0, granian 2.8.9.
# Behaviour: a client that sends "Expect: 100-continue" waits before its upload, so that a server can refuse it first
#            (RFC 9110 §10.1.1). Four of six servers tell it to go on by themselves, at once. The application below
#            answers 401 without reading anything, and under these four the client has been let on all the same.
# Seen (server, interface, the first status that the client gets):
#            cheroot    WSGI  100
#            granian    ASGI  401
#            gunicorn   WSGI  100
#            hypercorn  ASGI  100
#            uvicorn    ASGI  401
#            werkzeug   WSGI  100
# Exits with 1 if that changes.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -qq --disable-pip-version-check \
    gunicorn==27.0.1 hypercorn==0.18.0 werkzeug==3.1.9 cheroot==11.1.2 uvicorn==0.54.0 granian==2.8.9 2>/dev/null
cd "$folder"

cat > app.py <<'PYTHON'
def wsgi(environ, start_response):
    start_response("401 Unauthorized", [("Content-Length", "2")])
    return [b"no"]


async def asgi(scope, receive, send):
    await send({"type": "http.response.start", "status": 401, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"no"})


if __name__ == "__main__":
    import sys

    if sys.argv[1] == "werkzeug":
        from werkzeug.serving import make_server

        make_server("127.0.0.1", int(sys.argv[2]), wsgi, threaded=True).serve_forever()
    else:
        from cheroot.wsgi import Server

        Server(("127.0.0.1", int(sys.argv[2])), wsgi).start()
PYTHON

cat > ask.py <<'PYTHON'
import socket, subprocess, sys, time
from pathlib import Path

BIN = Path(sys.executable).parent
COMMANDS = {
    "cheroot": ["python", "app.py", "cheroot", "PORT"],
    "granian": ["granian", "--port", "PORT", "--interface", "asgi", "app:asgi"],
    "gunicorn": ["gunicorn", "--bind", "127.0.0.1:PORT", "--no-control-socket", "app:wsgi"],
    "hypercorn": ["hypercorn", "--bind", "127.0.0.1:PORT", "app:asgi"],
    "uvicorn": ["uvicorn", "--port", "PORT", "--lifespan", "off", "app:asgi"],
    "werkzeug": ["python", "app.py", "werkzeug", "PORT"],
}
HEAD = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n"


def connected(port):
    until = time.monotonic() + 15
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=10)
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)


def first_status(command):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [part.replace("PORT", str(port)) for part in command]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    server = subprocess.Popen([BIN / command[0], *command[1:]], **quiet)
    try:
        with connected(port) as client:
            client.sendall(HEAD)
            return client.recv(12)[9:].decode()
    finally:
        server.terminate()
        server.wait(10)


for name, command in COMMANDS.items():
    interface = "ASGI" if "app:asgi" in command else "WSGI"
    print(f"{name:10} {interface}  {first_status(command)}")
PYTHON

expected="cheroot    WSGI  100
granian    ASGI  401
gunicorn   WSGI  100
hypercorn  ASGI  100
uvicorn    ASGI  401
werkzeug   WSGI  100"

"$folder/venv/bin/python" --version
seen=$("$folder/venv/bin/python" ask.py)
echo "$seen"
[ "$seen" = "$expected" ] || { echo "the behaviour has changed"; exit 1; }
