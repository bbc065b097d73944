"""aiohttp, on asyncio, which is the only loop that it has."""

from __future__ import annotations

import io
from typing import Any

import aiohttp

from relogin import Grant
from tests.client.libraries.face import Answer, Body, Face, answer_of, passed_as
from tests.client.libraries.shapes import (
    WHOLE,
    AgainAsync,
    LyingSeek,
    Unseekable,
    a_file,
    at_an_offset,
    produced,
    produced_async,
)
from tests.client.server import COOKIE, PASSWORD, Server

data = passed_as("data")


class Aiohttp(Face):
    library = "aiohttp"
    backend = "asyncio"
    failure = aiohttp.ClientError

    def make(self, auth: Any, **options: Any) -> Any:
        jar = aiohttp.CookieJar(unsafe=True)
        return aiohttp.ClientSession(middlewares=[auth] if auth else [], cookie_jar=jar, **options)

    async def log_in(self, server: Server, context: Any) -> Grant:
        url, password = f"{server.url}/login", {"password": PASSWORD}
        async with context.http.post(url, data=password, raise_for_status=True) as answer:
            if server.binding == "cookie":
                return Grant(cookies={COOKIE: answer.cookies[COOKIE].value})
            return Grant(token=await answer.text())

    async def send(self, client: Any, method: str, url: str, **options: Any) -> Answer:
        async with client.request(method, url, **options) as raw:
            return answer_of(raw, raw.status, await raw.read())

    async def close(self, client: Any) -> None:
        await client.close()

    def sent_with(self, raw: Any) -> dict[str, str]:
        return dict(raw.request_info.headers)

    def bodies(self) -> dict[str, Body]:
        return {
            "nothing": Body(dict, repeats=True),
            "bytes": data(lambda: WHOLE),
            "str": data(WHOLE.decode),
            "fields": data(lambda: {"whole": WHOLE.decode()}),
            "JSON": Body(lambda: {"json": {"whole": WHOLE.decode()}}, repeats=True),
            "BytesIO": data(lambda: io.BytesIO(WHOLE)),
            "BytesIO at an offset": data(at_an_offset),
            "StringIO": data(lambda: io.StringIO(WHOLE.decode())),
            "a file": data(a_file),
            "FormData with a file": data(lambda: _form(io.BytesIO(WHOLE))),
            "FormData with what cannot go back": data(
                lambda: _form(Unseekable(WHOLE)), repeats=False
            ),
            "an asynchronous iterable": data(AgainAsync),
            "an asynchronous generator": data(produced_async, repeats=False),
            "a progress bar around a generator": data(
                lambda: AgainAsync(produced()), repeats=False
            ),
            "no position": data(lambda: Unseekable(WHOLE), repeats=False),
            "a lying seek": data(lambda: LyingSeek(WHOLE), repeats=False),
            "a payload that is read once": data(_once, repeats=False),
        }


def _form(file: Any) -> aiohttp.FormData:
    form = aiohttp.FormData({"a": "b"})
    form.add_field("f", file, filename="whole.bin")
    return form


def _once() -> aiohttp.payload.Payload:
    class Once(aiohttp.payload.Payload):
        left = WHOLE

        async def write(self, writer: Any) -> None:
            octets, self.left = self.left, b""
            await writer.write(octets)

        def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
            raise TypeError

    return Once(None)
