#!/usr/bin/env bash
# requests-ntlm logs in with three requests: the third has no upload any more, and its Cookie field is a Set-Cookie field.
#
# Versions:  requests_ntlm 1.3.0, pyspnego 0.12.4, requests 2.34.2. The server checks the password with pyspnego too.
# Behaviour: NTLM takes a 401, a challenge and an answer, all with the whole request. A generator is at its end after the
#            first of them, so the upload that the server accepts is empty, and the caller sees 200. And where the challenge
#            sets a cookie, the third request has its whole Set-Cookie field as Cookie, attributes and all, in place of the
#            cookies that the session has.
# Seen (content in octets, Cookie field, for each request):
#            bytes      5: theme=dark | 5: theme=dark | 5: lb=7; Path=/; HttpOnly   -> 200
#            generator  5: theme=dark | 0: theme=dark | 0: lb=7; Path=/; HttpOnly   -> 200
# Exits with 1 if that changes.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -qq --disable-pip-version-check \
    requests_ntlm==1.3.0 pyspnego==0.12.4 requests==2.34.2 2>/dev/null
cd "$folder"
echo "CORP:ada:lovelace" > users
export NTLM_USER_FILE=$folder/users

cat > upload.py <<'PYTHON'
import base64, http.server, sys, threading

import requests, requests_ntlm, spnego

seen = []


class Windows(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    login = None  # NTLM belongs to the connection, and so does this object

    def log_message(self, *args):
        pass

    def content(self):
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        read = b""
        while size := int(self.rfile.readline(), 16):
            read += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return read

    def do_PUT(self):
        seen.append(f"{len(self.content())}: {self.headers['Cookie']}")
        scheme, _, token = (self.headers.get("Authorization") or "").partition(" ")
        if not token:
            return self.answer(401, "NTLM")
        self.login = self.login or spnego.server(protocol="ntlm", options=spnego.NegotiateOptions.use_ntlm)
        challenge = self.login.step(base64.b64decode(token))
        if self.login.complete:
            return self.answer(200)
        self.answer(401, "NTLM " + base64.b64encode(challenge).decode(), "lb=7; Path=/; HttpOnly")

    def answer(self, status, challenge=None, cookie=None):
        self.send_response(status)
        if challenge:
            self.send_header("WWW-Authenticate", challenge)
        if cookie:
            self.send_header("Set-Cookie", cookie)
        self.send_header("Content-Length", "0")
        self.end_headers()


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Windows)
url = f"http://127.0.0.1:{server.server_port}/"
threading.Thread(target=server.serve_forever, daemon=True).start()

expected = {"bytes": [5, 5, 5], "generator": [5, 0, 0]}
changed = False
for kind, sizes in expected.items():
    seen.clear()
    with requests.Session() as session:
        session.trust_env = False
        session.auth = requests_ntlm.HttpNtlmAuth("CORP\\ada", "lovelace")
        session.cookies.set("theme", "dark")
        status = session.put(url, data=b"hello" if kind == "bytes" else iter([b"hello"])).status_code
    cookies = ["theme=dark", "theme=dark", "lb=7; Path=/; HttpOnly"]
    changed |= (status, seen) != (200, [f"{size}: {cookie}" for size, cookie in zip(sizes, cookies)])
    print(f"{kind:9}  {' | '.join(seen)}   -> {status}")
sys.exit(changed)
PYTHON

venv/bin/python upload.py
