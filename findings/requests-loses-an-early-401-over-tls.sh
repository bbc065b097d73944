#!/usr/bin/env bash
# requests loses an early 401 over TLS; httpx reads it.
#
# Versions:  requests 2.34.2 with urllib3 2.8.0, httpx 0.28.1, gunicorn 27.0.1 (sync worker).
# Behaviour: a server may answer 401 before it has read an upload, and then close the connection. Over plain HTTP both
#            clients read that 401. Over TLS the write fails with ssl.SSLEOFError. urllib3 forgives a BrokenPipeError
#            and reads the answer; it does not forgive this one, so requests raises SSLError and the 401 is lost.
#            httpcore forgives every failed write and reads the 401.
# Seen, for five uploads of 50 MB each:
#            requests  http   401 401 401 401 401
#            requests  https  SSLError SSLError SSLError SSLError SSLError
#            httpx     http   401 401 401 401 401
#            httpx     https  401 401 401 401 401
# Exits with 1 if that changes. One try of each five may differ: the client and the server race.
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
"$folder/venv/bin/python" -m pip install -qq --disable-pip-version-check \
    requests==2.34.2 urllib3==2.8.0 httpx==0.28.1 gunicorn==27.0.1 trustme==1.2.1
cd "$folder"
venv/bin/python -m trustme --quiet --identities localhost

cat > refusing.py <<'PYTHON'
def app(environ, start_response):
    """Refuse an upload at once, and answer anything else."""
    if environ["REQUEST_METHOD"] == "GET":
        start_response("200 OK", [("Content-Length", "0")])
        return []
    start_response("401 Unauthorized", [("WWW-Authenticate", 'Basic realm="x"'), ("Content-Length", "0")])
    return []
PYTHON

free_port() {
    venv/bin/python -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])'
}
http_port=$(free_port)
venv/bin/gunicorn --bind "127.0.0.1:$http_port" refusing:app 2>http.log &
pids+=($!)
https_port=$(free_port)
venv/bin/gunicorn --bind "127.0.0.1:$https_port" --certfile server.pem --keyfile server.key refusing:app 2>https.log &
pids+=($!)

cat > upload.py <<'PYTHON'
import socket, ssl, sys, time

import httpx, requests

http_port, https_port = sys.argv[1:]
for port in (http_port, https_port):
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", int(port))).close()
            break
        except OSError:
            time.sleep(0.05)


def with_requests(url):
    with requests.Session() as session:
        session.trust_env, session.verify = False, "client.pem"
        session.get(url, timeout=10)
        return session.post(url, data=bytes(50_000_000), timeout=10).status_code


def with_httpx(url):
    trust = ssl.create_default_context(cafile="client.pem")
    with httpx.Client(verify=trust, trust_env=False, timeout=10) as client:
        client.get(url)
        return client.post(url, content=bytes(50_000_000)).status_code


def seen(upload, url):
    try:
        return str(upload(url))
    except (requests.RequestException, httpx.HTTPError) as error:
        return type(error).__name__


urls = {"http": f"http://localhost:{http_port}/", "https": f"https://localhost:{https_port}/"}
expected = {
    (with_requests, "http"): "401", (with_requests, "https"): "SSLError",
    (with_httpx, "http"): "401", (with_httpx, "https"): "401",
}
changed = False
for (upload, scheme), usual in expected.items():
    results = [seen(upload, urls[scheme]) for _ in range(5)]
    print(f"{upload.__name__.removeprefix('with_'):9} {scheme:6}", *results)
    changed |= results.count(usual) < 4
sys.exit(changed)
PYTHON
venv/bin/python upload.py "$http_port" "$https_port"
