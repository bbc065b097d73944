#!/usr/bin/env bash
# A 401 is "No such file" to debuginfod, and stays so for ten minutes after the login; a login page is debug information for a week.
#
# Versions:  debuginfod-find and libdebuginfod 0.188 (elfutils, Debian 12), which gdb, perf, valgrind and systemd ask, too.
#            Needs debuginfod-find.
# Behaviour: the client takes each answer that is not a 200 for "there is none", and keeps an empty file for it: a 401 and a 503 as well
#            as a 404. For `cache_miss_s` (600 seconds) it asks no more, though the server would answer by now. It does not look at what a
#            200 brings, nor at where a redirect led: the login page is stored under the build-id, and handed out from then on
#            without a request, as long as it is used once in `max_unused_age_s` (a week). Nothing on standard error says 401.
# Seen (exit code, octets of the file, requests; with the dead session, then with a living one):
#            401           1     -  1     1     -  0
#            503           1     -  1     1     -  0
#            redirect      0   113  2     0   113  0
#            login page    0   113  1     0   113  0
#            alive         0  4096  1     0  4096  0
# Exits with 1 if that changes.
set -euo pipefail

command -v debuginfod-find >/dev/null || { echo "this needs the program debuginfod-find"; exit 2; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
export HOME=$folder

cat > find.py <<'PYTHON'
import http.server, os, pathlib, shutil, subprocess, sys, threading

LOGIN = b"<!DOCTYPE html><title>Log in</title><form method=post action=/login><input name=user><input name=password></form>"
session, asked = "alive", []


class Server(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        asked.append(self.path)
        if session == "401":
            self.answer(401, b"", {"WWW-Authenticate": 'Bearer realm="symbols", error="invalid_token"'})
        elif session == "503":
            self.answer(503, b"", {})
        elif session == "redirect" and self.path != "/login":
            self.answer(302, b"", {"Location": "/login"})
        elif session in ("redirect", "login page"):
            self.answer(200, LOGIN, {"Content-Type": "text/html"})
        else:
            self.answer(200, b"\x7fELF" + bytes(4092), {"Content-Type": "application/octet-stream"})

    def answer(self, status, content, fields):
        self.send_response(status)
        for name, value in fields.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
cache = pathlib.Path("cache").absolute()
environment = {
    "PATH": os.environ["PATH"],
    "DEBUGINFOD_URLS": f"http://127.0.0.1:{server.server_port}",
    "DEBUGINFOD_CACHE_PATH": str(cache),
}


def find():
    asked.clear()
    command = ["debuginfod-find", "debuginfo", "0123456789abcdef0123456789abcdef01234567"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60)
    size = pathlib.Path(done.stdout.strip()).stat().st_size if done.returncode == 0 else "-"
    if done.returncode and "Server query failed: No such file or directory" not in done.stderr:
        sys.exit(done.stderr)
    return done.returncode, size, len(asked)


print(subprocess.run(["debuginfod-find", "--version"], capture_output=True, text=True).stdout.splitlines()[0])
CASES = {
    "401": [(1, "-", 1), (1, "-", 0)],
    "503": [(1, "-", 1), (1, "-", 0)],
    "redirect": [(0, len(LOGIN), 2), (0, len(LOGIN), 0)],
    "login page": [(0, len(LOGIN), 1), (0, len(LOGIN), 0)],
    "alive": [(0, 4096, 1), (0, 4096, 0)],
}
as_expected = True
for name, expected in CASES.items():
    shutil.rmtree(cache, ignore_errors=True)
    session = name
    seen = [find()]
    session = "alive"
    seen.append(find())
    as_expected &= seen == expected
    print(f"{name:12}", *("{:2} {:>5} {:2}  ".format(*one) for one in seen), flush=True)
sys.exit(not as_expected)
PYTHON

python3 find.py
