"""What a client with `SessionAuth` would do about an answer, in a sentence.

It asks the client's own policy, with the options that a user has who sets none.
"""

from __future__ import annotations

from relogin.client.renewal.policy import UNAUTHORIZED, Decision, Policy, ResponseInfo
from relogin.client.responders import BEARER, SESSION
from relogin.client.terms.responder import Action

__all__ = ["reaction"]

_ORIGIN = "https://api.example.com"
_POLICY = Policy(frozenset({_ORIGIN}), (SESSION, BEARER), bare=BEARER)
# What is usually meant where no standard says it.
_UNOFFICIAL = {419: "a session or CSRF token that has expired", 440: "a session that has expired"}


def reaction(status: int | None, lines: list[str]) -> str:
    """Say what `SessionAuth(login, url)` does; a bare field is taken for that of a 401.

    >>> reaction(401, ['Bearer error="invalid_token"'])
    'It logs in once and sends the request again with Authorization: Bearer.'
    """
    if status not in {None, UNAUTHORIZED}:
        return _beside_a_401(status or 0)
    info = ResponseInfo(None, UNAUTHORIZED, "GET", f"{_ORIGIN}/", _ORIGIN, challenges=lines)
    decision = _POLICY.decision(info)
    if decision is None:
        return (
            "It returns the 401. It answers the schemes Session and Bearer, and finds neither here."
        )
    return _about(decision)


def _about(decision: Decision) -> str:
    scheme, error = decision.responder.scheme, decision.error
    match decision.action, error:
        case ((Action.RENEW | Action.REPLACE), _):
            return f"It logs in once and sends the request again with Authorization: {scheme}."
        case _, "session_revoked":
            return (
                "It returns the 401: the session was ended on purpose. "
                'actions={"session_revoked": "renew"} makes it log in again.'
            )
        case _, "insufficient_user_authentication":
            return (
                "It returns the 401: the server wants a stronger or more recent login. "
                "A login with steps_up = True is asked for one."
            )
    return f"It returns the 401: another login does not cure {error}."


def _beside_a_401(status: int) -> str:
    if meaning := _UNOFFICIAL.get(status):
        return (
            f"It returns the {status}. If that means {meaning} here, give it "
            f"signals=[status({status})]."
        )
    if status == 407:
        return "It returns the 407: that is a proxy asking for its own password."
    return f"It returns the {status}: only a 401 asks for a login."
