#!/usr/bin/env bash
# Apache before gunicorn: one client's upload is refused early, and another client's request is lost.
#
# Versions:  Apache 2.4.71 (Debian), gunicorn 27.0.1, Python 3.11. Needs the program apache2, and nothing of its
#            configuration.
# Behaviour: the application answers 401 before it has read an upload of 2 MB, and gunicorn closes. Apache keeps that
#            connection all the same, and sends it the next request, whoever's that is. It then
#              - answers 502 to a POST that is the first on its client's connection,
#              - closes the client's connection without a word if the client had used it before.
#            If the application reads the upload before it answers, no request is lost.
# Seen, of 60 POSTs of a bystander, each after one such upload of somebody else:
#            early, sync worker      new connection: 502=3      kept connection: closed=5
#            early, gthread worker   new connection: 502=4      kept connection: closed=3
#            read first, sync        none                       none
# Exits with 1 if that changes. How many are lost is a race: each early worker has to lose one.
set -euo pipefail

folder=$(mktemp -d)
pids=()
cleanup() {
    for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
    wait
    rm -rf "$folder"
}
trap cleanup EXIT
chmod 755 "$folder"

apache=$(command -v apache2 || echo /usr/sbin/apache2)
[ -x "$apache" ] || { echo "this needs the program apache2"; exit 2; }
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -qq --disable-pip-version-check gunicorn==27.0.1
cd "$folder"

cat > app.py <<'PYTHON'
import os


def app(environ, start_response):
    """Refuse an upload at once; take any other request."""
    if environ["PATH_INFO"] == "/upload" and "READS_FIRST" in os.environ:
        while environ["wsgi.input"].read(65536):
            pass
    if environ["PATH_INFO"] == "/upload":
        start_response("401 Unauthorized", [("WWW-Authenticate", 'Basic realm="x"'), ("Content-Length", "0")])
        return []
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]
PYTHON

cat > bystander.py <<'PYTHON'
import collections, contextlib, http.client, sys

port = int(sys.argv[1])


def upload():
    """Send 2 MB, and be refused."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    with contextlib.suppress(OSError):
        connection.request("POST", "/upload", bytes(2_000_000))
    with contextlib.suppress(OSError, http.client.HTTPException):
        connection.getresponse().read()
    connection.close()


def posted(connection):
    try:
        connection.request("POST", "/", b"hello")
        answer = connection.getresponse()
        answer.read()
        return str(answer.status)
    except http.client.RemoteDisconnected:
        return "closed"
    except ConnectionError:
        return "closed"


for name in ("new", "kept"):
    seen = collections.Counter()
    for _ in range(60):
        mine = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        if name == "kept":
            mine.request("GET", "/")
            mine.getresponse().read()
        upload()
        seen[posted(mine)] += 1
        mine.close()
    print(name, *(f"{what}={number}" for what, number in sorted(seen.items())))
PYTHON

free() { python3 -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
await() { for _ in $(seq 200); do (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null && return; sleep 0.05; done; }

serve() { # name, worker, environment
    local upstream front
    upstream=$(free)
    env "$3" venv/bin/gunicorn --worker-class "$2" --threads 4 --bind "127.0.0.1:$upstream" --no-control-socket \
        app:app >"$1.log" 2>&1 &
    pids+=($!)
    await "$upstream"
    front=$(free)
    {
        for module in mpm_event authz_core proxy proxy_http; do
            echo "LoadModule ${module}_module /usr/lib/apache2/modules/mod_$module.so"
        done
        printf '%s\n' "ServerRoot $folder" "ServerName 127.0.0.1" "DefaultRuntimeDir $folder" \
            "PidFile $folder/$1.pid" "ErrorLog $folder/$1-apache.log" "Listen 127.0.0.1:$front" \
            "User www-data" "ProxyPass / http://127.0.0.1:$upstream/"
    } >"$1.conf"
    "$apache" -X -f "$folder/$1.conf" >/dev/null 2>&1 &
    pids+=($!)
    await "$front"
    venv/bin/python bystander.py "$front" | sed "s/^/$1 /" | tee -a seen
}

serve early-sync sync A=1
serve early-gthread gthread A=1
serve reads-first sync READS_FIRST=1

grep -q '^early-sync .*\(502\|closed\)=' seen && grep -q '^early-gthread .*\(502\|closed\)=' seen &&
    ! grep '^reads-first' seen | grep -q '502=\|closed='
