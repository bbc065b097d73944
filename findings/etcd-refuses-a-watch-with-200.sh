#!/usr/bin/env bash
# A token of etcd is dead: a read gets a 401, a watch gets a 200 that says "created", and etcd3gw waits forever.
#
# Versions:  etcd 3.4.23 (Debian 12's etcd-server), etcd3gw 2.7.0 (PyPI, Python 3.11). Needs the program etcd.
# Behaviour: etcd's JSON gateway answers a watch before it checks the token. So the status is 200 for everybody, and the refusal is the
#            first result of the stream: "created": true, "canceled": true, and a cancel_reason. (A token dies five minutes after its
#            last use, by default, or when etcd starts again. A watch that has begun goes on without it.) etcd3gw, the Python client,
#            reads "created" and nothing else: watch() returns, its iterator waits forever, and changes are lost silently.
#            watch_once() with a timeout reports that nothing has changed.
# Seen:      token  read         watch                                        etcd3gw.watch() heard   etcd3gw.watch_once()
#            alive  200          200 created                                  1 change                the change
#            dead   401 code 16  200 created, canceled, invalid auth token    0 changes, no error     WatchTimedOut
# Exits with 1 if that changes.
set -euo pipefail

command -v etcd >/dev/null || { echo "this needs the program etcd"; exit 2; }
folder=$(mktemp -d)
server=
cleanup() {
    [ -z "$server" ] || { kill "$server"; wait "$server" || true; }
    rm -rf "$folder"
}
trap cleanup EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -qq --disable-pip-version-check etcd3gw==2.7.0 2>/dev/null
cd "$folder"
read -r port peer < <(python3 -c '
import socket
sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
print(*(one.getsockname()[1] for one in sockets))')
etcd --data-dir data --listen-client-urls "http://127.0.0.1:$port" --advertise-client-urls "http://127.0.0.1:$port" \
    --listen-peer-urls "http://127.0.0.1:$peer" --initial-advertise-peer-urls "http://127.0.0.1:$peer" \
    --initial-cluster "default=http://127.0.0.1:$peer" --auth-token simple 2>log &
server=$!

cat > watch.py <<'PYTHON'
import json, os, queue, sys, threading, time

import etcd3gw, requests

port = int(sys.argv[1])
url = f"http://127.0.0.1:{port}/v3"
KEY = "bGFtcA=="  # "lamp"


def post(path, token=None, **fields):
    headers = {"Authorization": token} if token else {}
    return requests.post(f"{url}/{path}", json=fields, headers=headers, timeout=20)


def log_in():
    return post("auth/authenticate", name="root", password="s3cret").json()["token"]


def read(token):
    answer = post("kv/range", token, key=KEY)
    return f"{answer.status_code} code {answer.json()['code']}" if answer.status_code != 200 else "200"


def watch(token):
    request = {"create_request": {"key": KEY}}
    with requests.post(f"{url}/watch", json=request, headers={"Authorization": token}, stream=True, timeout=20) as answer:
        result = json.loads(next(answer.iter_lines()))["result"]
    said = [word for word in ("created", "canceled") if result.get(word)]
    return f"{answer.status_code} {', '.join(said)}{', ' * ('cancel_reason' in result)}{result.get('cancel_reason', '').rpartition('etcdserver: ')[2]}"


def client(token):
    made = etcd3gw.client(host="127.0.0.1", port=port)
    made.session.headers["Authorization"] = token  # it has no login of its own
    return made


def change():
    assert post("kv/put", log_in(), key=KEY, value="b24=").status_code == 200


def heard(token):
    events, _ = client(token).watch("lamp")
    told = queue.Queue()

    def listen():
        try:
            for event in events:
                told.put(event)
        except Exception as error:
            told.put(error)

    threading.Thread(target=listen, daemon=True).start()
    time.sleep(1)
    change()
    time.sleep(3)
    return f"{told.qsize()} change{'s, no error' if told.empty() else ''}"


def once(token):
    later = threading.Timer(1, change)
    later.start()
    try:
        client(token).watch_once("lamp", timeout=4)
        return "the change"
    except Exception as error:
        return type(error).__name__
    finally:
        later.join()


while True:
    try:
        requests.get(f"http://127.0.0.1:{port}/health", timeout=5)
        break
    except requests.ConnectionError:
        time.sleep(0.2)
for path, fields in [("user/add", {"name": "root", "password": "s3cret"}), ("role/add", {"name": "root"}), ("user/grant", {"user": "root", "role": "root"}), ("enable", {})]:
    assert post(f"auth/{path}", **fields).status_code == 200
token = log_in()
seen = {}
for state in ("alive", "dead"):
    if state == "dead":  # it ends all tokens
        post("auth/disable", log_in())
        post("auth/enable")
    seen[state] = [read(token), watch(token), heard(token), once(token)]
    print(f"{state:7}{seen[state][0]:13}{seen[state][1]:45}{seen[state][2]:24}{seen[state][3]}", flush=True)
EXPECTED = {
    "alive": ["200", "200 created", "1 change", "the change"],
    "dead": ["401 code 16", "200 created, canceled, invalid auth token", "0 changes, no error", "WatchTimedOut"],
}
os._exit(seen != EXPECTED)  # a plain exit would wait for the watches
PYTHON
etcd --version | sed -n 1p
venv/bin/python watch.py "$port"
