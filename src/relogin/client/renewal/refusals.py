"""The end of a flow: each refusal that you get causes an event or a warning."""

from __future__ import annotations

from relogin.client.events import Event, EventKind, tell, warn
from relogin.client.renewal.cache import CredentialCache
from relogin.client.renewal.challenges import readable
from relogin.client.renewal.commands import Final
from relogin.client.renewal.policy import UNAUTHORIZED, Policy, ResponseInfo
from relogin.client.terms.outcomes import Outcome
from relogin.client.terms.responder import Action

__all__ = ["report_refusal"]

# A server could offer any number of schemes, with names of any length.
_MOST_SCHEMES, _LONGEST_NAME = 8, 32


def report_refusal(cache: CredentialCache, final: Final) -> Final:
    """Report a refusal that caused no login, or that persisted after one."""
    info = final.info
    if final.outcome is Outcome.FOREIGN and cache.policy.origin_of_login:
        _warn_of_foreign(cache, info)
    if final.outcome is Outcome.REPLAYED and _is_refused(cache.policy, info):
        return _told(cache, final, Outcome.REFUSED_AGAIN, _again(cache.policy, info))
    unanswered = None if final.outcome is not Outcome.UNTOUCHED else _unanswered(cache.policy, info)
    return final if unanswered is None else _told(cache, final, Outcome.UNANSWERED, unanswered)


def _warn_of_foreign(cache: CredentialCache, info: ResponseInfo) -> None:
    """Warn once if the user passed no origin: the API may differ from its login (OAuth 2.0)."""
    (own,), key = cache.policy.origins, ("", Outcome.FOREIGN)
    if key not in cache.warned:
        cache.warned.add(key)
        warn(
            "%s from %s: nothing was done, because you named no origins, and so the token goes "
            "only to the login's own, %s. If this is your API, write SessionAuth(login, %r)",
            *(info.status, info.origin, own, info.origin),
        )


def _is_refused(policy: Policy, info: ResponseInfo) -> bool:
    return info.status == UNAUTHORIZED or policy.decision(info) is not None


def _told(cache: CredentialCache, final: Final, outcome: Outcome, advice: str) -> Final:
    """Give each advice once for each origin; send an event each time."""
    info, offered = final.info, _offered(final.info)
    if (info.origin, advice) not in cache.warned:
        cache.warned.add((info.origin, advice))
        warn("%s from %s, with %s: %s", info.status, info.origin, offered, advice)
    decision = cache.policy.decision(info)
    realm, error = ("", None) if decision is None else (decision.key.realm, decision.error)
    event = Event(EventKind.REFUSED, info.origin, realm, error, outcome, detail=offered)
    tell(cache.policy.listener, event)
    return Final(info, outcome, final.failure, offered)


def _offered(info: ResponseInfo) -> str:
    """Name the schemes of the challenges, and nothing else of them."""
    if not info.challenges:
        return "no challenge"
    schemes = dict.fromkeys(challenge.scheme for challenge in readable(info.challenges))
    names = [scheme[:_LONGEST_NAME] for scheme in schemes][:_MOST_SCHEMES]
    return ", ".join(names) or "no readable challenge"


_CARRY = ". If the server expects the token elsewhere, set carry="


def _again(policy: Policy, info: ResponseInfo) -> str:
    if proof := _of_proof(policy, info):
        return proof
    renewed = "the login succeeded, but the server refused the new session too"
    if info.status != UNAUTHORIZED:
        return renewed + _carried_as(info)
    return (
        f"{renewed}. If other programs log in to this account, and it may have only one session, "
        f"give all of them one store={_elsewhere(info)}"
    )


# The errors of RFC 9449 about the proof of a request; the session may live.
_PROOFS = {
    "use_dpop_nonce": (
        "the server refused the nonce of each proof (use_dpop_nonce), and a login does not help. "
        "Send the request again: it then carries the latest nonce. If this happens often, several "
        "servers may answer there, each with nonces of its own"
    ),
    "invalid_dpop_proof": (
        "the server refused the proof that dpop= returned (invalid_dpop_proof), and a login does "
        "not help. Check what your function signs: the key, the time, and all its arguments"
    ),
}


def _of_proof(policy: Policy, info: ResponseInfo) -> str | None:
    """Say what to do if the server refused not the session but the proof of a request."""
    sent, decision = info.sent_with, policy.decision(info)
    if sent is None or sent.signer is None or decision is None:
        return None
    return _PROOFS.get(decision.error or "")


def _elsewhere(info: ResponseInfo) -> str:
    """Say how the token may have to travel: a server that offers both may take it as Bearer."""
    offers_bearer = any(one.scheme.lower() == "bearer" for one in readable(info.challenges))
    sent = info.sent_with
    if offers_bearer and sent is not None and sent.responder.scheme != "Bearer":
        return _carried_as(info) or _CARRY
    return _CARRY


def _carried_as(info: ResponseInfo) -> str:
    """Name the scheme that a token went out with: mostly, no challenge has asked for it."""
    sent = info.sent_with
    if sent is None:  # something on the way has replaced it
        return ""
    scheme = sent.responder.scheme
    if not sent.headers.get("Authorization", "").startswith(f"{scheme} "):
        return ""
    return (
        f". The token went out as Authorization: {scheme}. If the server expects another scheme, "
        f"set responders=[{'SESSION' if scheme == 'Bearer' else 'BEARER'}] or carry="
    )


def _unanswered(policy: Policy, info: ResponseInfo) -> str | None:
    """Say why nothing was done about a 401, and which option would change that."""
    if info.status != UNAUTHORIZED:
        return None
    decision = policy.decision(info)
    if decision is not None:
        persists = "a login did not help before, so the session is not what is wrong"
        return None if decision.action is Action.STOP else persists
    return f"nothing was done; {_advice(policy, info)}"


def _advice(policy: Policy, info: ResponseInfo) -> str:
    if not info.challenges:
        if policy.unchallenged is None:
            return f"this login needs a {policy.responders[0].scheme} challenge: use another login"
        return "with bare=True, the default, it causes a login"
    challenges = readable(info.challenges)
    offered = {challenge.scheme.lower() for challenge in challenges}
    known = {responder.scheme.lower() for responder in policy.responders}
    if policy.realm is not None and (offered & known or policy.any_scheme):
        return f"the challenge names another realm than realm={policy.realm!r}"
    if policy.any_scheme:
        return "with bare=True, the default, it causes a login"
    if offered & {"session", "bearer"}:
        return "with responders=[SESSION, BEARER], the default, it causes a login"
    if "digest" in offered:
        return "use a DigestLogin for Digest, or set signals=[status(401)] to log in after any 401"
    return "set signals=[status(401)] to log in after any 401, and carry= for how the token travels"
