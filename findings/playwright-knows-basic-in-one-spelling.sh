#!/usr/bin/env bash
# Playwright's request client logs in if the field begins with "Basic " in exactly these letters, and only then.
#
# Versions:  playwright 1.65.2 (its APIRequestContext, which needs no browser).
# Behaviour: RFC 9110 §11.1 compares a scheme without regard to case, and §11.6.1 lets other challenges stand before it. With
#            http_credentials set, Playwright answers neither `basic realm="x"`, which Twisted and others send, nor a Basic
#            challenge behind another one, on its line or on a second line. The test gets the 401 and no word about it.
# Seen (status after http_credentials):
#            Basic realm="x"                          200
#            Basic realm="x", Negotiate               200
#            basic realm="x"                          401
#            BASIC realm="x"                          401
#            Negotiate, Basic realm="x"               401
#            Negotiate | Basic realm="x"              401   (two lines)
# Exits with 1 if that changes.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -qq --disable-pip-version-check playwright==1.65.2 2>/dev/null
cd "$folder"

cat > log_in.py <<'PYTHON'
import http.server, sys, threading

from playwright.sync_api import sync_playwright

CHALLENGES = {
    'Basic realm="x"': 200, 'Basic realm="x", Negotiate': 200, 'basic realm="x"': 401, 'BASIC realm="x"': 401,
    'Negotiate, Basic realm="x"': 401, 'Negotiate | Basic realm="x"': 401,
}


class Refuser(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def do_GET(self):
        logged_in = self.headers.get("Authorization", "").startswith("Basic ")
        self.send_response(200 if logged_in else 401)
        if not logged_in:
            for line in list(CHALLENGES)[int(self.path[1:])].split(" | "):
                self.send_header("WWW-Authenticate", line)
        self.send_header("Content-Length", "0")
        self.end_headers()


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Refuser)
threading.Thread(target=server.serve_forever, daemon=True).start()

changed = False
with sync_playwright() as playwright:
    client = playwright.request.new_context(http_credentials={"username": "ada", "password": "lovelace"})
    for number, (challenge, as_seen) in enumerate(CHALLENGES.items()):
        status = client.get(f"http://127.0.0.1:{server.server_port}/{number}").status
        changed |= status != as_seen
        print(f"{challenge:40} {status}")
    client.dispose()
sys.exit(changed)
PYTHON

venv/bin/python log_in.py
