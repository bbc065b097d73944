#!/usr/bin/env bash
# A session dies in the middle of an HLS stream: ffmpeg, yt-dlp and streamlink save half of the video without an error, and end with 0.
#
# Versions:  ffmpeg 5.1.9 (Debian 12), yt-dlp 2026.10.26, streamlink 8.6.3. Needs ffmpeg and ffprobe.
# Behaviour: the stream is a list of ten pieces of two seconds. The server refuses the pieces from the sixth on, or the third
#            to the fifth, with 401; or it answers with its login page and 200. Each program leaves out the pieces that it does
#            not get, and is content. In the second case the video has a gap. Nothing is said at the level of errors.
#            yt-dlp has --abort-on-unavailable-fragments.
# Seen (exit code, frames of 200, what is written on standard error at its level for errors):
#                             all pieces    six to ten    three to five   six to ten
#                                           401           401             login page
#            ffmpeg           0  200  -     0  100  -     0  140  -       0  100  -
#            yt-dlp           0  200  -     0  100  -     0  140  -       0  100  -
#            streamlink       0  200  -     0  100  -     0  140  -       0  100  -
# Exits with 1 if that changes.
set -euo pipefail

for program in ffmpeg ffprobe; do command -v "$program" >/dev/null || { echo "this needs the program $program"; exit 2; }; done
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -qq --disable-pip-version-check yt-dlp==2026.10.26 streamlink==8.6.3
cd "$folder"
export HOME=$folder
mkdir stream
ffmpeg -v error -f lavfi -i testsrc=d=20:r=10:s=160x120 -g 20 -c:v mpeg2video -f hls -hls_time 2 -hls_list_size 0 \
    -hls_segment_filename 'stream/%d.ts' stream/list.m3u8

cat > watch.py <<'PYTHON'
import http.server, pathlib, subprocess, sys, threading

PAGE = b"<!DOCTYPE html><title>Log in</title>"
refused, status = (), 401


class Server(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        path = pathlib.Path("stream", self.path[1:])
        if path.stem in refused:
            self.send_response(status)
            content = PAGE if status == 200 else b"expired"
            if status == 401:
                self.send_header("WWW-Authenticate", 'Bearer realm="tv", error="invalid_token"')
        else:
            self.send_response(200)
            content = path.read_bytes()
        media = {".m3u8": "application/vnd.apple.mpegurl", ".ts": "video/mp2t"}[path.suffix]
        self.send_header("Content-Type", "text/html" if path.stem in refused else media)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content)

    do_HEAD = do_GET

    def log_message(self, *_):
        pass


class Quiet(http.server.ThreadingHTTPServer):
    def handle_error(self, *_):
        pass  # a client that has seen enough


server = Quiet(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
url = f"http://127.0.0.1:{server.server_port}/list.m3u8"
COMMANDS = {
    "ffmpeg": ["ffmpeg", "-v", "error", "-i", url, "-c", "copy", "saved.ts"],
    "yt-dlp": ["venv/bin/yt-dlp", "-q", "--retry-sleep", "fragment:0", "--force-generic-extractor", "--hls-use-mpegts", "-o", "saved.ts", url],
    "streamlink": ["venv/bin/streamlink", "-l", "error", "-o", "saved.ts", f"hls://{url}", "best"],
}
COUNT = ["ffprobe", "-v", "quiet", "-count_packets", "-select_streams", "v", "-show_entries", "stream=nb_read_packets", "-of", "csv=p=0"]
CASES = {"all": ((), 401), "six to ten": (tuple("56789"), 401), "three to five": (tuple("234"), 401), "page": (tuple("56789"), 200)}


def run(command):
    pathlib.Path("saved.ts").unlink(missing_ok=True)
    done = subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL)
    counted = subprocess.run([*COUNT, "saved.ts"], capture_output=True).stdout.decode().split()
    return f"{done.returncode}  {counted[0].strip(',') if counted else 'none'}  {'some' if done.stderr.strip() else '-'}"


as_expected = True
for name, command in COMMANDS.items():
    seen = []
    for refused, status in CASES.values():
        seen.append(run(command))
    as_expected &= seen == ["0  200  -", "0  100  -", "0  140  -", "0  100  -"]
    print(f"{name:16} {seen[0]:13} {seen[1]:13} {seen[2]:15} {seen[3]}", flush=True)
sys.exit(not as_expected)
PYTHON

ffmpeg -version | sed -n 1p
"$folder/venv/bin/python" watch.py
