#!/usr/bin/env bash
# A handler fails in the middle of its response: Tornado, Sanic, and FastAPI with a middleware send a complete 200.
#
# Versions:  tornado 6.6.1, sanic 25.12.1, fastapi 0.165.0 with starlette 1.10.0, aiohttp 3.14.5, uvicorn 0.54.0,
#            gunicorn 27.0.1, waitress 3.0.2, httpx 0.28.1.
# Behaviour: a handler sends the first half of a CSV file and then raises, as it would when its database goes away.
#            Tornado and Sanic log the error and then send the last chunk, "0", so that no client can tell the half from
#            the whole. FastAPI does it as soon as the application has one @app.middleware("http"), even one that does
#            nothing. The others close the connection without it, and clients raise an error.
# Seen:      tornado   200, 'first half\n', complete
#            sanic     200, 'first half\n', complete
#            layered   200, 'first half\n', complete   (FastAPI with @app.middleware("http"), under uvicorn)
#            fastapi   RemoteProtocolError               (the same without it)
#            aiohttp   RemoteProtocolError
#            gunicorn  RemoteProtocolError
#            waitress  RemoteProtocolError
# Exits with 1 if that changes.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -qq --disable-pip-version-check \
    tornado==6.6.1 sanic==25.12.1 fastapi==0.165.0 starlette==1.10.0 aiohttp==3.14.5 uvicorn==0.54.0 gunicorn==27.0.1 waitress==3.0.2 httpx==0.28.1
cd "$folder"

cat > half.py <<'PYTHON'
"""One application for each server: it sends the first half of a file, and fails."""

import asyncio
import sys

HALF = b"first half\n"


def wsgi(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/csv")])

    def rows():
        yield HALF
        raise ValueError("the database is gone")

    return rows()


def fastapi():
    from fastapi import FastAPI
    from fastapi.responses import StreamingResponse

    app = FastAPI()

    @app.get("/")
    async def answer():
        async def rows():
            yield HALF
            raise ValueError("the database is gone")

        return StreamingResponse(rows(), media_type="text/csv")

    return app


def layered():
    app = fastapi()

    @app.middleware("http")
    async def does_nothing(request, call_next):
        return await call_next(request)

    return app


def under_tornado(port):
    import tornado.web

    class Rows(tornado.web.RequestHandler):
        async def get(self):
            self.write(HALF)
            await self.flush()
            raise ValueError("the database is gone")

    async def main():
        tornado.web.Application([("/", Rows)]).listen(port, "127.0.0.1")
        await asyncio.Event().wait()

    asyncio.run(main())


def under_sanic(port):
    from sanic import Sanic

    app = Sanic("half")

    @app.get("/")
    async def rows(request):
        response = await request.respond(content_type="text/csv")
        await response.send(HALF)
        raise ValueError("the database is gone")

    app.run("127.0.0.1", port, single_process=True)


def under_aiohttp(port):
    from aiohttp import web

    async def rows(request):
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(HALF)
        raise ValueError("the database is gone")

    app = web.Application()
    app.router.add_get("/", rows)
    web.run_app(app, host="127.0.0.1", port=port, print=None)


if __name__ == "__main__":
    globals()[f"under_{sys.argv[1]}"](int(sys.argv[2]))
PYTHON

cat > ask.py <<'PYTHON'
import socket
import subprocess
import time

import httpx


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return listening.getsockname()[1]


def wait_for(port):
    for _ in range(400):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except OSError:
            time.sleep(0.05)


def seen(command, port):
    with open("log", "a") as log:
        server = subprocess.Popen(command.split(), stdout=log, stderr=log)
    try:
        wait_for(port)
        response = httpx.get(f"http://127.0.0.1:{port}/", timeout=20, trust_env=False)
        return f"{response.status_code}, {response.text!r}, complete"
    except httpx.HTTPError as error:
        return type(error).__name__
    finally:
        server.terminate()
        server.wait()


COMMANDS = {
    "tornado": "venv/bin/python half.py tornado {port}",
    "sanic": "venv/bin/python half.py sanic {port}",
    "layered": "venv/bin/uvicorn half:layered --factory --port {port}",
    "fastapi": "venv/bin/uvicorn half:fastapi --factory --port {port}",
    "aiohttp": "venv/bin/python half.py aiohttp {port}",
    "gunicorn": "venv/bin/gunicorn --bind 127.0.0.1:{port} half:wsgi",
    "waitress": "venv/bin/waitress-serve --listen=127.0.0.1:{port} half:wsgi",
}
WHOLE = r"200, 'first half\n', complete"
COMPLETE = {"tornado", "sanic", "layered"}
EXPECTED = {name: WHOLE if name in COMPLETE else "RemoteProtocolError" for name in COMMANDS}

result = {}
for name, command in COMMANDS.items():
    port = free_port()
    result[name] = seen(command.format(port=port), port)
    print(f"{name:9} {result[name]}")
raise SystemExit(result != EXPECTED)
PYTHON

venv/bin/python ask.py
