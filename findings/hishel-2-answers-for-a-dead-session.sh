#!/usr/bin/env bash
# hishel 2 ignores Cache-Control: the same two lines keep a no-store answer on disk, and never learn that the session died.
#
# Versions:  hishel 1.4.0 and 2.0.0, httpx 0.28.1, requests 2.34.2.
# Behaviour: hishel is an HTTP cache after RFC 9111, and up to 1.4 its client, and its adapter for requests, were one
#            without any argument. In 2.0 the same call makes something else: it keeps each successful answer to GET
#            and HEAD by method and URL, whatever Cache-Control says, without a limit of time, in a folder of the
#            working directory. So the first answer stands for good. The server below allows nothing (no-store), or a
#            second (max-age=1); after the second request the session is dead, and after the fourth the server has
#            another answer. 2.0 follows RFC 9111 with `rfc=True`.
# Seen (requests that reach the server, of six; the six answers):
#            1.4.0, httpx, max-age=1        4  orders orders 401 401 orders-2 orders-2
#            1.4.0, httpx, no-store         6  orders orders 401 401 orders-2 orders-2
#            1.4.0, requests, no-store      6  orders orders 401 401 orders-2 orders-2
#            2.0.0, httpx, max-age=1        1  orders orders orders orders orders orders
#            2.0.0, httpx, no-store         1  orders orders orders orders orders orders
#            2.0.0, requests, no-store      1  orders orders orders orders orders orders
#            2.0.0, httpx, no-store, rfc    6  orders orders 401 401 orders-2 orders-2
# Exits with 1 if that changes.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
for version in 1.4.0 2.0.0; do
    python3 -m venv "$version"
    "$version/bin/python" -m pip install -qq --disable-pip-version-check \
        "hishel[httpx,requests]==$version" httpx==0.28.1 requests==2.34.2
done

cat > ask.py <<'PYTHON'
import http.server, importlib.metadata, os, sys, tempfile, threading, time

import requests

version = importlib.metadata.version("hishel")
if version == "1.4.0":
    from hishel.httpx import SyncCacheClient as Client
else:
    from hishel.httpx import CacheClient as Client
from hishel.requests import CacheAdapter

ALLOWED = sys.argv[2]
reached = 0
state = "orders"


class Server(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        global reached
        reached += 1
        self.send_response(401 if state == "401" else 200)
        self.send_header("Cache-Control", "no-store" if state == "401" else ALLOWED)
        if state == "401":
            self.send_header("WWW-Authenticate", 'Bearer realm="shop", error="invalid_token"')
        self.send_header("Content-Length", str(len(state)))
        self.end_headers()
        self.wfile.write(state.encode())

    def log_message(self, *_):
        pass


def client():
    if sys.argv[1] == "requests":
        session = requests.Session()
        session.mount("http://", CacheAdapter())
        return session
    return Client(rfc=True) if sys.argv[3:] else Client()


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
url = f"http://127.0.0.1:{server.server_port}/orders"
answers = []
with tempfile.TemporaryDirectory() as work:
    os.chdir(work)
    http = client()
    for state in ("orders", "401", "orders-2"):
        if answers:
            time.sleep(2.1)
        answers += [http.get(url).text for _ in range(2)]
    http.close()
    os.chdir("/")
print(f"{', '.join([version, *sys.argv[1:]]):30} {reached}  {' '.join(answers)}")
if version == "2.0.0" and not sys.argv[3:]:
    expected = reached == 1 and answers == ["orders"] * 6
else:
    expected = reached == (6 if ALLOWED == "no-store" else 4) and answers == ["orders"] * 2 + ["401"] * 2 + ["orders-2"] * 2
sys.exit(not expected)
PYTHON

for version in 1.4.0 2.0.0; do
    "$version/bin/python" ask.py httpx max-age=1
    "$version/bin/python" ask.py httpx no-store
    "$version/bin/python" ask.py requests no-store
done
2.0.0/bin/python ask.py httpx no-store rfc
