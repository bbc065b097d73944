#!/usr/bin/env bash
# One line of a .netrc file, and up to three passwords: what nine programs and libraries send for it.
#
# Versions:  curl 7.88.1, git 2.39.5 (libcurl), GNU Wget 1.21.3, GNU Wget2 1.99.1, aria2 1.36.0, cadaver 0.24 (all of Debian 12);
#            requests 2.34.2, httpx 0.28.1, aiohttp 3.14.5, Python 3.11. Needs the first six.
# Behaviour: .netrc has no specification for HTTP. A password of letters and digits is safe. Others are not:
#            - "#" at its beginning: to curl and git the password is empty, Wget and cadaver send none.
#            - a backslash: Wget and Python's netrc drop it, the others send it. At the end of the line Wget and Python append
#              a line feed to the password.
#            - quotes around it: Wget2 and aria2 take them for part of it, and end at the first blank. cadaver drops
#              a quote within a word.
#            - a letter that is not ASCII: requests and aiohttp encode it in Latin-1, the others in UTF-8.
# Seen (what is sent for: machine localhost login ada password …):
#                      #start  "a b"  a"b  a\b  "q\"q"   end\   pä
#            curl      empty   a_b    a"b  a\b  q"q      end\   UTF-8
#            git       empty   a_b    a"b  a\b  q"q      end\   UTF-8
#            wget      none    a_b    a"b  ab   q"q      end+LF UTF-8
#            wget2     #start  "a     a"b  a\b  "q\"q"   end\   UTF-8
#            aria2     #start  "a     a"b  a\b  "q\"q"   end\   UTF-8
#            cadaver   none    a_b    ab   a\b  q\q      end\   UTF-8
#            requests  #start  a_b    a"b  ab   q"q      end+LF Latin-1
#            httpx     #start  a_b    a"b  ab   q"q      end+LF UTF-8
#            aiohttp   #start  a_b    a"b  ab   q"q      end+LF Latin-1
#            (a_b is "a b")
# Exits with 1 if that changes.
set -euo pipefail

for program in curl git wget wget2 aria2c cadaver; do
    command -v "$program" >/dev/null || { echo "this needs the program $program"; exit 2; }
done
script=$(realpath "$0")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -qq --disable-pip-version-check requests==2.34.2 httpx==0.28.1 aiohttp==3.14.5
cd "$folder"
mkdir home
export HOME=$folder/home NETRC=$folder/home/.netrc GIT_TERMINAL_PROMPT=0

cat > ask.py <<'PYTHON'
import asyncio, base64, http.server, pathlib, subprocess, sys, threading

import aiohttp, httpx, requests

sent = []


class Server(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        credentials = self.headers["Authorization"]
        if credentials:
            sent.append(base64.b64decode(credentials.removeprefix("Basic ")).partition(b":")[2])
        self.send_response(404 if credentials else 401)
        if not credentials:
            self.send_header("WWW-Authenticate", 'Basic realm="x"')
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_HEAD = do_OPTIONS = do_PROPFIND = do_GET

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
url = f"http://localhost:{server.server_port}/"


def run(*command):
    return lambda: subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL)


async def by_aiohttp():
    async with aiohttp.ClientSession(trust_env=True) as session, session.get(url):
        pass


CLIENTS = {
    "curl": run("curl", "-s", "-n", url),
    "git": run("git", "ls-remote", url),
    "wget": run("wget", "-qO-", url),
    "wget2": run("wget2", "-qO-", url),
    "aria2": run("aria2c", "-q", "-o", "out", url),
    "cadaver": run("cadaver", url),
    "requests": lambda: requests.get(url),
    "httpx": lambda: httpx.get(url, auth=httpx.NetRCAuth()),
    "aiohttp": lambda: asyncio.run(by_aiohttp()),
}
WRITTEN = ["#start", '"a b"', 'a"b', "a\\b", '"q\\"q"', "end\\", "p\u00e4"]


def shown(password):
    if password == "p\u00e4".encode():
        return "UTF-8"
    if password == "p\u00e4".encode("latin-1"):
        return "Latin-1"
    return password.decode().replace("\n", "+LF").replace(" ", "_") or "empty"


def asked(ask, written):
    netrc = pathlib.Path("home/.netrc")
    netrc.write_text(f"machine localhost login ada password {written}\n")
    netrc.chmod(0o600)
    sent.clear()
    ask()
    return shown(sent[0]) if sent else "none"


lines = [line.split() for line in pathlib.Path(sys.argv[1]).read_text().splitlines() if line.startswith("#   ")]
EXPECTED = {words[1]: words[2:] for words in lines if len(words) == 9 and words[1] in CLIENTS}
as_expected = list(EXPECTED) == list(CLIENTS)
for name, ask in CLIENTS.items():
    seen = [asked(ask, written) for written in WRITTEN]
    as_expected &= seen == EXPECTED.get(name)
    print(f"{name:9} {seen[0]:7} {seen[1]:6} {seen[2]:4} {seen[3]:4} {seen[4]:8} {seen[5]:6} {seen[6]}", flush=True)
sys.exit(not as_expected)
PYTHON

"$folder/venv/bin/python" ask.py "$script"
