#!/usr/bin/env bash
# Maven takes a login page for a POM once, and no build succeeds after that, with -U either, until somebody deletes the file.
#
# Versions:  Apache Maven 3.8.7 (Debian 12; it needs Java). Needs mvn.
# Behaviour: a repository behind a single sign-on shows its login page to a dead session, at once or behind a redirect. Maven asks for
#            parent-1.pom and for parent-1.pom.sha1, and gets the page for both. That the checksum is a page too is worth a
#            warning ("checksumPolicy" is "warn" by default), so the page becomes the parent in the local repository.
#            A release does not change, so Maven never asks for it again: after the login each build fails without a request, and -U,
#            "force updates of releases", changes nothing. The error names the file, but says "'modelVersion' is missing". With -C
#            (strict checksums) the page is not kept. After a 401 or 403 the next build asks again, and works.
# Seen (exit codes while the session is dead, after the login, and then with -U; requests after the login, both builds):
#            401                  1 0 0  2
#            403                  1 0 0  2
#            redirect to a page   1 1 1  0
#            login page           1 1 1  0
#            login page, with -C  1 0 0  2
# Exits with 1 if that changes.
set -euo pipefail

command -v mvn >/dev/null || { echo "this needs the program mvn"; exit 2; }
script=$(realpath "$0")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
export HOME=$folder

cat > try.py <<'PYTHON'
import hashlib, http.server, pathlib, shutil, subprocess, sys, threading

PAGE = b"<!DOCTYPE html><html><head><title>Log in</title></head><body><form method='post'><input name='user'/></form></body></html>"
ITSELF = "<groupId>com.example</groupId><artifactId>parent</artifactId><version>1</version>"
PARENT = f"<project><modelVersion>4.0.0</modelVersion>{ITSELF}<packaging>pom</packaging></project>".encode()
session, asked = "alive", []


class Repository(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        asked.append(self.path)
        if session in ("401", "403"):
            self.answer(int(session), b"", "WWW-Authenticate", 'Bearer realm="packages", error="invalid_token"')
        elif session == "redirect to a page" and self.path != "/login":
            self.answer(302, b"", "Location", "/login")
        elif session != "alive":
            self.answer(200, PAGE, "Content-Type", "text/html")
        elif self.path.endswith("/parent-1.pom"):
            self.answer(200, PARENT, "Content-Type", "text/xml")
        elif self.path.endswith("/parent-1.pom.sha1"):
            self.answer(200, hashlib.sha1(PARENT).hexdigest().encode(), "Content-Type", "text/plain")
        else:
            self.answer(404, b"", "Content-Type", "text/plain")

    def answer(self, status, content, name, value):
        self.send_response(status)
        self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Repository)
threading.Thread(target=server.serve_forever, daemon=True).start()
work = pathlib.Path("work").absolute()
url = f"http://127.0.0.1:{server.server_port}/maven"
PROJECT = (f"<project><modelVersion>4.0.0</modelVersion><parent>{ITSELF}</parent><artifactId>till</artifactId><packaging>pom</packaging>"
           f"<repositories><repository><id>ours</id><url>{url}</url></repository></repositories></project>")
SETTINGS = f"<settings><mirrors><mirror><id>ours</id><mirrorOf>*</mirrorOf><url>{url}</url></mirror></mirrors></settings>"


def build(*options):
    command = ["mvn", "-B", "-q", "-s", "settings.xml", f"-Dmaven.repo.local={work}/repository", *options, "validate"]
    done = subprocess.run(command, cwd=work, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=100)
    if "-v" in sys.argv:
        print(session, options, done.stdout[-600:])
    return str(done.returncode)


wanted = [line[1:].strip() for line in pathlib.Path(sys.argv[1]).read_text().splitlines() if line.startswith("#   ")]
as_expected = True
for dead, *options in (["401"], ["403"], ["redirect to a page"], ["login page"], ["login page", "-C"]):
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    (work / "pom.xml").write_text(PROJECT)
    (work / "settings.xml").write_text(SETTINGS)
    session = dead
    codes = [build(*options)]
    session = "alive"
    asked.clear()
    codes += [build(*options), build(*options, "-U")]
    line = f"{dead + (', with -C' if options else ''):20} {' '.join(codes)}  {len(asked)}"
    as_expected &= line in wanted
    print(line, flush=True)
sys.exit(not as_expected)
PYTHON

mvn -v | sed -n 1p
python3 try.py "$script" "$@"
