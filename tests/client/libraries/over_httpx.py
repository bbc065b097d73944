"""httpx and httpx2: in threads, on asyncio and on trio."""

from __future__ import annotations

import io
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import httpx

from relogin import Grant
from tests.client.libraries.face import Answer, Body, Face, answer_of, passed_as, posted
from tests.client.libraries.shapes import (
    WHOLE,
    Again,
    AgainAsync,
    LyingSeek,
    Unseekable,
    a_file,
    at_an_offset,
    produced,
    produced_async,
)
from tests.client.server import Server

_content = passed_as("content")


class Httpx(Face):
    library = "httpx"
    failure = httpx.HTTPError
    module: Any = httpx
    client = "Client"

    def make(self, auth: Any, **options: Any) -> Any:
        limits = self.module.Limits(max_connections=100, max_keepalive_connections=100)
        options = {"trust_env": False, "limits": limits, "timeout": 20, **options}
        return getattr(self.module, self.client)(auth=auth, follow_redirects=True, **options)

    def send(self, client: Any, method: str, url: str, **options: Any) -> Any:
        raw = client.request(method, url, **options)
        return answer_of(raw, raw.status_code, raw.content)

    def close(self, client: Any) -> Any:
        client.close()

    def bodies(self) -> dict[str, Body]:
        return _common() | {
            "BytesIO": _content(lambda: io.BytesIO(WHOLE)),
            "a file": _content(a_file),
            "an iterable": _content(Again),
            "a generator": _content(produced, repeats=False),
            "a progress bar around a generator": _content(lambda: Again(produced()), repeats=False),
            "no position": _content(lambda: Unseekable(WHOLE), repeats=False),
            "a lying seek": _content(lambda: LyingSeek(WHOLE), repeats=False),
        }


def _common() -> dict[str, Body]:
    def of(**options: Any) -> Body:
        return Body(lambda: options, repeats=True)

    return {
        "bytes": of(content=WHOLE),
        "str": of(content=WHOLE.decode()),
        "fields": of(data={"whole": WHOLE.decode()}),
        "JSON": of(json={"whole": WHOLE.decode()}),
        "files": Body(lambda: {"files": {"f": io.BytesIO(WHOLE)}}, repeats=True),
        "fields and files": Body(
            lambda: {"data": {"a": "b"}, "files": {"f": at_an_offset()}}, repeats=True
        ),
        "files that cannot go back": Body(
            lambda: {"files": {"f": Unseekable(WHOLE)}}, repeats=False
        ),
    }


class HttpxOnAsyncio(Httpx):
    backend = "asyncio"
    client = "AsyncClient"

    async def log_in(self, server: Server, context: Any) -> Grant:
        return server.grant(await posted(server, context.http.post))

    async def send(self, client: Any, method: str, url: str, **options: Any) -> Answer:
        raw = await client.request(method, url, **options)
        return answer_of(raw, raw.status_code, raw.content)

    async def close(self, client: Any) -> None:
        await client.aclose()

    def bodies(self) -> dict[str, Body]:
        return _common() | {
            "an asynchronous iterable": _content(AgainAsync),
            "an asynchronous generator": _content(produced_async, repeats=False),
            "a progress bar around a generator": _content(
                lambda: AgainAsync(produced()), repeats=False
            ),
            "nothing": Body(dict, repeats=True),
            "empty bytes": Body(lambda: {"content": b""}, repeats=True),
            "many fields": Body(lambda: {"data": {"a": ["b", "c"]}}, repeats=True),
        }


class HttpxOnTrio(HttpxOnAsyncio):
    backend = "trio"


if find_spec("httpx2") is not None:
    httpx2: Any = import_module("httpx2")

    class Httpx2(Httpx):
        library = "httpx2"
        failure = httpx2.HTTPError
        module = httpx2

        def bodies(self) -> dict[str, Body]:
            # httpx counts the octets before the offset too, and then fails to send them.
            return super().bodies() | {"BytesIO at an offset": _content(at_an_offset)}

    class Httpx2OnAsyncio(HttpxOnAsyncio):
        library = "httpx2"
        failure = httpx2.HTTPError
        module = httpx2

    class Httpx2OnTrio(HttpxOnTrio):
        library = "httpx2"
        failure = httpx2.HTTPError
        module = httpx2
