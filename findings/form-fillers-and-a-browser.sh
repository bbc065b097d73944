#!/usr/bin/env bash
# Sixteen login forms, filled in by five Python libraries: at most twelve go out as a browser sends them.
#
# Versions:  MechanicalSoup 1.4.0, mechanize 0.4.10, Scrapy 2.19.0 (FormRequest.from_response), WebTest 3.0.7, lxml 6.1.3
#            (submit_form); the browser is Chromium 156.
# Behaviour: each form has a user, a password and one thing more. Each library fills in the two and submits. What arrives is
#            compared with what Chromium sent, wherever it stands. Four send a form with `formaction` elsewhere, mechanize
#            raises ValueError; all send what is in a disabled fieldset; all encode in UTF-8 what the form wants in
#            ISO-8859-1 (`accept-charset`). MechanicalSoup and WebTest choose the disabled "Choose" of a menu; mechanize,
#            Scrapy, WebTest and lxml send what is in a template; Scrapy and WebTest send a disabled control; Scrapy and lxml
#            send a multipart form urlencoded, and leave out a CSRF token that stands outside the form (`form=`); lxml presses
#            no button.
# Seen:      MechanicalSoup 11 of 16, not: formaction, disabled fieldset, select, text area, accept-charset
#            mechanize      12 of 16, not: formaction, disabled fieldset, template, accept-charset
#            Scrapy          7 of 16, not: formaction, disabled fieldset, disabled control, control elsewhere, template,
#                            text area, accept-charset, multipart, empty file
#            WebTest         9 of 16, not: formaction, disabled fieldset, disabled control, select, template, text area,
#                            accept-charset
#            lxml            6 of 16, not: two buttons, submit, formaction, disabled fieldset, control elsewhere, template,
#                            text area, accept-charset, multipart, empty file
# Exits with 1 if any of them sends another form differently.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -qq --disable-pip-version-check \
    mechanicalsoup==1.4.0 mechanize==0.4.10 scrapy==2.19.0 webtest==3.0.7 wsgiproxy2==0.5.1 lxml==6.1.3 requests==2.34.2

cat > "$folder/fill.py" <<'PYTHON'
import sys, threading
from email.parser import BytesParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import lxml.html, mechanicalsoup, mechanize, requests
from scrapy.http import FormRequest, HtmlResponse
from webtest import TestApp

URLENCODED, MULTIPART = "application/x-www-form-urlencoded", "multipart/form-data"
# What the form has beside user and password, its attributes, and what Chromium sends beside them.
FORMS = {
    "nothing more": ("", "", ""),
    "two buttons": ("<button name=go value=in>Log in</button><button name=go value=new>Register</button>", "", "go=in"),
    "submit": ("<input type=submit name=go value=in><input type=submit name=forgot value=1>", "", "go=in"),
    "formaction": ("<button formaction=/there>Log in</button>", "", ""),
    "disabled fieldset": ("<fieldset disabled><input type=hidden name=realm value=1></fieldset>", "", ""),
    "disabled control": ("<input name=otp disabled>", "", ""),
    "select": ("<select name=realm><option disabled>Choose</option><option>ldap</option></select>", "", "realm=ldap"),
    "checkbox": ("<input type=checkbox name=remember checked><input type=checkbox name=trust>", "", "remember=on"),
    "hidden and checkbox": (
        "<input type=hidden name=a value=0><input type=checkbox name=a value=1 checked>", "", "a=0&a=1",
    ),
    "control elsewhere": ("</form><input type=hidden form=login name=csrf value=t><form id=other>", "", "csrf=t"),
    "template": ("<template><input type=hidden name=ghost value=1></template>", "", ""),
    "text area": ("<textarea name=next>\n/home\n</textarea>", "", "next=%2Fhome%0D%0A"),
    "accept-charset": ("<input type=hidden name=city value=Köln>", "accept-charset=iso-8859-1", "city=K%F6ln"),
    "multipart": ("<input type=hidden name=csrf value=t>", f"enctype={MULTIPART}", "csrf=t"),
    "empty file": ("<input type=file name=key>", f"enctype={MULTIPART}", "key="),
    "entities": ("<input type=hidden name=csrf value='a&amp;b&quot;'>", "", "csrf=a%26b%22"),
}


class Site(BaseHTTPRequestHandler):
    sent = None

    def do_GET(self):
        more, attributes, _ = FORMS[self.path[1:].replace("-", " ").replace("accept charset", "accept-charset")]
        page = f"<!doctype html><meta charset=utf-8><form id=login method=post action=/in {attributes}>"
        page += f"<input name=user><input type=password name=password>{more}</form>"
        self.answer(200, page.encode())

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        kind = self.headers["Content-Type"]
        if kind.startswith(MULTIPART):
            parts = BytesParser().parsebytes(b"Content-Type: " + kind.encode() + b"\r\n\r\n" + body).get_payload()
            names = [part.get_param("name", header="content-disposition") for part in parts]
            fields = [f"{name}={part.get_payload(decode=True).decode()}" for name, part in zip(names, parts)]
        else:
            fields = body.decode().split("&")
        Site.sent = self.path, kind.partition(";")[0], sorted(fields)
        self.answer(200, b"<!doctype html><title>Hello</title>")

    def answer(self, status, page):
        self.send_response(status)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
threading.Thread(target=server.serve_forever, daemon=True).start()
origin = f"http://127.0.0.1:{server.server_port}"
http = requests.Session()
http.trust_env = False
ACCOUNT = {"user": "ada", "password": "pa55"}


def with_mechanicalsoup(url):
    browser = mechanicalsoup.StatefulBrowser(session=http)
    browser.open(url)
    browser.select_form("form#login")
    for name, value in ACCOUNT.items():
        browser[name] = value
    browser.submit_selected()


def with_mechanize(url):
    browser = mechanize.Browser()
    browser.set_handle_robots(False)
    browser.set_proxies({})
    browser.open(url)
    browser.select_form(nr=0)
    for name, value in ACCOUNT.items():
        browser[name] = value
    browser.submit()


def with_scrapy(url):
    page = HtmlResponse(url, body=http.get(url).content, encoding="utf-8")
    asked = FormRequest.from_response(page, formdata=ACCOUNT)
    kind = asked.headers["Content-Type"].decode()
    http.request(asked.method, asked.url, data=asked.body, headers={"Content-Type": kind})


def with_webtest(url):
    form = TestApp(origin).get(urlsplit(url).path).forms["login"]
    for name, value in ACCOUNT.items():
        form[name] = value
    buttons = [name for name, fields in form.fields.items() if name and type(fields[0]).__name__ == "Submit"]
    form.submit(buttons[0] if buttons else None)


def with_lxml(url):
    page = lxml.html.fromstring(http.get(url).content)
    page.make_links_absolute(url)
    form = page.get_element_by_id("login")
    form.fields.update(ACCOUNT)
    lxml.html.submit_form(form, open_http=lambda method, url, values: http.request(method, url, data=list(values)))


def expected(name):
    _, attributes, more = FORMS[name]
    fields = ["user=ada", "password=pa55", *filter(None, more.split("&"))]
    target = "/there" if name == "formaction" else "/in"
    return target, MULTIPART if MULTIPART in attributes else URLENCODED, sorted(fields)


SEEN = {
    "MechanicalSoup": "formaction, disabled fieldset, select, text area, accept-charset",
    "mechanize": "formaction, disabled fieldset, template, accept-charset",
    "Scrapy": "formaction, disabled fieldset, disabled control, control elsewhere, template, text area, accept-charset, "
    "multipart, empty file",
    "WebTest": "formaction, disabled fieldset, disabled control, select, template, text area, accept-charset",
    "lxml": "two buttons, submit, formaction, disabled fieldset, control elsewhere, template, text area, accept-charset, "
    "multipart, empty file",
}
FILL = dict(zip(SEEN, (with_mechanicalsoup, with_mechanize, with_scrapy, with_webtest, with_lxml)))
found = {}
for library, fill in FILL.items():
    differ = []
    for name in FORMS:
        Site.sent = None
        try:
            fill(f"{origin}/{name.replace(' ', '-')}")
        except ValueError:
            pass  # mechanize, of /there
        if Site.sent != expected(name):
            differ.append(name)
    found[library] = ", ".join(differ)
    print(f"{library:14} {len(FORMS) - len(differ):2} of {len(FORMS)}, not: {found[library]}")
sys.exit(found != SEEN)
PYTHON

"$folder/venv/bin/python" -W ignore "$folder/fill.py"
