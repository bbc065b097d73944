#!/usr/bin/env bash
# Two WWW-Authenticate lines in one answer: what nine younger Python clients have under headers["www-authenticate"].
#
# Versions:  primp 2.0.1, curl_cffi 0.17.0, impit 0.15.1, tls_client 2.0.0, geventhttpclient 2.6.1, wreq 0.13.0,
#            pyreqwest 0.15.1, httpr 0.7.8, aiosonic 1.3.3.
# Behaviour: RFC 9110 §5.3 lets a recipient join the lines with a comma. Three clients do. Two give a list where other fields
#            are text, one a memoryview. pyreqwest gives the first line (getall has both). In httpr and aiosonic the last
#            line is all there is: a Bearer challenge before a Basic one is gone.
# Seen:
#            primp             both, joined
#            curl_cffi         both, joined
#            impit             both, joined
#            tls_client        list of both
#            geventhttpclient  list of both
#            wreq              memoryview of the first
#            pyreqwest         the first
#            httpr             the last
#            aiosonic          the last
# Exits with 1 if that changes.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -qq --disable-pip-version-check \
    primp==2.0.1 curl_cffi==0.17.0 impit==0.15.1 tls_client==2.0.0 geventhttpclient==2.6.1 wreq==0.13.0 \
    pyreqwest==0.15.1 httpr==0.7.8 aiosonic==1.3.3 2>/dev/null
cd "$folder"

cat > lines.py <<'PYTHON'
import asyncio, http.server, sys, threading

FIRST, LAST = 'Bearer realm="orders"', 'Basic realm="orders"'


class Refuser(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def do_GET(self):
        self.send_response(401)
        self.send_header("WWW-Authenticate", FIRST)
        self.send_header("WWW-Authenticate", LAST)
        self.send_header("Content-Length", "0")
        self.end_headers()


class Server(http.server.ThreadingHTTPServer):
    def handle_error(self, *args):  # a client may reset the connection
        pass


server = Server(("127.0.0.1", 0), Refuser)
url = f"http://127.0.0.1:{server.server_port}/"
threading.Thread(target=server.serve_forever, daemon=True).start()


def primp():
    import primp

    return primp.Client().get(url).headers


def curl_cffi():
    from curl_cffi import requests

    return requests.get(url).headers


def impit():
    import impit

    return impit.Client().get(url).headers


def tls_client():
    import tls_client

    return tls_client.Session().get(url).headers


def geventhttpclient():
    from geventhttpclient import HTTPClient

    return HTTPClient.from_url(url).get("/")


def wreq():
    from wreq.blocking import Client

    return Client().get(url).headers


def pyreqwest():
    from pyreqwest.client import SyncClientBuilder

    with SyncClientBuilder().build() as client:
        headers = client.get(url).build().send().headers
    assert list(headers.getall("www-authenticate")) == [FIRST, LAST]
    return headers


def httpr():
    import httpr

    headers = httpr.Client().get(url).headers
    assert FIRST not in str(list(headers.items()))
    return headers


def aiosonic():
    import aiosonic

    async def main():
        async with aiosonic.HTTPClient() as client:
            return (await client.get(url)).headers

    headers = asyncio.run(main())
    assert FIRST not in str(list(headers.items()))
    return headers


def named(value):
    if isinstance(value, memoryview):
        return "memoryview of " + named(bytes(value).decode())
    if isinstance(value, list):
        return "list of both" if value == [FIRST, LAST] else repr(value)
    return {f"{FIRST}, {LAST}": "both, joined", FIRST: "the first", LAST: "the last"}.get(value, repr(value))


expected = {
    primp: "both, joined", curl_cffi: "both, joined", impit: "both, joined", tls_client: "list of both",
    geventhttpclient: "list of both", wreq: "memoryview of the first", pyreqwest: "the first", httpr: "the last",
    aiosonic: "the last",
}
changed = False
for client, as_seen in expected.items():
    seen = named(client()["www-authenticate"])
    changed |= seen != as_seen
    print(f"{client.__name__:17} {seen}")
sys.exit(changed)
PYTHON

venv/bin/python -W ignore lines.py
