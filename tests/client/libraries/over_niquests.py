"""niquests: in threads, and on asyncio."""

from __future__ import annotations

from typing import Any

import niquests

from relogin import Grant
from tests.client.libraries.face import Body, answer_of, passed_as, posted
from tests.client.libraries.over_requests import Requests
from tests.client.libraries.shapes import WHOLE, AgainAsync, Unseekable, produced, produced_async
from tests.client.server import Server

data = passed_as("data")


class Niquests(Requests):
    library = "niquests"
    failure = niquests.RequestException
    module = niquests
    kind: Any = niquests.Session

    def make(self, auth: Any, **options: Any) -> Any:
        session = self.kind(pool_maxsize=100, **options)
        session.trust_env = False
        session.auth = auth
        return session


class NiquestsOnAsyncio(Niquests):
    backend = "asyncio"
    kind = niquests.AsyncSession

    async def log_in(self, server: Server, context: Any) -> Grant:
        return server.grant(await posted(server, context.http.post))

    async def send(self, client: Any, method: str, url: str, **options: Any) -> Any:
        raw = await client.request(method, url, timeout=20, **options)
        return answer_of(raw, raw.status_code, raw.content)

    async def close(self, client: Any) -> None:  # type: ignore[override]
        await client.close()

    def bodies(self) -> dict[str, Body]:
        return super().bodies() | {
            "an asynchronous iterable": data(AgainAsync),
            "an asynchronous generator": data(produced_async, repeats=False),
            "a progress bar around an asynchronous generator": data(
                lambda: AgainAsync(produced()), repeats=False
            ),
            "no position": data(lambda: Unseekable(WHOLE), repeats=False),
        }
