#!/usr/bin/env bash
# httpx announces a whole file and sends it from where it stands; httpx2, requests and aiohttp announce what they send.
#
# Versions:  httpx 0.28.1, httpx2 2.16.2, requests 2.34.2, aiohttp 3.14.5.
# Behaviour: a file of 1000 octets is open, and its first 100 have been read: a header, say, that the server must not get.
#            httpx takes the Content-Length from the file's size, and sends what is left: the upload fails.
# Seen, octets that the server got, or the error:
#            httpx     LocalProtocolError: Too little data for declared Content-Length
#            httpx2    900
#            requests  900
#            aiohttp   900
# Exits with 1 if that changes.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -qq --disable-pip-version-check \
    httpx==0.28.1 httpx2==2.16.2 requests==2.34.2 aiohttp==3.14.5
cd "$folder"

cat > upload.py <<'PYTHON'
import asyncio, pathlib, threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import aiohttp, httpx, httpx2, requests


class Counting(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        """Say how many octets came."""
        try:
            told = str(len(self.rfile.read(int(self.headers["Content-Length"])))).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(told)))
            self.end_headers()
            self.wfile.write(told)
        except ConnectionError:
            self.close_connection = True

    def log_message(self, *arguments):
        """Print nothing."""


server = ThreadingHTTPServer(("127.0.0.1", 0), Counting)
threading.Thread(target=server.serve_forever, daemon=True).start()
url = f"http://127.0.0.1:{server.server_port}/"
path = pathlib.Path("file")
path.write_bytes(bytes(1000))


async def with_aiohttp(file):
    async with aiohttp.ClientSession() as session, session.post(url, data=file) as answer:
        return await answer.text()


ways = {
    "httpx": lambda file: httpx.post(url, content=file, trust_env=False).text,
    "httpx2": lambda file: httpx2.post(url, content=file, trust_env=False).text,
    "requests": lambda file: requests.post(url, data=file, proxies={"http": ""}).text,
    "aiohttp": lambda file: asyncio.run(with_aiohttp(file)),
}
for name, upload in ways.items():
    with path.open("rb") as file:
        file.read(100)
        try:
            print(name, upload(file))
        except Exception as error:
            print(name, f"{type(error).__name__}: {error}")
PYTHON
venv/bin/python upload.py | tee seen

grep -q '^httpx LocalProtocolError' seen && grep -q '^httpx2 900$' seen &&
    grep -q '^requests 900$' seen && grep -q '^aiohttp 900$' seen
