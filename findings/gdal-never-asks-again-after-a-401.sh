#!/usr/bin/env bash
# One 401, and GDAL never asks for that file again: rasterio and pyogrio fail with a new token, too, until the process ends.
#
# Versions:  rasterio 1.4.4 (GDAL 3.10.3) and pyogrio 0.13.0 (GDAL 3.12.4), as their wheels on PyPI bring it; Python 3.11.
# Behaviour: GDAL remembers what it learnt about a URL, an error too. A token expires, one read fails with "HTTP response code:
#            401", the program sets a new GDAL_HTTP_HEADERS: each later read of that URL fails with the same words, and no
#            request goes out. So it is after a 403, a 503 and a login page. pyogrio can clear that memory, by vsi_curl_clear_cache;
#            rasterio cannot, and a service that shows maps with it has to be started anew. CPL_VSIL_CURL_NON_CACHED, set
#            beforehand, helps, and then nothing is cached.
# Seen (requests with the dead token, then with the new one, and what comes of the second read):
#            rasterio   401                 some  none  HTTP response code: 401
#            rasterio   403                 some  none  HTTP response code: 403
#            rasterio   503                 some  none  HTTP response code: 503
#            rasterio   login page          some  none  another error
#            rasterio   401, not cached     some  some  the data
#            pyogrio    401                 some  none  HTTP response code: 401
#            pyogrio    503                 some  none  HTTP response code: 503
#            pyogrio    login page          some  none  another error
#            pyogrio    401, cleared        some  some  the data
# Exits with 1 if that changes.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -qq --disable-pip-version-check rasterio==1.4.4 pyogrio==0.13.0 numpy
cd "$folder"
export HOME=$folder

cat > read.py <<'PYTHON'
import sys

import pyogrio, rasterio

url, library, *options = sys.argv[1:]
options = dict(zip(options[::2], options[1::2]))


def by_rasterio(token):
    with rasterio.Env(GDAL_HTTP_HEADERS=f"Authorization: Bearer {token}", **options):
        with rasterio.open(f"{url}/map.tif") as file:
            return file.read().mean() == 7


def by_pyogrio(token):
    pyogrio.set_gdal_config_options({"GDAL_HTTP_HEADERS": f"Authorization: Bearer {token}"} | options)
    return pyogrio.read_info(f"/vsicurl/{url}/shops.geojson", force_feature_count=True)["features"] == 1


read = {"rasterio": by_rasterio, "pyogrio": by_pyogrio}[library]
clear = options.pop("clear", None)
for token in ("old", "new"):
    if clear and token == "new":
        pyogrio.vsi_curl_clear_cache()
    try:
        told = "the data" if read(token) else "?"
    except Exception as error:
        told = str(error) if "HTTP response code" in str(error) else "another error"
print(told)
PYTHON

cat > try.py <<'PYTHON'
import http.server, json, pathlib, subprocess, sys, threading, warnings

import numpy, pyogrio, rasterio

LOGIN = b"<!DOCTYPE html><title>Log in</title><form method=post action=/login><input name=user><input name=password></form>"
POINT = {"type": "Feature", "properties": {"name": "tea"}, "geometry": {"type": "Point", "coordinates": [1, 2]}}
warnings.simplefilter("ignore")  # a picture without a place on the map
with rasterio.open("map.tif", "w", driver="GTiff", width=64, height=64, count=1, dtype="uint8") as made:
    made.write(numpy.full((1, 64, 64), 7, "uint8"))
pathlib.Path("shops.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": [POINT]}))
asked, answer_of_the_dead = [], 401


class Files(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        asked.append(self.headers["Authorization"])
        file = pathlib.Path(self.path.split("/")[-1])
        if asked[-1] == "Bearer new" and not file.exists():
            self.answer(404, b"", {})
        elif asked[-1] == "Bearer new":
            content = file.read_bytes()
            if span := self.headers["Range"]:
                first, last = span.removeprefix("bytes=").split("-")
                last = min(int(last or len(content)), len(content) - 1)
                place = {"Content-Range": f"bytes {first}-{last}/{len(content)}"}
                self.answer(206, content[int(first) : last + 1], place)
            else:
                self.answer(200, content, {"Accept-Ranges": "bytes"})
        elif answer_of_the_dead == 200:
            self.answer(200, LOGIN, {"Content-Type": "text/html"})
        else:
            self.answer(answer_of_the_dead, b"", {"WWW-Authenticate": 'Bearer realm="maps", error="invalid_token"'})

    do_HEAD = do_GET

    def answer(self, status, content, fields):
        self.send_response(status)
        for name, value in fields.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content)

    def log_message(self, *_):
        pass


class Quiet(http.server.ThreadingHTTPServer):
    def handle_error(self, *_):
        pass  # GDAL has read as much of a file as it wanted


server = Quiet(("127.0.0.1", 0), Files)
threading.Thread(target=server.serve_forever, daemon=True).start()
url = f"http://127.0.0.1:{server.server_port}"
CASES = [
    ("rasterio", "401", 401, [], "HTTP response code: 401"),
    ("rasterio", "403", 403, [], "HTTP response code: 403"),
    ("rasterio", "503", 503, [], "HTTP response code: 503"),
    ("rasterio", "login page", 200, [], "another error"),
    ("rasterio", "401, not cached", 401, ["CPL_VSIL_CURL_NON_CACHED", f"/vsicurl/{url}"], "the data"),
    ("pyogrio", "401", 401, [], "HTTP response code: 401"),
    ("pyogrio", "503", 503, [], "HTTP response code: 503"),
    ("pyogrio", "login page", 200, [], "another error"),
    ("pyogrio", "401, cleared", 401, ["clear", "yes"], "the data"),
]
print(f"rasterio {rasterio.__version__}, GDAL {rasterio.__gdal_version__}; pyogrio {pyogrio.__version__}, GDAL {pyogrio.__gdal_version_string__}")
as_expected = True
for library, name, answer_of_the_dead, options, expected in CASES:
    asked.clear()
    command = [sys.executable, "read.py", url, library, *options]
    told = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True, timeout=60).stdout.strip()
    old, new = ("some" if f"Bearer {token}" in asked else "none" for token in ("old", "new"))
    as_expected &= told == expected and old == "some" and (new == "some") == (told == "the data")
    print(f"{library:10} {name:18} {old}  {new}  {told}", flush=True)
sys.exit(not as_expected)
PYTHON

"$folder/venv/bin/python" try.py
