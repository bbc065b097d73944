#!/usr/bin/env bash
# libcurl answers two kinds of Digest with the hash of something else, and names what was asked for.
#
# Versions:  pycurl 7.45.3 (libcurl 7.61.1), pycurl 7.45.7 (libcurl 8.16.0-DEV); Debian's curl 7.88.1 does as 7.61.1.
# Behaviour: 1. SHA-512-256 (RFC 7616 §6.1) is computed with SHA-256 in 7.61.1; 8.16.0 computes it rightly.
#            2. Under qop=auth-int a POST is signed as if it had no content, in both.
#            The Authorization field says `algorithm=SHA-512-256` and `qop=auth-int` all the same, so the server can
#            only take the password for wrong, and the caller sees a plain 401.
# Seen:
#   libcurl/7.61.1 SHA-512-256 auth: sha256 over method and target
#   libcurl/7.61.1 SHA-256 auth-int: sha256 over no content
#   libcurl/8.16.0-DEV SHA-512-256 auth: sha512_256 over method and target
#   libcurl/8.16.0-DEV SHA-256 auth-int: sha256 over no content
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"; [ -z "${server:-}" ] || kill "$server" 2>/dev/null || true' EXIT
cat > "$work/server.py" <<'PYTHON'
import hashlib, http.server, re

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        algorithm, qop, client = self.path.strip("/").split("/", 2)
        sent = dict(re.findall(r'(\w+)="?([^",]+)', self.headers.get("Authorization") or ""))
        if sent:
            print(client, algorithm, f"{qop}: {self.matched(sent, qop, body)}", flush=True)
        self.send_response(200 if sent else 401)
        if not sent:
            challenge = f'Digest realm="x", nonce="n", algorithm={algorithm}, qop="{qop}"'
            self.send_header("WWW-Authenticate", challenge)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def matched(self, sent, qop, body):
        for function in ("sha512_256", "sha256"):
            for content, name in ((body, "the content"), (b"", "no content")):
                def h(text):
                    return hashlib.new(function, text.encode()).hexdigest()
                what = f"POST:{self.path}"
                if qop == "auth-int":
                    what += ":" + hashlib.new(function, content).hexdigest()
                parts = [h("ada:x:pw"), "n", sent["nc"], sent["cnonce"], qop, h(what)]
                if h(":".join(parts)) == sent["response"]:
                    return f"{function} over {name if qop == 'auth-int' else 'method and target'}"
        return "nothing that is known"

    def log_message(self, *arguments):
        pass

server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
PYTHON
python3 "$work/server.py" > "$work/out" & server=$!
for _ in $(seq 100); do [ -s "$work/out" ] && break; sleep 0.05; done
port=$(head -1 "$work/out")
cat > "$work/client.py" <<'PYTHON'
import io, pycurl, sys
for kind in ("SHA-512-256/auth", "SHA-256/auth-int"):
    client = pycurl.Curl()
    client.setopt(client.URL, f"http://127.0.0.1:{sys.argv[1]}/{kind}/{pycurl.version.split()[1]}")
    client.setopt(client.HTTPAUTH, client.HTTPAUTH_DIGEST)
    client.setopt(client.USERPWD, "ada:pw")
    client.setopt(client.POSTFIELDS, "tea, ink")
    client.setopt(client.WRITEDATA, io.BytesIO())
    client.perform()
PYTHON
for version in 7.45.3 7.45.7; do
    python3 -m venv "$work/$version"
    "$work/$version/bin/pip" install --quiet --disable-pip-version-check --only-binary=:all: "pycurl==$version"
    "$work/$version/bin/python" "$work/client.py" "$port"
done
tail -n +2 "$work/out" | tee "$work/seen"
diff "$work/seen" - <<'SEEN'
libcurl/7.61.1 SHA-512-256 auth: sha256 over method and target
libcurl/7.61.1 SHA-256 auth-int: sha256 over no content
libcurl/8.16.0-DEV SHA-512-256 auth: sha512_256 over method and target
libcurl/8.16.0-DEV SHA-256 auth-int: sha256 over no content
SEEN
