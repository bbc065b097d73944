#!/usr/bin/env bash
# Express and Koa delete a cookie, and aiohttp's client goes on sending it.
#
# Versions:  aiohttp 3.14.5, httpx 0.28.1, requests 2.34.2 (PyPI, Python 3.11); express 5.3.0, koa 3.3.0, fastify 5.12.8 with
#            @fastify/cookie 11.1.5 (npm, Node 20). Needs node and npm.
# Behaviour: to delete a cookie is to set it again with a time that has passed (RFC 6265 §3.1). res.clearCookie() of Express and
#            cookies.set(name, null) of Koa write "Expires=Thu, 01 Jan 1970 00:00:00 GMT", and nothing else. That is the second 0 to
#            aiohttp, which takes 0 for "no end": it keeps the cookie, with an empty value, and sends it for as long as the process lives.
#            A server that logs out by an empty cookie gets one with each request: `if (req.cookies.session !== undefined)` is true.
#            Fastify adds Max-Age=0, which aiohttp understands.
# Seen (the Cookie field that a client sends after the logout):
#            express  requests: none  httpx: none  aiohttp: session=""
#            koa      requests: none  httpx: none  aiohttp: session=""
#            fastify  requests: none  httpx: none  aiohttp: none
# Exits with 1 if that changes.
set -euo pipefail

for program in node npm; do
    command -v "$program" >/dev/null || { echo "this needs the program $program"; exit 2; }
done
script=$(realpath "$0")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -qq --disable-pip-version-check aiohttp==3.14.5 httpx==0.28.1 requests==2.34.2
cd "$folder"
export HOME=$folder
npm install --silent --no-audit --no-fund --prefix "$folder" express@5.3.0 koa@3.3.0 fastify@5.12.8 @fastify/cookie@11.1.5 >/dev/null

cat > serve.mjs <<'JAVASCRIPT'
import cookie from "@fastify/cookie";
import express from "express";
import fastify from "fastify";
import Koa from "koa";

const port = server => console.log(server.address().port);

const shop = express();
shop.get("/login", (request, response) => response.cookie("session", "abc").send("in"));
shop.get("/logout", (request, response) => response.clearCookie("session").send("out"));
shop.get("/", (request, response) => response.send(request.headers.cookie ?? "none"));
const first = shop.listen(0, "127.0.0.1", () => {
  port(first);
  const koa = new Koa();
  koa.use(context => {
    if (context.path === "/login") context.cookies.set("session", "abc");
    if (context.path === "/logout") context.cookies.set("session", null);
    context.body = context.headers.cookie ?? "none";
  });
  const second = koa.listen(0, "127.0.0.1", async () => {
    port(second);
    const third = fastify();
    await third.register(cookie);
    third.get("/login", (request, reply) => reply.setCookie("session", "abc", { path: "/" }).send("in"));
    third.get("/logout", (request, reply) => reply.clearCookie("session", { path: "/" }).send("out"));
    third.get("/", (request, reply) => reply.send(request.headers.cookie ?? "none"));
    await third.listen({ port: 0, host: "127.0.0.1" });
    port(third.server);
  });
});
JAVASCRIPT

cat > try.py <<'PYTHON'
import asyncio, pathlib, subprocess, sys

import aiohttp, httpx, requests

PATHS = ("/login", "/logout", "/")


def by_requests(url):
    with requests.Session() as session:
        session.trust_env = False
        return [session.get(url + path).text for path in PATHS][-1]


def by_httpx(url):
    with httpx.Client(trust_env=False) as client:
        return [client.get(url + path).text for path in PATHS][-1]


def by_aiohttp(url):
    async def ask():
        async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:  # for an IP address
            return [await (await session.get(url + path)).text() for path in PATHS][-1]

    return asyncio.run(ask())


server = subprocess.Popen(["node", "serve.mjs"], stdout=subprocess.PIPE, text=True)
wanted = [line[1:].strip() for line in pathlib.Path(sys.argv[1]).read_text().splitlines() if line.startswith("#   ")]
as_expected = True
try:
    for name in ("express", "koa", "fastify"):
        url = f"http://127.0.0.1:{int(server.stdout.readline())}"
        fields = requests.get(url + "/logout").headers["Set-Cookie"]
        line = f"{name:8} " + "  ".join(f"{ask.__name__[3:]}: {ask(url)}" for ask in (by_requests, by_httpx, by_aiohttp))
        as_expected &= line in wanted
        print(line, f"({fields})", sep="   ", flush=True)
finally:
    server.kill()
    server.wait()
sys.exit(not as_expected)
PYTHON

"$folder/venv/bin/python" try.py "$script"
