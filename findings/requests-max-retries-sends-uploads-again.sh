#!/usr/bin/env bash
# requests' max_retries=1 sends an upload twice, and sleeps for as long as the server says; its manual says never.
#
# Versions:  requests 2.34.2, urllib3 2.8.0.
# Behaviour: requests.adapters.HTTPAdapter documents max_retries as for "failed DNS lookups, socket connections and
#            connection timeouts, never to requests where data has made it to the server". But urllib3's Retry also
#            honours Retry-After on 413, 429 and 503: with any number above 0, a GET, PUT or DELETE that was answered so is
#            sent again, after a sleep that `timeout` does not count. A POST is not. response.history stays empty.
# Seen (requests that the server got, seconds; each answer is 503 with "Retry-After: 2", timeout=1):
#            max_retries=0  PUT   1 request   0 s
#            max_retries=1  PUT   2 requests  2 s
#            max_retries=1  POST  1 request   0 s
#            max_retries=3  PUT   4 requests  6 s
# Exits with 1 if that changes.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -qq --disable-pip-version-check requests==2.34.2 urllib3==2.8.0 2>/dev/null
cd "$folder"

cat > upload.py <<'PYTHON'
import http.server, sys, threading, time

import requests
from requests.adapters import HTTPAdapter

uploads = []


class Busy(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def do_PUT(self):
        uploads.append(len(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(503)
        self.send_header("Retry-After", "2")
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_POST = do_PUT


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Busy)
url = f"http://127.0.0.1:{server.server_port}/"
threading.Thread(target=server.serve_forever, daemon=True).start()

seen = []
for retries, method in (0, "PUT"), (1, "PUT"), (1, "POST"), (3, "PUT"):
    uploads.clear()
    with requests.Session() as session:
        session.trust_env = False
        session.mount("http://", HTTPAdapter(max_retries=retries))
        started = time.monotonic()
        response = session.request(method, url, data=b"x" * 1000, timeout=1)
        took = round(time.monotonic() - started)
    assert response.status_code == 503 and not response.history and set(uploads) == {1000}
    seen.append((len(uploads), took))
    print(f"max_retries={retries}  {method:4}  {len(uploads)} requests  {took} s")
sys.exit(seen != [(1, 0), (2, 2), (1, 0), (4, 6)])
PYTHON

venv/bin/python upload.py
