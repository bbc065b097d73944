#!/usr/bin/env bash
# A token dies while an array is read from S3: zarr 2 gives zeros for what it could not read, and a write makes the zeros last; zarr 3 raises an error.
#
# Versions:  zarr 2.18.7, the last of 2.x, and zarr 3.1.6, each with s3fs 2026.9.0 (PyPI, Python 3.11).
# Behaviour: an array of 8 x 8 sevens, in 16 chunks, is opened as "s3://…", which reads its description. Then the token dies.
#            For zarr 2 a PermissionError or OSError of the file system means that there is no such chunk, and a chunk that is not
#            there is made of the fill value. s3fs raises these for each way in which a server refuses a token. So the array
#            is all zeros, without an error or a warning, and if the token dies halfway, half of it is. Over plain HTTP fsspec raises another kind of
#            error, which zarr 2 lets through. If the token is dead only for a moment, while zarr 2 reads a chunk to change one
#            value, it stores that chunk with zeros in place of the other three.
# Seen (the values read, and how many):
#            zarr 2.18.7  alive                           7 x64
#            zarr 2.18.7  401                             0 x64
#            zarr 2.18.7  403 ExpiredToken                0 x64
#            zarr 2.18.7  400 ExpiredToken                0 x64
#            zarr 2.18.7  403 after 8 chunks              0 x32  7 x32
#            zarr 2.18.7  503                             0 x64
#            zarr 2.18.7  401 over http                   ClientResponseError
#            zarr 2.18.7  one write while 403, then read  0 x3  5 x1  7 x60
#            zarr 3.1.6   alive                           7 x64
#            zarr 3.1.6   401                             OSError
#            zarr 3.1.6   403 ExpiredToken                PermissionError
#            zarr 3.1.6   400 ExpiredToken                PermissionError
#            zarr 3.1.6   403 after 8 chunks              PermissionError
#            zarr 3.1.6   503                             OSError
#            zarr 3.1.6   401 over http                   ClientResponseError
#            zarr 3.1.6   one write while 403, then read  PermissionError
# Exits with 1 if that changes.
set -euo pipefail

script=$(realpath "$0")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
for version in 2.18.7 3.1.6; do
    python3 -m venv "$folder/$version"
    "$folder/$version/bin/python" -m pip install -qq --no-compile --disable-pip-version-check "zarr==$version" s3fs==2026.9.0
done
cd "$folder"
export HOME=$folder AWS_ACCESS_KEY_ID=ada AWS_SECRET_ACCESS_KEY=s3cret AWS_SESSION_TOKEN=token AWS_MAX_ATTEMPTS=1 \
    AWS_EC2_METADATA_DISABLED=true

cat > try.py <<'PYTHON'
import collections, http.server, logging, pathlib, sys, threading, warnings

import zarr

warnings.simplefilter("ignore")
logging.disable()
EXPIRED = b"<Error><Code>ExpiredToken</Code><Message>The provided token has expired.</Message></Error>"
root = pathlib.Path(f"files-{zarr.__version__}")
status, chunks_left = 200, 99
counting = threading.Lock()


class Bucket(http.server.BaseHTTPRequestHandler):
    """GET, HEAD and PUT of objects. A HEAD is never refused: s3fs asks for a size first, and that is not what is shown."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        global chunks_left
        file = root / self.path.split("?")[0].strip("/")
        wanted = self.command == "GET" and not file.name.startswith(".z")
        with counting:
            refused = wanted and status != 200 and chunks_left <= 0
            chunks_left -= wanted
        if refused:
            return self.answer(status, EXPIRED if status in (400, 403) else b"", {"Content-Type": "application/xml"})
        if not file.is_file():
            return self.answer(404, b"", {})
        content, fields = file.read_bytes(), {"Accept-Ranges": "bytes", "ETag": '"v1"'}
        if not self.headers["Range"]:
            return self.answer(200, content, fields)
        first, last = self.headers["Range"].removeprefix("bytes=").split("-")
        last = min(int(last or len(content)), len(content) - 1)
        fields["Content-Range"] = f"bytes {first}-{last}/{len(content)}"
        self.answer(206, content[int(first) : last + 1], fields)

    do_HEAD = do_GET

    def do_PUT(self):
        content = self.rfile.read(int(self.headers["Content-Length"]))
        if "aws-chunked" in self.headers.get("Content-Encoding", ""):
            size, _, rest = content.partition(b"\r\n")
            content = rest[: int(size.split(b";")[0], 16)]
        (root / self.path.split("?")[0].strip("/")).write_bytes(content)
        self.answer(200, b"", {"ETag": '"v2"'})

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
        pass  # a client that has read enough closes


server = Quiet(("127.0.0.1", 0), Bucket)
threading.Thread(target=server.serve_forever, daemon=True).start()
url = f"http://127.0.0.1:{server.server_port}"
format_2 = {} if zarr.__version__[0] == "2" else {"zarr_format": 2}
made = zarr.open(str(root / "shop/map.zarr"), mode="w", shape=(8, 8), chunks=(2, 2), dtype="i4", fill_value=0, **format_2)
made[:] = 7


def opened(over="s3", mode="r"):
    if over == "http":
        return zarr.open(f"{url}/shop/map.zarr", mode=mode)
    options = {"endpoint_url": url, "skip_instance_cache": True, "use_listings_cache": False}
    return zarr.open("s3://shop/map.zarr", mode=mode, storage_options=options)


CASES = {
    "alive": (200, 0, "s3"),
    "401": (401, 0, "s3"),
    "403 ExpiredToken": (403, 0, "s3"),
    "400 ExpiredToken": (400, 0, "s3"),
    "403 after 8 chunks": (403, 8, "s3"),
    "503": (503, 0, "s3"),
    "401 over http": (401, 0, "http"),
    "one write while 403, then read": (403, 0, "s3"),
}
wanted = [line[1:].strip() for line in pathlib.Path(sys.argv[1]).read_text().splitlines() if line.startswith("#   ")]
as_expected = True
for case, (dead, after, over) in CASES.items():
    status, writes = 200, case.startswith("one write")
    array = opened(over, "r+" if writes else "r")
    status, chunks_left = dead, after
    try:
        if writes:
            array[0, 0] = 5
            status = 200  # it lives again
        values = collections.Counter(array[:].flatten().tolist())
        seen = "  ".join(f"{value} x{count}" for value, count in sorted(values.items()))
    except Exception as error:
        seen = type(error).__name__
    line = f"zarr {zarr.__version__:7} {case:31} {seen}"
    as_expected &= line in wanted
    print(line, flush=True)
sys.exit(not as_expected)
PYTHON

for version in 2.18.7 3.1.6; do "$folder/$version/bin/python" try.py "$script"; done
