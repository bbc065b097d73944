#!/usr/bin/env bash
# One caller gives up while the token is renewed: gcloud-aio-auth and Azure's JavaScript pipeline end the nineteen others with it.
#
# Versions:  gcloud-aio-auth 5.6.0, oneflight 0.1.0, inflight-py 1.0.0, Authlib 1.9.10 (httpx 0.28.1), async-lru 2.4.0, Python 3.11;
#            @azure/core-rest-pipeline 1.24.0. Needs node and npm.
# Behaviour: twenty callers need a token that takes a second to get; the first of them has a time-out of 0.3 s.
#            - gcloud-aio-auth, and two packages that do nothing but this, let all callers await one task. asyncio
#              hands a cancellation on to what a task awaits: so the time-out of one ends the request, and all others
#              get a CancelledError that nobody meant for them. A TaskGroup takes such a task for one that was
#              cancelled on purpose: it ends without an error, and nineteen pieces of work are not done.
#            - Azure's pipeline hands the first caller's AbortSignal to the credential: when it fires, all twenty get
#              its TimeoutError, with or without a signal of their own.
#            - Authlib and async-lru serve the nineteen.
# Seen (the nineteen others; the same work in a TaskGroup):
#            gcloud-aio-auth                 19 CancelledError    the group ends without an error, 0 of 19 done
#            oneflight                       19 CancelledError    the group ends without an error, 0 of 19 done
#            inflight-py                     19 CancelledError    the group ends without an error, 0 of 19 done
#            Authlib                         19 served            19 of 19 done
#            async-lru                       19 served            19 of 19 done
#            @azure/core-rest-pipeline       19 TimeoutError
# Exits with 1 if that changes.
set -euo pipefail

for program in node npm; do command -v "$program" >/dev/null || { echo "this needs $program"; exit 2; }; done
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -qq --disable-pip-version-check gcloud-aio-auth==5.6.0 oneflight==0.1.0 \
    inflight-py==1.0.0 authlib==1.9.10 httpx==0.28.1 async-lru==2.4.0
cd "$folder"
echo '{}' > package.json
npm install --silent --no-audit --no-fund @azure/core-rest-pipeline@1.24.0 >/dev/null

cat > callers.py <<'PYTHON'
import asyncio, collections, http.server, io, json, sys, threading, time

import async_lru, httpx, inflight, oneflight
from authlib.integrations.httpx_client import AsyncOAuth2Client
from gcloud.aio.auth import Token


class Server(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"] or 0))
        time.sleep(1)
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(b'{"access_token": "t", "token_type": "Bearer", "expires_in": 3600}')

    def log_message(self, *_):
        pass


class Quiet(http.server.ThreadingHTTPServer):
    def handle_error(self, *_):
        pass  # a cancelled request


server = Quiet(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
url = f"http://127.0.0.1:{server.server_port}/token"
old = {"access_token": "old", "refresh_token": "r", "expires_at": 1, "token_type": "Bearer"}
user = {"type": "authorized_user", "client_id": "c", "client_secret": "s", "refresh_token": "r", "token_uri": url}


async def fetch():
    async with httpx.AsyncClient() as http:
        return (await http.post(url)).json()


def gcloud():
    return Token(service_file=io.StringIO(json.dumps(user)), scopes=["x"]).get


def one_flight():
    flights = oneflight.AsyncOneFlight()
    return lambda: flights.do("token", fetch)


def in_flight():
    flights = inflight.InFlight()
    return lambda: flights.execute("token", fetch)


def authlib():
    client = AsyncOAuth2Client("c", "s", token=dict(old), token_endpoint=url)
    return lambda: client.ensure_active_token(client.token)


async def impatient(get):
    try:
        async with asyncio.timeout(0.3):
            await get()
    except TimeoutError:
        return
    sys.exit("the first caller was served in time")


async def in_a_group(get):
    done = []

    async def work(piece):
        await get()
        done.append(piece)

    async with asyncio.TaskGroup() as group:
        group.create_task(impatient(get))
        await asyncio.sleep(0.05)
        for piece in range(19):
            group.create_task(work(piece))
    return len(done)


async def gathered(get):
    first = asyncio.create_task(impatient(get))
    await asyncio.sleep(0.05)
    found = await asyncio.gather(*[get() for _ in range(19)], return_exceptions=True)
    await first
    kinds = collections.Counter(type(one).__name__ if isinstance(one, BaseException) else "served" for one in found)
    return ", ".join(f"{count} {kind}" for kind, count in kinds.items())


CLIENTS = {
    "gcloud-aio-auth": (gcloud, "19 CancelledError", 0),
    "oneflight": (one_flight, "19 CancelledError", 0),
    "inflight-py": (in_flight, "19 CancelledError", 0),
    "Authlib": (authlib, "19 served", 19),
    "async-lru": (lambda: async_lru.alru_cache(ttl=3600)(fetch), "19 served", 19),
}
as_expected = True
for name, (make, *expected) in CLIENTS.items():
    seen = [asyncio.run(gathered(make())), asyncio.run(in_a_group(make()))]
    as_expected &= seen == expected
    print(f"{name:27} {seen[0]:20} the group ends without an error, {seen[1]} of 19 done")
sys.exit(not as_expected)
PYTHON

cat > callers.mjs <<'NODE'
import http from 'node:http'
import { once } from 'node:events'
import { bearerTokenAuthenticationPolicy, createEmptyPipeline, createHttpHeaders, createPipelineRequest } from '@azure/core-rest-pipeline'

const server = http.createServer((_, answer) => setTimeout(() => answer.end('{"access_token": "t"}'), 1000)).listen(0, '127.0.0.1')
await once(server, 'listening')
const url = `http://127.0.0.1:${server.address().port}/token`
const credential = {
  async getToken (scopes, options) { // a TokenCredential that honours abortSignal, as its interface says
    const answer = await fetch(url, { method: 'POST', signal: options.abortSignal })
    return { token: (await answer.json()).access_token, expiresOnTimestamp: Date.now() + 3600e3 }
  }
}
const pipeline = createEmptyPipeline()
pipeline.addPolicy(bearerTokenAuthenticationPolicy({ credential, scopes: 'x' }))
const api = { async sendRequest (request) { return { status: 200, headers: createHttpHeaders(), request } } }
const ask = abortSignal => pipeline.sendRequest(api, createPipelineRequest({ url: 'https://api.example/', abortSignal }))
  .then(() => 'served', error => error.name)
const callers = [ask(AbortSignal.timeout(300)), ...Array.from({ length: 19 }, () => ask())]
const [first, ...others] = await Promise.all(callers)
const alike = others.every(other => other === 'TimeoutError')
console.log('@azure/core-rest-pipeline  ', alike ? '19 TimeoutError' : others.join(' '))
process.exit(first === 'TimeoutError' && alike && await ask() === 'served' ? 0 : 1)
NODE

"$folder/venv/bin/python" callers.py 2>/dev/null
node callers.mjs
