#!/usr/bin/env bash
# A stream of events ends with its session: two of nine clients ask again for ever and tell nobody why, four end as if all had been said.
#
# Versions:  eventsource 4.1.1, event-source-polyfill 1.0.31, eventsource-client 1.2.0, reconnecting-eventsource 1.6.5,
#            @microsoft/fetch-event-source 2.0.1 (npm, Node 20); launchdarkly-eventsource 1.7.4, aiohttp-sse-client2 0.3.0, httpx-sse
#            0.4.3, sseclient-py 1.9.0 (PyPI, Python 3.11). Needs node and npm.
# Behaviour: the server sends one event with `retry: 200`, and closes; from then on it answers 401, or a login page with 200. The standard
#            for EventSource tells a client to connect again after an end, and to give up after a 401 or a page of another
#            type. Three packages do that, and name the status. eventsource-client and reconnecting-eventsource go on with
#            some five requests in a second, and hand the program neither a status nor an error; the former also takes the
#            login page for a stream. launchdarkly-eventsource (as it is), httpx-sse, sseclient-py and fetch-event-source
#            never connect again: to the program the dead session is an end like any other.
# Seen (requests in four seconds after the end; what the program is told by then):
#                                        401                  login page
#            eventsource                 1     401            1     200
#            event-source-polyfill       1     401            1     200
#            aiohttp-sse-client2         1     401            1     text/html
#            eventsource-client          many  nothing        many  nothing
#            reconnecting-eventsource    many  nothing        many  nothing
#            fetch-event-source          0     end            0     end
#            launchdarkly-eventsource    0     end            0     end
#            httpx-sse                   0     end            0     end
#            sseclient-py                0     end            0     end
# Exits with 1 if that changes.
set -euo pipefail

for program in node npm; do
    command -v "$program" >/dev/null || { echo "this needs the program $program"; exit 2; }
done
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -qq --disable-pip-version-check launchdarkly-eventsource==1.7.4 \
    aiohttp-sse-client2==0.3.0 httpx-sse==0.4.3 sseclient-py==1.9.0 httpx==0.28.1 requests==2.34.2
cd "$folder"
export HOME=$folder
npm install --silent --no-audit --no-fund --prefix "$folder" eventsource@4.1.1 event-source-polyfill@1.0.31 \
    eventsource-client@1.2.0 reconnecting-eventsource@1.6.5 @microsoft/fetch-event-source@2.0.1 >/dev/null

cat > listen.py <<'PYTHON'
import asyncio, re, sys

library, url = sys.argv[1:]


async def by_aiohttp():
    from aiohttp_sse_client2 import client

    async with client.EventSource(url) as events:
        async for event in events:
            print("event", flush=True)


def by_launchdarkly():
    from ld_eventsource import SSEClient

    for event in SSEClient(url).events:
        print("event", flush=True)


def by_httpx():
    import httpx, httpx_sse

    with httpx.Client() as client, httpx_sse.connect_sse(client, "GET", url) as source:
        for event in source.iter_sse():
            print("event", flush=True)


def by_requests():
    import requests, sseclient

    for event in sseclient.SSEClient(requests.get(url, stream=True)).events():
        print("event", flush=True)


try:
    if library == "aiohttp-sse-client2":
        asyncio.run(by_aiohttp())
    else:
        {"launchdarkly-eventsource": by_launchdarkly, "httpx-sse": by_httpx, "sseclient-py": by_requests}[library]()
    print("end")
except Exception as error:
    print(re.search("401|text/html", str(error))[0])
PYTHON

cat > listen.cjs <<'JAVASCRIPT'
const [library, url] = process.argv.slice(2);
const tell = word => console.log(word);
const told = source => {
  source.onmessage = () => tell("event");
  source.onerror = error => (error?.code ?? error?.status) && tell(error.code ?? error.status);
};

if (library === "eventsource") told(new (require("eventsource").EventSource)(url));
if (library === "event-source-polyfill") told(new (require("event-source-polyfill").EventSourcePolyfill)(url));
if (library === "eventsource-client") require("eventsource-client").createEventSource({ url, onMessage: () => tell("event") });
if (library === "reconnecting-eventsource") {
  const { EventSource } = require("eventsource");
  const Reconnecting = require("reconnecting-eventsource").default;
  told(new Reconnecting(url, { eventSourceClass: EventSource, max_retry_time: 300 }));
}
if (library === "fetch-event-source") {
  globalThis.document = { hidden: false, addEventListener() {}, removeEventListener() {} }; // it is made for browsers
  globalThis.window = globalThis;
  require("@microsoft/fetch-event-source")
    .fetchEventSource(url, { onmessage: () => tell("event"), onerror: error => tell(error.message) })
    .then(() => tell("end"));
}
JAVASCRIPT

cat > try.py <<'PYTHON'
import concurrent.futures, http.server, subprocess, sys, threading

LOGIN = b"<!DOCTYPE html><title>Log in</title><form method=post action=/login><input name=user><input name=password></form>"


def watch(library, trouble):
    """How often a client asks after its stream has ended, and what it tells."""
    asked = []

    class Server(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            if len(asked) == 1:
                self.answer(200, b"retry: 200\nid: 7\ndata: tea\n\n", "Content-Type", "text/event-stream")
            elif trouble == "401":
                self.answer(401, b"", "WWW-Authenticate", 'Bearer realm="events", error="invalid_token"')
            else:
                self.answer(200, LOGIN, "Content-Type", "text/html")

        def answer(self, status, content, name, value):
            self.send_response(status)
            self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    program = [sys.executable, "listen.py"] if library in IN_PYTHON else ["node", "listen.cjs"]
    with open(f"{library} {trouble}", "w+") as heard:
        client = subprocess.Popen([*program, library, f"http://127.0.0.1:{server.server_port}/"], stdout=heard, stderr=subprocess.DEVNULL)
        for _ in range(300):
            if asked or client.poll() is not None:
                break
            threading.Event().wait(0.1)
        try:
            client.wait(4)
        except subprocess.TimeoutExpired:
            client.kill()
            client.wait()
        heard.seek(0)
        first, *rest = heard.read().split()
    if first != "event":
        sys.exit(f"{library}: {first} {rest}")
    again = len(asked) - 1
    return f"{'many' if again > 5 else again!s:5} {rest[-1] if rest else 'nothing'}"


IN_PYTHON = ("aiohttp-sse-client2", "launchdarkly-eventsource", "httpx-sse", "sseclient-py")
EXPECTED = {
    "eventsource": ("1     401", "1     200"),
    "event-source-polyfill": ("1     401", "1     200"),
    "aiohttp-sse-client2": ("1     401", "1     text/html"),
    "eventsource-client": ("many  nothing", "many  nothing"),
    "reconnecting-eventsource": ("many  nothing", "many  nothing"),
    "fetch-event-source": ("0     end", "0     end"),
    "launchdarkly-eventsource": ("0     end", "0     end"),
    "httpx-sse": ("0     end", "0     end"),
    "sseclient-py": ("0     end", "0     end"),
}
as_expected = True
with concurrent.futures.ThreadPoolExecutor(6) as pool:
    running = {library: [pool.submit(watch, library, trouble) for trouble in ("401", "page")] for library in EXPECTED}
    for library, expected in EXPECTED.items():
        seen = tuple(future.result() for future in running[library])
        as_expected &= seen == expected
        print(f"{library:26}  {seen[0]:20} {seen[1]}", flush=True)
sys.exit(not as_expected)
PYTHON

"$folder/venv/bin/python" try.py
