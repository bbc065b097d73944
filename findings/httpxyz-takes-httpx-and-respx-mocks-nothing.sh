#!/usr/bin/env bash
# Who imports httpxyz first has `httpx` replaced by it, and respx then mocks nothing: the test asks the real server.
#
# Versions:  httpx 0.28.1, httpxyz 0.42.1, httpx2 2.16.2, respx 0.23.1.
# Behaviour: `import httpxyz` puts itself in the place of `httpx`, unless httpx was imported before; either way it says
#            nothing. respx mocks httpcore, and httpxyz sends over httpcorexyz: the mock is entered, finds its route
#            unused, and the request goes out to the network. httpx2 stands in for httpx only where alias_httpx() asks it
#            to, takes httpcore along, and raises if it comes too late; respx mocks it as it does httpx. So the order of
#            two imports decides whether a test suite sends real requests. And where httpx came first, neither library
#            takes the auth objects of the other.
# Seen:
#   httpx first       httpx is httpx, the answer is mocked, its route was called: True
#   httpxyz first     httpx is httpxyz, the answer is real, its route was called: False
#   httpx2's alias    httpx is httpx2, the answer is mocked, its route was called: True
#   httpx, httpxyz    httpxyz.Client(auth=httpx.BasicAuth(…)): TypeError
#   httpxyz, httpx2   alias_httpx(): RuntimeError
# Exits with 1 if that changes.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
cd "$folder"
venv/bin/python -m pip --disable-pip-version-check install -qq httpx==0.28.1 httpxyz==0.42.1 httpx2==2.16.2 respx==0.23.1

cat > mocked.py <<'PYTHON'
"""Import one of the three first; then ask a real server on loopback, where respx shall answer."""
import http.server
import importlib
import sys
import threading

first = importlib.import_module(sys.argv[1])
if sys.argv[1] == "httpx2":
    first.alias_httpx()
import httpx
import respx


class Real(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"real")

    def log_message(self, *_):
        pass


server = http.server.HTTPServer(("127.0.0.1", 0), Real)
threading.Thread(target=server.serve_forever, daemon=True).start()
url = f"http://127.0.0.1:{server.server_port}/"
with respx.mock(assert_all_called=False) as mock:
    route = mock.get(url).respond(200, text="mocked")
    answer = httpx.get(url, trust_env=False).text
print(f"httpx is {httpx.__name__}, the answer is {answer}, its route was called: {route.called}")
server.shutdown()
PYTHON

{
    echo "httpx first       $(venv/bin/python mocked.py httpx)"
    echo "httpxyz first     $(venv/bin/python mocked.py httpxyz)"
    echo "httpx2's alias    $(venv/bin/python mocked.py httpx2)"
    venv/bin/python - <<'PYTHON'
import httpx
import httpxyz

try:
    httpxyz.Client(auth=httpx.BasicAuth("ada", "pa55"))
    print("httpx, httpxyz    httpxyz.Client(auth=httpx.BasicAuth(…)): taken")
except TypeError:
    print("httpx, httpxyz    httpxyz.Client(auth=httpx.BasicAuth(…)): TypeError")
PYTHON
    venv/bin/python - <<'PYTHON'
import httpxyz
import httpx2

try:
    httpx2.alias_httpx()
    print("httpxyz, httpx2   alias_httpx(): done")
except RuntimeError:
    print("httpxyz, httpx2   alias_httpx(): RuntimeError")
PYTHON
} | tee seen

# What is compared is the text under "Seen" above.
diff seen - <<'SEEN'
httpx first       httpx is httpx, the answer is mocked, its route was called: True
httpxyz first     httpx is httpxyz, the answer is real, its route was called: False
httpx2's alias    httpx is httpx2, the answer is mocked, its route was called: True
httpx, httpxyz    httpxyz.Client(auth=httpx.BasicAuth(…)): TypeError
httpxyz, httpx2   alias_httpx(): RuntimeError
SEEN
