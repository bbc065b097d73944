#!/usr/bin/env bash
# `git annex move` to a WebDAV server that answers with its login page: git-annex says "ok", deletes the only copy, and ends with 0.
#
# Versions:  git-annex 10.20230126 (Debian 12; DAV 1.3.4), git 2.39.5. Needs git-annex.
# Behaviour: git-annex deletes a file only when it has made sure that another copy exists. With a WebDAV remote it asks by
#            PROPFIND, and takes any 2xx for "it is there". A login page with 200 is such an answer. So `move` sends nothing
#            at all, deletes the file, and says "ok"; `copy` says "ok" as well, and `drop`, which asks the remote again, deletes
#            the file too. If only the upload meets the page, directly or through a redirect, the result is the same, although the
#            session lives for all the other requests. After a 401 every command fails, and the file stays.
# Seen (exit codes; then, when the session lives again, where the file is):
#            move            alive                   0    in the remote
#            move            401                     1    here
#            move            login page              0    nowhere
#            move            upload: 401             1    here
#            move            upload: login page      0    nowhere
#            move            upload: redirect to it  0    nowhere
#            copy, then drop alive                   0 0  in the remote
#            copy, then drop 401                     1 1  here
#            copy, then drop login page              0 0  nowhere
# Exits with 1 if that changes.
set -euo pipefail

command -v git-annex > /dev/null || { echo "this needs the program git-annex"; exit 2; }
script=$(realpath "$0")
folder=$(mktemp -d)
trap 'chmod -R u+w "$folder"; rm -rf "$folder"' EXIT
cd "$folder"
export HOME=$folder WEBDAV_USERNAME=ada WEBDAV_PASSWORD=s3cret GIT_AUTHOR_NAME=Ada GIT_AUTHOR_EMAIL=ada@example.com \
    GIT_COMMITTER_NAME=Ada GIT_COMMITTER_EMAIL=ada@example.com

cat > try.py <<'PYTHON'
import http.server, pathlib, subprocess, sys, threading

LOGIN = b"<!DOCTYPE html><title>Log in</title><form method=post action=/login><input name=user><input name=password></form>"
CONTENT = b"tea\n"
files, session, only_uploads = {}, "alive", False


class WebDAV(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def handle_request(self):
        content = self.read()
        path = self.path.strip("/")
        if path == "login":
            return self.answer(200, LOGIN)
        if session != "alive" and (self.command == "PUT" or not only_uploads):
            return self.refuse()
        if self.command == "PUT":
            files[path] = content
            self.answer(201)
        elif self.command == "MKCOL":
            self.answer(405 if path in files else 201)
            files.setdefault(path, None)
        elif self.command == "DELETE":
            self.take(path)
            self.answer(204)
        elif self.command == "MOVE":
            target = self.headers["Destination"].split("/", 3)[3].strip("/")
            files.update({target + name[len(path) :]: moved for name, moved in self.take(path)})
            self.answer(201)
        elif path not in files:
            self.answer(404)
        elif self.command == "PROPFIND":
            size = f"<D:getcontentlength>{len(files[path] or b'')}</D:getcontentlength>"
            found = f"<D:href>/{path}</D:href><D:propstat><D:prop>{size}</D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat>"
            self.answer(207, f'<D:multistatus xmlns:D="DAV:"><D:response>{found}</D:response></D:multistatus>'.encode())
        else:
            self.answer(200, files[path])

    do_GET = do_PUT = do_MKCOL = do_DELETE = do_MOVE = do_PROPFIND = do_HEAD = handle_request

    def read(self):
        if self.headers["Transfer-Encoding"] != "chunked":
            return self.rfile.read(int(self.headers["Content-Length"] or 0))
        content = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            content += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return content

    def take(self, path):
        return [(name, files.pop(name)) for name in list(files) if name == path or name.startswith(f"{path}/")]

    def refuse(self):
        if session == "401":
            self.answer(401, b"", {"WWW-Authenticate": 'Session realm="files", error="session_expired"'})
        elif session == "redirect":
            self.answer(302, b"", {"Location": "/login"})
        else:
            self.answer(200, LOGIN, {"Content-Type": "text/html"})

    def answer(self, status, content=b"", fields={}):
        self.send_response(status)
        for name, value in fields.items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), WebDAV)
threading.Thread(target=server.serve_forever, daemon=True).start()
url = f"url=http://127.0.0.1:{server.server_port}/annex/"


def run(*command):
    done = subprocess.run(command, cwd=work, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if "-v" in sys.argv:
        print(command, done.stdout[-300:], done.stderr[-300:])
    return done.returncode


MOVE = [["move", "--to=dav"]]
COPY_AND_DROP = [["copy", "--to=dav"], ["drop"]]
CASES = [
    ("move", "alive", MOVE, "alive", False),
    ("move", "401", MOVE, "401", False),
    ("move", "login page", MOVE, "login page", False),
    ("move", "upload: 401", MOVE, "401", True),
    ("move", "upload: login page", MOVE, "login page", True),
    ("move", "upload: redirect to it", MOVE, "redirect", True),
    ("copy, then drop", "alive", COPY_AND_DROP, "alive", False),
    ("copy, then drop", "401", COPY_AND_DROP, "401", False),
    ("copy, then drop", "login page", COPY_AND_DROP, "login page", False),
]
wanted = [line[1:].strip() for line in pathlib.Path(sys.argv[1]).read_text().splitlines() if line.startswith("#   ")]
as_expected = True
for number, (name, case, commands, dies, only_uploads) in enumerate(CASES):
    work = pathlib.Path(f"work{number}")
    work.mkdir()
    session = "alive"
    files.clear()
    (work / "tea.txt").write_bytes(CONTENT)
    made = [
        run("git", "init", "-q"),
        run("git", "annex", "init", "here"),
        run("git", "annex", "initremote", "dav", "type=webdav", url, "encryption=none"),
        run("git", "annex", "add", "tea.txt"),
    ]
    if any(made):
        sys.exit("the repository could not be made")
    session = dies
    codes = " ".join(str(run("git", "annex", *command, "tea.txt")) for command in commands)
    session = "alive"
    here = "here" if (work / "tea.txt").exists() else "nowhere"
    place = "in the remote" if CONTENT in files.values() and here == "nowhere" else here
    line = f"{name:15} {case:23} {codes:4} {place}"
    as_expected &= line in wanted
    print(line, flush=True)
sys.exit(not as_expected)
PYTHON

git annex version | sed -n 1p
python3 try.py "$script" "$@"
