#!/usr/bin/env bash
# A 401 never reaches the program: axios-cache-interceptor as it comes, and requests-cache with stale_if_error, answer 200 from the cache.
#
# Versions:  axios-cache-interceptor 1.12.3 (axios 1.21.1), got 14.6.6, make-fetch-happen 15.0.6 (npm's own), undici 7.30.2;
#            requests-cache 1.3.3, CacheControl 0.14.4, requests 2.34.2. Needs node and npm.
# Behaviour: stale-if-error is meant for 500, 502, 503 and 504, and for a server that cannot be reached (RFC 5861 §4).
#            axios-cache-interceptor has it on by default, and requests-cache as a setting; both take a 401 for such
#            an error, though it is the server's word on this user. So a session that has died looks alive, without a
#            limit of time: whoever waits for a 401 to log in again waits for good. With stale_while_revalidate
#            requests-cache asks in the background, and keeps the refusal to itself.
# Seen (six requests: two to a living session, three to a dead one after the answer is stale, one to a living one; how many
# reach the server, and the answers; * is from the cache):
#            axios-cache-interceptor              5  200 200* 200* 200* 200* 200
#            got                                  5  200 200* 401 401 401 200
#            make-fetch-happen                    5  200 200* 401 401 401 200
#            undici                               5  200 200 401 401 401 200
#            requests-cache                       5  200 200* 401 401 401 200
#            requests-cache stale_if_error        5  200 200* 200* 200* 200* 200
#            requests-cache stale_while_rev..     5  200 200* 200* 200* 200* 200*
#            CacheControl                         5  200 200* 401 401 401 200
# Exits with 1 if that changes (how often requests-cache asks in the background varies).
set -euo pipefail

for program in node npm; do command -v "$program" >/dev/null || { echo "this needs $program"; exit 2; }; done
folder=$(mktemp -d)
server=
cleanup() {
    [ -z "$server" ] || kill "$server" 2>/dev/null || true
    wait
    rm -rf "$folder"
}
trap cleanup EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -qq --disable-pip-version-check \
    requests-cache==1.3.3 CacheControl==0.14.4 requests==2.34.2
cd "$folder"
echo '{}' > package.json
npm install --silent --no-audit --no-fund axios-cache-interceptor@1.12.3 axios@1.21.1 got@14.6.6 \
    make-fetch-happen@15.0.6 undici@7.30.2 >/dev/null

cat > server.py <<'PYTHON'
"""Answer 200, or 401 after a request for /kill; /lives brings the session back, and /count counts."""
import http.server

lives, count = True, 0


class Server(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        global lives, count
        if self.path == "/orders":
            count += 1
            return self.answer(200 if lives else 401, b"orders")
        lives = self.path == "/lives" or (lives and self.path != "/kill")
        told, count = count, 0 if self.path == "/lives" else count
        return self.answer(200, b"%d" % told)

    def answer(self, status, content):
        self.send_response(status)
        self.send_header("Cache-Control", "max-age=1" if (status, self.path) == (200, "/orders") else "no-store")
        if status == 401:
            self.send_header("WWW-Authenticate", 'Bearer realm="shop", error="invalid_token"')
        elif self.path == "/orders":
            self.send_header("ETag", '"v1"')
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
print(server.server_port, flush=True)
server.serve_forever()
PYTHON

cat > ask.py <<'PYTHON'
import logging, sys, time, urllib.request

import cachecontrol, requests, requests_cache

logging.disable(logging.CRITICAL)
url = f"http://127.0.0.1:{sys.argv[1]}"
HIDDEN, SEEN = "200 200* 200* 200* 200* 200", "200 200* 401 401 401 200"
CLIENTS = {
    "requests-cache": (requests_cache.CachedSession(backend="memory", cache_control=True), SEEN),
    "requests-cache stale_if_error": (
        requests_cache.CachedSession(backend="memory", cache_control=True, stale_if_error=True),
        HIDDEN,
    ),
    "requests-cache stale_while_rev..": (
        requests_cache.CachedSession(backend="memory", cache_control=True, stale_while_revalidate=True),
        HIDDEN + "*",
    ),
    "CacheControl": (cachecontrol.CacheControl(requests.Session()), SEEN),
}


def told(path):
    return int(urllib.request.urlopen(url + path).read())


def one(http):
    response = http.get(url + "/orders")
    return f"{response.status_code}{'*' if getattr(response, 'from_cache', False) else ''}"


as_expected = True
for name, (http, expected) in CLIENTS.items():
    told("/lives")
    answers = [one(http), one(http)]
    time.sleep(2.1)
    told("/kill")
    answers += [one(http), one(http), one(http)]
    time.sleep(0.3)
    count = told("/count")
    told("/lives")
    answers.append(one(http))
    count += told("/count")
    as_expected &= " ".join(answers) == expected and count > 1
    print(f"{name:36} {count}  {' '.join(answers)}")
sys.exit(not as_expected)
PYTHON

cat > ask.mjs <<'NODE'
import { setTimeout as sleep } from 'node:timers/promises'
import axios from 'axios'
import { setupCache } from 'axios-cache-interceptor'
import got from 'got'
import makeFetchHappen from 'make-fetch-happen'
import { Agent, interceptors, request } from 'undici'

const url = `http://127.0.0.1:${process.argv[2]}`
const cached = setupCache(axios.create())
const remembered = got.extend({ cache: new Map(), retry: { limit: 0 } })
const stored = makeFetchHappen.defaults({ cachePath: './fetched' })
const dispatcher = new Agent().compose(interceptors.cache({ type: 'private' }))
const [HIDDEN, SEEN] = ['200 200* 200* 200* 200* 200', '200 200* 401 401 401 200']
const clients = {
  'axios-cache-interceptor': [HIDDEN, async () => {
    const answer = await cached.get(`${url}/orders`)
    return `${answer.status}${answer.cached ? '*' : ''}`
  }],
  got: [SEEN, async () => {
    const answer = await remembered(`${url}/orders`)
    return `${answer.statusCode}${answer.isFromCache ? '*' : ''}`
  }],
  'make-fetch-happen': [SEEN, async () => {
    const answer = await stored(`${url}/orders`)
    await answer.text()
    return `${answer.status}${answer.headers.get('x-local-cache-status') === 'hit' ? '*' : ''}`
  }],
  undici: ['200 200 401 401 401 200', async () => {
    const answer = await request(`${url}/orders`, { dispatcher })
    await answer.body.text()
    return `${answer.statusCode}`
  }],
}
const told = async path => Number(await (await fetch(url + path)).text())
let asExpected = true
for (const [name, [expected, get]] of Object.entries(clients)) {
  const answers = []
  const one = async () => answers.push(await get().catch(error => `${error.response?.status ?? error.response?.statusCode}`))
  await told('/lives')
  await one(); await one()
  await sleep(2100)
  await told('/kill')
  await one(); await one(); await one()
  const before = await told('/lives')
  await one()
  const count = before + await told('/count')
  asExpected &&= answers.join(' ') === expected && count === 5
  console.log(name.padEnd(36), `${count} `, answers.join(' '))
}
process.exit(asExpected ? 0 : 1)
NODE

exec 3< <(exec "$folder/venv/bin/python" server.py)
server=$!
read -r port <&3
node ask.mjs "$port"
"$folder/venv/bin/python" ask.py "$port"
