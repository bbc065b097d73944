#!/usr/bin/env bash
# niquests reports success for an upload whose generator failed, and the server has stored an empty body.
#
# Versions:  niquests 3.21.2 (urllib3-future 2.25.904), requests 2.34.2, httpx 0.28.1, aiohttp 3.14.1.
# Behaviour: a program uploads from a generator, which raises an exception after two rows. requests, httpx and aiohttp pass the
#            exception on, and so does niquests a ValueError. But a TypeError - a row with None where a number is expected -
#            means to niquests that the adapter knows no newer options: it sends the request a second time. The generator is
#            spent, so that request is whole and empty. The server stores nothing in place of what it had, and the program
#            gets its 200 and no exception.
# Seen:
#   requests   ValueError: ValueError, whole bodies: none
#   requests   TypeError: TypeError, whole bodies: none
#   httpx      ValueError: ValueError, whole bodies: none
#   httpx      TypeError: TypeError, whole bodies: none
#   aiohttp    ValueError: ClientConnectionError, whole bodies: none
#   aiohttp    TypeError: ClientConnectionError, whole bodies: none
#   niquests   ValueError: ValueError, whole bodies: none
#   niquests   TypeError: status 200, whole bodies: one of 0 octets
# Exits with 1 if that changes.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv three
three/bin/python -m pip install -qq --disable-pip-version-check requests==2.34.2 httpx==0.28.1 aiohttp==3.14.1 2>/dev/null
python3 -m venv one
one/bin/python -m pip install -qq --disable-pip-version-check niquests==3.21.2 urllib3-future==2.25.904 2>/dev/null

cat > upload.py <<'PYTHON'
import asyncio, sys, threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

whole = []


class Handler(BaseHTTPRequestHandler):
    """Store a body, if it comes to its end (RFC 9112 section 7.1)."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_PUT(self):
        body = b""
        while size := int(self.rfile.readline() or b"cut", 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        whole.append(len(body))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def handle_one_request(self):
        try:
            super().handle_one_request()
        except (ValueError, OSError):  # the body was cut off
            self.close_connection = True


def rows(error):
    yield b"tea,3\n"
    yield b"ink,2\n"
    raise error("a row without a number")


async def with_aiohttp(url, error):
    import aiohttp

    async def body():
        for row in rows(error):
            yield row

    async with aiohttp.ClientSession() as session, session.put(url, data=body()) as answer:
        return answer.status


def sent(library, url, error):
    if library == "aiohttp":
        return asyncio.run(with_aiohttp(url, error))
    module = __import__(library)
    return module.put(url, **{"content" if library == "httpx" else "data": rows(error)}).status_code


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.daemon_threads = True
threading.Thread(target=server.serve_forever, daemon=True).start()
for library in sys.argv[1:]:
    for error in (ValueError, TypeError):
        whole.clear()
        try:
            said = f"status {sent(library, f'http://127.0.0.1:{server.server_port}/', error)}"
        except Exception as failed:
            said = type(failed).__name__
        bodies = ", ".join(f"one of {size} octets" for size in whole) or "none"
        print(f"{library:9}  {error.__name__}: {said}, whole bodies: {bodies}")
PYTHON

{
    three/bin/python upload.py requests httpx aiohttp
    one/bin/python upload.py niquests
} | tee seen

# What is compared is the text under "Seen" above.
diff seen - <<'SEEN'
requests   ValueError: ValueError, whole bodies: none
requests   TypeError: TypeError, whole bodies: none
httpx      ValueError: ValueError, whole bodies: none
httpx      TypeError: TypeError, whole bodies: none
aiohttp    ValueError: ClientConnectionError, whole bodies: none
aiohttp    TypeError: ClientConnectionError, whole bodies: none
niquests   ValueError: ValueError, whole bodies: none
niquests   TypeError: status 200, whole bodies: one of 0 octets
SEEN
