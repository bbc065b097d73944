#!/usr/bin/env bash
# After one failed request, `with requests.Session()` leaves its other connections open until Python collects garbage.
#
# Versions:  CPython 3.11.7, requests 2.34.2 on urllib3 2.8.0, urllib3 2.8.0 itself, httpx 0.28.1, aiohttp 3.14.5;
#            niquests 3.21.2 in an environment of its own.
# Behaviour: four threads have a kept connection each. A server closes one of them in place of an answer, as it may at
#            any time, and the caller catches the error. Then the session is closed. Without the failed request all
#            connections close with the session. With it, requests and urllib3 close none: `urlopen` keeps the error in
#            a variable of its own, and the error's traceback holds `urlopen` and the pool, in a circle. A pool is closed
#            when its last reference goes, so the connections stay until the garbage collector runs: for ever in a program
#            that has called `gc.disable()`.
# Seen, open connections before the failure, after `close()` without it, after `close()` with it, after `gc.collect()`:
#            requests  4, 0, 3, 0
#            urllib3   4, 0, 3, 0
#            httpx     4, 0, 0, 0
#            aiohttp   4, 0, 0, 0
#            niquests  4, 0, 0, 0
# Exits with 1 if that changes.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -qq --disable-pip-version-check \
    requests==2.34.2 urllib3==2.8.0 httpx==0.28.1 aiohttp==3.14.5
python3 -m venv "$folder/niquests"
"$folder/niquests/bin/python" -m pip install -qq --disable-pip-version-check niquests==3.21.2
cd "$folder"

cat > closed.py <<'PYTHON'
import asyncio, contextlib, gc, socket, sys, threading, time

server = socket.create_server(("127.0.0.1", 0))
url = f"http://127.0.0.1:{server.getsockname()[1]}"
together = threading.Barrier(4)
lock, open_now = threading.Lock(), 0


def serve(connection):
    """Answer on a kept connection, until the client closes it or asks for /gone."""
    global open_now
    with connection, connection.makefile("rb") as reading:
        with lock:
            open_now += 1
        with contextlib.suppress(OSError):
            while line := reading.readline():
                while reading.readline() not in (b"\r\n", b""):
                    pass
                if b"/gone" in line:
                    break
                if b"/together" in line:
                    together.wait(10)  # so that each request needs a connection of its own
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        with lock:
            open_now -= 1


def accept():
    while True:
        threading.Thread(target=serve, args=(server.accept()[0],), daemon=True).start()


threading.Thread(target=accept, daemon=True).start()


def settled():
    """The number of open connections, after a moment for the server to notice."""
    time.sleep(0.5)
    return open_now


def in_threads(get):
    threads = [threading.Thread(target=get, args=(f"{url}/together",)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def run(opened, get, errors, fails):
    """Open four connections, let one request fail if it is to, close the client, and count."""
    with opened() as client:
        in_threads(lambda to: get(client, to))
        before = settled()
        if fails:
            with contextlib.suppress(errors):
                get(client, f"{url}/gone")
    return before, settled()


async def run_aiohttp(fails):
    import aiohttp

    async def get(client, to):
        async with client.get(to) as answer:
            await answer.read()

    async with aiohttp.ClientSession() as client:
        await asyncio.gather(*(get(client, f"{url}/together") for _ in range(4)))
        before = await asyncio.to_thread(settled)
        if fails:
            with contextlib.suppress(aiohttp.ClientError):
                # aiohttp sends a GET again whose kept connection was closed: that fails, too.
                await get(client, f"{url}/gone")
    return before, await asyncio.to_thread(settled)


def tried(name, run):
    gc.disable()
    before, without = run(False)
    _, left = run(True)
    gc.collect()
    seen = before, without, left, settled()
    print(f"{name:9} {', '.join(map(str, seen))}", flush=True)
    return seen


def by_session(library):
    def opened():
        session = library.Session()
        session.trust_env = False
        session.mount("http://", library.adapters.HTTPAdapter(pool_maxsize=4))
        return session

    def get(session, to):
        return session.get(to, timeout=10)

    return lambda fails: run(opened, get, library.RequestException, fails)


if sys.argv[1] == "niquests":
    import niquests

    sys.exit(tried("niquests", by_session(niquests)) != (4, 0, 0, 0))

import httpx, requests, urllib3


def by_urllib3(fails):
    def get(pools, to):
        return pools.request("GET", to, timeout=10, retries=False)

    return run(lambda: urllib3.PoolManager(maxsize=4), get, urllib3.exceptions.HTTPError, fails)


def by_httpx(fails):
    def opened():
        return httpx.Client(trust_env=False, timeout=10)

    return run(opened, lambda client, to: client.get(to), httpx.HTTPError, fails)


late = [tried("requests", by_session(requests)), tried("urllib3", by_urllib3)]
prompt = [tried("httpx", by_httpx), tried("aiohttp", lambda fails: asyncio.run(run_aiohttp(fails)))]
sys.exit(late != [(4, 0, 3, 0)] * 2 or prompt != [(4, 0, 0, 0)] * 2)
PYTHON

changed=0
venv/bin/python closed.py others || changed=1
niquests/bin/python closed.py niquests || changed=1
exit $changed
