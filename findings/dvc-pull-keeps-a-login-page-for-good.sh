#!/usr/bin/env bash
# `dvc pull` behind a login page: the page is the data from then on. No later pull mends it, and a push spreads it.
#
# Versions:  DVC 3.67.1 with dvc-http 2.32.0, fsspec 2026.9.0, aiohttp 3.14.5 (PyPI); git. Python 3.11.
# Behaviour: DVC names content by its digest, and does not compute that of what it gets from a remote, unless the remote has
#            `verify = true` (it is false by default). A session dies, a redirect leads to a login page with 200: `dvc pull` says
#            "1 file fetched and 1 file added", ends with 0, and has put the page in the cache under the digest of the data. After
#            the login `dvc pull --force` says "Everything is up to date.", `dvc status` too, and orders.csv is still the page.
#            `dvc push` to a second remote stores the page there under that digest, for everybody. With verify = true the
#            pull fails, and one after the login is right. A 401 does no harm.
# Seen (exit code of each command, and what orders.csv is in the end):
#            401                     pull 1                    then pull --force 0   the data
#            page                    pull 0                    then pull --force 0   the login page   (push: stored as the data)
#            page, verify = true     pull 1                    then pull --force 0   the data
# Exits with 1 if that changes.
set -euo pipefail

command -v git >/dev/null || { echo "this needs the program git"; exit 2; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -qq --disable-pip-version-check --no-compile \
    dvc==3.67.1 dvc-http==2.32.0 fsspec==2026.9.0 aiohttp==3.14.5 2>/dev/null
cd "$folder"
export HOME=$folder PATH=$folder/venv/bin:$PATH DVC_NO_ANALYTICS=1 GIT_CONFIG_NOSYSTEM=1

cat > try.py <<'PYTHON'
import http.server, multiprocessing, os, pathlib, shutil, subprocess, sys, threading

import dvc.cli, dvc.commands.add, dvc.commands.data_sync, dvc.commands.init, dvc.data_cloud, dvc.repo, dvc_http, git

LOGIN = b"<!DOCTYPE html><title>Log in</title><form method=post action=/login><input name=user><input name=password></form>"
session, stored = "lives", {}


class Remote(http.server.BaseHTTPRequestHandler):
    """Two remotes, /one and /two; the session for the first may have died."""

    def do_GET(self):
        if self.path == "/login":
            self.answer(200, LOGIN, {"Content-Type": "text/html"})
        elif session == "401" and self.path.startswith("/one"):
            self.answer(401, b"", {"WWW-Authenticate": 'Bearer realm="files", error="invalid_token"'})
        elif session == "page" and self.path.startswith("/one"):
            self.answer(302, b"", {"Location": "/login"})
        elif self.path in stored:
            self.answer(200, stored[self.path], {})
        else:
            self.answer(404, b"", {})

    def do_POST(self):
        content = b""
        while size := int(self.rfile.readline(), 16):
            content += self.rfile.read(size)
            self.rfile.readline()
        stored[self.path] = content
        self.answer(200, b"", {})

    def answer(self, status, content, fields):
        self.send_response(status)
        for name, value in fields.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        pass


def in_a_child(arguments):
    log = os.open("../log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(log, 1)
    os.dup2(log, 2)
    sys.exit(dvc.cli.main(arguments))


def run(*arguments, fails=False):
    """A dvc command, in a process of its own that need not load dvc: that would take most of the time."""
    child = multiprocessing.get_context("fork").Process(target=in_a_child, args=[list(arguments)])
    child.start()
    child.join()
    if child.exitcode and not fails:
        sys.exit(f"{arguments}: {pathlib.Path('../log').read_text()}")
    return child.exitcode


def configure(verify):
    one, two = f"""['remote "one"']\nurl = {url}/one\nverify = {verify}\n""", f"""['remote "two"']\nurl = {url}/two\n"""
    pathlib.Path(".dvc/config").write_text(f"[core]\nremote = one\nanalytics = false\n{one}{two}")


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Remote)
threading.Thread(target=server.serve_forever, daemon=True).start()
url, file = f"http://127.0.0.1:{server.server_port}", pathlib.Path("orders.csv")
subprocess.run(["git", "init", "-q", "."], check=True)
run("init", "-q")
configure(verify="false")
file.write_text("tea\nink\n")
run("add", "orders.csv")
run("push")
(path,) = stored
as_expected = stored[path] == b"tea\nink\n"
for name, dead, verify, expected in (
    ("401", "401", "false", (1, 0, "the data")),
    ("page", "page", "false", (0, 0, "the login page")),
    ("page, verify = true", "page", "true", (1, 0, "the data")),
):
    shutil.rmtree(".dvc/cache", ignore_errors=True)
    file.unlink(missing_ok=True)
    configure(verify)
    session = dead
    first = run("pull", fails=True)
    session = "lives"
    second = run("pull", "--force", fails=True)
    kept = {b"tea\nink\n": "the data", LOGIN: "the login page"}[file.read_bytes()]
    as_expected &= (first, second, kept) == expected
    spread = ""
    if kept == "the login page":
        as_expected &= run("status", fails=True) == 0 and run("push", "-r", "two", fails=True) == 0
        as_expected &= stored[path.replace("/one", "/two")] == LOGIN
        spread = "(push: stored as the data)"
    print(f"{name:23} pull {first}    then pull --force {second}   {kept:16} {spread}", flush=True)
sys.exit(not as_expected)
PYTHON

mkdir work && cd work
python ../try.py
