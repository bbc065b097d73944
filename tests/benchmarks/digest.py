"""What signing costs with a living nonce: `python -m tests.benchmarks.digest`.

The code that `SessionAuth` with a `DigestLogin` adds to a request, beside requests' own
`HTTPDigestAuth`, in µs and as a ratio within one run; preparing the request is taken off both.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import requests
from requests.auth import HTTPDigestAuth

from relogin.client.logins import DigestLogin
from relogin.client.requests import SessionAuth
from tests.benchmarks.timing import interleaved
from tests.client.digest_site import PASSWORD, USER, DigestSite
from tests.client.server import Server, serve


def signing(server: Server, auth: Any) -> Callable[[], object]:
    """Learn the nonce of the site, and return what signs one more request with it."""
    session = requests.Session()
    session.trust_env = False
    session.auth = auth
    assert session.get(server.url).status_code == 200
    bare = requests.Request("GET", f"{server.url}/orders?id=7").prepare()

    def sign() -> object:
        request = bare.copy()
        request.hooks = {"response": []}
        return auth(request)

    return sign


def copying(server: Server) -> Callable[[], object]:
    """Return what only prepares the request, as the others do too."""
    bare = requests.Request("GET", f"{server.url}/orders?id=7").prepare()

    def copy() -> object:
        request = bare.copy()
        request.hooks = {"response": []}
        return request

    return copy


def main() -> None:
    """Print one line for each algorithm."""
    print("signing a GET with a living nonce, µs (quickest round)")
    print(f"  {'':10} {'SessionAuth':>12} {'HTTPDigestAuth':>15} {'ratio':>6}")
    for algorithm in ("MD5", "SHA-256", "SHA-512"):
        with serve() as server:
            DigestSite(server, algorithm)
            auth = SessionAuth(DigestLogin(USER, PASSWORD), server.url)
            times = interleaved(
                {
                    "copy": copying(server),
                    "ours": signing(server, auth),
                    "theirs": signing(server, HTTPDigestAuth(USER, PASSWORD)),
                },
                rounds=60,
            )
        cost = {name: min(taken) for name, taken in times.items()}
        ours, theirs = cost["ours"] - cost["copy"], cost["theirs"] - cost["copy"]
        print(f"  {algorithm:10} {ours:12.1f} {theirs:15.1f} {ours / theirs:6.2f}")


if __name__ == "__main__":
    main()
