#!/usr/bin/env bash
# requests' Session.close() closes no connection while you keep an answer, or after one request has failed; with urllib3 1.26.15 it does.
#
# Versions:  requests 2.34.2 with urllib3 2.8.0 and 1.26.15, httpx 0.28.1, aiohttp 3.14.5.
# Behaviour: Session.close() "closes any pooled connections", says HTTPAdapter.close(). Since urllib3 1.26.16 it only
#            forgets the pools: a pool closes its connections when it is collected as garbage. Each answer holds its pool
#            for as long as it lives, though it has been read to its end, and closed. So a program that collects answers
#            leaves a `with` block with its connections open, and each of them keeps a place at the server. urllib3's own
#            `with PoolManager()` and clear() do the same. One request that failed does it too, with no answer kept: `urlopen`
#            keeps the error in a variable of its own, and the error's traceback holds `urlopen` and the pool, in a circle.
# Seen, connections that are open at the server after the client was closed; an answer is kept, and has been read:
#            requests, urllib3 1.26.15   0
#            requests, urllib3 2.8.0     1, and 0 as soon as the answer is gone
#            urllib3 2.8.0               1
#            httpx                       0
#            aiohttp                     0
#        the same, no answer kept, after one other request of the session has failed:
#            requests, urllib3 1.26.15   0
#            requests, urllib3 2.8.0     1, and 0 after gc.collect()
# Exits with 1 if that changes.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -qq --disable-pip-version-check \
    requests==2.34.2 urllib3==2.8.0 httpx==0.28.1 aiohttp==3.14.5
"$folder/venv/bin/python" -m pip install -qq --disable-pip-version-check --target "$folder/older" urllib3==1.26.15
cd "$folder"

cat > count.py <<'PYTHON'
import asyncio, gc, socket, threading, time

import aiohttp, httpx, requests, urllib3

connections = set()


def serve(connection):
    """Answer each request, until the client closes."""
    connections.add(connection)
    received = b""
    while octets := connection.recv(65536):
        received += octets
        if b"GET /gone" in received:
            break
        while b"\r\n\r\n" in received:
            received = received.partition(b"\r\n\r\n")[2]
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\ntea")
    connections.remove(connection)
    connection.close()


def listen():
    while True:
        threading.Thread(target=serve, args=(listening.accept()[0],), daemon=True).start()


listening = socket.create_server(("127.0.0.1", 0))
threading.Thread(target=listen, daemon=True).start()
url = f"http://127.0.0.1:{listening.getsockname()[1]}/"


def still_open():
    """Count, after what is on its way has arrived."""
    time.sleep(0.5)
    return len(connections)


def with_requests():
    with requests.Session() as session:
        session.trust_env = False
        answer = session.get(url)
    answer.close()
    return answer


def after_a_failure():
    with requests.Session() as session:
        session.trust_env = False
        with session.get(url, stream=True) as answer:
            try:
                session.get(url + "gone")
            except requests.ConnectionError:
                pass
            answer.content


def with_urllib3():
    with urllib3.PoolManager() as manager:
        return manager.request("GET", url)


def with_httpx():
    with httpx.Client(trust_env=False) as client:
        return client.get(url)


async def aiohttp_main():
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        await answer.read()
        return answer


def with_aiohttp():
    return asyncio.run(aiohttp_main())


print("urllib3", urllib3.__version__)
for way in (with_requests, after_a_failure, with_urllib3, with_httpx, with_aiohttp):
    gc.disable()
    answer = way()
    kept = still_open()
    del answer
    gc.collect()
    print(way.__name__, kept, still_open())
PYTHON
PYTHONPATH=older venv/bin/python count.py | tee seen
venv/bin/python count.py | tee -a seen

cat > expected <<'TEXT'
urllib3 1.26.15
with_requests 0 0
after_a_failure 0 0
with_urllib3 0 0
with_httpx 0 0
with_aiohttp 0 0
urllib3 2.8.0
with_requests 1 0
after_a_failure 1 0
with_urllib3 1 0
with_httpx 0 0
with_aiohttp 0 0
TEXT
diff seen expected
