"""What a client with `SessionAuth` would do about a response, in a sentence or two.

It asks the client's own policy, with no option set, and names the option that would change it.
"""

from __future__ import annotations

from relogin.cli.specifications import SPECIFICATIONS
from relogin.client.renewal.challenges import readable
from relogin.client.renewal.policy import (
    UNAUTHORIZED,
    Decision,
    Policy,
    ResponseInfo,
)
from relogin.client.renewal.scopes import FORBIDDEN, INSUFFICIENT_SCOPE
from relogin.client.responders import BEARER, SESSION
from relogin.client.terms.responder import Action

__all__ = ["reaction"]

_ORIGIN = "https://api.example.com"
_POLICY = Policy(frozenset({_ORIGIN}), (SESSION, BEARER), unchallenged=BEARER, bare=True)
# What these usually mean, though no standard says so.
_UNOFFICIAL = {419: "an expired session or CSRF token", 440: "an expired session"}
_THE_APIS_OWN = "the API's own documentation"
# Schemes that ask for no session: who answers them.
_ANSWERED_ELSEWHERE = {
    "basic": "For Basic itself, pass auth=(user, password) to your HTTP library.",
    "negotiate": "For Negotiate itself, use an auth class such as that of requests-gssapi.",
    "ntlm": "For NTLM itself, use an auth class such as that of requests-ntlm.",
}


def reaction(status: int | None, lines: list[str]) -> str:
    """Say what `SessionAuth(login, url)` does; without a status, a field is taken for a 401's.

    >>> reaction(401, ['Bearer error="invalid_token"'])
    'It logs in once and sends the request again with Authorization: Bearer.'
    """
    if status not in {None, UNAUTHORIZED}:
        return _beside_a_401(status or 0, lines)
    info = ResponseInfo(None, UNAUTHORIZED, "GET", f"{_ORIGIN}/", _ORIGIN, challenges=lines)
    decision = _POLICY.decision(info)
    if decision is None:
        return _unanswered(lines)
    told = _about(decision)
    if any(one.is_("bearer") and "service" in one for one in readable(lines)):
        return f"{told} RegistryLogin gets such a token."
    return told


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
    return f"It returns the 401: another login does not help with {error}."


def _unanswered(lines: list[str]) -> str:
    challenges = readable(lines)
    schemes = [challenge.scheme.lower() for challenge in challenges]
    own = [
        challenge.scheme
        for challenge in challenges
        if challenge.token68 is None and _is_the_apis_own(challenge.scheme.lower())
    ]
    returned = "It returns the 401: it answers only Session and Bearer, and neither is offered."
    if "digest" in schemes:
        return f"{returned} With DigestLogin it answers Digest."
    if own:
        return f'{returned} carry=Authorization("{own[0]}") makes it answer {own[0]}.'
    carried = "With carry=Header(...) it answers any 401, whatever its challenge says."
    elsewhere = [_ANSWERED_ELSEWHERE[one] for one in schemes if one in _ANSWERED_ELSEWHERE]
    return " ".join([returned, carried, *elsewhere[:1]])


def _is_the_apis_own(scheme: str) -> bool:
    known = SPECIFICATIONS.get(scheme)
    return known is None or known.document == _THE_APIS_OWN


def _beside_a_401(status: int, lines: list[str]) -> str:
    if status == FORBIDDEN and any(
        challenge.is_("bearer") and challenge.get("error") == INSUFFICIENT_SCOPE
        for challenge in readable(lines)
    ):
        return (
            "It returns the 403. With OAuth2Login it gets a token for the scopes that are missing, "
            "and sends the request again."
        )
    if meaning := _UNOFFICIAL.get(status):
        return (
            f"It returns the {status}. Some servers mean {meaning} by it: "
            f"then add signals=[status({status})]."
        )
    if status == 407:
        return "It returns the 407: that is a proxy asking for its own password."
    if 300 <= status < 400:
        return (
            f"It leaves the {status} to the HTTP library. If the redirect leads to a login page, "
            "add signals=[redirect_to(...)] with that page's path."
        )
    if status < 300:
        return f"It returns the {status}: nothing was refused."
    return f"It returns the {status}: only a 401 asks for a login."
