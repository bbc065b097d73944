"""Twenty threads and a hundred requests each: `python -m tests.peers.digest_threads`.

For each Digest server that others wrote, and for relogin and requests: the 401s that reached a
caller, the challenges on the way, and the nonces that these gave.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from requests.auth import HTTPDigestAuth

from relogin import DigestChallenge, best, parse
from relogin.client.logins import DigestLogin
from relogin.client.requests import SessionAuth
from tests.client.digest.servers import SERVERS, apache, httpbin_url, program
from tests.client.digest_site import PASSWORD, USER

THREADS, EACH = 20, 100
PLACES: dict[str, tuple[Callable[[], Any], Callable[[str], str], str]] = {
    **{name: (begin, str, PASSWORD) for name, begin in SERVERS.items()},
    "apache2, nonces of 1 s": (lambda: apache(lifetime=1), str, PASSWORD),
    "httpbin SHA-512": (
        lambda: program("httpbin"),
        lambda base: httpbin_url(base, algorithm="SHA-512"),
        "s3cret",
    ),
    "httpbin auth-int": (
        lambda: program("httpbin"),
        lambda base: httpbin_url(base, "auth-int"),
        "s3cret",
    ),
}


def measure(name: str, make: Callable[[str, str], Any]) -> str:
    """Return what became of the requests, for one row."""
    begin, place, password = PLACES[name]
    server: AbstractContextManager[str] = begin()
    with server as base, requests.Session() as session:
        session.trust_env = False
        session.mount("http://", HTTPAdapter(pool_maxsize=THREADS))
        session.auth = make(base, password)
        url = place(base)
        session.get(url)

        def hundred(_: int) -> list[requests.Response]:
            return [session.get(url) for _ in range(EACH)]

        with ThreadPoolExecutor(THREADS) as pool:
            answers = [answer for each in pool.map(hundred, range(THREADS)) for answer in each]
    met = [refused for answer in answers for refused in answer.history]
    given = [best(parse(one.headers["WWW-Authenticate"]), DigestChallenge) for one in met]
    nonces = {challenge.nonce for challenge in given if challenge is not None}
    refused = sum(answer.status_code == 401 for answer in answers)
    return f"{refused} / {len(met)} / {len(nonces)}"


def ours(base: str, password: str) -> Any:
    return SessionAuth(DigestLogin(USER, password), base)


def theirs(_: str, password: str) -> Any:
    return HTTPDigestAuth(USER, password)


if __name__ == "__main__":
    print("| | relogin | requests |\n|---|---|---|")
    for row in PLACES:
        print(f"| {row} | {measure(row, ours)} | {measure(row, theirs)} |", flush=True)
