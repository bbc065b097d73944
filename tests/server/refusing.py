"""An application that refuses uploads, for servers that load it by its name."""

import time
from typing import Any

import relogin
from relogin.server import asgi, wsgi


def verify(token: str) -> str | None:
    if token == "slow":
        time.sleep(0.3)  # a store that takes its time: much of the content arrives meanwhile
    return "ada" if token == "good" else None


def application(environ: Any, start_response: Any) -> list[bytes]:
    environ["wsgi.input"].read(10)
    raise relogin.Refused("session_revoked")


async def aapplication(scope: Any, receive: Any, send: Any) -> None:
    await receive()
    raise relogin.Refused("session_revoked")


under_wsgi = wsgi.SessionGate(application, verify, realm="a")
under_asgi = asgi.SessionGate(aapplication, verify, realm="a")
