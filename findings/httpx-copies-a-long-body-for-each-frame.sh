#!/usr/bin/env bash
# httpx over HTTP/2 copies what is left of a long body for each frame; httpx2 does not.
#
# Versions:  httpx 0.28.1, httpcore 1.0.9, httpx2 2.16.2, h2 4.4.1; the server is hypercorn 0.18.0.
# Behaviour: a body given as bytes is cut into frames from its front, and the rest is copied each time, 16 to 64 KiB at a
#            time: four times the octets cost sixty times the work. The same octets as a file are read in pieces, and
#            cost what they should.
# Seen, processor time of the client for one upload, in seconds; the times vary, the order of the ratios stays:
#            httpx   10 MB: bytes 0.16, file 0.05     40 MB: bytes 10.20, file 0.13
#            httpx2  10 MB: bytes 0.03, file 0.04     40 MB: bytes 0.10, file 0.12
# Exits with 1 if httpx takes less than five times as long from 30 MB of bytes as from a file, or httpx2 more.
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
for _ in $(seq 200); do (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && break; sleep 0.05; done

cat > upload.py <<'PYTHON'
import io, ssl, sys, time

import httpx, httpx2

url = f"https://127.0.0.1:{sys.argv[1]}/"
trusted = ssl.create_default_context(cafile="certificate.pem")
for library in (httpx, httpx2):
    with library.Client(http2=True, verify=trusted, trust_env=False, timeout=60) as client:
        for megabytes in (10, 30):
            body, took = bytes(megabytes * 1_000_000), {}
            for name, given in (("file", io.BytesIO(body)), ("bytes", body)):
                began = time.process_time()
                answer = client.post(url, content=given)
                took[name] = time.process_time() - began
                assert (answer.status_code, answer.http_version) == (200, "HTTP/2")
            ratio = took["bytes"] / took["file"]
            print(f"{library.__name__} {megabytes} MB: bytes {took['bytes']:.2f}, file {took['file']:.2f}, ratio {ratio:.1f}")
            if megabytes == 30 and (ratio < 5) != (library is httpx2):
                sys.exit(1)
PYTHON
venv/bin/python upload.py "$port"
