#!/usr/bin/env bash
# requests cuts off the end of a StringIO that is not ASCII, and reports a 200; aiohttp and httpx do not.
#
# Versions:  requests 2.34.2, urllib3 2.8.0, aiohttp 3.14.5, httpx 0.28.1.
# Behaviour: requests takes the length of a StringIO in characters, and urllib3 sends it in UTF-8. "Grüße, Ærø! " a hundred
#            times are 1200 characters and 1600 octets: the server is told 1200, stores these, and answers 200. For a file
#            opened as text requests warns (FileModeWarning); for a StringIO it says nothing. The same text as a str arrives
#            whole. aiohttp sends the whole text, httpx raises an error.
# Seen:      requests  StringIO 200, 1200 octets of 1600 stored, 0 warnings; str 200, 1600 of 1600
#            aiohttp   StringIO 200, 1600 octets of 1600 stored, 0 warnings; str 200, 1600 of 1600
#            httpx     StringIO TypeError: sequence item 0: expected a bytes-like object, str found
# Exits with 1 if requests stores all octets, or warns.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -qq --disable-pip-version-check \
    requests==2.34.2 urllib3==2.8.0 aiohttp==3.14.5 httpx==0.28.1

cat > "$folder/upload.py" <<'PYTHON'
import asyncio, io, sys, threading, warnings
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

stored = []


class Store(BaseHTTPRequestHandler):
    """Stores what Content-Length announces, and closes; a chunked body is read to its end."""

    def do_PUT(self):
        length, body = self.headers["Content-Length"], b""
        if length is not None:
            body = self.rfile.read(int(length))
        else:
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
        stored.append(len(body))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.send_header("Connection", "close")
        self.end_headers()
        self.connection.recv(65536)  # what comes beyond the length is dropped

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Store)
threading.Thread(target=server.serve_forever, daemon=True).start()
url = f"http://127.0.0.1:{server.server_port}/"
text = "Grüße, Ærø! " * 100
whole = len(text.encode())


def put(library, body):
    if library == "aiohttp":
        import aiohttp

        async def upload():
            async with aiohttp.ClientSession() as session, session.put(url, data=body) as answer:
                return answer.status

        return asyncio.run(upload())
    if library == "httpx":
        import httpx

        return httpx.put(url, content=body, trust_env=False).status_code
    import requests

    with requests.Session() as session:
        session.trust_env = False
        return session.put(url, data=body).status_code


for library in "requests", "aiohttp", "httpx":
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            status = put(library, io.StringIO(text))
        except TypeError as error:
            print(f"{library:9} StringIO TypeError: {error}")
            continue
    first = stored[-1]
    print(f"{library:9} StringIO {status}, {first} octets of {whole} stored, {len(caught)} warnings", end="; ")
    print(f"str {put(library, text)}, {stored[-1]} of {whole}")
    if library == "requests" and (first == whole or caught):
        sys.exit(1)
PYTHON
"$folder/venv/bin/python" "$folder/upload.py"
