#!/usr/bin/env bash
# The page that leads to a SAML login is XHTML: `aws s3 sync --delete` takes it for an empty bucket, `aws s3 mv` for a receipt, and both delete the local files.
#
# Versions:  awscli 1.46.3, boto3 1.44.8 (botocore 1.44.8), s3cmd 2.4.0 (PyPI, Python 3.11).
# Behaviour: five objects lie in a bucket behind a gate that wants a login, and are listed two at a time. botocore reads any 200 as
#            XML. A page of plain HTML is not well-formed, so every program ends with an error. The page with which SAML
#            sends a browser to the login is XHTML: well-formed, and without entries. So the list is over: `aws s3 sync
#            --delete` deletes all files, or those that were to come on the next page. An upload to that page is a success, the
#            server has nothing, and `aws s3 mv` deletes its files. s3cmd refuses to delete everything, but deletes what was to come
#            on the next page. All this ends with 0. After a 401 nothing is lost.
# Seen (exit code; of five files, those left after a download or mv, those stored after an upload, those listed):
#                                           401     HTML    XHTML
#            aws sync down, from the start  1 5     1 5     0 0
#            aws sync down, second page     1 5     1 5     0 2
#            aws sync up                    1 0     1 0     0 0
#            aws mv up                      1 5     1 5     0 0
#            s3cmd down, from the start     70 5    1 5     0 5
#            s3cmd down, second page        70 5    1 5     0 2
#            boto3 list, second page        error   error   2
# Exits with 1 if that changes.
set -euo pipefail

script=$(realpath "$0")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -qq --no-compile --disable-pip-version-check awscli==1.46.3 boto3==1.44.8 botocore==1.44.8 \
    s3cmd==2.4.0
cd "$folder"
export HOME=$folder AWS_ACCESS_KEY_ID=ada AWS_SECRET_ACCESS_KEY=s3cret AWS_REGION=us-east-1 AWS_MAX_ATTEMPTS=1 \
    AWS_EC2_METADATA_DISABLED=true

cat > try.py <<'PYTHON'
import hashlib, http.server, pathlib, shutil, subprocess, sys, threading, urllib.parse

import boto3

HTML = "<!DOCTYPE html><title>Log in</title><form method=post action=/login><input name=user><input name=password></form>"
XHTML = (
    '<?xml version="1.0" encoding="UTF-8"?><!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.1//EN" "http://www.w3.org/TR/xhtml11/DTD/xhtml11.dtd">'
    '<html xmlns="http://www.w3.org/1999/xhtml"><body onload="document.forms[0].submit()"><form action="https://login.example/saml" method="post">'
    '<div><input type="hidden" name="SAMLRequest" value="PHNhbWw+"/></div></form></body></html>'
)
FILES = {f"order-{number}": b"tea" for number in range(5)}
ETAG = f'"{hashlib.md5(b"tea").hexdigest()}"'
answer_of_the_dead, lists_left, stored = "401", 99, []


class Bucket(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        global lists_left
        self.rfile.read(int(self.headers["Content-Length"] or 0))
        url = urllib.parse.urlsplit(self.path)
        query = urllib.parse.parse_qs(url.query, keep_blank_values=True)
        key = url.path.removeprefix("/shop").strip("/")
        if "location" in query:
            return self.xml("<LocationConstraint/>")
        if lists_left <= 0:
            return self.refuse()
        if self.command == "PUT":
            stored.append(key)
            return self.answer(200, b"", {"ETag": ETAG})
        if key:
            return self.answer(200, FILES[key], {"ETag": ETAG, "Last-Modified": "Sun, 01 Nov 2026 00:00:00 GMT"})
        lists_left -= 1
        after = query.get("marker", query.get("continuation-token", [""]))[0]
        names = [name for name in FILES if name > after]
        entry = f"<LastModified>2026-11-01T00:00:00.000Z</LastModified><ETag>{ETAG}</ETag><Size>3</Size><StorageClass>STANDARD</StorageClass>"
        page = "".join(f"<Contents><Key>{name}</Key>{entry}</Contents>" for name in names[:2])
        if more := len(names) > 2:
            page += f"<NextMarker>{names[1]}</NextMarker><NextContinuationToken>{names[1]}</NextContinuationToken>"
        self.xml(f"<ListBucketResult><Name>shop</Name><IsTruncated>{str(more).lower()}</IsTruncated>{page}</ListBucketResult>")

    do_HEAD = do_PUT = do_GET

    def refuse(self):
        if answer_of_the_dead == "401":
            self.answer(401, b"", {"WWW-Authenticate": 'Session realm="files", error="session_expired"'})
        else:
            self.answer(200, (HTML if answer_of_the_dead == "HTML" else XHTML).encode(), {"Content-Type": "text/html"})

    def xml(self, content):
        content = content.replace(">", ' xmlns="http://s3.amazonaws.com/doc/2006-03-01/">', 1) if "/>" not in content else content
        self.answer(200, content.encode(), {"Content-Type": "application/xml"})

    def answer(self, status, content, fields):
        self.send_response(status)
        for name, value in fields.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, *_):
        pass


class Quiet(http.server.ThreadingHTTPServer):
    def handle_error(self, *_):
        pass  # a client that has read enough closes


server = Quiet(("127.0.0.1", 0), Bucket)
threading.Thread(target=server.serve_forever, daemon=True).start()
host = f"127.0.0.1:{server.server_port}"
local = pathlib.Path("local")
AWS = ["venv/bin/aws", "--endpoint-url", f"http://{host}", "s3"]
SYNC, MOVE = [*AWS, "sync", "--delete"], [*AWS, "mv", "--recursive"]
S3CMD = ["venv/bin/s3cmd", "--access_key=ada", "--secret_key=s3cret", f"--host={host}", f"--host-bucket={host}", "--no-ssl"]
S3CMD += ["--max-retries=1", "sync", "--delete-removed"]


def run(command, *way):
    done = subprocess.run([*command, *way], capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=100)
    if "-v" in sys.argv:
        print(done.stdout[-500:], done.stderr[-500:])
    return done.returncode


def down(command):
    return f"{run(command, 's3://shop/', 'local/')} {len(list(local.iterdir()))}"


def up(command):
    stored.clear()
    return f"{run(command, 'local/', 's3://shop/')} {len(stored)}"


def moved(command):
    return f"{up(command).split()[0]} {len(list(local.iterdir()))}"


def listed(_):
    client = boto3.client("s3", endpoint_url=f"http://{host}")
    try:
        return str(sum(len(page.get("Contents", [])) for page in client.get_paginator("list_objects_v2").paginate(Bucket="shop")))
    except Exception:
        return "error"


CASES = {
    "aws sync down, from the start": (down, SYNC, 0),
    "aws sync down, second page": (down, SYNC, 1),
    "aws sync up": (up, SYNC, 0),
    "aws mv up": (moved, MOVE, 0),
    "s3cmd down, from the start": (down, S3CMD, 0),
    "s3cmd down, second page": (down, S3CMD, 1),
    "boto3 list, second page": (listed, None, 1),
}
wanted = [line[1:].strip() for line in pathlib.Path(sys.argv[1]).read_text().splitlines() if line.startswith("#   ")]
as_expected = True
for name, (what, command, pages) in CASES.items():
    seen = []
    for answer_of_the_dead in ("401", "HTML", "XHTML"):
        shutil.rmtree(local, ignore_errors=True)
        local.mkdir()
        for file, content in FILES.items():
            (local / file).write_bytes(content)
        lists_left = pages
        seen.append(what(command).ljust(7))
    line = f"{name:30} {' '.join(seen)}".rstrip()
    as_expected &= line in wanted
    print(line, flush=True)
sys.exit(not as_expected)
PYTHON

"$folder/venv/bin/python" try.py "$script" "$@"
