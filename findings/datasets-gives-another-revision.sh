#!/usr/bin/env bash
# A token is dead, and load_dataset(revision="v2") returns the data of v1 from the cache, with a warning; so it does behind a login page.
#
# Versions:  datasets 5.2.0, huggingface_hub 2.4.0, pandas 3.1.1, pyarrow 26.0.1 (PyPI, Python 3.11)
# Behaviour: the first version of a private dataset was loaded once, by its revision. Then its server answers each request with 401, or
#            with a login page and 200. hf_hub_download raises an error. load_dataset catches any error and looks for the dataset in its
#            cache, by its name alone. It returns what was loaded last, for another revision too, and with
#            download_mode="force_redownload". Only a dataset that was never loaded is an error.
# Seen:      alive: v1 ['tea'], v2 would be ['tea', 'ink']
#                                         401                  login page
#            newest                       ['tea']              ['tea']
#            revision="v2"                ['tea']              ['tea']
#            force_redownload             ['tea']              ['tea']
#            a dataset never loaded       HfHubHTTPError       FileNotFoundError
#            hf_hub_download of v2        HfHubHTTPError       LocalEntryNotFoundError
# Exits with 1 if that changes.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -qq --disable-pip-version-check datasets==5.2.0 huggingface_hub==2.4.0 pandas==3.1.1 pyarrow==26.0.1
cd "$folder"
export HOME=$folder HF_HOME=$folder/cache HF_TOKEN=hf_token HF_HUB_DISABLE_TELEMETRY=1 HF_DATASETS_DISABLE_PROGRESS_BARS=1

cat > ask.py <<'PYTHON'
import logging, sys

import datasets
from huggingface_hub import hf_hub_download

logging.disable()


def load(name="shop/orders", **options):
    return datasets.load_dataset(name, split="train", **options)["name"][:]


ASKED = {
    "v1": lambda: load(revision="v1"),
    "newest": load,
    'revision="v2"': lambda: load(revision="v2"),
    "force_redownload": lambda: load(download_mode="force_redownload"),
    "a dataset never loaded": lambda: load("shop/prices"),
    "hf_hub_download of v2": lambda: hf_hub_download("shop/orders", "data.csv", repo_type="dataset", revision="v2"),
}
for asked in sys.argv[1:] or [asked for asked in ASKED if asked != "v1"]:
    try:
        told = ASKED[asked]()
    except Exception as error:
        told = type(error).__name__
    print(f"{asked}\t{told}")
PYTHON

cat > try.py <<'PYTHON'
import hashlib, http.server, json, os, subprocess, sys, threading, urllib.parse

FIRST, SECOND = b"name,price\ntea,3\n", b"name,price\ntea,3\nink,9\n"
LOGIN = b"<!DOCTYPE html><title>Log in</title><form method=post action=/login><input name=user><input name=password></form>"
session = "alive"


class Hub(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if session == "401":
            message = "Invalid credentials in Authorization header"
            return self.answer(401, json.dumps({"error": message}).encode(), ("X-Error-Message", message))
        if session == "page":
            return self.answer(200, LOGIN)
        path = urllib.parse.urlsplit(self.path).path
        second = "/v2" in path or "/" + "2" * 40 in path
        table, commit = (SECOND, "2" * 40) if second else (FIRST, "1" * 40)
        name = hashlib.sha1(b"blob %d\0" % len(table) + table).hexdigest()
        if path.startswith("/api/datasets/shop/orders/tree/"):
            self.answer(200, json.dumps([{"type": "file", "oid": name, "size": len(table), "path": "data.csv"}]).encode())
        elif path.startswith("/api/datasets/shop/orders"):
            document = {"id": "shop/orders", "sha": commit, "private": True, "tags": [], "siblings": [{"rfilename": "data.csv"}]}
            self.answer(200, json.dumps(document).encode())
        elif path.endswith("/data.csv"):
            self.answer(200, table, ("ETag", f'"{name}"'), ("X-Repo-Commit", commit))
        else:
            self.answer(404, b"{}", ("X-Error-Code", "EntryNotFound"), ("X-Repo-Commit", commit))

    do_HEAD = do_POST = do_GET

    def answer(self, status, content, *fields):
        self.rfile.read(int(self.headers["Content-Length"] or 0))
        self.send_response(status)
        for name, value in fields:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hub)
threading.Thread(target=server.serve_forever, daemon=True).start()
environment = os.environ | {"HF_ENDPOINT": f"http://127.0.0.1:{server.server_port}"}
EXPECTED = {
    "alive": "v1\t['tea']\n",
    "401": "newest\t['tea']\nrevision=\"v2\"\t['tea']\nforce_redownload\t['tea']\na dataset never loaded\tHfHubHTTPError\n"
    "hf_hub_download of v2\tHfHubHTTPError\n",
    "page": "newest\t['tea']\nrevision=\"v2\"\t['tea']\nforce_redownload\t['tea']\na dataset never loaded\tFileNotFoundError\n"
    "hf_hub_download of v2\tLocalEntryNotFoundError\n",
    "alive again": "revision=\"v2\"\t['tea', 'ink']\n",
}
changed = False
for session in EXPECTED:
    asked = {"alive": ["v1"], "alive again": ['revision="v2"']}.get(session, [])
    program = ["venv/bin/python", "ask.py", *asked]
    told = subprocess.run(program, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, timeout=60, env=environment).stdout
    print(session, told, sep="\n")
    changed |= told != EXPECTED[session]
sys.exit(changed)
PYTHON
venv/bin/python try.py
