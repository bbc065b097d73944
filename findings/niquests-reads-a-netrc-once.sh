#!/usr/bin/env bash
# A password in ~/.netrc is changed while a program runs: niquests goes on with the old one, in new sessions too.
#
# Versions:  niquests 3.21.2, requests 2.34.2, httpx 0.28.1, aiohttp 3.14.5.
# Behaviour: requests, of which niquests is a drop-in replacement, reads the file for each request, and so does aiohttp with
#            trust_env=True; httpx.NetRCAuth() for each auth object. niquests keeps what it found for a URL, or that it
#            found nothing, until the program ends: get_netrc_auth has an lru_cache of 64 URLs. So a service whose
#            password is rotated in the file goes on with the old one, and for a URL that it has not asked for lately it
#            sends the new one: which of the two depends on the path. An entry that was removed is still sent.
# Seen (which password the server got, at the path that was asked for before, and at another):
#                       at first     changed       removed
#            requests   old  old     new  new      none none
#            aiohttp    old  old     new  new      none none
#            httpx      old  old     new  new      none none      (a new NetRCAuth for each)
#            niquests   old  old     old  new      old  none
# Exits with 1 if that changes.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
for library in requests==2.34.2 niquests==3.21.2; do  # niquests brings another urllib3
    python3 -m venv "$folder/${library%%=*}"
    more=()
    [ "$library" != requests==2.34.2 ] || more=(httpx==0.28.1 aiohttp==3.14.5)
    "$folder/${library%%=*}/bin/python" -m pip install -qq --disable-pip-version-check "$library" "${more[@]}" 2>/dev/null
done
cd "$folder"
export NETRC=$folder/netrc

cat > ask.py <<'PYTHON'
import asyncio, base64, http.server, importlib, os, sys, threading


class Server(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        basic = self.headers["Authorization"] or ""
        sent = base64.b64decode(basic.removeprefix("Basic ")).decode().partition(":")[2] or "none"
        self.send_response(200)
        self.send_header("Content-Length", str(len(sent)))
        self.end_headers()
        self.wfile.write(sent.encode())

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
url = f"http://localhost:{server.server_address[1]}"


def with_session(name):
    library = importlib.import_module(name)

    def get(url):
        with library.Session() as session:
            return session.get(url).text

    return get


def with_httpx(url):
    import httpx

    with httpx.Client(auth=httpx.NetRCAuth(os.environ["NETRC"])) as client:
        return client.get(url).text


def with_aiohttp(url):
    import aiohttp

    async def main():
        async with aiohttp.ClientSession(trust_env=True) as session, session.get(url) as response:
            return await response.text()

    return asyncio.run(main())


def write(line):
    with open(os.environ["NETRC"], "w") as file:
        file.write(line)
    os.chmod(os.environ["NETRC"], 0o600)


ways = {"httpx": with_httpx, "aiohttp": with_aiohttp}
for name in sys.argv[1:]:
    get, seen = ways.get(name) or with_session(name), []
    for number, line in enumerate(("machine localhost login ada password old\n", "machine localhost login ada password new\n", "")):
        write(line)
        seen.append(f"{get(f'{url}/orders'):4} {get(f'{url}/{number}'):4}")
    print(f"{name:10}", "    ".join(seen).rstrip(), flush=True)
server.shutdown()
PYTHON
requests/bin/python ask.py requests aiohttp httpx | tee seen
niquests/bin/python ask.py niquests | tee -a seen
fresh="old old new new none none"
[ "$(tr -s ' ' < seen)" = "$(printf '%s\n' "requests $fresh" "aiohttp $fresh" "httpx $fresh" "niquests old old old new old none")" ]
