"""The clients: each logs in, lets its session be ended, and uploads."""

from __future__ import annotations

import hashlib
import itertools
import ssl
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import IO, Any, Self

import aiohttp
import anyio
import anyio.to_thread
import httpx
import requests

import relogin.client.aiohttp
import relogin.client.httpx
import relogin.client.requests
from relogin.client import outcome
from relogin.errors import LoginUnavailable

__all__ = ["BODIES", "CLIENTS", "Job", "Upload"]

_PIECE = 64 * 1024
_TIMEOUT = 20.0
_numbers = itertools.count()
BODIES = ("bytes", "file", "generator")


@dataclass(frozen=True)
class Job:
    """What a client is to do: `number` uploads one after another, the session dead at the first.

    With `each`, it dies before every upload.
    """

    url: str
    authority: str
    method: str
    body: str
    size: int
    kill: Callable[[], object]
    number: int = 1
    each: bool = False
    http2: bool = False
    bare: bool = False
    """Without the adapter or transport that relogin has for uploads."""

    @property
    def budget(self) -> tuple[int, float]:
        """As many logins as there are deaths: the usual budget is for clients that evict others."""
        return (10 + self.number if self.each else 10, 30.0)

    def dies_before(self, number: int) -> bool:
        return self.each or number == 0


@dataclass(frozen=True)
class Upload:
    """One upload: its path and digest, and what its sender saw."""

    path: str
    sha256: str
    seen: str
    arrived: bool


class _Body:
    """Octets that no other upload has, so that mixed ones are found."""

    def __init__(self, job: Job) -> None:
        self.path = f"/upload/{next(_numbers)}"
        # anyio reads a file line by line.
        head = f"{self.path:<{_PIECE - 1}}\n".encode()
        self.octets = (head * (job.size // len(head) + 1))[: job.size]
        self.sha256 = hashlib.sha256(self.octets).hexdigest()
        self._kind = job.body
        self._opened = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._opened.close()

    def given(self) -> Any:
        if self._kind == "bytes":
            return self.octets
        return self._file() if self._kind == "file" else self._pieces()

    def given_async(self) -> Any:
        # httpx's asynchronous client takes no plain file: anyio wraps it.
        if self._kind == "file":
            return anyio.wrap_file(self._file())
        return self.octets if self._kind == "bytes" else self._pieces_async()

    def _file(self) -> IO[bytes]:
        file = self._opened.enter_context(tempfile.TemporaryFile())  # noqa: SIM115
        file.write(self.octets)
        file.seek(0)
        return file

    def _pieces(self) -> Iterator[bytes]:
        for start in range(0, len(self.octets), _PIECE):
            yield self.octets[start : start + _PIECE]

    async def _pieces_async(self) -> AsyncIterator[bytes]:
        for piece in self._pieces():
            yield piece

    def upload(self, response: Any) -> Upload:
        arrived = response.status_code == 200 and response.text == self.sha256
        seen = f"{response.status_code} {outcome(response)}"
        return Upload(self.path, self.sha256, seen, arrived)

    def failed(self, error: Exception) -> Upload:
        why = f" ({error})" if isinstance(error, LoginUnavailable) else ""
        seen = f"{type(error).__name__} {outcome(error)}{why}"
        return Upload(self.path, self.sha256, seen, False)


def with_requests(job: Job) -> list[Upload]:
    def login(context: Any) -> str:
        answer = context.http.post(f"{job.url}/login", data=b"secret")
        answer.raise_for_status()
        return str(answer.text)

    uploads = []
    with requests.Session() as session:
        session.trust_env, session.verify = False, job.authority
        if not job.bare:
            session.mount("https://", relogin.client.requests.UploadAdapter())
            session.mount("http://", relogin.client.requests.UploadAdapter())
        session.auth = relogin.client.requests.SessionAuth(login, job.url, budget=job.budget)
        session.get(f"{job.url}/alive", timeout=_TIMEOUT).raise_for_status()
        for number in range(job.number):
            if job.dies_before(number):
                job.kill()
            with _Body(job) as body:
                send = partial(session.request, job.method, job.url + body.path, timeout=_TIMEOUT)
                try:
                    uploads.append(body.upload(send(data=body.given())))
                except requests.RequestException as error:
                    uploads.append(body.failed(error))
    return uploads


def _trusted(job: Job) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=job.authority)


def with_httpx(job: Job) -> list[Upload]:
    def login(context: Any) -> str:
        answer = context.http.post(f"{job.url}/login", content=b"secret")
        answer.raise_for_status()
        return str(answer.text)

    uploads = []
    options: dict[str, Any] = {"verify": _trusted(job), "http2": job.http2}
    if not job.bare:
        inner = httpx.HTTPTransport(**options)
        options = {"transport": relogin.client.httpx.UploadTransport(inner)}
    with (
        httpx.Client(verify=_trusted(job)) as own,
        httpx.Client(trust_env=False, timeout=_TIMEOUT, **options) as client,
    ):
        client.auth = relogin.client.httpx.SessionAuth(login, job.url, http=own, budget=job.budget)
        client.get(f"{job.url}/alive").raise_for_status()
        for number in range(job.number):
            if job.dies_before(number):
                job.kill()
            with _Body(job) as body:
                try:
                    response = client.request(job.method, job.url + body.path, content=body.given())
                    uploads.append(body.upload(response))
                except httpx.HTTPError as error:
                    uploads.append(body.failed(error))
    return uploads


async def _with_httpx_async(job: Job) -> list[Upload]:
    async def login(context: Any) -> str:
        answer = await context.http.post(f"{job.url}/login", content=b"secret")
        answer.raise_for_status()
        return str(answer.text)

    uploads = []
    options: dict[str, Any] = {"verify": _trusted(job), "http2": job.http2}
    if not job.bare:
        inner = httpx.AsyncHTTPTransport(**options)
        options = {"transport": relogin.client.httpx.AsyncUploadTransport(inner)}
    async with (
        httpx.AsyncClient(verify=_trusted(job)) as own,
        httpx.AsyncClient(trust_env=False, timeout=_TIMEOUT, **options) as client,
    ):
        client.auth = relogin.client.httpx.SessionAuth(login, job.url, http=own, budget=job.budget)
        (await client.get(f"{job.url}/alive")).raise_for_status()
        for number in range(job.number):
            if job.dies_before(number):
                await anyio.to_thread.run_sync(job.kill)
            with _Body(job) as body:
                send = partial(client.request, job.method, job.url + body.path)
                try:
                    uploads.append(body.upload(await send(content=body.given_async())))
                except httpx.HTTPError as error:
                    uploads.append(body.failed(error))
    return uploads


def with_httpx_asyncio(job: Job) -> list[Upload]:
    return anyio.run(_with_httpx_async, job, backend="asyncio")


def with_httpx_trio(job: Job) -> list[Upload]:
    return anyio.run(_with_httpx_async, job, backend="trio")


async def _with_aiohttp(job: Job) -> list[Upload]:
    async def login(context: Any) -> str:
        async with context.http.post(f"{job.url}/login", data=b"secret") as answer:
            answer.raise_for_status()
            return str(await answer.text())

    uploads = []
    auth = relogin.client.aiohttp.SessionAuth(login, job.url, budget=job.budget)
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(ssl=_trusted(job)),
        timeout=aiohttp.ClientTimeout(total=_TIMEOUT),
        middlewares=[auth],
    ) as session:
        async with session.get(f"{job.url}/alive") as answer:
            answer.raise_for_status()
        for number in range(job.number):
            if job.dies_before(number):
                await anyio.to_thread.run_sync(job.kill)
            with _Body(job) as body:
                given = body._file() if job.body == "file" else body.given_async()
                send = partial(session.request, job.method, job.url + body.path, data=given)
                try:
                    async with send() as answer:
                        text = await answer.text()
                        arrived = answer.status == 200 and text == body.sha256
                        seen = f"{answer.status} {outcome(answer)}"
                        uploads.append(Upload(body.path, body.sha256, seen, arrived))
                except (aiohttp.ClientError, TimeoutError) as error:
                    uploads.append(body.failed(error))
    await anyio.sleep(0.25)  # aiohttp closes what it no longer keeps while the loop goes on
    return uploads


def with_aiohttp(job: Job) -> list[Upload]:
    return anyio.run(_with_aiohttp, job, backend="asyncio")


CLIENTS: dict[str, Callable[[Job], list[Upload]]] = {
    "requests": with_requests,
    "httpx": with_httpx,
    "httpx-asyncio": with_httpx_asyncio,
    "httpx-trio": with_httpx_trio,
    "aiohttp": with_aiohttp,
}
HTTP2 = frozenset(name for name in CLIENTS if name.startswith("httpx"))
