#!/usr/bin/env bash
# Syncthing's API asks for Basic, and answers the right password with 403: a client that does what the challenge says never gets in.
#
# Versions:  Syncthing 1.19.2 (Debian 12's syncthing), curl 7.88.1, requests 2.34.0 and httpx 0.28.1 (PyPI, Python 3.11).
#            Needs the programs syncthing and curl.
# Behaviour: without a session the API answers 401 with a Basic challenge. The right password is accepted, and each request that has it
#            begins a session of its own. But then the API wants a CSRF token as well, and gives none: 403, "CSRF Error", for a GET too.
#            Only a page of the user interface sets the token, in a cookie, and the request must repeat it in a header field whose name
#            has the first five characters of the device's ID in it. The 403 has no challenge, so no client logs in after it. When
#            Syncthing starts again, its sessions are gone, and the 401 with Basic comes back.
# Seen (for GET /rest/system/version; the API's key is in the configuration, and needs none of this):
#            nothing                             401  Basic realm="Authorization Required"
#            wrong password                      401  Basic realm="Authorization Required"
#            right password: curl                403  CSRF Error, and a new session
#            right password: requests            403  CSRF Error, and a new session
#            right password: httpx               403  CSRF Error, and a new session
#            session, and the token as a cookie  403  CSRF Error
#            session, and the token in a field   200
#            the same after a restart            401  Basic realm="Authorization Required"
#            API key                             200
# Exits with 1 if that changes.
set -euo pipefail

for program in syncthing curl; do
    command -v "$program" >/dev/null || { echo "this needs the program $program"; exit 2; }
done
script=$(realpath "$0")
folder=$(mktemp -d)
server=
stop() { [ -z "$server" ] || { kill "$server"; wait "$server" || true; server=; }; }
trap 'stop; rm -rf "$folder"' EXIT
cd "$folder"
export HOME=$folder STNOUPGRADE=1
python3 -m venv venv
venv/bin/python -m pip install -qq --disable-pip-version-check requests==2.34.0 httpx==0.28.1 bcrypt==4.3.0 2>/dev/null
read -r port other < <(python3 -c '
import socket
sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
print(*(one.getsockname()[1] for one in sockets))')
syncthing -generate="$folder/home" --no-default-folder >/dev/null 2>&1
venv/bin/python - "$port" "$other" <<'PYTHON'
import re
import sys

import bcrypt

port, other = sys.argv[1:]
config = open("home/config.xml").read()
account = f"<user>ada</user><password>{bcrypt.hashpw(b's3cret', bcrypt.gensalt(4)).decode()}</password><apikey>k3y</apikey>"
config = re.sub("<apikey>.*</apikey>", account, config)
config = re.sub(r"<address>127\.0\.0\.1:\d+</address>", f"<address>127.0.0.1:{port}</address>", config)
config = config.replace("<listenAddress>default<", f"<listenAddress>tcp://127.0.0.1:{other}<")
for name in ("globalAnnounceEnabled", "localAnnounceEnabled", "relaysEnabled", "natEnabled", "crashReportingEnabled"):
    config = config.replace(f"<{name}>true<", f"<{name}>false<")
open("home/config.xml", "w").write(config)
PYTHON
url=http://127.0.0.1:$port
api=$url/rest/system/version
start() {
    syncthing serve --home="$folder/home" --no-browser --no-restart >log 2>&1 &
    server=$!
    for _ in $(seq 100); do
        curl -s -o /dev/null "$url" && return
        sleep 0.2
    done
}
ask() { # the row's name, and the arguments of curl
    local name=$1
    shift
    curl -s -D head -o body "$@" "$api" || true
    row "$name" "$(sed -n '1s/[^ ]* \([0-9]*\).*/\1/p' head)" "$(tr -d '\r' <head)"
}
row() { # name, status, fields
    local text=
    case $2 in
        401) text=$(sed -n 's/^Www-Authenticate: //Ip' <<<"$3") ;;
        403) text=$(cat body)$(grep -qi '^set-cookie: sessionid' <<<"$3" && echo ', and a new session' || true) ;;
    esac
    printf '%-36s%s  %s\n' "$1" "$2" "$text" | sed 's/ *$//'
}

start
cat > ask.py <<'PYTHON'
import sys

import httpx
import requests

answer = getattr({"requests": requests, "httpx": httpx}[sys.argv[1]], "get")(sys.argv[2], auth=("ada", "s3cret"))
print(answer.status_code)
print(*(f"{name}: {value}" for name, value in answer.headers.items()), sep="\n")
open("body", "w").write(answer.text)
PYTHON
{
    ask nothing
    ask "wrong password" -u ada:wr0ng
    ask "right password: curl" -u ada:s3cret
    for client in requests httpx; do
        said=$(venv/bin/python ask.py "$client" "$api")
        row "right password: $client" "$(head -n 1 <<<"$said")" "$said"
    done
    curl -s -o /dev/null -c jar -u ada:s3cret "$url/"
    field=$(awk '$6 ~ /^CSRF/ {print "X-" $6 ": " $7}' jar)
    ask "session, and the token as a cookie" -b jar
    ask "session, and the token in a field" -b jar -H "$field"
    stop
    start
    ask "the same after a restart" -b jar -H "$field"
    ask "API key" -H "X-API-Key: k3y"
} >seen
cat seen
stop
sed -n '/^# Seen/,/^# Exits/p' "$script" | sed '1d;$d;s/^# *//' | diff - seen
