"""One small application, the same under each framework: what it answers, and who gets in."""

from typing import Any

import relogin
from relogin.server.gate import StepUp

Respond = tuple[int, list[tuple[str, str]], str]

SECRET = "tok-very-secret"

SESSIONS: dict[str, Any] = {
    "good": relogin.Admitted("ada", expires_in=540, auth_age=10),
    "aged": relogin.Admitted("ada", auth_age=4000),
    "expired": relogin.Refused("session_expired"),
    "idle": relogin.Refused("session_expired", "Idle for 15 minutes"),
    "revoked": relogin.Refused("session_revoked"),
    SECRET: OSError(f"no route to the store for {SECRET}"),
}


def verify(token: str) -> Any:
    if token == "wrong-code":
        raise relogin.Refused("expired")
    if token == "wrong-text":
        raise relogin.Refused("session_expired", "a\r\nX-Planted: 1")
    known = SESSIONS.get(token)
    if isinstance(known, Exception):
        raise known
    return known


async def averify(token: str) -> Any:
    return verify(token)


OPTIONS: dict[str, Any] = {
    "realm": "orders",
    "public": ["/health", "/docs/*", "/login", "/logout", "/own", "/own-bearer"],
    "cookie": "sid",
    "login_page": "<form>log in</form>",
}


# Not among the options above: with one of these, each request takes the long way.
LONG: dict[str, Any] = {
    "step_up": {"/pay": StepUp(max_age=300)},
    "legacy": {440: "session_expired", 419: "csrf_invalid", 403: "session_revoked"},
}


def respond(path: str, session: object) -> Respond:
    """What the application answers to any method."""
    if path == "/csrf":
        raise relogin.Refused("csrf_invalid")
    if path.startswith("/assets/refused"):
        raise relogin.Refused
    if path == "/scope":
        raise relogin.Refused("insufficient_scope", scope="orders:write")
    if path == "/moved":
        raise relogin.Refused("session_revoked", "Signed out on another device")
    status, headers = RESPONSES.get(path, (200, []))
    return status, headers, f"session={session}"


RESPONSES: dict[str, tuple[int, list[tuple[str, str]]]] = {
    "/cached": (200, [("Cache-Control", "public, max-age=60"), ("Vary", "Accept-Language")]),
    "/login": (200, [("Set-Cookie", "sid=good; HttpOnly")]),
    "/logout": (200, [("Set-Cookie", "sid=; Max-Age=0")]),
    "/own": (401, []),
    "/password": (401, []),  # the old password was wrong
    "/own-bearer": (401, [("WWW-Authenticate", 'Bearer realm="inner"')]),
    "/old": (440, [("Set-Cookie", "sid=; Max-Age=0"), ("X-Trace", "7"), ("ETag", '"a"')]),
    "/old-csrf": (419, []),
    "/assets/app.js": (200, [("Cache-Control", "public, max-age=31536000, immutable")]),
    "/assets/own": (
        401,
        [("WWW-Authenticate", "Basic"), ("Set-Cookie", "sid=; Max-Age=0")],
    ),
    "/assets/old": (440, []),
}
