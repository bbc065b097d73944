"""Finding out whether an event stream ended because its session ended.

A server ends such a stream in the same way when the session ends and when there are no more events.
This is a flow like that of `relogin.client.renewal.unanswered`, and yields the same commands.
"""

from __future__ import annotations

from relogin.client.events import EventKind
from relogin.client.renewal.cache import CredentialCache
from relogin.client.renewal.commands import Final, Flow
from relogin.client.renewal.finals import report
from relogin.client.renewal.policy import Decision, ResponseInfo
from relogin.client.renewal.unanswered import check
from relogin.client.terms.outcomes import Outcome
from relogin.client.terms.responder import Action

__all__ = ["stream_ended"]


def stream_ended(cache: CredentialCache, info: ResponseInfo, ended: float) -> Flow:
    """Check whether the session ended with its stream, at the time `ended`; if so, renew it.

    A scheme that answers each challenge has no session that could end.
    """
    sent = info.sent_with
    if sent is None or sent.responder.grant_from is not None:
        return Final(info, Outcome.UNTOUCHED)
    if (yield from check(cache, info, sent, ended)) is None:
        return Final(info, Outcome.UNTOUCHED)
    decision = Decision(sent.key, Action.RENEW, sent.responder, None, None)
    report(cache, EventKind.REFUSED, decision, reason=Outcome.STREAM_ENDED)
    return Final(info, Outcome.STREAM_ENDED)
