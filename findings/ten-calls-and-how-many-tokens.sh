#!/usr/bin/env bash
# A token that lives five minutes is one token per call to MSAL and azure-identity; and five of nine libraries fail where its lifetime is not named.
#
# Versions:  Authlib 1.9.10, google-auth 2.63.0, httpx_auth 0.23.1, msal 1.39.0, azure-identity 1.27.0, requests-oauthlib 2.0.0
#            (oauthlib 4.0.1), requests_oauth2client 1.8.0, gcloud-aio-auth 5.6.0, python-keycloak 7.1.1; requests 2.34.2, httpx 0.28.1.
# Behaviour: a library asks for a new token some time before the old one ends: 300 seconds in MSAL, 225 in
#            google-auth, 60 in Authlib, 30 in httpx_auth. Where a token does not live that long, each call asks for a
#            token, without a word, and the answers are right: only the token endpoint tells. gcloud-aio-auth and
#            python-keycloak take a part of the lifetime instead. `expires_in` is recommended, not required (RFC 6749
#            §5.1). Five libraries raise an error for a token without it: requests-oauthlib since it renews, and still
#            goes by the lifetime of the token before.
# Seen (tokens asked for by ten calls, one after the other, by `expires_in`):
#                                      30   60  200  300  3600  not named
#            msal                      10   10   10   10     1  1
#            azure-identity            10   10   10   10     1  ClientAuthenticationError
#            google-auth               10   10   10    1     1  1
#            Authlib                   10   10    1    1     1  1
#            httpx_auth                10    1    1    1     1  ValueError
#            requests-oauthlib          1    1    1    1     1  TokenExpiredError
#            requests_oauth2client      1    1    1    1     1  1
#            gcloud-aio-auth            1    1    1    1     1  KeyError
#            python-keycloak            1    1    1    1     1  KeyError
# Exits with 1 if that changes.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -qq --disable-pip-version-check authlib==1.9.10 google-auth==2.63.0 \
    httpx_auth==0.23.1 msal==1.39.0 azure-identity==1.27.0 requests-oauthlib==2.0.0 oauthlib==4.0.1 \
    requests_oauth2client==1.8.0 gcloud-aio-auth==5.6.0 python-keycloak==7.1.1 requests==2.34.2 httpx==0.28.1
cd "$folder"

cat > calls.py <<'PYTHON'
import asyncio, http.server, io, itertools, json, logging, os, sys, threading, warnings

os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"
warnings.simplefilter("ignore")
logging.disable()

import google.auth.transport.requests, google.oauth2.credentials, httpx, httpx_auth, keycloak, msal, requests, requests_oauth2client
import requests_oauthlib
from authlib.integrations.requests_client import OAuth2Session
from azure.core.pipeline.transport import RequestsTransport
from azure.identity import ClientSecretCredential
from gcloud.aio.auth import Token

asked = 0
lifetime = None
HOST = "https://id.example/t"  # MSAL and azure-identity insist on https; what they ask for is sent to the server below
ENDPOINTS = {"token_endpoint": f"{HOST}/token", "authorization_endpoint": f"{HOST}/authorize", "issuer": f"{HOST}/v2.0"}


class Server(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        global asked
        asked += 1
        self.rfile.read(int(self.headers["Content-Length"] or 0))
        named = {} if lifetime is None else {"expires_in": lifetime}
        self.answer({"access_token": f"t{asked}", "token_type": "Bearer", **named})

    def do_GET(self):
        self.answer(ENDPOINTS)

    def answer(self, members):
        content = json.dumps(members).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
base = f"http://127.0.0.1:{server.server_port}"
token, orders = base + "/token", base + "/orders"
user = {"client_id": "c", "client_secret": "s", "refresh_token": "r", "token_uri": token}
clients = itertools.count()


class Here:
    """What MSAL takes for an HTTP client."""

    def post(self, url, data=None, headers=None, params=None, **_):
        return requests.post(token, data=data, headers=headers, params=params)

    def get(self, url, **_):
        return requests.get(base)

    def close(self):
        pass


class Transport(RequestsTransport):
    def send(self, request, **options):
        request.url = token if request.method == "POST" else base
        return super().send(request, **options)


def by_authlib():
    session = OAuth2Session("c", "s", token_endpoint=token, grant_type="client_credentials")
    session.token = {"access_token": "old", "token_type": "Bearer", "expires_at": 1}
    return lambda: session.get(orders)


def by_google():
    credentials = google.oauth2.credentials.Credentials(None, **user)
    session = google.auth.transport.requests.AuthorizedSession(credentials)
    return lambda: session.get(orders)


def by_httpx_auth():
    auth = httpx_auth.OAuth2ClientCredentials(token, client_id=f"c{next(clients)}", client_secret="s")
    client = httpx.Client(auth=auth)
    return lambda: client.get(orders)


def by_msal():
    application = msal.ConfidentialClientApplication(
        "c", client_credential="s", authority=HOST, http_client=Here(), instance_discovery=False
    )
    return lambda: application.acquire_token_for_client(["x/.default"])["access_token"]


def by_azure():
    credential = ClientSecretCredential(
        "t", "c", "s", authority="https://id.example", disable_instance_discovery=True, transport=Transport()
    )
    return lambda: credential.get_token("x/.default")


def by_requests_oauthlib():
    old = {"access_token": "old", "token_type": "Bearer", "refresh_token": "r", "expires_in": -5}
    session = requests_oauthlib.OAuth2Session("c", token=old, auto_refresh_url=token, token_updater=lambda _: None)
    return lambda: session.get(orders)


def by_oauth2client():
    client = requests_oauth2client.OAuth2Client(token_endpoint=token, client_id="c", client_secret="s", testing=True)
    session = requests.Session()
    session.auth = requests_oauth2client.OAuth2ClientCredentialsAuth(client)
    return lambda: session.get(orders)


def by_gcloud():
    held = Token(service_file=io.StringIO(json.dumps({"type": "authorized_user", **user})), scopes=["x"])
    loop = asyncio.new_event_loop()
    return lambda: loop.run_until_complete(held.get())


def by_keycloak():
    connection = keycloak.KeycloakOpenIDConnection(
        server_url=base + "/", realm_name="r", client_id="c", client_secret_key="s"
    )
    return lambda: connection.raw_get("/orders")


def tokens(make):
    global asked
    asked = 0
    try:
        call = make()
        for _ in range(10):
            call()
    except Exception as error:
        return type(error).__name__
    return str(asked)


EXPECTED = {
    "msal": (by_msal, "10 10 10 10 1 1"),
    "azure-identity": (by_azure, "10 10 10 10 1 ClientAuthenticationError"),
    "google-auth": (by_google, "10 10 10 1 1 1"),
    "Authlib": (by_authlib, "10 10 1 1 1 1"),
    "httpx_auth": (by_httpx_auth, "10 1 1 1 1 ValueError"),
    "requests-oauthlib": (by_requests_oauthlib, "1 1 1 1 1 TokenExpiredError"),
    "requests_oauth2client": (by_oauth2client, "1 1 1 1 1 1"),
    "gcloud-aio-auth": (by_gcloud, "1 1 1 1 1 KeyError"),
    "python-keycloak": (by_keycloak, "1 1 1 1 1 KeyError"),
}
as_expected = True
for name, (make, expected) in EXPECTED.items():
    seen = []
    for lifetime in (30, 60, 200, 300, 3600, None):
        seen.append(tokens(make))
    as_expected &= seen == expected.split()
    print(f"{name:24} {seen[0]:>4} {seen[1]:>4} {seen[2]:>4} {seen[3]:>4}  {seen[4]:>4}  {seen[5]}")
sys.exit(not as_expected)
PYTHON

"$folder/venv/bin/python" calls.py 2>/dev/null
