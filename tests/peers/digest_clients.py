"""How each HTTP library answers Digest: one run of one client, in a process of its own.

    python -m tests.peers.digest_clients CLIENT USER PASSWORD PLAN

PLAN is JSON: a list of method, URL and kind of content (`null`, `"bytes"` or `"file"`), sent one
after the other by one client. What is printed is a list of statuses, or of names of exceptions.
"""

from __future__ import annotations

import asyncio
import io
import json
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

__all__ = ["CLIENTS", "CONTENT"]

CONTENT = b"tea, ink"
Plan = list[tuple[str, str, str | None]]


def _content(kind: str | None) -> Any:
    return {None: None, "bytes": CONTENT, "file": io.BytesIO(CONTENT)}[kind]


def _each(plan: Plan, send: Callable[[str, str, Any], int]) -> Iterator[int | str]:
    for method, url, kind in plan:
        try:
            yield send(method, url, _content(kind))
        except Exception as error:  # noqa: BLE001 - what a library raises is what is asked for
            yield type(error).__name__


def _over_requests(library: Any, auth: Any, plan: Plan) -> list[int | str]:
    session = library.Session()
    session.trust_env, session.auth = False, auth

    def send(method: str, url: str, content: Any) -> int:
        status: int = session.request(method, url, data=content).status_code
        return status

    return list(_each(plan, send))


def relogin(user: str, password: str, plan: Plan) -> list[int | str]:
    import requests

    from relogin.client.logins import DigestLogin
    from relogin.client.requests import SessionAuth

    origin = plan[0][1]
    return _over_requests(requests, SessionAuth(DigestLogin(user, password), origin), plan)


def requests(user: str, password: str, plan: Plan) -> list[int | str]:
    import requests as library
    from requests.auth import HTTPDigestAuth

    return _over_requests(library, HTTPDigestAuth(user, password), plan)


def niquests(user: str, password: str, plan: Plan) -> list[int | str]:
    library: Any = import_module("niquests")  # it lives in an environment of its own
    auth: Any = import_module("niquests.auth")
    return _over_requests(library, auth.HTTPDigestAuth(user, password), plan)


def _over_httpx(library: Any, user: str, password: str, plan: Plan) -> list[int | str]:
    client = library.Client(auth=library.DigestAuth(user, password), trust_env=False)

    def send(method: str, url: str, content: Any) -> int:
        status: int = client.request(method, url, content=content).status_code
        return status

    return list(_each(plan, send))


def httpx(user: str, password: str, plan: Plan) -> list[int | str]:
    import httpx as library

    return _over_httpx(library, user, password, plan)


def httpx2(user: str, password: str, plan: Plan) -> list[int | str]:
    import httpx2 as library

    return _over_httpx(library, user, password, plan)


def aiohttp(user: str, password: str, plan: Plan) -> list[int | str]:
    import aiohttp as library

    async def run() -> list[int | str]:
        auth = library.DigestAuthMiddleware(user, password)
        found: list[int | str] = []
        async with library.ClientSession(middlewares=[auth]) as session:
            for method, url, kind in plan:
                try:
                    async with session.request(method, url, data=_content(kind)) as answer:
                        found.append(answer.status)
                except Exception as error:  # noqa: BLE001
                    found.append(type(error).__name__)
        return found

    return asyncio.run(run())


def urllib_(user: str, password: str, plan: Plan) -> list[int | str]:
    accounts = urllib.request.HTTPPasswordMgrWithDefaultRealm()
    accounts.add_password(None, plan[0][1], user, password)
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPDigestAuthHandler(accounts)
    )

    def send(method: str, url: str, content: Any) -> int:
        request = urllib.request.Request(url, data=content, method=method)
        try:
            with opener.open(request) as answer:
                status: int = answer.status
        except urllib.error.HTTPError as error:
            return error.code
        return status

    return list(_each(plan, send))


def curl(user: str, password: str, plan: Plan) -> list[int | str]:
    command = ["curl", "-s"]
    with tempfile.NamedTemporaryFile() as file:
        file.write(CONTENT)
        file.flush()
        for number, (method, url, kind) in enumerate(plan):
            command += ["--next", "-s"] if number else []
            command += ["--digest", "-u", f"{user}:{password}", "-X", method]
            command += {
                None: [],
                "bytes": ["--data-binary", CONTENT.decode()],
                "file": ["--data-binary", f"@{file.name}"],
            }[kind]
            command += ["-o", "/dev/null", "-w", "%{http_code}\n", url]
        ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    return [int(line) for line in ran.stdout.split()]


CLIENTS = {
    "relogin": relogin,
    "requests": requests,
    "httpx": httpx,
    "httpx2": httpx2,
    "aiohttp": aiohttp,
    "niquests": niquests,
    "urllib": urllib_,
    "curl": curl,
}


if __name__ == "__main__":
    name, account, secret, text = sys.argv[1:]
    print(json.dumps(CLIENTS[name](account, secret, json.loads(text))))
