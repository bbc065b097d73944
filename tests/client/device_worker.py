"""A short run of a client of a device, in a process of its own.

It takes the URL and its own name, logs in, and asks until it is ended, or for a number of requests.
Its sessions are renewed every few requests. SIGTERM ends the block that it works in.
"""

from __future__ import annotations

import itertools
import signal
import sys
from dataclasses import replace
from typing import Any

import requests

from relogin.client.logins import JSONLogin, Logout, from_header
from relogin.client.requests import SessionAuth
from tests.client.seats import CARRY

__all__: list[str] = []


def main(url: str, name: str, number: int) -> None:
    ready_made = JSONLogin(
        f"{url}/sessions",
        {"UserName": name, "Password": "s3cret"},
        token=from_header("X-Auth-Token"),
        location=from_header("Location"),
    )

    def login(context: Any) -> Any:
        grant: Any = ready_made(context)
        return replace(grant, expires_in=0.02)

    auth = SessionAuth(login, url, carry=CARRY, logout=Logout())
    with auth, requests.Session() as session:
        session.trust_env = False
        session.auth = auth
        for count in itertools.count(1) if number == 0 else range(1, number + 1):
            session.get(f"{url}/readings").raise_for_status()
            if count == 1:
                print("ready", flush=True)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
