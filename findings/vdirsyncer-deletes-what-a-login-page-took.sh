#!/usr/bin/env bash
# vdirsyncer uploads an appointment to a login page, reports success, and at the next run, with a living session, deletes the user's own copy.
#
# Versions:  vdirsyncer 0.21.0 (PyPI, Python 3.11).
# Behaviour: a folder and a CalDAV calendar with three appointments are in step. The user adds one, changes one or deletes one.
#            Then the session dies between the listing and the request that carries the change out, and the server answers that
#            request with its login page and 200. vdirsyncer takes any 2xx for success, ends with 0, and notes that both sides
#            are in step. At the next run the new appointment is missing on the server. To vdirsyncer somebody deleted it there, so
#            it deletes the user's copy, the only one, and ends with 0. A deleted appointment comes back in the same way, and a changed
#            one stays as it was on the server, however often vdirsyncer runs. After a 401, or a redirect to the login page,
#            vdirsyncer ends with 1, and the next run catches up.
# Seen (exit codes of the run in which the session dies and of the next two; what is in the folder and in the calendar then):
#            add     401         1 0 0  folder: tea ink pen nib  calendar: tea ink pen nib
#            add     redirect    1 0 0  folder: tea ink pen nib  calendar: tea ink pen nib
#            add     login page  0 0 0  folder: tea ink pen      calendar: tea ink pen
#            change  401         1 0 0  folder: TEA ink pen      calendar: TEA ink pen
#            change  redirect    1 0 0  folder: TEA ink pen      calendar: TEA ink pen
#            change  login page  0 0 0  folder: TEA ink pen      calendar: tea ink pen
#            delete  401         1 0 0  folder: ink pen          calendar: ink pen
#            delete  redirect    1 0 0  folder: ink pen          calendar: ink pen
#            delete  login page  0 0 0  folder: tea ink pen      calendar: tea ink pen
# Exits with 1 if that changes.
set -euo pipefail

script=$(realpath "$0")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -qq --disable-pip-version-check vdirsyncer==0.21.0
cd "$folder"
export HOME=$folder

cat > try.py <<'PYTHON'
import hashlib, http.server, pathlib, re, shutil, subprocess, sys, threading

LOGIN = b"<!DOCTYPE html><title>Log in</title><form method=post action=/login><input name=user><input name=password></form>"
NAMES = ["tea", "ink", "pen", "nib"]
calendar, session = {}, "alive"


def appointment(name, summary):
    event = f"BEGIN:VEVENT\r\nUID:{name}\r\nDTSTAMP:20261101T080000Z\r\nDTSTART:20261102T080000Z\r\nSUMMARY:{summary}\r\nEND:VEVENT\r\n"
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//shop//EN\r\n{event}END:VCALENDAR\r\n"


def etag(content):
    return f'"{hashlib.sha256(content.encode()).hexdigest()}"'


class CalDAV(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def read(self):
        return self.rfile.read(int(self.headers["Content-Length"] or 0)).decode()

    def do_PROPFIND(self):
        self.read()
        whole = "<d:resourcetype><d:collection/><c:calendar/></d:resourcetype>"
        self.multistatus(self.entry("/cal/", whole) + "".join(self.entry(path, self.properties(path)) for path in calendar))

    def do_REPORT(self):
        wanted = re.findall("href>([^<]+[.]ics)<", self.read())
        entries = (self.properties(path) + f"<c:calendar-data>{calendar[path]}</c:calendar-data>" for path in wanted)
        self.multistatus("".join(map(self.entry, wanted, entries)))

    def do_PUT(self):
        content = self.read()
        if self.refused():
            return
        calendar[self.path] = content
        self.answer(201, b"", {"ETag": etag(content)})

    def do_DELETE(self):
        if self.refused():
            return
        del calendar[self.path]
        self.answer(204, b"", {})

    def do_GET(self):
        self.answer(200, LOGIN, {"Content-Type": "text/html"})

    def refused(self):
        if session == "401":
            self.answer(401, b"", {"WWW-Authenticate": 'Session realm="calendar", error="session_expired"'})
        elif session == "redirect":
            self.answer(302, b"", {"Location": "/login"})
        elif session == "login page":
            self.answer(200, LOGIN, {"Content-Type": "text/html"})
        return session != "alive"

    def properties(self, path):
        kind = "<d:getcontenttype>text/calendar; component=vevent</d:getcontenttype>"
        return f"<d:resourcetype/>{kind}<d:getetag>{etag(calendar[path])}</d:getetag>"

    def entry(self, path, properties):
        status = "<d:status>HTTP/1.1 200 OK</d:status>"
        return f"<d:response><d:href>{path}</d:href><d:propstat><d:prop>{properties}</d:prop>{status}</d:propstat></d:response>"

    def multistatus(self, entries):
        names = 'xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav"'
        self.answer(207, f'<?xml version="1.0"?><d:multistatus {names}>{entries}</d:multistatus>'.encode(), {"Content-Type": "application/xml"})

    def answer(self, status, content, fields):
        self.send_response(status)
        for name, value in fields.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), CalDAV)
threading.Thread(target=server.serve_forever, daemon=True).start()
work = pathlib.Path("work").absolute()
CONFIG = f"""
[general]
status_path = "{work}/status"
[pair shop]
a = "folder"
b = "calendar"
collections = null
[storage folder]
type = "filesystem"
path = "{work}/folder"
fileext = ".ics"
[storage calendar]
type = "caldav"
url = "http://127.0.0.1:{server.server_port}/cal/"
username = "ada"
password = "s3cret"
"""


def run(command):
    done = subprocess.run(["venv/bin/vdirsyncer", "-c", work / "config", command], capture_output=True, text=True, input="y\n")
    if "-v" in sys.argv:
        print(done.stdout, done.stderr)
    return str(done.returncode)


def file_of(name):
    return next(path for path in (work / "folder").iterdir() if f"UID:{name}" in path.read_text())


def add():
    (work / "folder/nib.ics").write_text(appointment("nib", "nib"), newline="")


def change():
    file_of("tea").write_text(appointment("tea", "TEA"), newline="")


def delete():
    file_of("tea").unlink()


def summaries(contents):
    found = [re.search("SUMMARY:([a-zA-Z]+)", content)[1] for content in contents]
    return " ".join(sorted(found, key=lambda summary: NAMES.index(summary.lower())))


wanted = [line[1:].strip() for line in pathlib.Path(sys.argv[1]).read_text().splitlines() if line.startswith("#   ")]
as_expected = True
(work / "folder").mkdir(parents=True)
(work / "config").write_text(CONFIG)
in_step = {f"/cal/{name}.ics": appointment(name, name) for name in NAMES[:3]}
calendar = dict(in_step)
if run("discover") + run("sync") != "00":
    sys.exit("the first run failed")
work.rename("in-step")
for changing in (add, change, delete):
    for dies in ("401", "redirect", "login page"):
        shutil.rmtree(work, ignore_errors=True)
        shutil.copytree("in-step", work)
        calendar = dict(in_step)
        changing()
        session = dies
        codes = run("sync")
        session = "alive"
        codes += f" {run('sync')} {run('sync')}"
        folder = summaries(path.read_bytes().decode() for path in (work / "folder").iterdir())
        line = f"{changing.__name__:7} {dies:11} {codes}  folder: {folder:16} calendar: {summaries(calendar.values())}"
        as_expected &= line in wanted
        print(line, flush=True)
sys.exit(not as_expected)
PYTHON

"$folder/venv/bin/python" try.py "$script" "$@"
