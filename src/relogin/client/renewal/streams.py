"""From the end of a stream of events to why it ended: its session may have, and nobody said so.

A server ends such a stream when its session ends, in the same way as when there is no more to say.
This is a flow as that of `relogin.client.renewal.unanswered` is, and yields the same commands.
"""

from __future__ import annotations

from relogin.client.events import EventKind
from relogin.client.renewal.cache import CredentialCache
from relogin.client.renewal.commands import Final, Flow
from relogin.client.renewal.ends import report
from relogin.client.renewal.policy import Decision, ResponseInfo
from relogin.client.renewal.unanswered import check
from relogin.client.terms.outcomes import Outcome
from relogin.client.terms.responder import Action

__all__ = ["stream_ended"]


def stream_ended(cache: CredentialCache, info: ResponseInfo, ended: float) -> Flow:
    """Find out whether a session ended with its stream, which did at that time; then renew it.

    A scheme that is answered anew for each request has no session that could end.
    """
    sent = info.sent_with
    if sent is None or sent.responder.grant_from is not None:
        return Final(info, Outcome.UNTOUCHED)
    if (yield from check(cache, info, sent, ended)) is None:
        return Final(info, Outcome.UNTOUCHED)
    decision = Decision(sent.key, Action.RENEW, sent.responder, None, None)
    report(cache, EventKind.REFUSED, decision, reason=Outcome.STREAM_ENDED)
    return Final(info, Outcome.STREAM_ENDED)
