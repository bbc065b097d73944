"""`relogin demo`: a session dies on a real server, and what travels is shown as it was recorded."""

from __future__ import annotations

import argparse
import time
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import requests

from relogin.cli import demo_browser
from relogin.cli.demo_server import PASSWORD, USER, DemoServer, Exchange
from relogin.cli.terminal import show
from relogin.client.logins import JSONLogin
from relogin.client.requests import SessionAuth
from relogin.wire.model import Credentials

LIFETIME = 2.0  # seconds a session of the demo's server lives
THREADS = 50
INSTEAD = "write nothing after demo, or --browser"

OPENING = """\
relogin demo: a session dies, and the program that uses it does not notice.

This server is running on {url}. Its sessions last {lifetime:g} seconds:

    app = SessionGate(app, verify, realm="orders", public=["/login"])

This is the client:

    session = requests.Session()
    login = JSONLogin(api + "/login", account, token="access_token")
    session.auth = SessionAuth(login)
"""

FIRST = "1. The first request. There is no session yet, so the server gives no reason."
LIVING = "2. The next request. The session is alive: one request, one response."
EXPIRED = "3. {lifetime:g} seconds later. The session has expired, and the server says so."
CROWD = "4. It has expired again, and {threads} threads send a request at the same moment."

CLOSING = """\
One login for all threads, and no request was lost. In your own program:

    from relogin.client.requests import SessionAuth   in a client
    from relogin.server.wsgi import SessionGate       on a server
    relogin explain 'Bearer realm="api"'              for a puzzling header
"""


def declare(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.description = (
        "Start a server on this machine whose sessions live two seconds, and show the requests and "
        "responses when they die. It takes ten seconds."
    )
    parser.add_argument(
        "--browser",
        action="store_true",
        help="serve a page whose session dies in your browser, until you press Ctrl-C",
    )


def run(arguments: argparse.Namespace) -> int:
    """Show the demo; return 0 if it went as described, 1 if not."""
    if arguments.browser:
        return demo_browser.run()
    with DemoServer(LIFETIME) as server, requests.Session() as session:
        session.trust_env = False  # a proxy could not reach this machine's loopback
        session.auth = SessionAuth(
            JSONLogin(
                f"{server.url}/login", {"user": USER, "password": PASSWORD}, token="access_token"
            )
        )
        return _story(server, session)


def _story(server: DemoServer, session: requests.Session) -> int:
    orders = f"{server.url}/orders"
    show(OPENING.format(url=server.url, lifetime=LIFETIME))
    for heading, pause in ((FIRST, 0.0), (LIVING, 0.0), (EXPIRED, LIFETIME)):
        time.sleep(pause)
        show(heading.format(lifetime=LIFETIME), "heading")
        status = session.get(orders).status_code
        for exchange in server.exchanges():
            _show_exchange(exchange)
        show(f"   Your program saw: {status}\n")

    time.sleep(LIFETIME)
    show(CROWD.format(threads=THREADS), "heading")
    statuses = _all_at_once(session, orders)
    succeeded, logins = statuses.count(200), _show_crowd(server.exchanges())
    show(f"   Your program saw: {succeeded} of {THREADS} succeeded. Logins: {logins}.\n")
    show(CLOSING)
    return 0 if (succeeded, logins) == (THREADS, 1) else 1


def _all_at_once(session: requests.Session, url: str) -> list[int]:
    together = Barrier(THREADS)

    def ask() -> int:
        together.wait()
        return session.get(url).status_code

    with ThreadPoolExecutor(THREADS) as pool:
        return [asked.result() for asked in [pool.submit(ask) for _ in range(THREADS)]]


def _show_exchange(exchange: Exchange) -> None:
    is_login = exchange.path == "/login"
    remark = "    (the login)" if is_login else ""
    show(f"   -> {exchange.method} {exchange.path}{remark}", "request")
    if exchange.authorization:
        show(f"      Authorization: {_shortened(exchange.authorization)}", "request")
    kind = "good" if exchange.status < 400 else "bad"
    show(f"   <- {exchange.status}", kind)
    if exchange.challenge:
        show(f"      WWW-Authenticate: {exchange.challenge}", kind)


def _shortened(authorization: str) -> str:
    """Show four characters of a session: enough to recognise it, too few to use it."""
    credentials = Credentials.parse(authorization)
    return f'{credentials.scheme} token="{credentials["token"][:4]}..."'


def _show_crowd(exchanges: list[Exchange]) -> int:
    refused = [exchange for exchange in exchanges if exchange.status == 401]
    logins = [exchange for exchange in exchanges if exchange.path == "/login"]
    served = [exchange for exchange in exchanges if exchange.status == 200]
    show(f"   {len(refused):4} x 401", "bad")
    for challenge in sorted({exchange.challenge for exchange in refused}):
        show(f"          WWW-Authenticate: {challenge}", "bad")
    show(f"   {len(logins):4} x POST /login", "request")
    show(f"   {len(served) - len(logins):4} x 200", "good")
    return len(logins)
