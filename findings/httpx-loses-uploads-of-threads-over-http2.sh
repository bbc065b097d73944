#!/usr/bin/env bash
# Eight threads upload over one HTTP/2 connection of httpx: now and then most of them wait until they time out. httpx2: never.
#
# Versions:  httpx 0.28.1, httpcore 1.0.9, httpx2 2.16.2, h2 4.4.1; the server is hypercorn 0.18.0 on asyncio.
# Behaviour: httpx.Client may be shared by threads, and HTTP/2 makes them share a connection. Eight uploads of 500 KB at
#            once need window updates; one thread reads those of the others. In httpx, others go on waiting on the socket
#            for an update that is there already, and end in ReadTimeout with the server idle. With AsyncClient, or a
#            client for each thread, all arrive.
# Seen:      httpx  2 rounds whole, 4 not: {'ReadTimeout': 20}
#            httpx2 20 rounds whole, 0 not: {}
#            the numbers vary
# Exits with 1 if httpx loses nothing in 20 rounds, or httpx2 something.
set -euo pipefail

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
    'httpx[http2]==0.28.1' httpcore==1.0.9 'httpx2[http2]==2.16.2' h2==4.4.1 hypercorn==0.18.0
cd "$folder"
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=loopback -addext subjectAltName=IP:127.0.0.1 \
    -out certificate.pem -keyout key.pem 2>/dev/null

cat > app.py <<'PYTHON'
async def app(scope, receive, send):
    """Read a request to its end, and say 200."""
    if scope["type"] != "http":
        return
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body"})
PYTHON
port=$(python3 -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])')
venv/bin/hypercorn --bind "127.0.0.1:$port" --certfile certificate.pem --keyfile key.pem app:app >server.log 2>&1 &
server=$!
for _ in $(seq 400); do (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && break; sleep 0.05; done

cat > upload.py <<'PYTHON'
import collections, ssl, sys, threading

import httpx, httpx2

url = f"https://127.0.0.1:{sys.argv[1]}/"
trusted = ssl.create_default_context(cafile="certificate.pem")
body = bytes(500_000)
for library in (httpx, httpx2):
    rounds, kinds = collections.Counter(), collections.Counter()
    for _ in range(20):
        failed = []
        with library.Client(http2=True, verify=trusted, trust_env=False, timeout=3) as client:
            assert client.get(url).http_version == "HTTP/2"

            def upload():
                try:
                    client.post(url, content=body)
                except library.HTTPError as error:
                    failed.append(type(error).__name__)

            threads = [threading.Thread(target=upload) for _ in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        rounds["whole" if not failed else "lost"] += 1
        kinds.update(failed)
        if library is httpx and rounds["lost"] == 4:
            break  # that is enough to see
    print(f"{library.__name__:6} {rounds['whole']} rounds whole, {rounds['lost']} not: {dict(kinds)}", flush=True)
    if bool(rounds["lost"]) != (library is httpx):
        sys.exit(1)
PYTHON
venv/bin/python upload.py "$port"
