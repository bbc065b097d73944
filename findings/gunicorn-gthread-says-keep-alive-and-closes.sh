#!/usr/bin/env bash
# gunicorn's gthread worker says keep-alive in an early answer, and then closes the connection; sync says close.
#
# Versions:  gunicorn 27.0.1.
# Behaviour: the application answers 401 and does not read the upload. The gthread worker announces
#            "Connection: keep-alive", reads 64 KiB of the rest, finds more, and closes. A client that trusts the field
#            puts the connection back in its pool, and its next request may fail. The sync worker announces
#            "Connection: close", so that no client trusts it.
# Seen, for ten uploads of 1 MB each (what the answer says, then what the server does within 2 seconds):
#            gthread  1 MB      10 x keep-alive, then closed
#            gthread  no body   10 x keep-alive, then open
#            sync     1 MB      10 x close, then closed
# Exits with 1 if that changes.
set -euo pipefail

folder=$(mktemp -d)
pids=()
cleanup() {
    for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
    wait
    rm -rf "$folder"
}
trap cleanup EXIT

python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -qq --disable-pip-version-check gunicorn==27.0.1
cd "$folder"

cat > refusing.py <<'PYTHON'
def app(environ, start_response):
    """Refuse an upload at once."""
    start_response("401 Unauthorized", [("WWW-Authenticate", 'Basic realm="x"'), ("Content-Length", "0")])
    return []
PYTHON

free_port() {
    venv/bin/python -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])'
}
# A keep-alive longer than the 2 seconds below: an idle connection stays open that long.
gthread_port=$(free_port)
venv/bin/gunicorn --bind "127.0.0.1:$gthread_port" --worker-class gthread --threads 4 --keep-alive 30 \
    refusing:app 2>gthread.log &
pids+=($!)
sync_port=$(free_port)
venv/bin/gunicorn --bind "127.0.0.1:$sync_port" --worker-class sync refusing:app 2>sync.log &
pids+=($!)

cat > upload.py <<'PYTHON'
import collections, http.client, socket, sys, threading, time

gthread_port, sync_port = map(int, sys.argv[1:])
for port in (gthread_port, sync_port):
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            break
        except OSError:
            time.sleep(0.05)


def send(connection, body):
    try:
        connection.sendall(body)
    except OSError:
        """The server has closed: that is what the answer should have said."""


def announced_and_done(port, octets):
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        head = f"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: {octets}\r\n\r\n"
        connection.sendall(head.encode())
        sending = threading.Thread(target=send, args=(connection, bytes(octets)))
        sending.start()
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        assert answer.status == 401, answer.status
        answer.read()
        connection.settimeout(2)
        try:
            done = "closed" if connection.recv(1) == b"" else "more"
        except ConnectionError:
            done = "closed"
        except TimeoutError:
            done = "open"
        sending.join()
        return f"{answer.getheader('Connection')}, then {done}"


changed = False
for name, port, octets, usual in (
    ("gthread  1 MB   ", gthread_port, 1_000_000, "keep-alive, then closed"),
    ("gthread  no body", gthread_port, 0, "keep-alive, then open"),
    ("sync     1 MB   ", sync_port, 1_000_000, "close, then closed"),
):
    results = collections.Counter(announced_and_done(port, octets) for _ in range(10))
    print(name, " ", "; ".join(f"{times} x {result}" for result, times in results.items()))
    changed |= results[usual] < 9
sys.exit(changed)
PYTHON
venv/bin/python upload.py "$gthread_port" "$sync_port"
