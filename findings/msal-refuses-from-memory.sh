#!/usr/bin/env bash
# MSAL keeps a refusal of the token endpoint for a minute, and answers with it without asking again.
#
# Versions:  msal 1.39.0, requests 2.34.2; Authlib 1.9.10 to compare with.
# Behaviour: the token endpoint refuses once, and would give a token from then on. An application asks each half a second.
#            - After a 400 (here unauthorized_client, as an administrator is just granting it) MSAL answers with the same error
#              for 60 seconds; after a 503 it raises for 5 seconds; after a 429 for as long as Retry-After says. No request is sent
#              meanwhile. The result does not tell that it is an old one.
#            - After a 401 (invalid_client) it asks at once, though that one means a wrong secret.
#            Authlib asks each time. azure-identity is built on MSAL.
# Seen (seconds until the application has a token, and requests that the endpoint had):
#            msal     400 unauthorized_client        60   2
#            msal     401 invalid_client              1   2
#            msal     503                             5   2
#            msal     429, Retry-After: 20           20   2
#            Authlib  400 unauthorized_client         1   2
#            Authlib  503                             1   2
# The script puts the clock forward (time.time) where an application would wait.
# Exits with 1 if that changes. The time may differ by three seconds.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -qq --disable-pip-version-check msal==1.39.0 requests==2.34.2 authlib==1.9.10
cd "$folder"

cat > ask.py <<'PYTHON'
import http.server, json, sys, threading, time

import msal, requests
from authlib.integrations.requests_client import OAuth2Session

HOST = "https://id.example/t"  # MSAL insists on https; what it asks for is sent to the server below


class Endpoint(http.server.ThreadingHTTPServer):
    def __init__(self, status, error, **fields):
        super().__init__(("127.0.0.1", 0), Handler)
        self.status, self.error, self.fields, self.asked = status, error, fields, 0
        self.url = f"http://127.0.0.1:{self.server_port}/token"
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"] or 0))
        self.server.asked += 1
        refused = self.server.asked == 1
        granted = {"access_token": "t", "token_type": "Bearer", "expires_in": 3600}
        self.send_response(self.server.status if refused else 200)
        for name, value in self.server.fields.items() if refused else ():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps({"error": self.server.error} if refused else granted).encode())

    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        known = {"token_endpoint": f"{HOST}/token", "authorization_endpoint": f"{HOST}/a", "issuer": f"{HOST}/v2.0"}
        self.wfile.write(json.dumps(known).encode())

    def log_message(self, *_):
        pass


class Here:
    """What MSAL takes for an HTTP client."""

    def __init__(self, url):
        self.url = url

    def post(self, url, data=None, headers=None, params=None, **_):
        return requests.post(self.url, data=data, headers=headers, params=params)

    def get(self, url, **_):
        return requests.get(self.url)

    def close(self):
        pass


def by_msal(endpoint):
    application = msal.ConfidentialClientApplication(
        "c", client_credential="s", authority=HOST, http_client=Here(endpoint.url), instance_discovery=False
    )
    return lambda: application.acquire_token_for_client(["x/.default"]).get("access_token")


def by_authlib(endpoint):
    session = OAuth2Session("c", "s", token_endpoint=endpoint.url, grant_type="client_credentials")
    return lambda: session.fetch_token()["access_token"]


clock, passed = time.time, 0.0
time.time = lambda: clock() + passed


def run(make, endpoint):
    global passed
    ask, began = make(endpoint), passed
    while True:
        try:
            if ask():
                return round(passed - began), endpoint.asked
        except Exception as error:
            if passed - began > 90:
                raise SystemExit(repr(error)) from error
        passed += 0.5


CASES = {
    "msal     400 unauthorized_client": (60, by_msal, Endpoint(400, "unauthorized_client")),
    "msal     401 invalid_client": (0, by_msal, Endpoint(401, "invalid_client")),
    "msal     503": (5, by_msal, Endpoint(503, "temporarily_unavailable")),
    "msal     429, Retry-After: 20": (20, by_msal, Endpoint(429, "temporarily_unavailable", Retry_After="20")),
    "Authlib  400 unauthorized_client": (0, by_authlib, Endpoint(400, "unauthorized_client")),
    "Authlib  503": (0, by_authlib, Endpoint(503, "temporarily_unavailable")),
}
as_expected = True
for name, (expected, make, endpoint) in CASES.items():
    seconds, asked = run(make, endpoint)
    as_expected &= abs(seconds - expected) <= 3 and asked == 2
    print(f"{name:36} {seconds:5} {asked:3}")
sys.exit(not as_expected)
PYTHON

"$folder/venv/bin/python" ask.py
