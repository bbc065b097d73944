#!/usr/bin/env bash
# fsspec reads a remote file in blocks, the session is dead for one of them: a login page becomes data, and after a 401 a block of zeros does.
#
# Versions:  fsspec 2026.9.0 (what xarray, zarr and dask open URLs with), aiohttp 3.14.5.
# Behaviour: a program reads the beginning of a file of 6 MB, then 1000 octets at 5 MB, for which the session is dead;
#            then the session lives again, and the program reads these 1000 once more.
#            - A login page, 200 and short: fsspec takes any answer that is not longer than the range it asked for, as
#              that range. The page is read as the file's content, without an error, and so it is once more when the
#              session lives.
#            - A 401 is an error, as it should be. But with the cache "mmap" the block counts as fetched: the second
#              read gives zeros, without an error. With "background" the second read raises the first one's 401, and
#              so on for good, without asking.
# Seen (first read, second read; zeros: 1000 of them; page: it begins with the login page):
#                          401                          login page
#            bytes         error 401, right             page, page         (the default)
#            readahead     error 401, right             page, page
#            blockcache    error 401, right             page, page
#            background    error 401, error 401         page, page
#            mmap          error 401, zeros             error, zeros
# Exits with 1 if that changes.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -qq --disable-pip-version-check fsspec==2026.9.0 aiohttp==3.14.5
cd "$folder"

cat > read.py <<'PYTHON'
import http.server, random, sys, threading

import aiohttp, fsspec

FILE = random.Random(1).randbytes(6 << 20)
PAGE = b"<!DOCTYPE html><title>Log in</title><form method=post>...</form>\n"
PLACE = 5 << 20
session = "lives"


class Server(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if session == "401":
            self.answer(401, b"expired", {"WWW-Authenticate": 'Bearer realm="files", error="invalid_token"'})
        elif session == "page":
            self.answer(200, PAGE, {"Content-Type": "text/html"})
        elif self.headers["Range"]:
            first, last = map(int, self.headers["Range"][6:].split("-"))
            last = min(last, len(FILE) - 1)
            self.answer(206, FILE[first : last + 1], {"Content-Range": f"bytes {first}-{last}/{len(FILE)}"})
        else:
            self.answer(200, FILE, {"Accept-Ranges": "bytes"})

    def answer(self, status, content, fields):
        self.send_response(status)
        for name, value in fields.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content)

    do_HEAD = do_GET

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
url = f"http://127.0.0.1:{server.server_port}/data.bin"


def read(file):
    try:
        file.seek(PLACE)
        content = bytes(file.read(1000))
    except aiohttp.ClientResponseError as error:
        return f"error {error.status}"
    except IndexError:
        return "error"
    if content == FILE[PLACE : PLACE + 1000]:
        return "right"
    if content == bytes(1000):
        return "zeros"
    return "page" if content.startswith(PAGE) else "else"


def run(cache, dead):
    global session
    session = "lives"
    file = fsspec.filesystem("http", skip_instance_cache=True).open(url, block_size=1 << 20, cache_type=cache)
    if file.read(100) != FILE[:100]:
        sys.exit("the beginning of the file is not right")
    session = dead
    first = read(file)
    session = "lives"
    return f"{first}, {read(file)}"


EXPECTED = {
    "bytes": ("error 401, right", "page, page"),
    "readahead": ("error 401, right", "page, page"),
    "blockcache": ("error 401, right", "page, page"),
    "background": ("error 401, error 401", "page, page"),
    "mmap": ("error 401, zeros", "error, zeros"),
}
as_expected = fsspec.filesystem("http").open(url).cache.name == "bytes"
for cache, expected in EXPECTED.items():
    seen = run(cache, "401"), run(cache, "page")
    as_expected &= seen == expected
    print(f"{cache:13} {seen[0]:28} {seen[1]}")
sys.exit(not as_expected)
PYTHON

"$folder/venv/bin/python" read.py 2>/dev/null
