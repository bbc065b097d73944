#!/usr/bin/env bash
# One 401 while tus-js-client resumes an upload, and it forgets what it has uploaded; a login page in its place does no harm.
#
# Versions:  tus-js-client 4.3.1, @tus/server 2.4.5 with @tus/file-store 2.1.1 (npm) on Node 20; tuspy 1.1.0, aiotus 1.1.0 (PyPI)
#            to compare with. Needs node and npm.
# Behaviour: an upload by tus is resumed with a HEAD that asks how far it got. tus-js-client takes each 4xx but 423 for "there
#            is no such upload": it removes the URL from its storage, and asks for a new upload in the same breath. After a
#            401 that fails too, or, where the application has logged in meanwhile, succeeds: then all is sent again, and
#            the first upload stays on the server, unfinished. The same happens without a restart, as each retry after
#            a broken connection (retryDelays) begins with that HEAD. After a 200 without Upload-Offset, as a login
#            page is, it reports an error and keeps the URL. tuspy and aiotus raise an error after either, and keep it.
# Seen (1,000,000 octets, of which 700,000 have arrived; octets sent after the login, and uploads on the server):
#            tus-js-client   401 to the HEAD          1000000   2
#            tus-js-client   login page to the HEAD    300000   1
#            tus-js-client   401 during a retry       1000000   2
#            tuspy           401 to the HEAD           300000   1
#            tuspy           login page to the HEAD    300000   1
#            aiotus          401 to the HEAD           300000   1
# Exits with 1 if that changes.
set -euo pipefail

for program in node npm; do
    command -v "$program" >/dev/null || { echo "this needs the program $program"; exit 2; }
done
folder=$(mktemp -d)
server=
cleanup() {
    [ -z "$server" ] || kill "$server" 2>/dev/null || true
    wait
    rm -rf "$folder"
}
trap cleanup EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -qq --disable-pip-version-check tuspy==1.1.0 aiotus==1.1.0
cd "$folder"
npm install --silent --no-audit --no-fund --prefix "$folder" \
    tus-js-client@4.3.1 @tus/server@2.4.5 @tus/file-store@2.1.1 >/dev/null
mkdir files
head -c 1000000 /dev/zero > content

cat > server.mjs <<'JAVASCRIPT'
// A server for tus behind a check of tokens. /mode/… says what it does; /told says what it had.
import fs from "fs";
import http from "http";
import { Server } from "@tus/server";
import { FileStore } from "@tus/file-store";

const uploads = new Server({ path: "/files", datastore: new FileStore({ directory: "files" }) });
let mode = "lives", octets = 0, cut = false;
const server = http.createServer((request, response) => {
  if (request.url.startsWith("/mode/")) {
    mode = request.url.slice(6);
    return response.end();
  }
  if (request.url === "/told") {
    const count = fs.readdirSync("files").filter(name => !name.endsWith(".json")).length;
    const told = JSON.stringify([octets, count]);
    octets = 0;
    cut = false;
    return response.end(told);
  }
  const dead = request.headers.authorization === "Bearer old" && mode !== "lives";
  if (mode === "retry" && !cut && request.method === "PATCH" && Number(request.headers["upload-offset"]) === 700000) {
    cut = true;
    return request.socket.destroy();
  }
  if (dead && !(mode === "retry" && !cut)) {
    request.resume();
    if (mode === "page") {
      return response.writeHead(200, { "Content-Type": "text/html" }).end("<form method=post action=/login>");
    }
    return response.writeHead(401, { "WWW-Authenticate": 'Bearer error="invalid_token"' }).end();
  }
  if (request.method === "PATCH") octets += Number(request.headers["content-length"]);
  uploads.handle(request, response);
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
JAVASCRIPT

cat > upload.mjs <<'JAVASCRIPT'
// node upload.mjs PORT TOKEN until|all|login: upload the content, stop at 700,000, or log in after a 401.
import fs from "fs";
import * as tus from "tus-js-client";

let [port, token, how] = process.argv.slice(2);
const upload = new tus.Upload(fs.createReadStream("content"), {
  endpoint: `http://127.0.0.1:${port}/files`, chunkSize: 100000, uploadSize: 1000000,
  urlStorage: new tus.FileUrlStorage("urls.json"), fingerprint: async () => "content",
  retryDelays: how === "login" ? [10] : null,
  onBeforeRequest: request => request.setHeader("Authorization", `Bearer ${token}`),
  onAfterResponse: (_, response) => { if (how === "login" && response.getStatus() === 401) token = "new"; },
  onChunkComplete: (_, accepted) => { if (how === "until" && accepted === 700000) process.exit(0); },
  onError: error => setTimeout(() => { console.log(error.message.slice(0, 60)); process.exit(3); }, 100),
});
const [previous] = await upload.findPreviousUploads();
if (previous) upload.resumeFromPreviousUpload(previous);
upload.start();
JAVASCRIPT

cat > upload.py <<'PYTHON'
"""upload.py LIBRARY PORT TOKEN until|all: the same by tuspy and aiotus, which keep the URL as the program tells them."""
import asyncio, pathlib, sys

import aiohttp, aiotus
from tusclient.client import TusClient
from tusclient.storage.filestorage import FileStorage

library, port, token, how = sys.argv[1:]
endpoint, fields = f"http://127.0.0.1:{port}/files", {"Authorization": f"Bearer {token}"}
if library == "tuspy":
    uploader = TusClient(endpoint, headers=fields).uploader(
        "content", chunk_size=100_000, store_url=True, url_storage=FileStorage("tuspy.json"), metadata={"filename": "content"}
    )
    uploader.upload(stop_at=700_000 if how == "until" else None)
else:

    class Part:
        """A file that ends at 700,000, or at its end."""

        def __init__(self):
            self.file, self.end = open("content", "rb"), 700_000 if how == "until" else 1_000_000

        def read(self, size=-1):
            return self.file.read(min(size if size >= 0 else self.end, max(0, self.end - self.file.tell())))

        def __getattr__(self, name):
            return getattr(self.file, name)

    async def main():
        kept = pathlib.Path("aiotus.url")
        async with aiohttp.ClientSession(headers=fields) as session:
            if not kept.exists():
                kept.write_text(str(await aiotus.creation.create(session, endpoint, open("content", "rb"), {})))
            location = kept.read_text()
            if how == "until":
                offset = await aiotus.core.offset(session, location)
                async with session.patch(location, data=bytes(700_000), headers={
                    "Tus-Resumable": "1.0.0", "Upload-Offset": str(offset), "Content-Type": "application/offset+octet-stream"}):
                    return
            await aiotus.core.upload_buffer(session, location, open("content", "rb"))

    asyncio.run(main())
PYTHON

node server.mjs > port &
server=$!
for _ in $(seq 100); do [ -s port ] && break; sleep 0.1; done

cat > try.py <<'PYTHON'
import json, pathlib, shutil, subprocess, sys, urllib.request

PORT = pathlib.Path("port").read_text().strip()


def get(path):
    return urllib.request.urlopen(f"http://127.0.0.1:{PORT}/{path}").read()


def run(library, token, how):
    program = ["node", "upload.mjs"] if library == "tus-js-client" else ["venv/bin/python", "upload.py", library]
    return subprocess.run([*program, PORT, token, how], capture_output=True, text=True, timeout=60)


def clear():
    for name in ("urls.json", "tuspy.json", "aiotus.url"):
        pathlib.Path(name).unlink(missing_ok=True)
    shutil.rmtree("files")
    pathlib.Path("files").mkdir()
    get("mode/lives")
    get("told")


CASES = [
    ("tus-js-client", "401", "401 to the HEAD", [1_000_000, 2]),
    ("tus-js-client", "page", "login page to the HEAD", [300_000, 1]),
    ("tus-js-client", "retry", "401 during a retry", [1_000_000, 2]),
    ("tuspy", "401", "401 to the HEAD", [300_000, 1]),
    ("tuspy", "page", "login page to the HEAD", [300_000, 1]),
    ("aiotus", "401", "401 to the HEAD", [300_000, 1]),
]
as_expected = True
for library, mode, name, expected in CASES:
    clear()
    if mode == "retry":
        get("mode/retry")
        done = run(library, "old", "login")
        octets, uploads = json.loads(get("told"))
        seen = [octets - 700_000, uploads]
    else:
        done = run(library, "old", "until")
        begun = json.loads(get("told"))
        if begun != [700_000, 1]:
            sys.exit(f"{library} began with {begun}: {done.stdout}{done.stderr}")
        get(f"mode/{mode}")
        if run(library, "old", "all").returncode == 0:
            sys.exit(f"{library} was not refused")
        done = run(library, "new", "all")
        seen = json.loads(get("told"))
    if done.returncode:
        sys.exit(f"{library}: {done.stdout}{done.stderr}")
    as_expected &= seen == expected
    print(f"{library:15} {name:23} {seen[0]:8} {seen[1]:3}", flush=True)
sys.exit(not as_expected)
PYTHON

"$folder/venv/bin/python" try.py
