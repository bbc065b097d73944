#!/usr/bin/env bash
# A download goes on from its middle while the session is dead: five of six programs report success, two make a file of the right size with a login page in it.
#
# Versions:  curl 7.88.1, GNU Wget 1.21.3, GNU Wget2 1.99.1, aria2 1.36.0, lftp 4.9.2 (all of Debian 12), HTTPie 3.2.4 (PyPI).
#            Needs the first five on the path.
# Behaviour: the program has the first half, asks for the rest (Range), and gets the login page: 200, 65 octets, no
#            Content-Range. Wget takes the page's length for the file's, and says "The file is already fully
#            retrieved"; Wget2 and aria2 end with 0 as well. lftp writes the page over the beginning of the half, and
#            HTTPie in its place: both end with 0, and when the session lives again they fetch what is missing behind
#            it. The file then has the right size, its first 65 octets are the login page, and that run ends with 0
#            too. Only curl refuses. At a 401 all six do.
# Seen (exit code and local file: after the run with the login page; after the next one, when the session lives again):
#            curl -C -           33 first half           0 whole
#            wget -c              0 first half           0 whole
#            wget2 -c             0 first half           0 whole
#            aria2c -c            0 first half           0 whole
#            lftp get -c          0 page over the half   0 right size, wrong content
#            http -d -c           0 page                 0 right size, wrong content
# Exits with 1 if that changes.
set -euo pipefail

for program in curl wget wget2 aria2c lftp; do
    command -v "$program" >/dev/null || { echo "this needs the program $program"; exit 2; }
done
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -qq --disable-pip-version-check httpie==3.2.4
cd "$folder"
export HOME=$folder

cat > resume.py <<'PYTHON'
import http.server, pathlib, shutil, subprocess, sys, threading

FILE = bytes(range(256)) * 400
HALF = FILE[: len(FILE) // 2]
PAGE = b"<!DOCTYPE html><title>Log in</title><form method=post>...</form>\n"
session = "lives"


class Server(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        start = int((self.headers["Range"] or "bytes=0-")[6:].split("-")[0])
        if session == "401":
            self.answer(401, b"expired", {"WWW-Authenticate": 'Bearer realm="files", error="invalid_token"'})
        elif session == "page":
            self.answer(200, PAGE, {"Content-Type": "text/html"})
        else:
            fields = {"ETag": '"v1"', "Accept-Ranges": "bytes", "Last-Modified": "Mon, 02 Nov 2026 08:00:00 GMT"}
            if self.headers["Range"]:
                fields["Content-Range"] = f"bytes {start}-{len(FILE) - 1}/{len(FILE)}"
            self.answer(206 if self.headers["Range"] else 200, FILE[start:], fields)

    def answer(self, status, content, fields):
        self.send_response(status)
        for name, value in fields.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content)

    do_HEAD = do_GET

    def log_message(self, *_):
        pass


class Quiet(http.server.ThreadingHTTPServer):
    def handle_error(self, *_):
        pass  # a client that has read enough closes


server = Quiet(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
url = f"http://127.0.0.1:{server.server_port}/data.bin"
work = pathlib.Path("work")
local = work / "data.bin"
http_command = str(pathlib.Path("venv/bin/http").absolute())
STATES = {
    "first half": HALF,
    "whole": FILE,
    "page": PAGE,
    "page over the half": PAGE + HALF[len(PAGE) :],
    "right size, wrong content": PAGE + FILE[len(PAGE) :],
}
CLIENTS = {
    "curl -C -": (["curl", "-sS", "-C", "-", "-O", url], "33 first half", "0 whole"),
    "wget -c": (["wget", "-q", "-c", url], "0 first half", "0 whole"),
    "wget2 -c": (["wget2", "-q", "-c", url], "0 first half", "0 whole"),
    "aria2c -c": (["aria2c", "-q", "-c", url], "0 first half", "0 whole"),
    "lftp get -c": (["lftp", "-c", f"get -c {url}"], "0 page over the half", "0 right size, wrong content"),
    "http -d -c": (
        [http_command, "--ignore-stdin", "-d", "-c", "-o", "data.bin", url],
        "0 page",
        "0 right size, wrong content",
    ),
}


def run(command):
    done = subprocess.run(command, cwd=work, capture_output=True, stdin=subprocess.DEVNULL)
    content = local.read_bytes()
    return f"{done.returncode} {next((name for name, state in STATES.items() if state == content), 'else')}"


as_expected = True
for name, (command, at_the_page, afterwards) in CLIENTS.items():
    seen = []
    for session in ("401", "page", "lives"):
        if session != "lives":
            shutil.rmtree(work, ignore_errors=True)
            work.mkdir()
            local.write_bytes(HALF)
        seen.append(run(command))
    code, _, kept = seen[0].partition(" ")
    as_expected &= seen[1:] == [at_the_page, afterwards] and code != "0" and kept == "first half"
    print(f"{name:18} {seen[1].rjust(2 + len(seen[1].partition(' ')[2]) + 1):24} {seen[2]}")
sys.exit(not as_expected)
PYTHON

for program in curl wget wget2 aria2c lftp; do "$program" --version | sed -n 1p; done
"$folder/venv/bin/python" resume.py
