#!/usr/bin/env bash
# close() of a redis-py client, while another thread waits in it, raises an error there that no Redis handler catches.
#
# Versions:  redis-py 8.1.0 without and with hiredis 3.4.0, valkey-py 6.1.1; any redis-server. Needs redis-server on the path.
# Behaviour: closing a client disconnects its pool, and the pool says that this includes connections "currently in use,
#            potentially by other threads". It closes the buffer first and the socket after that, so the thread that reads
#            does not see a closed connection: its `blpop` ends in `ValueError: I/O operation on closed file`. That is no
#            `RedisError` and no `OSError`, so a worker that goes on after those dies, and the retries of the client do not
#            apply. If hiredis is installed, or the server closes the connection, the same program gets a `ConnectionError`.
# Seen:
#   redis 8.1.0           closed by the client: ValueError, by the server: ConnectionError
#   valkey 6.1.1          closed by the client: ValueError, by the server: ConnectionError
#   redis 8.1.0, hiredis  closed by the client: ConnectionError, by the server: ConnectionError
# Exits with 1 if that changes.
set -euo pipefail

folder=$(mktemp -d)
redis=
cleanup() {
    [ -z "$redis" ] || kill "$redis" 2>/dev/null || true
    wait
    rm -rf "$folder"
}
trap cleanup EXIT
cd "$folder"

python3 -m venv venv
install() { venv/bin/python -m pip install -qq --disable-pip-version-check "$@" 2>/dev/null; }
install redis==8.1.0 valkey==6.1.1

port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
redis-server --port "$port" --save "" --dir "$folder" >/dev/null &
redis=$!

cat > close.py <<'PYTHON'
import sys, threading, time

port, library, title = int(sys.argv[1]), __import__(sys.argv[2]), sys.argv[3]


def opened(**options):
    return getattr(library, library.__name__.title())(port=port, **options)


other = opened()
while True:
    try:
        other.ping()
        break
    except library.ConnectionError:
        time.sleep(0.05)


def ended(close):
    # No retries, so that what ends the first read is seen.
    client, found = opened(retry=library.retry.Retry(library.backoff.NoBackoff(), 0)), []

    def work():
        try:
            found.append(client.blpop("queue", timeout=20))
        except Exception as error:
            found.append(type(error).__name__)

    worker = threading.Thread(target=work)
    worker.start()
    while not other.info("clients")["blocked_clients"]:
        time.sleep(0.01)
    close(client)
    worker.join()
    return found[0]


def by_the_server(_):
    other.client_kill_filter(_type="normal", skipme=True)


here, there = ended(lambda client: client.close()), ended(by_the_server)
print(f"{title:21} closed by the client: {here}, by the server: {there}")
PYTHON

{
    venv/bin/python close.py "$port" redis "redis 8.1.0"
    venv/bin/python close.py "$port" valkey "valkey 6.1.1"
    install hiredis==3.4.0
    venv/bin/python close.py "$port" redis "redis 8.1.0, hiredis"
} | tee seen

# What is compared is the text under "Seen" above.
diff seen - <<'SEEN'
redis 8.1.0           closed by the client: ValueError, by the server: ConnectionError
valkey 6.1.1          closed by the client: ValueError, by the server: ConnectionError
redis 8.1.0, hiredis  closed by the client: ConnectionError, by the server: ConnectionError
SEEN
