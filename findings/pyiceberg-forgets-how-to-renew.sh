#!/usr/bin/env bash
# PyIceberg's new OAuth 2.0 manager cannot recover from a 401, and fails until its own clock says so; the one that it replaces could.
#
# Versions:  pyiceberg 0.12.0 (PyPI, Python 3.11).
# Behaviour: a catalog ends all tokens, an hour before they expire. PyIceberg repeats a call once after 401 and 419, whoever made
#            the token. The manager behind `credential=`, which is to go in 1.0, gets a new token in between: one for each of
#            twenty callers, and it sends the dead token along to the token endpoint, as Bearer beside the client's secret. The
#            manager that takes its place, `auth={"type": "oauth2"}`, keeps the dead token: PyIceberg sends the same request
#            twice, and so does each later call, until the hour is over. If tokens live for a minute, the new manager gets one
#            for each request, because it gives up each token 60 seconds early.
# Seen (callers that succeed, tokens, requests to the catalog):
#            credential, one caller       1   1   2
#            credential, 20 callers      20  18  38 (up to 20 and 40)
#            auth oauth2, one caller      0   0   2
#            auth oauth2, 20 callers      0   0  40
#            auth oauth2, tokens that live for 60 seconds, ten calls: 10 tokens
#            sent to the token endpoint by credential: Bearer and the dead token
# Exits with 1 if that changes.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -qq --disable-pip-version-check pyiceberg==0.12.0
cd "$folder"
export HOME=$folder

cat > try.py <<'PYTHON'
import concurrent.futures, http.server, json, secrets, sys, threading, time, warnings

from pyiceberg.catalog.rest import RestCatalog

warnings.simplefilter("ignore")  # `credential=` is deprecated, and says so
living, asked, lifetime = set(), [], 3600


class Catalog(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.rfile.read(int(self.headers["Content-Length"] or 0))
        field = self.headers["Authorization"] or ""
        asked.append((self.path, field))
        if self.path == "/v1/oauth/tokens":
            time.sleep(0.1)
            living.add(token := secrets.token_hex(8))
            self.answer(200, {"access_token": token, "token_type": "bearer", "expires_in": lifetime})
        elif field.removeprefix("Bearer ") not in living:
            self.answer(401, {"error": {"message": "Token has ended", "type": "NotAuthorizedException", "code": 401}})
        elif self.path.startswith("/v1/config"):
            self.answer(200, {"defaults": {}, "overrides": {}})
        else:
            self.answer(200, {"namespaces": [["shop"]]})

    do_POST = do_GET

    def answer(self, status, content):
        content = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 64


server = Server(("127.0.0.1", 0), Catalog)
threading.Thread(target=server.serve_forever, daemon=True).start()
url = f"http://127.0.0.1:{server.server_port}"
tokens_at = f"{url}/v1/oauth/tokens"
OAUTH2 = {"client_id": "ada", "client_secret": "s3cret", "token_url": tokens_at}
OPTIONS = {
    "credential": {"credential": "ada:s3cret", "oauth2-server-uri": tokens_at},
    "auth oauth2": {"auth": {"type": "oauth2", "oauth2": OAUTH2}},
}


def works(catalog):
    try:
        return catalog.list_namespaces() == [("shop",)]
    except Exception:
        return False


def tokens():
    return sum(path == "/v1/oauth/tokens" for path, _ in asked)


as_expected = True
for name, options in OPTIONS.items():
    for callers in (1, 20):
        catalog = RestCatalog("shop", uri=url, **options)
        as_expected &= works(catalog)
        dead = {f"Bearer {token}" for token in living}
        living.clear()
        asked.clear()
        with concurrent.futures.ThreadPoolExecutor(callers) as pool:
            succeed = sum(pool.map(lambda _: works(catalog), range(callers)))
        print(f"{name}, {callers} at once: {succeed} succeed, {tokens()} tokens, {len(asked) - tokens()} requests", flush=True)
        as_expected &= name == "credential" or len(asked) == 2 * callers
        if name == "credential":
            as_expected &= succeed == callers and (tokens() == 1 if callers == 1 else tokens() > 10)
            as_expected &= any(path == "/v1/oauth/tokens" and field in dead for path, field in asked)
        else:
            as_expected &= succeed == tokens() == 0 and not works(catalog)
lifetime = 60
catalog = RestCatalog("shop", uri=url, **OPTIONS["auth oauth2"])
asked.clear()
as_expected &= all(works(catalog) for _ in range(10)) and tokens() == 10
print(f"tokens that live for 60 seconds, ten calls: {tokens()} tokens")
sys.exit(not as_expected)
PYTHON

"$folder/venv/bin/python" try.py
