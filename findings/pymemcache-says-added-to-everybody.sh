#!/usr/bin/env bash
# Eight processes ask memcached for a lock with add(); pymemcache tells each of them that it has it.
#
# Versions:  pymemcache 4.0.0 (newest), python-memcached 1.62, Django 5.2.16; any memcached on the path.
# Behaviour: memcached's add stores only what is not there yet, so programs take a lock with it. By default pymemcache
#            sends add without asking for an answer (noreply), and returns True. python-memcached, and Django's
#            PyMemcacheCache, which sets default_noreply=False over the same pymemcache, return what happened.
# Seen (how many of eight callers were told that they added the key):
#            pymemcache                        8
#            pymemcache, noreply=False         1
#            python-memcached                  1
#            Django's PyMemcacheCache          1
# Exits with 1 if that changes.
set -euo pipefail

folder=$(mktemp -d)
server=
cleanup() {
    [ -z "$server" ] || kill "$server" 2>/dev/null || true
    wait
    rm -rf "$folder"
}
trap cleanup EXIT

python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -qq --disable-pip-version-check \
    pymemcache==4.0.0 python-memcached==1.62 Django==5.2.16 2>/dev/null
cd "$folder"
port=$(venv/bin/python -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
memcached --port="$port" --listen=127.0.0.1 --user=nobody &
server=$!

cat > eight.py <<'PYTHON'
import sys
import time

import memcache
from django.conf import settings
from django.core.cache.backends.memcached import PyMemcacheCache
from pymemcache.client.base import Client

settings.configure()
host, port = "127.0.0.1", int(sys.argv[1])
for _ in range(100):
    try:
        Client((host, port)).version()
        break
    except OSError:
        time.sleep(0.05)

told = {
    "pymemcache": lambda: Client((host, port)).add("a", "1"),
    "pymemcache, noreply=False": lambda: Client((host, port)).add("b", "1", noreply=False),
    "python-memcached": lambda: memcache.Client([f"{host}:{port}"]).add("c", "1"),
    "Django's PyMemcacheCache": lambda: PyMemcacheCache(f"{host}:{port}", {}).add("d", "1"),
}
for name, add in told.items():
    print(f"{name:33} {sum(bool(add()) for _ in range(8))}")
PYTHON

venv/bin/python -W ignore eight.py "$port" | tee seen
diff seen - <<'SEEN'
pymemcache                        8
pymemcache, noreply=False         1
python-memcached                  1
Django's PyMemcacheCache          1
SEEN
