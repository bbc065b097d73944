#!/usr/bin/env bash
# SCRAM over HTTP (RFC 7804) in Python: two clients for requests log in, and neither of them can send a second request.
#
# Versions:  requests-scram 1.0.1, hop-client 0.13.0, flask-scram 1.0.1, scramp 1.4.6, requests 2.34.2, Flask 3.1.3.
# Behaviour: requests calls one auth object for each request of a session. Both clients keep the state of the first exchange in
#            it, so the second request ends in an exception: hop's before it reads the 401. With its default mechanisms
#            requests-scram does not look at the server's and takes SCRAM-SHA3-512, which flask-scram does not offer. It prints
#            the fields of every answer. A wrong password is a 401 in neither. With scramp 1.5.0 flask-scram answers 500 to the
#            right one.
# Seen:
#                                requests-scram      hop-client
#            first request       200, some output    200, no output
#            second request      ScramException      RuntimeError
#            wrong password      ScramException      RuntimeError
#            default mechanisms  UnboundLocalError   -
# Exits with 1 if that changes.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -qq --disable-pip-version-check \
    requests-scram==1.0.1 hop-client==0.13.0 six==1.17.0 flask-scram==1.0.1 scramp==1.4.6 requests==2.34.2 flask==3.1.3 \
    2>/dev/null
cd "$folder"

cat > once.py <<'PYTHON'
import contextlib, io, logging, sys, threading
from types import SimpleNamespace

import flask
import requests
from flask_scram import Scram
from hop.http_scram import SCRAMAuth
from requests_scram import HTTPSCRAMAuth
from werkzeug.serving import make_server

logging.disable(logging.CRITICAL)
MECHANISM = "SCRAM-SHA-256"
app = flask.Flask("orders")
app.secret_key = "a key of this script"
scram = Scram(app, realm="orders")
with app.app_context():
    known = scram.make_auth_info("pencil")
app.config["SCRAM_AUTH_FN"] = lambda user: known


@app.route("/")
@scram.login_required
def orders():
    return "orders"


server = make_server("127.0.0.1", 0, app, threaded=True)
threading.Thread(target=server.serve_forever, daemon=True).start()
url = f"http://127.0.0.1:{server.port}/"


def requests_scram(password):
    return HTTPSCRAMAuth("user", password, mechanisms=[MECHANISM])


def hop_client(password):
    return SCRAMAuth(SimpleNamespace(username="user", password=password, mechanism=MECHANISM))


def said(session):
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        try:
            status = session.get(url).status_code
        except Exception as error:
            return type(error).__name__
    return f"{status}, {'some' if printed.getvalue() else 'no'} output"


def two(auth):
    session = requests.Session()
    session.auth = auth
    return said(session), said(session)


def one(auth):
    return two(auth)[0]


first, second = zip(two(requests_scram("pencil")), two(hop_client("pencil")))
seen = {
    "first request": list(first),
    "second request": list(second),
    "wrong password": [one(requests_scram("pen")), one(hop_client("pen"))],
    "default mechanisms": [one(HTTPSCRAMAuth("user", "pencil")), "-"],
}
print(f"{'':20}{'requests-scram':20}hop-client")
for what, results in seen.items():
    print(f"{what:20}{results[0]:20}{results[1]}")
expected = {
    "first request": ["200, some output", "200, no output"],
    "second request": ["ScramException", "RuntimeError"],
    "wrong password": ["ScramException", "RuntimeError"],
    "default mechanisms": ["UnboundLocalError", "-"],
}
sys.exit(seen != expected)
PYTHON
"$folder/venv/bin/python" once.py
