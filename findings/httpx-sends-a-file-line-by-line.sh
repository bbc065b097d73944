#!/usr/bin/env bash
# The one file that httpx.AsyncClient takes, anyio's, goes out line by line: a text in thousands of pieces.
#
# Versions:  httpx 0.28.1, httpx2 2.16.2, anyio 4.16.0.
# Behaviour: an asynchronous client refuses an open file ("Attempted to send a sync request with an AsyncClient instance").
#            anyio.open_file and anyio.wrap_file make one that it takes; but they yield lines, each read in a thread, and
#            each line becomes a chunk: 110 KB of 11 octets a line leave as 10,000 chunks. 110 KB without a line end are
#            read into memory and sent in one. An iterator that reads 64 KiB at a time sends both in two.
# Seen, for both: short lines 10000 chunks; no line ends 1 chunk; in pieces 2 chunks
# Exits with 1 if a file of short lines leaves in fewer chunks than it has lines.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -qq --disable-pip-version-check httpx==0.28.1 httpx2==2.16.2 anyio==4.16.0

cat > "$folder/upload.py" <<'PYTHON'
import asyncio, sys, tempfile

import anyio, httpx, httpx2

chunks = []


async def store(reader, writer):
    """Count the chunks of one request (RFC 9112, section 7.1), and answer 200."""
    await reader.readuntil(b"\r\n\r\n")
    number = 0
    while size := int(await reader.readline(), 16):
        await reader.readexactly(size + 2)
        number += 1
    await reader.readline()
    chunks.append(number)
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    await writer.drain()
    writer.close()


async def pieces(path):
    async with await anyio.open_file(path, "rb") as file:
        while piece := await file.read(65536):
            yield piece


async def main():
    server = await asyncio.start_server(store, "127.0.0.1", 0, limit=2**20)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    with tempfile.NamedTemporaryFile() as lines, tempfile.NamedTemporaryFile() as one:
        lines.write(b"0123456789\n" * 10_000)
        one.write(b"0123456789 " * 10_000)
        lines.flush(), one.flush()
        for library in (httpx, httpx2):
            async with library.AsyncClient(trust_env=False, timeout=60) as client:
                try:
                    with open(lines.name, "rb") as file:
                        await client.put(url, content=file)
                except RuntimeError as error:
                    refused = str(error)
                for path in (lines.name, one.name):
                    async with await anyio.open_file(path, "rb") as file:
                        await client.put(url, content=file)
                await client.put(url, content=pieces(lines.name))
            short, whole, cut = chunks[-3:]
            print(
                f"{library.__name__:6} short lines {short} chunks;"
                f" no line ends {whole} chunk; in pieces {cut} chunks"
            )
            if short < 10_000:
                sys.exit(1)
        print(f"a plain file: {refused}")
    server.close()


asyncio.run(main())
PYTHON
"$folder/venv/bin/python" "$folder/upload.py"
