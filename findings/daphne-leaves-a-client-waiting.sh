#!/usr/bin/env bash
# A handler stops in the middle of its response: five ASGI servers close the connection, and three let the client wait.
#
# Versions:  daphne 4.2.3, granian 2.8.9, gunicorn 27.0.1 (its ASGI worker), hypercorn 0.18.0, pyvoy 1.3.0, tremolo 0.5.3,
#            uvicorn 0.54.0.
# Behaviour: a handler that finds in the middle of its response that it cannot go on, because the session has ended for
#            example, can raise an error or return. uvicorn, hypercorn, granian and gunicorn then close the connection,
#            and the client sees that the response is incomplete. pyvoy and tremolo do so after an error only. daphne
#            never does: the connection stays open and silent, and a client waits for as long as its own timeout
#            allows. requests has none by default.
# Seen (what the client sees after a handler that returns, and after one that raises an error):
#            daphne     waits    waits
#            granian    cut off  cut off
#            gunicorn   cut off  cut off
#            hypercorn  cut off  cut off
#            pyvoy      waits    cut off
#            tremolo    waits    cut off
#            uvicorn    cut off  cut off
# Exits with 1 if that changes.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -qq --disable-pip-version-check \
    daphne==4.2.3 granian==2.8.9 gunicorn==27.0.1 hypercorn==0.18.0 pyvoy==1.3.0 tremolo==0.5.3 uvicorn==0.54.0 2>/dev/null
cd "$folder"

cat > app.py <<'PYTHON'
async def app(scope, receive, send):
    if scope["type"] != "http":
        raise RuntimeError("this application has no lifespan")
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"the first half", "more_body": True})
    if scope["path"] == "/raises":
        raise RuntimeError("the session has ended")
PYTHON

cat > ask.py <<'PYTHON'
import http.client, socket, subprocess, sys, time
from pathlib import Path

BIN = Path(sys.executable).parent
COMMANDS = {
    "daphne": ["daphne", "-b", "127.0.0.1", "-p", "PORT", "app:app"],
    "granian": ["granian", "--port", "PORT", "--interface", "asginl", "app:app"],
    "gunicorn": ["gunicorn", "-k", "asgi", "-b", "127.0.0.1:PORT", "app:app"],
    "hypercorn": ["hypercorn", "--bind", "127.0.0.1:PORT", "app:app"],
    "pyvoy": ["pyvoy", "--port", "PORT", "app:app"],
    "tremolo": ["python", "-m", "tremolo", "--port", "PORT", "app:app"],
    "uvicorn": ["uvicorn", "--port", "PORT", "app:app"],
}


def seen(port, path):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    connection.request("GET", path)
    try:
        connection.getresponse().read()
    except TimeoutError:
        return "waits"
    except (http.client.IncompleteRead, ConnectionError):
        return "cut off"
    finally:
        connection.close()
    return "whole"


for name, command in COMMANDS.items():
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    words = [word.replace("PORT", str(port)) for word in command]
    with open("log", "w") as log:
        server = subprocess.Popen([str(BIN / words[0]), *words[1:]], stdout=log, stderr=log)
        try:
            for _ in range(300):
                try:
                    socket.create_connection(("127.0.0.1", port), 1).close()
                    break
                except OSError:
                    time.sleep(0.1)
            time.sleep(0.5)
            print(f"{name:9}  {seen(port, '/returns'):7}  {seen(port, '/raises')}", flush=True)
        finally:
            server.terminate()
            server.wait(20)
PYTHON

"$folder/venv/bin/python" ask.py | tee seen
diff - seen <<'SEEN'
daphne     waits    waits
granian    cut off  cut off
gunicorn   cut off  cut off
hypercorn  cut off  cut off
pyvoy      waits    cut off
tremolo    waits    cut off
uvicorn    cut off  cut off
SEEN
