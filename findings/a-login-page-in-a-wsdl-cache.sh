#!/usr/bin/env bash
# One login page while a SOAP client starts, and zeep cannot start for an hour, whoever logs in; suds for as long as the process lives.
#
# Versions:  zeep 4.3.3 with its SqliteCache and InMemoryCache, suds-community 1.2.0 as it is. Python 3.11.
# Behaviour: a SOAP client first reads the WSDL, and can keep it for the next start. zeep keeps the answer before it looks at it:
#            any 200 will do, and stays in a file for an hour (SqliteCache, as in its manual) or in the process for good, for
#            all clients (InMemoryCache). suds, as it is, keeps what it could parse for a day, or until the process ends: a
#            page of HTML 5 fails and is not kept, a page of XHTML is. The errors at each start thereafter speak of the
#            document, and no request is sent. A 401 is kept by none of them (suds cannot read this one's challenge).
# Seen (the start with the dead session, then the next one with a living session, and the requests that it sent):
#            zeep, SqliteCache     HTML 5   XMLSyntaxError      XMLSyntaxError   0
#            zeep, SqliteCache     XHTML    ValueError          ValueError       0
#            zeep, SqliteCache     401      HTTPError           starts           1
#            zeep, InMemoryCache   HTML 5   XMLSyntaxError      XMLSyntaxError   0
#            suds                  HTML 5   SAXParseException   starts           1
#            suds                  XHTML    IndexError          IndexError       0
#            suds                  401      ValueError          starts           1
# Exits with 1 if that changes.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -qq --disable-pip-version-check zeep==4.3.3 suds-community==1.2.0
cd "$folder"
mkdir tmp
export HOME=$folder TMPDIR=$folder/tmp

cat > start.py <<'PYTHON'
"""start.py CLIENT URL MODE…: start a client in this process, once for each mode of the server."""
import sys, urllib.request

import suds.client, zeep
from zeep.cache import InMemoryCache, SqliteCache

kind, url, *then = sys.argv[1:]


def start():
    if kind == "suds":
        return suds.client.Client(url).wsdl.services[0].ports[0].methods
    cache = SqliteCache(path="wsdl.db") if kind == "zeep, SqliteCache" else InMemoryCache()
    return zeep.Client(url, transport=zeep.Transport(cache=cache)).service.Ask


for mode in then:
    urllib.request.urlopen(f"{url.rpartition('/')[0]}/mode/{mode}").read()
    try:
        start()
        print("starts")
    except Exception as error:
        print(type(error).__name__)
PYTHON

cat > try.py <<'PYTHON'
import http.server, subprocess, sys, threading

WSDL = """<?xml version="1.0"?>
<wsdl:definitions xmlns:wsdl="http://schemas.xmlsoap.org/wsdl/" xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/"
 xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:shop="urn:shop" targetNamespace="urn:shop">
<wsdl:types><xsd:schema targetNamespace="urn:shop">
 <xsd:element name="question" type="xsd:string"/><xsd:element name="answer" type="xsd:string"/></xsd:schema></wsdl:types>
<wsdl:message name="in"><wsdl:part name="p" element="shop:question"/></wsdl:message>
<wsdl:message name="out"><wsdl:part name="p" element="shop:answer"/></wsdl:message>
<wsdl:portType name="Shop"><wsdl:operation name="Ask">
 <wsdl:input message="shop:in"/><wsdl:output message="shop:out"/></wsdl:operation></wsdl:portType>
<wsdl:binding name="Soap" type="shop:Shop"><soap:binding style="document" transport="http://schemas.xmlsoap.org/soap/http"/>
 <wsdl:operation name="Ask"><soap:operation soapAction="ask"/>
 <wsdl:input><soap:body use="literal"/></wsdl:input><wsdl:output><soap:body use="literal"/></wsdl:output></wsdl:operation></wsdl:binding>
<wsdl:service name="Orders"><wsdl:port name="Port" binding="shop:Soap">
 <soap:address location="http://shop.example/"/></wsdl:port></wsdl:service>
</wsdl:definitions>"""
PAGES = {
    "lives": WSDL,
    "HTML 5": "<!DOCTYPE html><title>Log in</title><form method=post action=/login><input name=user></form>",
    "XHTML": '<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"><head><title>Log in</title></head>'
    '<body><form method="post" action="/login"><p><input name="user"/></p></form></body></html>',
}
mode, asked = "lives", 0


class Service(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        global mode, asked
        if "/mode/" in self.path:
            mode, asked = self.path.rpartition("/")[2].replace("+", " "), 0
            self.send_response(204)
            return self.end_headers()
        asked += 1
        self.send_response(401 if mode == "401" else 200)
        if mode == "401":
            self.send_header("WWW-Authenticate", 'Bearer realm="shop", error="invalid_token"')
        content = PAGES.get(mode, "").encode()
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Service)
threading.Thread(target=server.serve_forever, daemon=True).start()


def start(kind, number, *modes):
    command = ["venv/bin/python", "start.py", kind, f"http://127.0.0.1:{server.server_port}/orders{number}?wsdl", *modes]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout.split()


CASES = [
    ("zeep, SqliteCache", "HTML 5", "XMLSyntaxError", "XMLSyntaxError", 0),
    ("zeep, SqliteCache", "XHTML", "ValueError", "ValueError", 0),
    ("zeep, SqliteCache", "401", "HTTPError", "starts", 1),
    ("zeep, InMemoryCache", "HTML 5", "XMLSyntaxError", "XMLSyntaxError", 0),
    ("suds", "HTML 5", "SAXParseException", "starts", 1),
    ("suds", "XHTML", "IndexError", "IndexError", 0),
    ("suds", "401", "ValueError", "starts", 1),
]
as_expected = True
for number, (kind, page, *expected) in enumerate(CASES):
    dead = page.replace(" ", "+")
    if kind != "zeep, SqliteCache":
        seen = start(kind, number, dead, "lives")
    else:
        seen = start(kind, number, dead) + start(kind, number, "lives")
    seen.append(asked)
    as_expected &= seen == expected
    print(f"{kind:21} {page:8} {seen[0]:19} {seen[1]:16} {seen[2]}", flush=True)
sys.exit(not as_expected)
PYTHON

"$folder/venv/bin/python" try.py
