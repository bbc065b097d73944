#!/usr/bin/env bash
# HAProxy sends 103 (Early Hints) before a 401: requests, Java's HttpURLConnection, LWP, lftp, svn and ffmpeg take it for the answer.
#
# Versions:  HAProxy 2.6.12; requests 2.34.2, urllib of Python 3.11, httplib2 0.32.1, HTTPie 3.2.4, httpx 0.28.1,
#            aiohttp 3.14.5 (PyPI); OpenJDK 17.0.15, LWP 6.68, lftp 4.9.2, Subversion 1.14.2, ffmpeg 5.1.9, curl 7.88.1, GNU Wget
#            1.21.3, Ruby 3.1.2 (all of Debian 12); Node 20. Needs the programs.
# Behaviour: any number of 1xx answers may come before the final one, and a client has to read past them, asked or not
#            (RFC 9110 §15.2). HAProxy's `http-request early-hint` sends one to every client of HTTP/1.1. http.client
#            of Python skips 100 and no other: so to requests and all that builds on it the answer is 103, with the
#            field of the hint and without content. The challenge is never seen, no password is sent, and
#            raise_for_status() has nothing to say.
# Seen, of a server that wants Basic (what the client takes for the answer; user and password given to curl and wget):
#            requests, urllib, httplib2, HTTPie      103
#            HttpURLConnection, LWP                  103
#            lftp, svn, ffmpeg                       an error, which names 103 or the end of the stream
#            httpx, aiohttp                          401
#            java.net.http, Ruby, Node's fetch       401
#            curl, wget                              200 in the end
# Exits with 1 if that changes.
set -euo pipefail

haproxy=$(command -v haproxy || echo /usr/sbin/haproxy)
for program in "$haproxy" java javac perl lftp svn ffmpeg curl wget ruby node; do
    command -v "$program" >/dev/null || { echo "this needs the program $program"; exit 2; }
done
folder=$(mktemp -d)
proxy=
cleanup() {
    [ -z "$proxy" ] || kill "$proxy" 2>/dev/null || true
    wait
    rm -rf "$folder"
}
trap cleanup EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -qq --disable-pip-version-check \
    requests==2.34.2 httplib2==0.32.1 httpie==3.2.4 httpx==0.28.1 aiohttp==3.14.5
cd "$folder"
export HOME=$folder

port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
cat > haproxy.cfg <<CONFIGURATION
defaults
    mode http
    timeout client 10s
    timeout connect 10s
    timeout server 10s
userlist users
    user ada insecure-password lovelace
frontend api
    bind 127.0.0.1:$port
    http-request early-hint Link "</style.css>; rel=preload; as=style"
    http-request auth realm api unless { http_auth(users) }
    http-request return status 200 content-type text/plain string hello
CONFIGURATION
"$haproxy" -f haproxy.cfg >haproxy.log 2>&1 &
proxy=$!
url=http://127.0.0.1:$port/
for _ in $(seq 50); do curl -s -o /dev/null "$url" && break; sleep 0.1; done

cat > Ask.java <<'JAVA'
import java.net.*;
import java.net.http.*;

public class Ask {
    public static void main(String[] args) throws Exception {
        if (args[1].equals("old")) {
            System.out.println(((HttpURLConnection) new URL(args[0]).openConnection()).getResponseCode());
        } else {
            var request = HttpRequest.newBuilder(URI.create(args[0])).build();
            System.out.println(HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString()).statusCode());
        }
    }
}
JAVA

javac Ask.java

cat > ask.py <<'PYTHON'
import asyncio, concurrent.futures, subprocess, sys, urllib.error, urllib.request

import aiohttp, httplib2, httpx, requests

url = sys.argv[1]


def run(*command):
    done = subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL, timeout=60)
    return (done.stdout + done.stderr).decode().strip()


def by_requests():
    answer = requests.get(url)
    answer.raise_for_status()
    return answer.status_code


def by_urllib():
    try:
        return urllib.request.urlopen(url).status
    except urllib.error.HTTPError as error:
        return error.code


async def by_aiohttp():
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        return answer.status


CLIENTS = {
    "requests": ("103", by_requests),
    "urllib": ("103", by_urllib),
    "httplib2": ("103", lambda: httplib2.Http().request(url)[0].status),
    "HTTPie": ("103", lambda: run("venv/bin/http", "--ignore-stdin", "-h", url).split()[1]),
    "HttpURLConnection": ("103", lambda: run("java", "-cp", ".", "Ask", url, "old")),
    "LWP": ("103", lambda: run("perl", "-MLWP::UserAgent", "-e", f"print LWP::UserAgent->new->get('{url}')->code")),
    "lftp": ("Early Hints", lambda: run("lftp", "-c", f"open {url}; cat /")),
    "svn": ("status 103", lambda: run("svn", "ls", "--non-interactive", url)),
    "ffmpeg": ("Stream ends prematurely", lambda: run("ffmpeg", "-hide_banner", "-i", url)),
    "httpx": ("401", lambda: httpx.get(url).status_code),
    "aiohttp": ("401", lambda: asyncio.run(by_aiohttp())),
    "java.net.http": ("401", lambda: run("java", "-cp", ".", "Ask", url, "new")),
    "Ruby": ("401", lambda: run("ruby", "-rnet/http", "-e", f"puts Net::HTTP.get_response(URI('{url}')).code")),
    "Node's fetch": ("401", lambda: run("node", "-e", f"fetch('{url}').then(answer => console.log(answer.status))")),
    "curl": ("200", lambda: run("curl", "-s", "-o", "out", "-w", "%{http_code}", "-u", "ada:lovelace", url)),
    "wget": ("hello", lambda: run("wget", "-qO-", "--user=ada", "--password=lovelace", url)),
}
as_expected = True
with concurrent.futures.ThreadPoolExecutor(8) as threads:
    for (name, (expected, _)), seen in zip(CLIENTS.items(), threads.map(lambda one: str(one[1]()), CLIENTS.values())):
        as_expected &= expected in seen
        print(f"{name:18} {expected if expected in seen else seen}", flush=True)
sys.exit(not as_expected)
PYTHON

"$haproxy" -v | sed -n 1p
"$folder/venv/bin/python" ask.py "$url"
