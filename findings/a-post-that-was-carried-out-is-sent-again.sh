#!/usr/bin/env bash
# A server carries out a POST and its connection closes before the answer: wget sends the POST twenty times, four others twice.
#
# Versions:  GNU Wget 1.21.3, GNU Wget2 1.99.1, curl 7.88.1, OpenJDK 17.0.15 (all of Debian 12); httplib2 0.32.1, requests
#            2.34.2, httpx 0.28.1, aiohttp 3.14.5, Python 3.11 (PyPI); Node 20. Needs curl, wget, wget2, java and node.
# Behaviour: a POST must not be repeated by itself, as nobody knows whether it was carried out (RFC 9110 §9.2.2). Here
#            it was. Wget and Wget2 try 20 times by default, for a POST as for a download. httplib2, xmlrpc.client and
#            Java's HttpURLConnection send it twice, on a new connection too, where no keep-alive can have timed out.
#            curl sends it twice on a connection that has been used before.
# Seen (POSTs that the server has carried out, of one):
#            curl, new connection       1
#            curl, kept connection      2
#            wget --post-data           20
#            wget2 --tries=3            3
#            xmlrpc.client              2
#            httplib2                   2
#            HttpURLConnection          2
#            java.net.http.HttpClient   1
#            requests, httpx, aiohttp   1  (on a kept connection)
#            Node's fetch               1  (on a kept connection)
# Exits with 1 if that changes. (By default both Wgets wait 1, 2, 3 … 10 seconds
# before a try. For the sake of two minutes Wget runs with --waitretry=0, and Wget2, which waits all the same, has three tries.)
set -euo pipefail

for program in curl wget wget2 java node; do command -v "$program" >/dev/null || { echo "this needs $program"; exit 2; }; done
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -qq --disable-pip-version-check \
    httplib2==0.32.1 requests==2.34.2 httpx==0.28.1 aiohttp==3.14.5
cd "$folder"
export HOME=$folder

cat > Pay.java <<'JAVA'
import java.net.*;
import java.net.http.*;

public class Pay {
    public static void main(String[] args) throws Exception {
        try {
            if (args[1].equals("old")) {
                var connection = (HttpURLConnection) new URL(args[0]).openConnection();
                connection.setDoOutput(true);
                connection.getOutputStream().write("amount=5".getBytes());
                connection.getResponseCode();
            } else {
                var request = HttpRequest.newBuilder(URI.create(args[0])).POST(HttpRequest.BodyPublishers.ofString("amount=5"));
                HttpClient.newHttpClient().send(request.build(), HttpResponse.BodyHandlers.ofString());
            }
        } catch (java.io.IOException error) {
            System.exit(3);
        }
    }
}
JAVA

cat > pay.py <<'PYTHON'
import asyncio, contextlib, socket, subprocess, sys, threading, xmlrpc.client

import aiohttp, httplib2, httpx, requests

paid = 0


def serve(connection):
    """Answer each GET; carry out a POST, and close before its answer."""
    global paid
    with connection, contextlib.suppress(OSError):
        kept = connection.makefile("rb")
        while line := kept.readline():
            length = 0
            while (field := kept.readline()) not in (b"\r\n", b""):
                if field.lower().startswith(b"content-length:"):
                    length = int(field[15:])
            kept.read(length)
            if line.startswith(b"POST"):
                paid += 1
                kept.close()
                connection.shutdown(socket.SHUT_RDWR)
                return
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")


def accept():
    while True:
        threading.Thread(target=serve, args=listener.accept()[:1], daemon=True).start()


listener = socket.create_server(("127.0.0.1", 0), backlog=64)
threading.Thread(target=accept, daemon=True).start()
url = f"http://127.0.0.1:{listener.getsockname()[1]}/pay"


def run(*command):
    return lambda: subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL)


def twice(client, **content):
    client.get(url)
    client.post(url, **content)


async def by_aiohttp():
    async with aiohttp.ClientSession() as session:
        async with session.get(url) as answer:
            await answer.read()
        async with session.post(url, data=b"amount=5"):
            pass


fetch = f"await (await fetch('{url}')).text(); await fetch('{url}', {{ method: 'POST', body: 'amount=5' }})"
CLIENTS = {
    "curl, new connection": (1, run("curl", "-sS", "-d", "amount=5", url)),
    "curl, kept connection": (2, run("curl", "-sS", url, "--next", "-sS", "-d", "amount=5", url)),
    "wget --post-data": (20, run("wget", "-q", "-O-", "--waitretry=0", "--post-data=amount=5", url)),
    "wget2 --tries=3": (3, run("wget2", "-q", "-O-", "--tries=3", "--post-data=amount=5", url)),
    "xmlrpc.client": (2, lambda: xmlrpc.client.ServerProxy(url).pay(5)),
    "httplib2": (2, lambda: httplib2.Http().request(url, "POST", body="amount=5")),
    "HttpURLConnection": (2, run("java", "Pay.java", url, "old")),
    "java.net.http.HttpClient": (1, run("java", "Pay.java", url, "new")),
    "requests": (1, lambda: twice(requests.Session(), data="amount=5")),
    "httpx": (1, lambda: twice(httpx.Client(), content=b"amount=5")),
    "aiohttp": (1, lambda: asyncio.run(by_aiohttp())),
    "Node's fetch": (1, run("node", "--input-type=module", "-e", fetch)),
}
as_expected = True
for name, (expected, pay) in CLIENTS.items():
    paid = 0
    with contextlib.suppress(OSError, httpx.TransportError, aiohttp.ClientError):
        pay()
    as_expected &= paid == expected
    print(f"{name:26} {paid}", flush=True)
sys.exit(not as_expected)
PYTHON

for program in wget wget2 curl; do "$program" --version | sed -n 1p; done
java -version 2>&1 | sed -n 1p
"$folder/venv/bin/python" pay.py
