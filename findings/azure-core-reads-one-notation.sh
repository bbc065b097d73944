#!/usr/bin/env bash
# azure-core renews a revoked session if the challenge has all its values in quotes, but returns the 401 if one has no quotes.
#
# Versions:  azure-core 1.41.0, requests 2.34.2.
# Behaviour: Entra ends a session by a claims challenge: a 401 whose Bearer challenge has error="insufficient_claims" and claims.
#            BearerTokenCredentialPolicy then asks the credential for a token with these claims, and sends the request again. It
#            reads the challenge by searching for equals signs and quotes. RFC 9110 also allows a value without quotes (a token), and
#            whitespace around the equals sign; both mean the same, and a gateway that rewrites the header may choose them. The
#            policy finds no error in them, so the caller gets the 401 and no token is asked for.
# Seen (of one challenge in four notations, the status that the caller gets and whether the credential was asked for the claims):
#            as Entra writes it     200  asked
#            no space after commas  200  asked
#            the realm as a token   401  not asked
#            spaces around =        401  not asked
# Exits with 1 if that changes.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -qq --disable-pip-version-check \
    azure-core==1.41.0 requests==2.34.2 2>/dev/null
cd "$folder"

cat > claims.py <<'PYTHON'
import base64
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from azure.core import PipelineClient
from azure.core.credentials import AccessToken
from azure.core.pipeline.policies import BearerTokenCredentialPolicy
from azure.core.rest import HttpRequest

CLAIMS = base64.b64encode(b'{"access_token":{"nbf":{"essential":true,"value":"1726258122"}}}').decode()
ENTRA = f'Bearer realm="api", error="insufficient_claims", claims="{CLAIMS}"'
NOTATIONS = {
    "as Entra writes it": ENTRA,
    "no space after commas": ENTRA.replace(", ", ","),
    "the realm as a token": ENTRA.replace('"api"', "api"),
    "spaces around =": ENTRA.replace('="', ' = "'),
}


class Server(BaseHTTPRequestHandler):
    def do_GET(self):
        renewed = self.headers["Authorization"] == "Bearer renewed"
        self.send_response(200 if renewed else 401)
        if not renewed:
            self.send_header("WWW-Authenticate", self.server.challenge)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


class Credential:
    asked = False

    def get_token(self, *_scopes, claims=None, **_):
        self.asked |= claims is not None
        return AccessToken("renewed" if claims else "revoked", int(time.time()) + 3600)


def tried(challenge):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
    server.challenge = challenge
    threading.Thread(target=server.serve_forever, daemon=True).start()
    credential = Credential()
    url = f"http://127.0.0.1:{server.server_port}/"
    with PipelineClient(url, policies=[BearerTokenCredentialPolicy(credential, "scope")]) as client:
        status = client.send_request(HttpRequest("GET", url), enforce_https=False).status_code
    server.shutdown()
    server.server_close()
    return f"{status}  {'asked' if credential.asked else 'not asked'}"


seen = {name: tried(challenge) for name, challenge in NOTATIONS.items()}
for name, result in seen.items():
    print(f"{name:21}  {result}")
sys.exit(list(seen.values()) != ["200  asked", "200  asked", "401  not asked", "401  not asked"])
PYTHON

venv/bin/python claims.py
