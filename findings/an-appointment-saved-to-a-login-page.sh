#!/usr/bin/env bash
# A session dies, the server shows its login page: caldav saves an appointment to it, webdavclient3 finds an empty folder and makes new ones.
#
# Versions:  caldav 3.6.0 (on niquests 3.21.2), webdavclient3 3.14.7, webdav4 0.11.0 (PyPI). Python 3.11.
# Behaviour: WebDAV says with the status what was done: 201 for a new file or folder, 204 for a deleted one, 207 with a list. Behind
#            a redirect to a login page a PUT, MKCOL or DELETE becomes a GET, and ends in a 200. caldav's save_event() takes
#            that for a saved appointment, webdavclient3 for a file that was stored, a folder that was made, a file that was
#            deleted; and it reads a folder that is empty out of the page's HTML, and a check() for any name says that it is
#            there. caldav reads no appointments out of it, but an AttributeError of its own. webdav4 follows no redirect of
#            a write, and wants a 207 for a list; a login page with 200 it takes for a stored file too. After a 401 all
#            raise an error. caldav's says of `Bearer … error="invalid_token"` that the server offers neither basic, digest nor
#            bearer, where it was given a password.
# Seen (! for an error):
#                                         401   redirect   login page
#            caldav save_event()           !     Event      Event
#            caldav events()               !     !          !
#            webdavclient3 check()         !     True       True
#            webdavclient3 list()          !     []         []
#            webdavclient3 mkdir()         !     True       True
#            webdavclient3 upload_sync()   !     None       None
#            webdavclient3 clean()         !     None       None
#            webdav4 ls()                  !     !          !
#            webdav4 upload_file()         !     !          None
#            webdav4 remove()              !     !          None
# Exits with 1 if that changes.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -qq --disable-pip-version-check \
    caldav==3.6.0 niquests==3.21.2 webdavclient3==3.14.7 webdav4==0.11.0
cd "$folder"
echo tea > orders.csv

cat > try.py <<'PYTHON'
import contextlib, http.server, io, logging, sys, threading, warnings

import caldav, webdav3.client, webdav4.client

warnings.simplefilter("ignore")
logging.disable()
LOGIN = b"<!DOCTYPE html><title>Log in</title><form method=post action=/login><input name=user><input name=password></form>"
APPOINTMENT = "\r\n".join((
    "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:shop", "BEGIN:VEVENT", "UID:1", "DTSTAMP:20261129T000000Z",
    "DTSTART:20261130T090000Z", "SUMMARY:Tea", "END:VEVENT", "END:VCALENDAR", "",
))
mode = "401"


class Server(http.server.BaseHTTPRequestHandler):
    """A server whose session has died."""

    protocol_version = "HTTP/1.1"

    def answer(self):
        self.rfile.read(int(self.headers["Content-Length"] or 0))
        content, fields = b"", {}
        if mode == "401":
            status, fields = 401, {"WWW-Authenticate": 'Bearer realm="files", error="invalid_token"'}
        elif mode == "redirect" and self.path != "/login":
            status, fields = 302, {"Location": "/login"}
        else:
            status, content, fields = 200, LOGIN, {"Content-Type": "text/html"}
        self.send_response(status)
        for name, value in fields.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, *_):
        pass


for method in "GET HEAD POST PUT DELETE OPTIONS PROPFIND REPORT MKCOL".split():
    setattr(Server, f"do_{method}", Server.answer)
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
url = f"http://127.0.0.1:{server.server_port}"
calendar = caldav.Calendar(client=caldav.DAVClient(url=f"{url}/dav/", username="ada", password="s3cret"), url=f"{url}/dav/orders/")
three = webdav3.client.Client({"webdav_hostname": url, "webdav_token": "t"})
four = webdav4.client.Client(url, headers={"Authorization": "Bearer t"})
CASES = {
    "caldav save_event()": (lambda: type(calendar.save_event(APPOINTMENT)).__name__, "Event", "Event"),
    "caldav events()": (calendar.events, "!", "!"),
    "webdavclient3 check()": (lambda: three.check("orders/"), "True", "True"),
    "webdavclient3 list()": (lambda: three.list("orders/"), "[]", "[]"),
    "webdavclient3 mkdir()": (lambda: three.mkdir("new"), "True", "True"),
    "webdavclient3 upload_sync()": (lambda: three.upload_sync("orders/orders.csv", "orders.csv"), "None", "None"),
    "webdavclient3 clean()": (lambda: three.clean("orders/orders.csv"), "None", "None"),
    "webdav4 ls()": (lambda: four.ls("orders"), "!", "!"),
    "webdav4 upload_file()": (lambda: four.upload_file("orders.csv", "orders/orders.csv", overwrite=True), "!", "None"),
    "webdav4 remove()": (lambda: four.remove("orders/orders.csv"), "!", "None"),
}
as_expected = True
for name, (call, *expected) in CASES.items():
    seen = []
    for mode in ("401", "redirect", "page"):
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                seen.append(str(call()))
        except Exception:
            seen.append("!")
    as_expected &= seen == ["!", *expected]
    print(f"{name:29} {seen[0]:5} {seen[1]:10} {seen[2]}", flush=True)
sys.exit(not as_expected)
PYTHON

"$folder/venv/bin/python" try.py
