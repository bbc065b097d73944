"""Auths and clients of aiohttp for a test, and logins that await it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import aiohttp

from relogin import Grant
from relogin.client import outcome
from relogin.client.aiohttp import SessionAuth
from tests.client.server import PASSWORD, Server

JSON = ("Content-Type", "application/json")


def login_of(server: Server) -> Callable[[Any], Coroutine[Any, Any, Grant]]:
    async def login(context: Any) -> Grant:
        url, password = f"{server.url}/login", {"password": PASSWORD}
        async with context.http.post(url, data=password) as answer:
            return Grant(token=await answer.text())

    return login


def an_auth(server: Server, login: Any = None, **options: Any) -> SessionAuth:
    return SessionAuth(login or login_of(server), server.url, **options)


def run(
    auth: SessionAuth,
    do: Callable[[aiohttp.ClientSession], Coroutine[Any, Any, Any]],
    **options: Any,
) -> Any:
    async def main() -> Any:
        async with aiohttp.ClientSession(middlewares=[auth], **options) as session:
            return await do(session)

    return asyncio.run(main())


async def got(session: aiohttp.ClientSession, url: str, **options: Any) -> tuple[int, bytes, str]:
    async with session.get(url, **options) as answer:
        return answer.status, await answer.read(), str(outcome(answer))
