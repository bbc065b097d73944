#!/usr/bin/env bash
# A session dies, the server shows its login page: `dvc push` stores nothing and says so of no file, and `dvc gc` deletes the only copies.
#
# Versions:  DVC 3.67.1 with dvc-http 2.32.0, fsspec 2026.9.0, aiohttp 3.14.5 (PyPI); git. Python 3.11.
# Behaviour: a remote over HTTP is asked for each file by its digest, and any answer below 400 means that the file is there. A
#            redirect to a login page ends in a 200, so everything is there: `dvc push` says "Everything is up to date."
#            and `dvc status --cloud` "in sync", both with 0, and not one byte has been sent. `dvc gc --not-in-remote`
#            is for making room: it removes from the cache what the remote has. It believes the login page too, and
#            removes versions that exist nowhere else. The content that stands under a digest is not looked at.
#            A 401 is safe in all three.
# Seen (exit code and last words; then files in the cache, of two versions, and on the server):
#            401   push     1  failed to push data to the cloud     2 versions, 0 stored
#            401   gc       0  nothing removed                      2 versions, 0 stored
#            page  push     0  Everything is up to date.            2 versions, 0 stored
#            page  status   0  are in sync.                         2 versions, 0 stored
#            page  gc       0  Removed                              0 versions, 0 stored
#            then the older version is checked out: "missing-files", exit code 1
# Exits with 1 if that changes.
set -euo pipefail

command -v git >/dev/null || { echo "this needs the program git"; exit 2; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -qq --disable-pip-version-check \
    dvc==3.67.1 dvc-http==2.32.0 fsspec==2026.9.0 aiohttp==3.14.5 2>/dev/null
cd "$folder"
export HOME=$folder PATH=$folder/venv/bin:$PATH DVC_NO_ANALYTICS=1 GIT_CONFIG_NOSYSTEM=1

cat > try.py <<'PYTHON'
import http.server, pathlib, subprocess, sys, threading

LOGIN = b"<!DOCTYPE html><title>Log in</title><form method=post action=/login><input name=user><input name=password></form>"
session, stored = "401", []


class Remote(http.server.BaseHTTPRequestHandler):
    """A server whose session has died; nobody logs in again."""

    def do_GET(self):
        if session == "401":
            self.answer(401, b"", {"WWW-Authenticate": 'Bearer realm="files", error="invalid_token"'})
        elif self.path == "/login":
            self.answer(200, LOGIN, {"Content-Type": "text/html"})
        else:
            self.answer(302, b"", {"Location": "/login"})

    def do_POST(self):
        if session != "401":
            stored.append(self.path)
        self.do_GET()

    do_PUT = do_POST

    def answer(self, status, content, fields):
        self.send_response(status)
        for name, value in fields.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        pass


def run(*command, fails=False):
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if done.returncode and not fails:
        sys.exit(f"{command}: {done.stdout}{done.stderr}")
    return done.returncode, " ".join((done.stdout + done.stderr).split())


def commit(content):
    pathlib.Path("orders.csv").write_text(content)
    run("dvc", "add", "orders.csv")
    run("git", "add", ".")
    run("git", "-c", "user.name=ada", "-c", "user.email=ada@shop.example", "commit", "-qm", content)


def versions():
    kept = [path.read_text() for path in pathlib.Path(".dvc/cache/files/md5").rglob("*") if path.is_file()]
    return len({"old", "new"} & set(kept))


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Remote)
threading.Thread(target=server.serve_forever, daemon=True).start()
run("git", "init", "-q", ".")
run("dvc", "init", "-q")
run("dvc", "remote", "add", "-d", "files", f"http://127.0.0.1:{server.server_port}/files")
commit("old")
commit("new")
GC = ("gc", "--all-commits", "--not-in-remote", "--force")
STEPS = [
    ("401", "push", ("push",), 1, "failed to push data to the cloud", 2),
    ("401", "gc", GC, 0, "", 2),
    ("page", "push", ("push",), 0, "Everything is up to date.", 2),
    ("page", "status", ("status", "--cloud"), 0, "are in sync.", 2),
    ("page", "gc", GC, 0, "Removed", 0),
]
as_expected = True
for session, name, command, code, words, left in STEPS:
    ended, said = run("dvc", *command, fails=True)
    as_expected &= (ended, versions(), len(stored)) == (code, left, 0) and words in said
    print(f"{session:5} {name:7} {ended}  {words if words in said else said:38} {versions()} versions, {len(stored)} stored", flush=True)
session = "401"
run("git", "checkout", "-q", "HEAD~1")
ended, said = run("dvc", "checkout", "--force", fails=True)
as_expected &= ended != 0 and "missing-files" in said
print(f"the older version: {ended} {said[-200:]}")
sys.exit(not as_expected)
PYTHON

mkdir work && cd work
python ../try.py
