"""What servers do to a dead session, as rows: what the client does, and the option that changes it.

``python -m tests.client.habits`` prints the table of docs/reference/servers.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from relogin import Grant
from relogin.client import Outcome
from relogin.client.carry import Authorization, Header, Query
from relogin.client.responders import BEARER, SESSION
from relogin.client.signals import html_form, json_field, problem, redirect_to, status
from tests.client.server import Answer
from tests.client.travel import Read, by_cookie, by_header, by_query, by_session

__all__ = ["HABITS", "Habit", "options", "table"]

BY_BEARER = by_header("Authorization", "Bearer")
NAMES: dict[str, Any] = {
    "Authorization": Authorization,
    "BEARER": BEARER,
    "Header": Header,
    "Query": Query,
    "SESSION": SESSION,
    "html_form": html_form,
    "json_field": json_field,
    "problem": problem,
    "redirect_to": redirect_to,
    "status": status,
}

DOES = {
    Outcome.REPLAYED: "logs in and sends it again",
    Outcome.UNTOUCHED: "returns it as it is",
    Outcome.UNANSWERED: "returns it, with a warning",
    Outcome.REFUSED_AGAIN: "logs in, sends it again without success, and warns",
    Outcome.RENEWED_NOT_REPLAYED: "logs in and returns it",
}


@dataclass(frozen=True)
class Habit:
    """One row. `given` are the options that such a server needs anyway."""

    refuses: str
    wants: str
    does: Outcome
    option: str
    then: Outcome
    read: Read = BY_BEARER
    lines: tuple[str, ...] = ()
    refusal: Answer | None = None
    method: str = "GET"
    given: str = ""
    cookies: bool = False

    def grant(self, token: str) -> Grant:
        return Grant(cookies={"sid": token}) if self.cookies else Grant(token)


def options(text: str) -> dict[str, Any]:
    """Read options as they stand in the table."""
    return dict(eval(f"dict({text})", dict(NAMES)))


def challenged(line: str) -> dict[str, Any]:
    return {"refuses": f"401, `{line}`", "lines": (line,)}


def page(body: str, status: int = 200, kind: str = "application/json") -> Answer:
    return Answer(status, (("Content-Type", kind),), body.encode())


YES, NO = Outcome.REPLAYED, Outcome.UNTOUCHED
WARNED, AGAIN, KEPT = Outcome.UNANSWERED, Outcome.REFUSED_AGAIN, Outcome.RENEWED_NOT_REPLAYED
BARE: Mapping[str, Any] = {"refuses": "401 without a challenge"}
ANY_401 = "signals=[status(401)]"
BEARER_, TOKEN_, X_AUTH = "`Authorization: Bearer`", "`Authorization: Token`", "`X-Auth-Token`"
SESSION_: Mapping[str, Any] = {"wants": '`Authorization: Session token="…"`', "read": by_session}
X_AUTH_TOKEN: Mapping[str, Any] = {"wants": X_AUTH, "read": by_header("X-Auth-Token")}
FORM = '<form method="post"><input name="user"><input name="password" type="password"></form>'
PROBLEM = "application/problem+json"

HABITS: tuple[Habit, ...] = (
    # A 401 without a challenge
    Habit(**BARE, wants=BEARER_, does=YES, option="bare=False", then=WARNED),
    Habit(
        refuses="401 without a challenge, to a `POST`", wants=BEARER_, method="POST",
        does=YES, option="replay_any_method=False", then=KEPT,
    ),
    Habit(
        **BARE, wants="a cookie", read=by_cookie, cookies=True,
        does=YES, option="bare=False", then=WARNED,
    ),
    Habit(
        **BARE, **X_AUTH_TOKEN, does=AGAIN, option='carry=Header("X-Auth-Token")', then=YES,
    ),
    Habit(
        **BARE, wants="`PRIVATE-TOKEN`", read=by_header("PRIVATE-TOKEN"),
        does=AGAIN, option='carry=Header("PRIVATE-TOKEN")', then=YES,
    ),
    Habit(
        **BARE, wants="`Authorization: GenieKey`", read=by_header("Authorization", "GenieKey"),
        does=AGAIN, option='carry=Authorization("GenieKey")', then=YES,
    ),
    Habit(
        **BARE, wants="`Authorization`, the token alone", read=by_header("Authorization"),
        does=AGAIN, option='carry=Header("Authorization")', then=YES,
    ),
    Habit(
        **BARE, wants="the query, `?token=`", read=by_query("token"),
        does=AGAIN, option='carry=Query("token")', then=YES,
    ),
    Habit(**BARE, **SESSION_, does=AGAIN, option="responders=[SESSION]", then=YES),
    # Bearer
    Habit(
        **challenged("Bearer"), wants=BEARER_,
        does=YES, option="responders=[SESSION]", then=WARNED,
    ),
    Habit(
        **challenged('Bearer error="invalid_token"'), wants=BEARER_,
        does=YES, option='actions={"session_expired": "stop"}', then=NO,
    ),
    Habit(
        **challenged('Bearer error="insufficient_scope"'), wants=BEARER_,
        does=NO, option='actions={"insufficient_scope": "renew"}', then=YES,
    ),
    Habit(
        **challenged('Bearer error="invalid_request"'), wants=BEARER_,
        does=NO, option='actions={"invalid_request": "renew"}', then=YES,
    ),
    Habit(
        **challenged("Bearer realm='api' error=invalid_token"), wants=BEARER_,
        does=YES, option='actions={"session_expired": "stop"}', then=NO,
    ),
    Habit(
        **challenged('Basic realm="a, b", Bearer'), wants=BEARER_,
        does=YES, option="responders=[SESSION]", then=WARNED,
    ),
    Habit(
        refuses='401, `Basic realm="api"` and `Bearer` in two lines', wants=BEARER_,
        lines=('Basic realm="api"', "Bearer"),
        does=YES, option="responders=[SESSION]", then=WARNED,
    ),
    Habit(
        **challenged('Bearer realm="theirs"'), wants=BEARER_,
        does=YES, option='realm="mine"', then=WARNED,
    ),
    # Session
    Habit(
        **challenged('Session error="session_expired"'), **SESSION_,
        does=YES, option='actions={"session_expired": "stop"}', then=NO,
    ),
    Habit(
        **challenged('Session error="session_invalid"'), **SESSION_,
        does=YES, option='actions={"session_invalid": "stop"}', then=NO,
    ),
    Habit(
        **challenged('Session error="session_revoked"'), **SESSION_,
        does=NO, option='actions={"session_revoked": "renew"}', then=YES,
    ),
    Habit(
        **challenged('Session error="insufficient_user_authentication"'), **SESSION_,
        does=NO, option='actions={"insufficient_user_authentication": "renew"}', then=YES,
    ),
    Habit(
        **challenged("Session"), **SESSION_, does=YES, option='actions={None: "stop"}', then=NO,
    ),
    # Other schemes
    Habit(
        **challenged("Token"), wants=TOKEN_, read=by_header("Authorization", "Token"),
        does=WARNED, option='carry=Authorization("Token")', then=YES,
    ),
    Habit(
        **challenged('Keystone uri="https://cloud.example/v3"'), **X_AUTH_TOKEN,
        does=WARNED, option='carry=Header("X-Auth-Token")', then=YES,
    ),
    Habit(
        **challenged('Basic realm="redfish"'), **X_AUTH_TOKEN,
        does=WARNED, option='carry=Header("X-Auth-Token")', then=YES,
    ),
    Habit(
        **challenged('Basic realm="api"'), wants=BEARER_,
        does=WARNED, option=ANY_401, then=YES,
    ),
    Habit(
        refuses="401, `Negotiate` and `NTLM`", lines=("Negotiate", "NTLM"), wants=BEARER_,
        does=WARNED, option=ANY_401, then=YES,
    ),
    Habit(
        **challenged('Digest realm="api", nonce="n"'), wants="a cookie",
        read=by_cookie, cookies=True, does=WARNED, option=ANY_401, then=YES,
    ),
    Habit(
        refuses="401, a challenge that nobody can read", lines=("=?=",), wants=BEARER_,
        does=WARNED, option=ANY_401, then=YES,
    ),
    # No 401
    Habit(
        refuses="403", refusal=Answer(403), wants=BEARER_,
        does=NO, option="signals=[status(403)]", then=YES,
    ),
    Habit(
        refuses="422", refusal=Answer(422), wants=BEARER_,
        does=NO, option="signals=[status(422)]", then=YES,
    ),
    Habit(
        refuses="419 or 440", refusal=Answer(440), wants="a cookie", read=by_cookie, cookies=True,
        does=NO, option="signals=[status(419, 440)]", then=YES,
    ),
    Habit(
        refuses="419 or 440, to a `POST`", refusal=Answer(419), wants="a cookie", method="POST",
        read=by_cookie, cookies=True, given="signals=[status(419, 440)]",
        does=KEPT, option="replay_any_method=True", then=YES,
    ),
    Habit(
        refuses="a redirect to `/login`", refusal=Answer(302, (("Location", "/login"),)),
        wants="a cookie", read=by_cookie, cookies=True,
        does=NO, option='signals=[redirect_to("/login")]', then=YES,
    ),
    Habit(
        refuses="200 with a login form", refusal=page(FORM, kind="text/html"),
        wants="a cookie", read=by_cookie, cookies=True,
        does=NO, option="signals=[html_form()]", then=YES,
    ),
    Habit(
        refuses='200, `{"success": false}`', refusal=page('{"success": false}'),
        wants="a cookie", read=by_cookie, cookies=True,
        does=NO, option='signals=[json_field("success", False)]', then=YES,
    ),
    Habit(
        refuses='200, `{"error": {"code": 119}}`', refusal=page('{"error": {"code": 119}}'),
        wants="the query, `?_sid=`", read=by_query("_sid"), given='carry=Query("_sid")',
        does=NO, option='signals=[json_field("/error/code", 119)]', then=YES,
    ),
    Habit(
        refuses='403, a problem with `"error": "csrf_invalid"`',
        refusal=page('{"error": "csrf_invalid"}', 403, PROBLEM), wants="a cookie",
        read=by_cookie, cookies=True,
        does=NO, option='signals=[problem("csrf_invalid")]', then=YES,
    ),
)  # fmt: skip


def table() -> str:
    """The rows, as they stand in the documentation."""
    heads = ("your server answers", "it wants the session in", "the client", "option", "then it")
    lines = [f"| {' | '.join(heads)} |", "|---|---|---|---|---|"]
    for habit in HABITS:
        does, then = DOES[habit.does], DOES[habit.then]
        if habit.given:
            does = f"with `{habit.given}` {does}"
        lines.append(f"| {habit.refuses} | {habit.wants} | {does} | `{habit.option}` | {then} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(table(), end="")
