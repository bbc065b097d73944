#!/usr/bin/env bash
# nginx answers an upload over HTTP/2 before it has read it: httpx, httpx2 and curl report an error, niquests and Node the 401.
#
# Versions:  nginx 1.22.1 and curl 7.88.1 of Debian 12, Node 20.20.2; httpx 0.28.1, httpx2 2.16.2, niquests 3.21.2,
#            h2 4.4.1, urllib3-future 2.25.904.
# Behaviour: a server that does not want the rest of a body may send the whole response and then reset the stream with
#            NO_ERROR; "clients MUST NOT discard responses as a result" (RFC 9113 §8.1). nginx does so with `return 401`.
#            A short body is sent by then. With more than the first window of 64 KB, httpx and httpx2 go on sending, and
#            what their HTTP/2 library says about that hides the response that they have received. curl reports a
#            framing error (exit 92) for most long bodies, and for some short ones.
# Seen (bodies of 10,000 and 1,000,000 octets; in Python most of five tries, with curl ten of the long one):
#            httpx           401 LocalProtocolError
#            httpx, asyncio  401 LocalProtocolError
#            httpx2          401 LocalProtocolError
#            niquests        401 401
#            Node            401 401
#            curl            lost 10 of 10
# Exits with 1 if that changes (curl: if it loses none). Needs nginx, curl with HTTP/2, and Node.
set -euo pipefail
PATH=$PATH:/usr/sbin

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
    'httpx[http2]==0.28.1' 'httpx2[http2]==2.16.2' niquests==3.21.2 urllib3-future==2.25.904 h2==4.4.1
cd "$folder"
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')

cat > nginx.conf <<NGINX
daemon off;
pid $folder/pid;
error_log $folder/error.log;
events {}
http {
    access_log off;
    client_body_temp_path $folder/body;
    proxy_temp_path $folder/proxy;
    fastcgi_temp_path $folder/fastcgi;
    uwsgi_temp_path $folder/uwsgi;
    scgi_temp_path $folder/scgi;
    server {
        listen 127.0.0.1:$port http2;
        location / {
            add_header WWW-Authenticate 'Bearer realm="shop"' always;
            return 401;
        }
    }
}
NGINX
nginx -p "$folder" -e "$folder/error.log" -c "$folder/nginx.conf" &
server=$!

cat > upload.py <<'PYTHON'
import asyncio, collections, socket, sys, time

import httpx, httpx2, niquests

url = sys.argv[1]
for _ in range(100):
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", int(url.rsplit(":")[-1].strip("/")))) == 0:
            break
    time.sleep(0.1)


def over(module):
    def put(body):
        with module.Client(http1=False, http2=True) as client:
            return client.put(url, content=body).status_code

    return put


def on_asyncio(body):
    async def put():
        async with httpx.AsyncClient(http1=False, http2=True) as client:
            return (await client.put(url, content=body)).status_code

    return asyncio.run(put())


def over_niquests(body):
    with niquests.Session(disable_http1=True) as session:
        return session.put(url, data=body).status_code


for name, put in {
    "httpx": over(httpx), "httpx, asyncio": on_asyncio, "httpx2": over(httpx2), "niquests": over_niquests
}.items():
    usual = []
    for size in (10_000, 1_000_000):
        seen = collections.Counter()
        for _ in range(5):
            try:
                seen[str(put(bytes(size)))] += 1
            except Exception as error:
                seen[type(error).__name__] += 1
        usual += [most for most, _ in seen.most_common(1)]
    print(f"{name:15} {' '.join(usual)}")
PYTHON

cat > upload.js <<'JS'
const session = require("node:http2").connect(process.argv[2]);
const put = (size) => new Promise((done) => {
    const request = session.request({ ":method": "PUT", ":path": "/" });
    let seen = "nothing";
    request.on("response", (headers) => { seen = headers[":status"]; });
    request.on("error", (error) => { seen = error.code; });
    request.on("close", () => done(seen));
    request.resume();
    request.end(Buffer.alloc(size));
});
(async () => {
    console.log("Node           ", await put(10000), await put(1000000));
    session.close();
})();
JS

nginx -v
curl --version | head -1
node --version
{
    venv/bin/python upload.py "http://127.0.0.1:$port/"
    node upload.js "http://127.0.0.1:$port"
} | tee seen
cat > expected <<'SEEN'
httpx           401 LocalProtocolError
httpx, asyncio  401 LocalProtocolError
httpx2          401 LocalProtocolError
niquests        401 401
Node            401 401
SEEN

head -c 1000000 /dev/zero > upload.bin
lost=0
for _ in {1..10}; do
    curl -s -o /dev/null --http2-prior-knowledge -T upload.bin "http://127.0.0.1:$port/" || lost=$((lost + 1))
done
echo "curl            lost $lost of 10"

diff expected seen
[ "$lost" -gt 0 ]
