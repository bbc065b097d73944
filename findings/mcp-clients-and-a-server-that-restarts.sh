#!/usr/bin/env bash
# An MCP server restarts, and its sessions are gone: four clients send the dead session with each call from then on, and none starts a new one.
#
# Versions:  mcp 1.30.0, mcp 2.3.0, fastmcp 4.2.3, @modelcontextprotocol/sdk 1.32.2 (npm, Node 20), uvicorn 0.54.0. Needs
#            node and npm.
# Behaviour: up to its revision of 2025-11-25, MCP over HTTP has sessions (Mcp-Session-Id). A server answers 404 to one that it
#            does not know, and the client "MUST start a new session" (Transports, Session Management). These clients raise
#            an error instead, for every call from then on: "Session not found", or "Session terminated". Revision
#            2026-07-28 has no sessions. There the restart does no harm, if client and server both speak it: mcp 2 and
#            fastmcp 4 do, mcp 1 and the SDK for TypeScript do not.
# Seen (server, client, and its two calls after the restart):
#            mcp 1.30.0  mcp 1.30.0             error error
#            mcp 1.30.0  mcp 2.3.0              error error
#            mcp 1.30.0  fastmcp 4.2.3          error error
#            mcp 1.30.0  TypeScript SDK 1.32.2  error error
#            mcp 2.3.0   mcp 1.30.0             error error
#            mcp 2.3.0   mcp 2.3.0              4 5
#            mcp 2.3.0   fastmcp 4.2.3          4 5
#            mcp 2.3.0   TypeScript SDK 1.32.2  error error
# Exits with 1 if that changes.
set -euo pipefail

for program in node npm; do
    command -v "$program" >/dev/null || { echo "this needs the program $program"; exit 2; }
done
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
export HOME=$folder
for release in 1.30.0 2.3.0; do
    python3 -m venv "venv-$release"
    more=$([ "$release" = 2.3.0 ] && echo fastmcp==4.2.3 || true)
    "venv-$release/bin/python" -m pip install -qq --disable-pip-version-check \
        "mcp==$release" $more uvicorn==0.54.0 2>/dev/null
done
npm install --silent --no-audit --no-fund --prefix "$folder" @modelcontextprotocol/sdk@1.32.2 >/dev/null

cat > server.py <<'PYTHON'
import sys

import uvicorn

try:
    from mcp.server import MCPServer
except ImportError:
    from mcp.server.fastmcp import FastMCP as MCPServer

server = MCPServer("sums")


@server.tool()
def add(a: int, b: int) -> int:
    return a + b


uvicorn.run(server.streamable_http_app(), port=int(sys.argv[1]), log_level="critical")
PYTHON

cat > client.py <<'PYTHON'
import asyncio, sys
from contextlib import AsyncExitStack
from pathlib import Path

url, kind = sys.argv[1:]


async def connected(stack):
    if kind == "mcp 1.30.0":
        from mcp import ClientSession
        from mcp.client.streamable_http import streamablehttp_client

        streams = await stack.enter_async_context(streamablehttp_client(url))
        session = await stack.enter_async_context(ClientSession(*streams[:2]))
        await session.initialize()
        return session
    if kind == "mcp 2.3.0":
        from mcp.client import Client
    else:
        from fastmcp import Client
    return await stack.enter_async_context(Client(url))


async def main():
    async with AsyncExitStack() as stack:
        client = await connected(stack)
        await client.call_tool("add", {"a": 1, "b": 2})
        print("ready", flush=True)
        while not Path("restarted").exists():
            await asyncio.sleep(0.1)
        for b in (3, 4):
            try:
                called = await asyncio.wait_for(client.call_tool("add", {"a": 1, "b": b}), 15)
                print("seen", called.content[0].text, flush=True)
            except Exception as error:
                lost = "Session not found" in str(error) or "Session terminated" in str(error)
                print("seen", "error" if lost else repr(error), flush=True)


asyncio.run(main())
PYTHON

cat > client.mjs <<'JAVASCRIPT'
import { existsSync } from "fs";
import { setTimeout } from "timers/promises";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";

const client = new Client({ name: "client", version: "1" });
await client.connect(new StreamableHTTPClientTransport(new URL(process.argv[2])));
const add = b => client.callTool({ name: "add", arguments: { a: 1, b } });
await add(2);
console.log("ready");
while (!existsSync("restarted")) await setTimeout(100);
for (const b of [3, 4])
  try {
    console.log("seen", (await add(b)).content[0].text);
  } catch (error) {
    console.log("seen", String(error).includes("Session not found") ? "error" : String(error));
  }
process.exit(0);
JAVASCRIPT

cat > ask.py <<'PYTHON'
import socket, subprocess, sys, time
from pathlib import Path

RELEASES = "1.30.0", "2.3.0"
CLIENTS = {
    "mcp 1.30.0": ["venv-1.30.0/bin/python", "client.py"],
    "mcp 2.3.0": ["venv-2.3.0/bin/python", "client.py"],
    "fastmcp 4.2.3": ["venv-2.3.0/bin/python", "client.py"],
    "TypeScript SDK 1.32.2": ["node", "client.mjs"],
}


def serve(release, port):
    words = [f"venv-{release}/bin/python", "server.py", str(port)]
    server = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for _ in range(600):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return server
        except OSError:
            time.sleep(0.1)
    raise SystemExit("the server does not start")


def stop(process):
    process.kill()
    process.wait()


def seen(name):
    lines = Path(f"{name}.log").read_text().splitlines()
    return [line.split(" ", 1)[1] for line in lines if line.startswith("seen ")]


for release in RELEASES:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    restarted = Path("restarted")
    restarted.unlink(missing_ok=True)
    server = serve(release, port)
    clients = {}
    for name, words in CLIENTS.items():
        more = [] if words[0] == "node" else [name]
        with open(f"{name}.log", "w") as log:
            clients[name] = subprocess.Popen(
                [*words, f"http://127.0.0.1:{port}/mcp", *more], stdout=log, stderr=log
            )
    try:
        until = time.monotonic() + 50
        while any("ready" not in Path(f"{name}.log").read_text() for name in clients):
            if time.monotonic() > until:
                raise SystemExit("a client does not connect")
            time.sleep(0.1)
        stop(server)
        server = serve(release, port)
        restarted.touch()
        while any(len(seen(name)) < 2 for name in clients) and time.monotonic() < until + 40:
            time.sleep(0.1)
        for name in clients:
            print(f"mcp {release:6}  {name:21}  {' '.join(seen(name))}", flush=True)
    finally:
        for process in (*clients.values(), server):
            stop(process)
PYTHON

python3 ask.py | tee seen
diff - seen <<'SEEN'
mcp 1.30.0  mcp 1.30.0             error error
mcp 1.30.0  mcp 2.3.0              error error
mcp 1.30.0  fastmcp 4.2.3          error error
mcp 1.30.0  TypeScript SDK 1.32.2  error error
mcp 2.3.0   mcp 1.30.0             error error
mcp 2.3.0   mcp 2.3.0              4 5
mcp 2.3.0   fastmcp 4.2.3          4 5
mcp 2.3.0   TypeScript SDK 1.32.2  error error
SEEN
