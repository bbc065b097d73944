#!/usr/bin/env bash
# One answer of a dead session stays in a local file for good: curl -z, wget -N, wget2 -N, aria2c and Ansible's get_url.
#
# Versions:  curl 7.88.1, GNU Wget 1.21.3, GNU Wget2 1.99.1, aria2 1.36.0 (all of Debian 12), ansible-core 2.19.14. Needs the
#            first four on the path.
# Behaviour: all five can fetch a file only if it has changed, by the time of the local copy (If-Modified-Since). When the
#            session is dead, a server answers with its login page and 200, which has no Last-Modified: the page takes the
#            file's place, and its time is now. The server's file is older than that. So once the session lives again, the
#            answer is 304, and it is so for each later run: the page stays until the server's file changes, and each run
#            ends with 0. curl keeps the content of a 401 in the same way, unless it has -f.
#            curl heals itself where it compares by ETag, since it has forgotten the file's by then.
# Seen (what the local file holds; the session lives, is dead, lives, lives; then the exit codes):
#            curl -z, 401           file refusal refusal refusal   0 0 0 0
#            curl -z, login page    file page page page            0 0 0 0
#            curl -z -f, 401        file file file file            0 22 0 0
#            curl etag, 401         file refusal file file         0 0 0 0
#            curl etag, login page  file page file file            0 0 0 0
#            wget -N, 401           file file file file            0 6 0 0
#            wget -N, login page    file page page page            0 0 0 0
#            wget2 -N, 401          file file file file            0 6 0 0
#            wget2 -N, login page   file page page page            0 0 0 0
#            aria2c, 401            file file file file            0 24 0 0
#            aria2c, login page     file page page page            0 0 0 0
#            get_url, 401           file file file file            0 2 0 0
#            get_url, login page    file page page page            0 0 0 0
# Exits with 1 if that changes.
set -euo pipefail

for program in curl wget wget2 aria2c; do
    command -v "$program" >/dev/null || { echo "this needs the program $program"; exit 2; }
done
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -qq --disable-pip-version-check ansible-core==2.19.14
cd "$folder"
export HOME=$folder LC_ALL=C.UTF-8

cat > fetch.py <<'PYTHON'
import email.utils, http.server, pathlib, shutil, subprocess, sys, threading

CHANGED = "Mon, 02 Nov 2026 08:00:00 GMT"
CONTENTS = {"file": b"id,price\n" + b"1,2\n" * 500, "page": b"<!DOCTYPE html><title>Log in</title>\n", "refusal": b"expired\n"}
session = "file"


class Server(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        inm, since = self.headers["If-None-Match"], self.headers["If-Modified-Since"]
        self.send_response({"file": 200, "page": 200, "refusal": 401}[session] if not self.known(inm, since) else 304)
        if session == "file":
            self.send_header("ETag", '"v1"')
            self.send_header("Last-Modified", CHANGED)
        if session == "refusal":
            self.send_header("WWW-Authenticate", 'Bearer realm="shop", error="invalid_token"')
        self.end_headers()
        if not self.known(inm, since):
            self.wfile.write(CONTENTS[session])

    def known(self, inm, since):
        """Whether the client has the file: its ETag decides, or else its time (RFC 9110 §13.2.2)."""
        if session != "file" or inm:
            return session == "file" and inm == '"v1"'
        parsed = email.utils.parsedate_to_datetime
        return since is not None and parsed(since) >= parsed(CHANGED)

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
url = f"http://127.0.0.1:{server.server_port}/prices.csv"
work = pathlib.Path("work").absolute()
local = work / "prices.csv"
curl = ["curl", "-sS", "-o", "prices.csv", url]
COMMANDS = {
    "curl -z": [*curl, "-z", "prices.csv"],
    "curl -z -f": [*curl, "-f", "-z", "prices.csv"],
    "curl etag": [*curl, "--etag-save", "etag", "--etag-compare", "etag"],
    "wget -N": ["wget", "-q", "-N", url],
    "wget2 -N": ["wget2", "-q", "-N", url],
    "aria2c": ["aria2c", "-q", "--conditional-get=true", "--allow-overwrite=true", url],
    "get_url": ["venv/bin/ansible", "localhost", "-m", "get_url", "-a", f"url={url} dest={local}"],
}
COMMANDS["get_url"][0] = str(pathlib.Path("venv/bin/ansible").absolute())
STICKS, RIGHT, HEALS = "file {0} {0} {0}", "file file file file", "file {0} file file"
EXPECTED = {
    ("curl -z", "refusal"): (STICKS, "0 0 0 0"),
    ("curl -z", "page"): (STICKS, "0 0 0 0"),
    ("curl -z -f", "refusal"): (RIGHT, "0 22 0 0"),
    ("curl etag", "refusal"): (HEALS, "0 0 0 0"),
    ("curl etag", "page"): (HEALS, "0 0 0 0"),
    ("wget -N", "refusal"): (RIGHT, "0 6 0 0"),
    ("wget -N", "page"): (STICKS, "0 0 0 0"),
    ("wget2 -N", "refusal"): (RIGHT, "0 6 0 0"),
    ("wget2 -N", "page"): (STICKS, "0 0 0 0"),
    ("aria2c", "refusal"): (RIGHT, "0 24 0 0"),
    ("aria2c", "page"): (STICKS, "0 0 0 0"),
    ("get_url", "refusal"): (RIGHT, "0 2 0 0"),
    ("get_url", "page"): (STICKS, "0 0 0 0"),
}


def run(name, dead):
    global session
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    held, codes = [], []
    for session in ("file", dead, "file", "file"):
        done = subprocess.run(COMMANDS[name], cwd=work, capture_output=True, stdin=subprocess.DEVNULL)
        codes.append(str(done.returncode))
        held.append(next((key for key, content in CONTENTS.items() if local.read_bytes() == content), "else"))
    return " ".join(held), " ".join(codes)


as_expected = True
for (name, dead), (held, codes) in EXPECTED.items():
    seen = run(name, dead)
    as_expected &= seen == (held.format(dead), codes)
    print(f"{name + (', 401' if dead == 'refusal' else ', login page'):22} {seen[0]:31} {seen[1]}")
sys.exit(not as_expected)
PYTHON

for program in curl wget wget2 aria2c; do "$program" --version | sed -n 1p; done
"$folder/venv/bin/python" fetch.py
