#!/usr/bin/env bash
# redis-py 8 asks eleven times for a blocking pop of seven seconds, and raises an error after a minute.
#
# Versions:  redis-py 7.1.0 and 8.1.0; any redis-server. Needs redis-server on the path.
# Behaviour: the client of redis-py 8 has a time-out of five seconds and ten retries by default; that of 7 has no time-out. A
#            blocking command that may wait longer than that, on a queue where nothing comes, is given up after five
#            seconds and sent again, with the whole time to wait each time. So `blpop("queue", timeout=7)`, which returns
#            None after seven seconds, raises TimeoutError after some sixty. MONITOR ends after five quiet seconds.
# Seen:      7.1.0  blpop: None after 7 s, BLPOP sent once
#            8.1.0  blpop: TimeoutError after about 60 s, BLPOP sent 11 times; monitor: TimeoutError after 5 s
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

for version in 7.1.0 8.1.0; do
    python3 -m venv "$version"
    "$version/bin/python" -m pip install -qq --disable-pip-version-check "redis==$version" 2>/dev/null
done

port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
redis-server --port "$port" --save "" --dir "$folder" >/dev/null &
redis=$!

cat > wait.py <<'PYTHON'
import sys, time

import redis

client = redis.Redis(port=int(sys.argv[1]))
while True:
    try:
        client.ping()
        break
    except redis.ConnectionError:
        time.sleep(0.05)
client.config_resetstat()


def taken(do):
    began = time.monotonic()
    try:
        found = do()
    except redis.RedisError as error:
        found = type(error).__name__
    return found, time.monotonic() - began


found, seconds = taken(lambda: client.blpop("queue", timeout=7))
sent = client.info("commandstats")["cmdstat_blpop"]["calls"]
print(f"{redis.__version__}  blpop: {found} after {seconds:.0f} s, BLPOP sent {sent} times")
if redis.__version__ == "7.1.0":
    expected = found is None and seconds < 9 and sent == 1
else:
    with client.monitor() as monitor:
        ended, quiet = taken(monitor.next_command)
    print(f"{redis.__version__}  monitor: {ended} after {quiet:.0f} s")
    expected = found == "TimeoutError" and seconds > 30 and sent == 11
    expected = expected and ended == "TimeoutError" and quiet < 7
sys.exit(not expected)
PYTHON

7.1.0/bin/python wait.py "$port"
8.1.0/bin/python wait.py "$port"
