#!/usr/bin/env bash
# keystoneauth renews a dead token in the middle of an upload, and then uploads nothing: the image is empty, the call succeeds.
#
# Versions:  keystoneauth1 5.18.1, python-glanceclient 4.13.0, requests 2.34.2.
# Behaviour: a token dies, then an upload is refused with 401. keystoneauth gets a new token and sends the request again
#            with the same `data` object. A file, a BytesIO or a generator stands at its end by then, so the second request
#            has no content. The server stores what it got and answers 201, and no exception is raised. Bytes are well.
#            glanceclient hands its image on as a generator, so `images.upload` of any file ends like this.
# Seen (octets in the refused request, octets in the one that was accepted, what the caller got):
#            session.put, bytes      100     100  201
#            session.put, file       100       0  201
#            session.put, BytesIO    100       0  201
#            session.put, generator  100       0  201
#            images.upload, file  300000       0  201
# Exits with 1 if that changes.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -qq --disable-pip-version-check \
    keystoneauth1==5.18.1 python-glanceclient==4.13.0 requests==2.34.2 2>/dev/null
cd "$folder"

cat > upload.py <<'PYTHON'
import datetime, http.server, io, json, sys, threading

from glanceclient import Client
from keystoneauth1 import session
from keystoneauth1.identity import v3

living, uploads = set(), []


class Cloud(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

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

    def answer(self, status, document, **headers):
        content = json.dumps(document).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def do_GET(self):  # where Keystone is
        links = [{"rel": "self", "href": f"{base}/v3"}]
        self.answer(200, {"version": {"id": "v3.14", "status": "stable", "links": links}})

    def do_POST(self):  # a token
        self.content()
        token = f"token-{len(uploads)}"
        living.add(token)
        ends = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=1)
        document = {"token": {"methods": ["password"], "expires_at": ends.isoformat(), "catalog": []}}
        self.answer(201, document, X_Subject_Token=token)

    def do_PUT(self):
        size = len(self.content())
        status = 201 if self.headers.get("X-Auth-Token") in living else 401
        uploads.append((status, size))
        self.answer(status, {})


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Cloud)
base = f"http://127.0.0.1:{server.server_port}"
threading.Thread(target=server.serve_forever, daemon=True).start()

cloud = session.Session(auth=v3.Password(
    auth_url=f"{base}/v3", username="ada", password="lovelace", user_domain_id="default", project_name="p",
    project_domain_id="default",
))
glance = Client("2", session=cloud, endpoint_override=base)
IMAGE = "8a1f0e9c-0000-4000-8000-000000000001"


def file(size):
    with open("content", "wb") as content:
        content.write(b"x" * size)
    return open("content", "rb")


seen = []
for name, upload in [
    ("session.put, bytes", lambda: cloud.put(f"{base}/o", data=b"x" * 100)),
    ("session.put, file", lambda: cloud.put(f"{base}/o", data=file(100))),
    ("session.put, BytesIO", lambda: cloud.put(f"{base}/o", data=io.BytesIO(b"x" * 100))),
    ("session.put, generator", lambda: cloud.put(f"{base}/o", data=iter([b"x" * 50] * 2))),
    ("images.upload, file", lambda: glance.images.upload(IMAGE, file(300_000))[0]),
]:
    cloud.get_token()
    living.clear()
    uploads.clear()
    got = upload().status_code
    (first, refused), (second, accepted) = uploads
    assert (first, second) == (401, 201), uploads
    seen.append((name, refused, accepted, got))
    print(f"{name:23} {refused:6}  {accepted:6}  {got}")

sys.exit([accepted for _, _, accepted, _ in seen] != [100, 0, 0, 0, 0])
PYTHON

venv/bin/python upload.py
