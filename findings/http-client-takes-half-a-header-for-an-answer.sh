#!/usr/bin/env bash
# An answer whose connection ends within its header is a complete 200 without a body to http.client, and so to requests.
#
# Versions:  CPython 3.11.7 (http.client, urllib.request), requests 2.34.2 on urllib3 2.8.0, httpx 0.28.1,
#            aiohttp 3.14.5; niquests 3.21.2 in an environment of its own.
# Behaviour: a server's valid answer is cut after each octet in turn, with a proper end of the connection, as where a
#            server is restarted or a proxy gives up. RFC 9112 §8 calls such an answer incomplete. All six raise an error
#            if its body is cut, for they know its Content-Length by then. If its header is cut, httpx, aiohttp and
#            niquests raise one too. http.client takes the fields that have come for all there are; there is no
#            Content-Length among them, so the body is whatever comes until the end: nothing. The caller gets a 200,
#            perhaps with half of a cookie.
# Seen, for an answer of 111 octets, 93 of them its header:
#            http.client     an error for 18 of 18 cut bodies and 16 of 92 cut headers; 76 x 200 with an empty body
#            urllib.request  the same
#            requests        the same
#            httpx           an error for 18 of 18 cut bodies and 92 of 92 cut headers
#            aiohttp         the same
#            niquests        the same
# Exits with 1 if that changes.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -qq --disable-pip-version-check \
    requests==2.34.2 urllib3==2.8.0 httpx==0.28.1 aiohttp==3.14.5
python3 -m venv "$folder/niquests"
"$folder/niquests/bin/python" -m pip install -qq --disable-pip-version-check niquests==3.21.2
cd "$folder"

cat > cut.py <<'PYTHON'
import asyncio, collections, http.client, http.cookiejar, socket, sys, threading, urllib.request

ANSWER = (
    b"HTTP/1.1 200 OK\r\n"
    b"Content-Type: text/plain\r\n"
    b"Set-Cookie: sid=0123456789\r\n"
    b"Content-Length: 18\r\n"
    b"\r\n"
    b"a whole, long body"
)
HEADER = ANSWER.index(b"\r\n\r\n") + 4

server = socket.create_server(("127.0.0.1", 0))
port = server.getsockname()[1]
url = f"http://127.0.0.1:{port}/"
cut = 0


def serve():
    while True:
        connection, _ = server.accept()
        with connection:
            received = b""
            while b"\r\n\r\n" not in received:
                received += connection.recv(65536)
            connection.sendall(ANSWER[:cut])


threading.Thread(target=serve, daemon=True).start()


def by_http_client():
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", "/")
        answer = connection.getresponse()
        return answer.status, answer.read(), answer.getheader("Set-Cookie", "")
    finally:
        connection.close()


def by_urllib():
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=10) as answer:
        return answer.status, answer.read(), answer.headers.get("Set-Cookie", "")


def by_session(library):
    with library.Session() as session:
        session.trust_env = False
        answer = session.get(url, timeout=10)
        return answer.status_code, answer.content, "; ".join(f"{c.name}={c.value}" for c in session.cookies)


def by_httpx():
    import httpx

    with httpx.Client(trust_env=False, timeout=10) as client:
        answer = client.get(url)
        return answer.status_code, answer.content, "; ".join(f"{n}={v}" for n, v in client.cookies.items())


def by_aiohttp():
    import aiohttp

    async def get():
        async with aiohttp.ClientSession() as session, session.get(url) as answer:
            return answer.status, await answer.read(), "; ".join(f"{n}={c.value}" for n, c in answer.cookies.items())

    return asyncio.run(get())


def tried(name, get, errors):
    """Cut the answer after each octet; count what the caller is told."""
    global cut
    told = collections.Counter()
    for cut in range(1, len(ANSWER)):
        try:
            status, body, cookie = get()
        except errors:
            told["body" if cut >= HEADER else "header"] += 1
            continue
        assert (status, body) == (200, b""), (cut, status, body)
        told["success"] += 1
        told["half a cookie"] += "sid=" in cookie and cookie != "sid=0123456789"
    print(
        f"{name:15} an error for {told['body']} of {len(ANSWER) - HEADER} cut bodies and {told['header']} of "
        f"{HEADER - 1} cut headers; {told['success']} x 200 with an empty body, {told['half a cookie']} x half a cookie",
        flush=True,
    )
    return told["success"]


if sys.argv[1] == "niquests":
    import niquests

    successes = [tried("niquests", lambda: by_session(niquests), (niquests.RequestException,))]
    sys.exit(successes != [0])

import aiohttp, httpx, requests

lenient = [
    tried("http.client", by_http_client, (http.client.HTTPException, OSError)),
    tried("urllib.request", by_urllib, (http.client.HTTPException, OSError)),
    tried("requests", lambda: by_session(requests), (requests.RequestException,)),
]
strict = [
    tried("httpx", by_httpx, (httpx.HTTPError,)),
    tried("aiohttp", by_aiohttp, (aiohttp.ClientError,)),
]
sys.exit(not (all(n > 50 for n in lenient) and strict == [0, 0]))
PYTHON

changed=0
venv/bin/python cut.py others || changed=1
niquests/bin/python cut.py niquests || changed=1
exit $changed
