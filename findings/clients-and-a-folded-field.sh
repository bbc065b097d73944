#!/usr/bin/env bash
# A WWW-Authenticate field over three lines: which Python clients read it, and which lose the answer over it.
#
# Versions:  requests 2.34.2, httpx 0.28.1, httpx2 2.16.2, curl_cffi 0.17.0, tls_client 2.0.0, aiohttp 3.14.5, treq 26.7.0,
#            httplib2 0.32.1, urllib (CPython 3.11 and later), aiosonic 1.3.3, primp 2.0.1, pyreqwest 0.15.1, impit 0.15.1,
#            httpr 0.7.8, geventhttpclient 2.6.1, tornado 6.6.1.
# Behaviour: old servers fold long fields. RFC 9112 §5.2 forbids it to senders, and has user agents read each fold as
#            spaces. Seven clients do. urllib and httplib2 leave CR and LF in the value. aiosonic keeps the first line and
#            drops the others without a word. Six raise an error: those made on Rust's hyper, geventhttpclient, tornado.
# Seen:
#            requests          read
#            httpx             read
#            httpx2            read
#            curl_cffi         read
#            tls_client        read
#            aiohttp           read
#            treq              read
#            httplib2          with CR and LF
#            urllib            with CR and LF
#            aiosonic          first line only
#            primp             RequestError
#            pyreqwest         DecodeError
#            impit             HTTPError
#            httpr             RequestError
#            geventhttpclient  HTTPParseError
#            tornado           HTTPStreamClosedError
# Exits with 1 if that changes.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -qq --disable-pip-version-check \
    requests==2.34.2 httpx==0.28.1 httpx2==2.16.2 curl_cffi==0.17.0 tls_client==2.0.0 aiohttp==3.14.5 treq==26.7.0 \
    httplib2==0.32.1 aiosonic==1.3.3 primp==2.0.1 pyreqwest==0.15.1 impit==0.15.1 httpr==0.7.8 geventhttpclient==2.6.1 \
    tornado==6.6.1 2>/dev/null
cd "$folder"

cat > fold.py <<'PYTHON'
import asyncio, logging, re, socket, sys, threading

logging.disable(logging.CRITICAL)
PARTS = ['Bearer realm="orders",', 'error="invalid_token",', 'error_description="gone"']
ANSWER = "\r\n".join([
    "HTTP/1.1 401 Unauthorized", f"WWW-Authenticate: {PARTS[0]}", f" {PARTS[1]}", f"\t{PARTS[2]}", "Content-Length: 0",
    "Connection: close", "", "",
])

listener = socket.create_server(("127.0.0.1", 0))
url = f"http://127.0.0.1:{listener.getsockname()[1]}/"


def serve():
    while True:
        connection, _ = listener.accept()
        with connection:
            request = b""
            while b"\r\n\r\n" not in request and (received := connection.recv(4096)):
                request += received
            connection.sendall(ANSWER.encode())


threading.Thread(target=serve, daemon=True).start()


def requests():
    import requests

    return requests.get(url).headers


def httpx():
    import httpx

    return httpx.get(url).headers


def httpx2():
    import httpx2

    return httpx2.get(url).headers


def curl_cffi():
    from curl_cffi import requests

    return requests.get(url).headers


def tls_client():
    import tls_client

    return tls_client.Session().get(url).headers


async def aiohttp():
    import aiohttp

    async with aiohttp.ClientSession() as client, client.get(url) as response:
        return response.headers


def treq():
    import treq
    from twisted.internet.task import react

    seen = {}

    async def main(reactor):
        response = await treq.get(url)
        seen["www-authenticate"] = response.headers.getRawHeaders("www-authenticate")[0]

    try:
        react(main)
    except SystemExit:
        return seen


def httplib2():
    import httplib2

    return httplib2.Http().request(url)[0]


def urllib():
    import urllib.error, urllib.request

    try:
        urllib.request.urlopen(url)
    except urllib.error.HTTPError as refusal:
        return refusal.headers


async def aiosonic():
    import aiosonic

    async with aiosonic.HTTPClient() as client:
        return (await client.get(url)).headers


def primp():
    import primp

    return primp.Client().get(url).headers


def pyreqwest():
    from pyreqwest.client import SyncClientBuilder

    with SyncClientBuilder().build() as client:
        return client.get(url).build().send().headers


def impit():
    import impit

    return impit.Client().get(url).headers


def httpr():
    import httpr

    return httpr.Client().get(url).headers


def geventhttpclient():
    from geventhttpclient import HTTPClient

    return HTTPClient.from_url(url).get("/")


async def tornado():
    from tornado.httpclient import AsyncHTTPClient

    return (await AsyncHTTPClient().fetch(url, raise_error=False)).headers


def outcome(client):
    try:
        headers = asyncio.run(client()) if asyncio.iscoroutinefunction(client) else client()
    except Exception as error:
        return type(error).__name__
    field = headers["www-authenticate"]
    if re.fullmatch("[ \t]+".join(map(re.escape, PARTS)), field):
        return "read"
    if field == f"{PARTS[0]}\r\n {PARTS[1]}\r\n\t{PARTS[2]}":
        return "with CR and LF"
    return "first line only" if field == PARTS[0] else repr(field)


expected = {
    requests: "read", httpx: "read", httpx2: "read", curl_cffi: "read", tls_client: "read", aiohttp: "read", treq: "read",
    httplib2: "with CR and LF", urllib: "with CR and LF", aiosonic: "first line only", primp: "RequestError",
    pyreqwest: "DecodeError", impit: "HTTPError", httpr: "RequestError", geventhttpclient: "HTTPParseError",
    tornado: "HTTPStreamClosedError",
}
changed = False
for client, as_seen in expected.items():
    seen = outcome(client)
    changed |= seen != as_seen
    print(f"{client.__name__:17} {seen}")
sys.exit(changed)
PYTHON

venv/bin/python -W ignore fold.py
