#!/usr/bin/env bash
# A token dies, and a file is uploaded: google-auth and azure-core renew the token, store an empty file, and report success.
#
# Versions:  google-auth 2.63.0 with requests 2.34.2 and urllib3 2.8.0, azure-core 1.41.0; box-sdk-gen 1.17.0, python-swiftclient
#            4.11.0, qbittorrent-api 2026.10.1 and google-auth-httplib2 0.4.4 to compare with (PyPI, Python 3.11).
# Behaviour: each of them answers a 401 by a new token and a second request. The first request has read the file to its end.
#            google-auth's AuthorizedSession (requests) and AuthorizedHttp (urllib3), and azure-core's BearerTokenCredentialPolicy
#            after a claims challenge, send the file from there, that is, nothing, and the caller gets the 201.
#            With files= AuthorizedSession sends the form around an empty file. The four others send the whole file again.
# Seen (octets of the two requests, and what the caller gets; the file has 180,000, a form some more):
#            google-auth, requests, data=      180000       0  201
#            google-auth, requests, files=     180140     140  201
#            google-auth, urllib3              180000       0  201
#            azure-core                        180000       0  201
#            google-auth-httplib2              180000  180000  201
#            box-sdk-gen                       180268  180268  done
#            swiftclient                       180000  180000  done
#            qbittorrent-api                   180152  180152  done
# Exits with 1 if that changes.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -qq --disable-pip-version-check google-auth==2.63.0 requests==2.34.2 urllib3==2.8.0 \
    azure-core==1.41.0 box-sdk-gen==1.17.0 python-swiftclient==4.11.0 qbittorrent-api==2026.10.1 google-auth-httplib2==0.4.4
cd "$folder"
export HOME=$folder

cat > upload.py <<'PYTHON'
import http.server, json, pathlib, sys, threading, time

import box_sdk_gen, google_auth_httplib2, qbittorrentapi, swiftclient
from azure.core import PipelineClient
from azure.core.credentials import AccessToken
from azure.core.pipeline.policies import BearerTokenCredentialPolicy
from azure.core.rest import HttpRequest
from box_sdk_gen.managers.uploads import UploadFileAttributes, UploadFileAttributesParentField
from google.auth.transport.requests import AuthorizedSession
from google.auth.transport.urllib3 import AuthorizedHttp
from google.oauth2.credentials import Credentials

TOKEN = {"access_token": "new", "token_type": "Bearer", "expires_in": 3600, "refresh_token": "r"}
CLAIMS = 'Bearer authorization_uri="https://login.example", error="insufficient_claims", claims="eyJhY2Nlc3NfdG9rZW4iOnt9fQ=="'
STORED = {"entries": [{"id": "1", "type": "file"}], "total_count": 1}
sizes, refusal = [], (401, {})


class Server(http.server.BaseHTTPRequestHandler):
    """Refuses the first upload, and takes the second."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        size = self.read_all()
        if self.path.endswith("/token"):
            self.answer(200, TOKEN)
        elif self.path.endswith("webapiVersion"):
            self.answer(200, "2.11.0")
        elif self.path.endswith(("/login", "/")):
            self.answer(200, "Ok.", {"Set-Cookie": "SID=1; path=/"})
        else:
            sizes.append(size)
            if len(sizes) == 1:
                self.answer(refusal[0], {}, refusal[1])
            else:
                self.answer(200 if "torrents" in self.path else 201, "Ok." if "torrents" in self.path else STORED)

    do_HEAD = do_POST = do_PUT = do_GET

    def read_all(self):
        if self.headers["Transfer-Encoding"] != "chunked":
            return len(self.rfile.read(int(self.headers["Content-Length"] or 0)))
        total = 0
        while size := int(self.rfile.readline(), 16):
            total += len(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return total

    def answer(self, status, content, fields=()):
        content = (content if isinstance(content, str) else json.dumps(content)).encode()
        self.send_response(status)
        for name, value in dict(fields).items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json" if content[:1] == b"{" else "text/plain")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
url = f"http://127.0.0.1:{server.server_port}"


def google():
    return Credentials("old", refresh_token="r", token_uri=f"{url}/oauth/token", client_id="i", client_secret="s")


class Tokens:
    def get_token(self, *_, **__):
        return AccessToken(f"token-{time.monotonic_ns()}", int(time.time()) + 3600)


def azure(file):
    policy = BearerTokenCredentialPolicy(Tokens(), "files")
    request = HttpRequest("PUT", f"{url}/file", content=file, headers={"Content-Type": "text/plain"})
    return PipelineClient(url, policies=[policy]).send_request(request, enforce_https=False).status_code


def box(file):
    kept = box_sdk_gen.InMemoryTokenStorage()
    kept.store(box_sdk_gen.AccessToken(**TOKEN | {"access_token": "old", "token_type": "bearer"}))
    auth = box_sdk_gen.BoxOAuth(box_sdk_gen.OAuthConfig(client_id="i", client_secret="s", token_storage=kept))
    places = box_sdk_gen.BaseUrls(base_url=url, upload_url=url, oauth_2_url=f"{url}/oauth2")
    client = box_sdk_gen.BoxClient(auth, network_session=box_sdk_gen.NetworkSession(base_urls=places))
    attributes = UploadFileAttributes(name="orders", parent=UploadFileAttributesParentField(id="0"))
    return "done" if client.uploads.upload_file(attributes, file).total_count == 1 else "?"


def swift(file):
    swiftclient.client.get_auth = lambda *_, **__: (f"{url}/v1/a", f"token-{time.monotonic_ns()}")
    connection = swiftclient.Connection(authurl=url, user="u", key="k", retries=2, starting_backoff=0)
    connection.put_object("orders", "file", file)
    return "done"


def qbittorrent(file):
    global refusal
    refusal = (403, {})
    client = qbittorrentapi.Client(host=url, username="u", password="p")
    return {"Ok.": "done"}[client.torrents_add(torrent_files=file)]


CASES = {
    "google-auth, requests, data=": ((180_000, 0), 201, lambda file: AuthorizedSession(google()).put(f"{url}/file", data=file).status_code),
    "google-auth, requests, files=": ((180_140, 140), 201, lambda file: AuthorizedSession(google()).post(f"{url}/file", files={"file": file}).status_code),
    "google-auth, urllib3": ((180_000, 0), 201, lambda file: AuthorizedHttp(google()).request("PUT", f"{url}/file", body=file).status),
    "azure-core": ((180_000, 0), 201, azure),
    "google-auth-httplib2": ((180_000, 180_000), 201, lambda file: google_auth_httplib2.AuthorizedHttp(google()).request(f"{url}/file", "PUT", body=file)[0].status),
    "box-sdk-gen": ((180_268, 180_268), "done", box),
    "swiftclient": ((180_000, 180_000), "done", swift),
    "qbittorrent-api": ((180_152, 180_152), "done", qbittorrent),
}
path = pathlib.Path("file")
path.write_bytes(b"tea, ink\n" * 20_000)
as_expected = True
for name, (expected, told, upload) in CASES.items():
    sizes.clear()
    refusal = (401, {"WWW-Authenticate": CLAIMS if name == "azure-core" else 'Bearer realm="files", error="invalid_token"'})
    with path.open("rb") as file:
        seen = upload(file)
    if name == "box-sdk-gen":  # its form has a boundary of its own length
        as_expected &= len(sizes) == 2 and sizes[0] == sizes[1] > 180_000
    else:
        as_expected &= tuple(sizes) == expected
    as_expected &= seen == told
    print(f"{name:32}", *(f"{size:7}" for size in sizes), f" {seen}", flush=True)
sys.exit(not as_expected)
PYTHON

"$folder/venv/bin/python" upload.py
