#!/usr/bin/env bash
# aiohttp uploads "my photo.jpg": Flask, Django, Starlette and aiohttp get "my%20photo.jpg". A field "Größe" is not sent.
#
# Versions:  aiohttp 3.14.5, requests 2.34.2, httpx 0.28.1; Flask 3.1.3 (Werkzeug 3.1.9), Django 5.2.19, Starlette 1.3.1 with
#            python-multipart 0.0.34.
# Behaviour: in a multipart form, as HTML has it, a name stands as it is, and only `"`, CR and LF are percent-encoded. requests
#            and httpx do so. aiohttp percent-encodes whatever is no letter or digit in the name of a file, and puts a
#            backslash before a space in the name of a field. None of four servers takes back the former, not even aiohttp's
#            own. A field name that is not ASCII becomes `name*=`, which aiohttp itself does not expect (an AssertionError): the
#            caller gets a ClientConnectionError about a connection that is well.
#            `FormData(quote_fields=False)` mends all of it.
# Seen:      aiohttp     sends filename="my%20photo.jpg", and name="holiday\ photo"
#              Flask     'my%20photo.jpg' in 'holiday photo'
#              Django    'my%20photo.jpg' in 'holiday\\ photo'
#              Starlette 'my%20photo.jpg' in 'holiday\\ photo'
#              aiohttp   'my%20photo.jpg' in 'holiday photo'
#            aiohttp     a field named "Größe" beside the file: ClientConnectionError, because of AssertionError
#            requests    sends filename="my photo.jpg", and name="holiday photo"; all four get both names; "Größe" is sent
#            httpx       the same
#            aiohttp with quote_fields=False: the same
# Exits with 1 if one of them gets the name of the file from aiohttp, or if aiohttp sends "Größe".
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -qq --disable-pip-version-check \
    aiohttp==3.14.5 requests==2.34.2 httpx==0.28.1 flask==3.1.3 werkzeug==3.1.9 django==5.2.19 \
    starlette==1.3.1 python-multipart==0.0.34

cat > "$folder/upload.py" <<'PYTHON'
import asyncio, io, re, sys, threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import aiohttp, httpx, requests
from aiohttp import web
from django.conf import settings
from werkzeug.formparser import parse_form_data
from starlette.requests import Request

settings.configure()
from django.core.files.uploadhandler import MemoryFileUploadHandler
from django.http.multipartparser import MultiPartParser

FIELD, FILE = "holiday photo", "my photo.jpg"
arrived = []


class Keep(BaseHTTPRequestHandler):
    def do_POST(self):
        arrived.append((self.headers["Content-Type"], self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Keep)
threading.Thread(target=server.serve_forever, daemon=True).start()
url = f"http://127.0.0.1:{server.server_port}/"


def with_aiohttp(more, **options):
    async def main():
        form = aiohttp.FormData(**options)
        form.add_field(FIELD, b"pixels", filename=FILE)
        for name in more:
            form.add_field(name, "42")
        async with aiohttp.ClientSession() as session:
            await session.post(url, data=form)

    asyncio.run(main())


def with_requests(more):
    with requests.Session() as session:
        session.trust_env = False
        session.post(url, files={FIELD: (FILE, b"pixels")}, data=dict.fromkeys(more, "42"))


def with_httpx(more):
    httpx.post(url, files={FIELD: (FILE, b"pixels")}, data=dict.fromkeys(more, "42"), trust_env=False)


def flask(kind, body):  # Flask's request.files is this
    environ = {"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body)), "CONTENT_TYPE": kind}
    return [(name, file.filename) for name, file in parse_form_data(environ | {"REQUEST_METHOD": "POST"})[2].items()]


def django(kind, body):  # Django's request.FILES is this
    meta = {"CONTENT_TYPE": kind, "CONTENT_LENGTH": len(body)}
    files = MultiPartParser(meta, io.BytesIO(body), [MemoryFileUploadHandler()]).parse()[1]
    return [(name, file.name) for name, file in files.items()]


def starlette(kind, body):
    async def main():
        async def receive():
            return {"type": "http.request", "body": body}

        scope = {"type": "http", "method": "POST", "headers": [(b"content-type", kind.encode())]}
        async with Request(scope, receive).form() as form:
            return [(name, file.filename) for name, file in form.items() if not isinstance(file, str)]

    return asyncio.run(main())


def own(kind, body):
    async def main():
        async def handler(request):
            names.extend((name, file.filename) for name, file in (await request.post()).items() if not isinstance(file, str))
            return web.Response()

        names, app = [], web.Application()
        app.router.add_post("/", handler)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        await asyncio.to_thread(requests.post, f"http://127.0.0.1:{port}/", data=body, headers={"Content-Type": kind})
        await runner.cleanup()
        return names

    return asyncio.run(main())


SERVERS = {"Flask": flask, "Django": django, "Starlette": starlette, "aiohttp": own}
CLIENTS = {
    "aiohttp": with_aiohttp,
    "requests": with_requests,
    "httpx": with_httpx,
    "aiohttp, quote_fields=False": lambda more: with_aiohttp(more, quote_fields=False),
}
strange, unsent = set(), set()
for client, post in CLIENTS.items():
    post([])
    kind, body = arrived[-1]
    print(client, "sends", re.search(rb"form-data; ([^\r\n]*)", body)[1].decode())
    for name, read in SERVERS.items():
        ((field, file),) = read(kind, body)
        print(f"    {name:9} {file!r} in {field!r}")
        if file != FILE:
            strange.add((client, name))
    try:
        post(["Größe"])
        print('    "Größe" is sent')
    except aiohttp.ClientConnectionError as error:
        print(f'    "Größe": {type(error).__name__}, because of {type(error.__cause__).__name__}')
        unsent.add(client)
expected = {("aiohttp", name) for name in SERVERS}
sys.exit(strange != expected or unsent != {"aiohttp"})
PYTHON

"$folder/venv/bin/python" "$folder/upload.py"
