"""An auth of one library that another library's client is given: the error says what to import."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from importlib import import_module
from typing import Any

import aiohttp
import httpx
import httpx2
import pytest
import requests

from relogin.client.terms.libraries import library_of, mixed_up

URL = "http://127.0.0.1:9/orders"  # where nobody listens, and nobody is to be asked


def over_httpx(library: Any) -> Callable[[Any], object]:
    def get(auth: Any) -> object:
        with library.Client(auth=auth, trust_env=False) as client:
            return client.get(URL)

    return get


def over_async_httpx(library: Any) -> Callable[[Any], object]:
    async def get(auth: Any) -> object:
        async with library.AsyncClient(auth=auth, trust_env=False) as client:
            return await client.get(URL)

    return lambda auth: asyncio.run(get(auth))


def over_requests(auth: Any) -> object:
    with requests.Session() as session:
        session.auth = auth
        return session.get(URL)


def over_aiohttp(auth: Any) -> object:
    async def get() -> None:
        async with aiohttp.ClientSession(middlewares=[auth]) as session:
            await session.get(URL)

    return asyncio.run(get())


CLIENTS: dict[str, tuple[str, Callable[[Any], object]]] = {
    "requests": ("requests", over_requests),
    "httpx": ("httpx", over_httpx(httpx)),
    "httpx async": ("httpx", over_async_httpx(httpx)),
    "httpx2": ("httpx2", over_httpx(httpx2)),
    "httpx2 async": ("httpx2", over_async_httpx(httpx2)),
    "aiohttp": ("aiohttp", over_aiohttp),
}
PAIRS = [
    (mine, client)
    for mine in ("requests", "httpx", "httpx2", "aiohttp")
    for client, (theirs, _) in CLIENTS.items()
    if mine != theirs
]


@pytest.mark.parametrize(("mine", "client"), PAIRS)
def test_an_auth_of_another_library_says_which_import_is_right(mine: str, client: str) -> None:
    theirs, get = CLIENTS[client]
    auth = import_module(f"relogin.client.{mine}").SessionAuth(lambda _: "t", URL)
    with pytest.raises(TypeError) as caught:
        get(auth)
    assert str(caught.value) == (
        f"this SessionAuth is for {mine}: for {theirs}, import it from relogin.client.{theirs}"
    )


def test_a_request_of_no_library_that_we_know_is_named() -> None:
    assert library_of(object()) is None
    assert (
        str(mixed_up("httpx", object())) == "this SessionAuth is for httpx, and this object is not"
    )


def test_a_class_derived_from_a_library_s_is_of_that_library() -> None:
    class Mine(requests.Session):
        pass

    assert library_of(Mine()) == "requests"
