#!/usr/bin/env bash
# Behind Digest, a redirect ends with 400: requests and httpx answer it for the URL that redirected.
#
# Versions:  requests 2.34.2, httpx 0.28.1, aiohttp 3.14.5; express 5.1.0, passport 0.7.0, passport-http 0.3.0.
# Behaviour: the answer of Digest holds the URI of the request (RFC 7616 §3.4), so each hop of a redirect needs its own.
#            express redirects /sub to /sub/, as every server does for a folder. HTTPDigestAuth and httpx.DigestAuth carry the
#            Authorization field of /sub on to /sub/. A server should answer 400 where the two differ (§3.4.6); passport-http
#            does, as do Apache 2.4 and lighttpd. Both clients answer a 401 only, so the 400 is the end. In requests
#            the first request of a session gets through, because there the answer is given after the redirect's 401,
#            and every later one fails. aiohttp's middleware sees each hop, and curl -L --digest is asked anew.
# Seen (statuses of the hops, three requests of one session):
#            requests  301>200, 301>400, 301>400
#            httpx     401>301>400, 301>400, 301>400
#            aiohttp   301>200, 301>200, 301>200
# Exits with 1 if that changes.
set -euo pipefail

folder=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null; rm -rf "$folder"' EXIT

python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -qq --disable-pip-version-check requests==2.34.2 httpx==0.28.1 aiohttp==3.14.5 2>/dev/null
cd "$folder"
npm install --silent --no-fund --no-audit express@5.1.0 passport@0.7.0 passport-http@0.3.0 >/dev/null
mkdir -p pages/sub
echo content > pages/sub/index.html

cat > server.js <<'JS'
const express = require("express"), passport = require("passport");
const { DigestStrategy } = require("passport-http");
passport.use(new DigestStrategy({ qop: "auth" }, (user, done) => done(null, { user }, "s3cret"), (params, done) => done(null, true)));
const app = express();
app.use(passport.initialize());
app.use(passport.authenticate("digest", { session: false }));
app.use(express.static("pages"));
const listening = app.listen(0, "127.0.0.1", () => console.log(listening.address().port));
JS
node server.js > port 2>/dev/null &
server=$!
for _ in $(seq 200); do [ -s port ] && break; sleep 0.05; done

cat > ask.py <<'PYTHON'
import asyncio, sys

import aiohttp, httpx, requests
from requests.auth import HTTPDigestAuth

url = f"http://127.0.0.1:{sys.argv[1]}/sub"
seen = {}

with requests.Session() as session:
    session.trust_env, session.auth = False, HTTPDigestAuth("ada", "s3cret")
    answers = [session.get(url) for _ in range(3)]
    seen["requests"] = [[hop.status_code for hop in (*a.history, a)] for a in answers]

with httpx.Client(trust_env=False, auth=httpx.DigestAuth("ada", "s3cret"), follow_redirects=True) as client:
    answers = [client.get(url) for _ in range(3)]
    seen["httpx"] = [[hop.status_code for hop in (*a.history, a)] for a in answers]


async def ask():
    digest = aiohttp.DigestAuthMiddleware("ada", "s3cret")
    async with aiohttp.ClientSession(middlewares=[digest]) as session:
        for _ in range(3):
            async with session.get(url) as answer:
                yield [hop.status for hop in (*answer.history, answer)]


async def all_of():
    return [hops async for hops in ask()]


seen["aiohttp"] = asyncio.run(all_of())
shown = {name: ", ".join(">".join(map(str, hops)) for hops in each) for name, each in seen.items()}
for name, hops in shown.items():
    print(f"{name:9} {hops}")
sys.exit(
    shown
    != {
        "requests": "301>200, 301>400, 301>400",
        "httpx": "401>301>400, 301>400, 301>400",
        "aiohttp": "301>200, 301>200, 301>200",
    }
)
PYTHON
venv/bin/python ask.py "$(cat port)"
