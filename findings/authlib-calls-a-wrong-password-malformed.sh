#!/usr/bin/env bash
# Authlib's token endpoint answers a wrong password with invalid_request; oauthlib answers invalid_grant.
#
# Versions:  Authlib 1.9.10, oauthlib 4.0.1.
# Behaviour: RFC 6749 §5.2 has invalid_grant for "resource owner credentials" that are invalid, and invalid_request for a
#            request that is malformed. With the password grant, Authlib says invalid_request in both cases. So a client
#            that goes by the code cannot tell a wrong password, which must not be sent again, from its own mistake.
# Seen (status and code):
#            Authlib   wrong password    400 invalid_request
#            Authlib   no password       400 invalid_request
#            oauthlib  wrong password    400 invalid_grant
#            oauthlib  no password       400 invalid_request
# Exits with 1 if that changes.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -qq --disable-pip-version-check \
    Authlib==1.9.10 flask==3.1.3 oauthlib==4.0.1 2>/dev/null
cd "$folder"

cat > ask.py <<'PYTHON'
import json, os, sys, urllib.parse

from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.oauth2.rfc6749 import ClientMixin, grants
from flask import Flask
from oauthlib.oauth2 import LegacyApplicationServer, RequestValidator

os.environ["AUTHLIB_INSECURE_TRANSPORT"] = os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"
WRONG = {"grant_type": "password", "client_id": "app", "username": "ada", "password": "wrong"}
NONE = {name: value for name, value in WRONG.items() if name != "password"}


class App(ClientMixin):
    """A public client that may use the password grant."""

    def get_client_id(self): return "app"
    def get_allowed_scope(self, scope): return ""
    def check_client_secret(self, secret): return True
    def check_endpoint_auth_method(self, method, endpoint): return method == "none"
    def check_grant_type(self, grant_type): return grant_type == "password"


class Password(grants.ResourceOwnerPasswordCredentialsGrant):
    TOKEN_ENDPOINT_AUTH_METHODS = ["none"]

    def authenticate_user(self, username, password): return None  # as its documentation has it


def authlib(fields):
    flask = Flask("authlib")
    server = AuthorizationServer(flask, query_client=lambda name: App(), save_token=print)
    server.register_grant(Password)
    flask.post("/token")(server.create_token_response)
    answer = flask.test_client().post("/token", data=fields)
    return answer.status_code, answer.get_json()["error"]


class Validator(RequestValidator):
    def client_authentication_required(self, request, *args, **kwargs): return False

    def authenticate_client_id(self, client_id, request, *args, **kwargs):
        request.client = type("Client", (), {"client_id": client_id})
        return True

    def validate_grant_type(self, *args, **kwargs): return True
    def validate_user(self, *args, **kwargs): return False
    def get_default_scopes(self, *args, **kwargs): return []


def oauthlib(fields):
    server = LegacyApplicationServer(Validator())
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    _, body, status = server.create_token_response(
        "https://auth.example.com/token", "POST", urllib.parse.urlencode(fields), headers
    )
    return status, json.loads(body)["error"]


changed = False
for name, ask, asked, fields, usual in (
    ("Authlib ", authlib, "wrong password", WRONG, "invalid_request"),
    ("Authlib ", authlib, "no password   ", NONE, "invalid_request"),
    ("oauthlib", oauthlib, "wrong password", WRONG, "invalid_grant"),
    ("oauthlib", oauthlib, "no password   ", NONE, "invalid_request"),
):
    status, code = ask(fields)
    print(f"{name}  {asked}    {status} {code}")
    changed |= (status, code) != (400, usual)
sys.exit(changed)
PYTHON
venv/bin/python ask.py
