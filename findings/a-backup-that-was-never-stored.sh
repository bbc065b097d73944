#!/usr/bin/env bash
# A session dies during a backup: restic says "snapshot saved" and ends with 0, and the server has nothing of it.
#
# Versions:  restic 0.14.0, rclone v1.60.1-DEV, davix 0.8.4 (all of Debian 12), borgstore 0.7.0, which borg 2 stores through (PyPI).
#            Needs the first three.
# Behaviour: the session lives when the backup starts, so the repository can be opened, and dies before the first piece of data
#            is sent. From then on the server answers with a login page, at once or behind a redirect. restic takes each 200 for "stored":
#            the data, the index and the snapshot are gone, and so is the removal of its lock, so that `restic check` says "already locked".
#            After a redirect it even sends GET requests for the login page, and takes these for its uploads. borgstore and davix-put
#            do the same with one object. rclone asks the server what has arrived, and finds out. After a 401 the other three fail, and restic
#            repeats the removal of its lock for more than two minutes, then fails too ("-": this script ends it before).
# Seen (exit code and files that arrived; a redirect to a login page, a login page with 200, 401):
#            restic     0 0  0 0  - 0
#            borgstore  0 0  0 0  1 0
#            davix-put  0 0  0 0  255 0
#            rclone     4 0  4 0  1 0
# and restic's last line after each of the first two: "snapshot … saved"
# Exits with 1 if that changes.
set -euo pipefail

for program in restic rclone davix-put; do
    command -v "$program" >/dev/null || { echo "this needs the program $program"; exit 2; }
done
script=$(realpath "$0")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -qq --disable-pip-version-check borgstore==0.7.0 requests==2.34.2
cd "$folder"
export HOME=$folder RESTIC_PASSWORD=tea
mkdir photos
head -c 3000000 /dev/urandom > photos/1.jpg

cat > by_borgstore.py <<'PYTHON'
import sys

from borgstore.backends.rest import get_rest_backend

backend = get_rest_backend(sys.argv[1])
backend.open()
backend.store("photo", b"a photo")
PYTHON

cat > try.py <<'PYTHON'
import http.server, json, pathlib, subprocess, sys, threading, urllib.parse

LOGIN = b"<!DOCTYPE html><title>Log in</title><form method=post action=/login><input name=user><input name=password></form>"
kept, dies, dead, answers = {}, False, False, "200"


class Server(http.server.BaseHTTPRequestHandler):
    """Keeps files, for restic's REST protocol and for WebDAV; the session dies with the first file of a backup."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        global dead
        content, path = self.content(), urllib.parse.urlsplit(self.path).path
        sends = self.command in ("PUT", "POST") and (self.command == "PUT" or "/data/" in path or "/borg/" in path)
        dead = dead or (dies and sends and path != "/borg/")
        if path == "/login" or (dead and answers == "200"):
            self.answer(200, LOGIN, "Content-Type", "text/html")
        elif dead and answers == "302":
            self.answer(302, b"", "Location", "/login")
        elif dead:
            self.answer(401, b"", "WWW-Authenticate", 'Bearer realm="backup", error="invalid_token"')
        elif self.command in ("PUT", "POST", "MKCOL", "DELETE"):
            if self.command == "DELETE":
                kept.pop(path, None)
            elif not path.endswith("/"):
                kept[path] = content
            self.answer(201 if self.command in ("PUT", "MKCOL") else 200, b"")
        elif self.command == "PROPFIND":
            self.answer(404, b"")
        elif path.endswith("/"):
            files = [{"name": name.removeprefix(path), "size": len(kept[name])} for name in kept if name.startswith(path)]
            self.answer(200, json.dumps(files).encode(), "Content-Type", "application/vnd.x.restic.rest.v2")
        elif path not in kept:
            self.answer(404, b"")
        elif asked := self.headers["Range"]:
            first, _, last = asked.removeprefix("bytes=").partition("-")
            part = kept[path][int(first) : int(last) + 1 if last else None]
            self.answer(206, part, "Content-Range", f"bytes {first}-{int(first) + len(part) - 1}/{len(kept[path])}")
        else:
            self.answer(200, kept[path])

    do_HEAD = do_POST = do_PUT = do_DELETE = do_MKCOL = do_PROPFIND = do_GET

    def content(self):
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            return self.rfile.read(int(self.headers["Content-Length"] or 0))
        parts = []
        while size := int(self.rfile.readline(), 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def answer(self, status, content, *field):
        self.send_response(status)
        if field:
            self.send_header(*field)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
url = f"http://127.0.0.1:{server.server_port}"
RESTIC = ["restic", "--no-cache", "-r", f"rest:{url}/repository/"]
TOOLS = {
    "restic": [*RESTIC, "backup", "photos"],
    "borgstore": ["venv/bin/python", "by_borgstore.py", f"{url}/borg"],
    "davix-put": ["davix-put", "photos/1.jpg", f"{url}/photos/1.jpg"],
    "rclone": ["rclone", "copy", "photos", ":webdav:/photos", "--webdav-url", url, "--retries", "1"],
}


def run(command):
    """The program's exit code and its output, within 20 seconds: restic tries long to remove its lock."""
    running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True)
    stop = threading.Timer(20, running.terminate)
    stop.start()
    output = running.communicate()[0]
    stop.cancel()
    return "-" if running.returncode < 0 else str(running.returncode), output


def back_up(tool):
    """Its exit code, and how many files have arrived, locks apart."""
    global dies, dead
    kept.clear()
    dies = dead = False
    if tool == "restic":
        run([*RESTIC, "init"])
        code, output = run(TOOLS[tool])
        assert code == "0" and "saved" in output, output
    before = set(kept)
    dies = True
    pathlib.Path("photos/1.jpg").write_bytes(pathlib.Path("photos/1.jpg").read_bytes()[::-1])
    code, output = run(TOOLS[tool])
    if "-v" in sys.argv:
        print(output[-900:])
    if tool == "restic" and (answers != "401") != ("saved" in output):
        sys.exit(f"restic says something else: {output[-900:]}")
    return f"{code} {sum('/locks/' not in name for name in set(kept) - before)}"


wanted = [line.removeprefix("#").strip() for line in pathlib.Path(sys.argv[1]).read_text().splitlines() if line.startswith("#   ")]
as_expected = True
for tool in TOOLS:
    seen = []
    for answers in ("302", "200", "401"):
        seen.append(back_up(tool))
    line = f"{tool:10} " + "  ".join(seen)
    as_expected &= line in wanted
    print(line, flush=True)
sys.exit(not as_expected)
PYTHON

restic version; rclone version | sed -n 1p; davix-put --version | sed -n 1p
"$folder/venv/bin/python" try.py "$script" "$@"
