"""What renewal costs a request: `python -m tests.benchmarks.client`.

First the code that `SessionAuth` adds to a request whose session lives, in µs, beside
`HTTPBasicAuth`; then whole requests over loopback, as ratios within one run; then a 401 with its
renewal and replay, the login itself costing nothing, against one plain request.
"""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from statistics import median

import httpx
import requests
from requests.auth import HTTPBasicAuth

from relogin import Grant
from relogin.client.httpx import SessionAuth as HttpxSessionAuth
from relogin.client.requests import SessionAuth
from tests.benchmarks.timing import interleaved, ratio


class _Handler(BaseHTTPRequestHandler):
    """Answers 200, or 401 to a token that is not the living one."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    living = "0"

    def do_GET(self) -> None:
        sent = self.headers.get("Authorization", "")
        if self.path == "/open" or sent == f'Session token="{_Handler.living}"':
            self._answer(200, b"hello")
        else:
            self._answer(401, b"dead", 'Session realm="x", error="session_expired"')

    def _answer(self, status: int, body: bytes, challenge: str | None = None) -> None:
        self.send_response_only(status)
        self.send_header("Content-Length", str(len(body)))
        if challenge is not None:
            self.send_header("WWW-Authenticate", challenge)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name
        """Stay silent."""


@contextmanager
def served(handler: type[_Handler] = _Handler) -> Iterator[str]:
    """Serve on a free loopback port."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def added_code(url: str) -> None:
    """Print the µs that signing and seeing to a 200 take, without any network."""
    auth = SessionAuth(lambda _: _Handler.living, url, budget=(10**9, 1.0))
    session = requests.Session()
    session.auth = auth
    answered = session.get(url + "/")
    basic = HTTPBasicAuth("user", "password")
    bare = requests.Request("GET", url + "/").prepare()

    def sign() -> object:
        request = bare.copy()
        request.hooks = {"response": []}
        return auth(request)

    def copy_only() -> object:
        request = bare.copy()
        request.hooks = {"response": []}
        return request

    def sign_basic() -> object:
        request = bare.copy()
        request.hooks = {"response": []}
        return basic(request)

    (hook,) = answered.request.hooks["response"]
    times = interleaved(
        {
            "copy": copy_only,
            "sign": sign,
            "basic": sign_basic,
            "hook": lambda: hook(answered),
        }
    )
    cost = {name: median(taken) for name, taken in times.items()}
    print("code added to a request with a living session, µs")
    print(f"  signing it            {cost['sign'] - cost['copy']:6.2f}")
    print(f"  seeing to its answer  {cost['hook']:6.2f}")
    print(f"  HTTPBasicAuth's       {cost['basic'] - cost['copy']:6.2f}")


def whole_requests(url: str) -> None:
    """Print whole requests with a living session against a plain session and HTTPBasicAuth."""
    plain, again, basic, renewing = (requests.Session() for _ in range(4))
    basic.auth = HTTPBasicAuth("user", "password")
    renewing.auth = SessionAuth(lambda _: _Handler.living, url, budget=(10**9, 1.0))
    renewing.get(url + "/")
    times = interleaved(
        {
            "plain": lambda: plain.get(url + "/open"),
            "again": lambda: again.get(url + "/open"),
            "basic": lambda: basic.get(url + "/open"),
            "renewing": lambda: renewing.get(url + "/open"),
        },
        rounds=40,
        seconds=0.03,
    )
    print("whole requests over loopback, ratio to a plain session (median of rounds)")
    print(f"  another plain session {ratio(times['again'], times['plain']):6.3f}")
    print(f"  HTTPBasicAuth         {ratio(times['basic'], times['plain']):6.3f}")
    print(f"  SessionAuth, living   {ratio(times['renewing'], times['plain']):6.3f}")


def renewal(url: str) -> None:
    """Print a 401 with its renewal and replay against one request, the login being free."""
    plain, renewing = requests.Session(), requests.Session()

    def login(_: object) -> Grant:
        return Grant(token=_revived())

    def die_and_renew() -> object:
        _revived()
        return renewing.get(url + "/")

    renewing.auth = SessionAuth(login, url, budget=(10**9, 1.0))
    times = interleaved(
        {"plain": lambda: plain.get(url + "/open"), "renewed": die_and_renew},
        rounds=40,
        seconds=0.03,
    )
    print("401 + renewal + replay, the login itself free, ratio to one plain request")
    print(f"  SessionAuth           {ratio(times['renewed'], times['plain']):6.3f}")


def renewal_httpx(url: str) -> None:
    """Print the same for `httpx.Client`, beside the few lines that its manual shows."""
    plain, renewing, naive = httpx.Client(), httpx.Client(), httpx.Client(auth=_Naive())

    def login(_: object) -> Grant:
        return Grant(token=_revived())

    def die_and_renew() -> object:
        _revived()
        return renewing.get(url + "/")

    renewing.auth = HttpxSessionAuth(login, url, budget=(10**9, 1.0))
    times = interleaved(
        {
            "plain": lambda: plain.get(url + "/open"),
            "renewed": die_and_renew,
            "naive": lambda: naive.get(url + "/"),
        },
        rounds=40,
        seconds=0.03,
    )
    print("the same over httpx.Client")
    print(f"  SessionAuth           {ratio(times['renewed'], times['plain']):6.3f}")
    print(f"  a naive httpx.Auth    {ratio(times['naive'], times['plain']):6.3f}")


class _Naive(httpx.Auth):
    """Renews for itself alone, and guards against nothing."""

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers["Authorization"] = 'Session token="dead"'
        response = yield request
        if response.status_code == 401:
            request.headers["Authorization"] = f'Session token="{_revived()}"'
            yield request


def _revived() -> str:
    _Handler.living = str(int(_Handler.living) + 1)
    return _Handler.living


if __name__ == "__main__":
    with served() as address:
        added_code(address)
        whole_requests(address)
        renewal(address)
        renewal_httpx(address)
