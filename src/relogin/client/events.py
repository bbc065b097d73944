"""What happens to sessions, for one callback and one logger, and never with a secret."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

__all__ = ["Event", "EventKind", "Listener", "heard", "tell", "warn"]

_log = logging.getLogger("relogin.client")


class EventKind(StrEnum):
    """What happened."""

    CHALLENGED = "challenged"
    """A response said that the session is dead."""
    STARTED = "started"
    """This request starts a login."""
    JOINED = "joined"
    """This request waits for the login of another one."""
    FINISHED = "finished"
    """The login of this request succeeded, after `seconds`."""
    FAILED = "failed"
    """The login of this request failed, after `seconds`; `reason` says why."""
    ADOPTED = "adopted"
    """Another process had logged in: its session is used, without a login here."""
    STORE_AWAY = "store_away"
    """The store failed, so this process goes on by itself; `reason` says why."""
    REPLAYED = "replayed"
    """The request was sent again."""
    REFUSED = "refused"
    """Nothing was done about a dead session; `reason` is an `Outcome` or an error code."""
    LOGGED_OUT = "logged_out"
    """A session was given back to its server."""
    LOGOUT_FAILED = "logout_failed"
    """A session could not be given back; `reason` says why."""
    LAPSED = "lapsed"
    """A response other than a 401 said that the session is dead; it is returned as it came."""


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened: enough to count, and no secret.

    `error` is the challenge's code as it came; `realm` and `error` are the server's words.
    `seconds` is how long it took, where that means anything. `detail` tells more of a `reason`: the
    schemes that were offered, or whether ``"method"`` or ``"body"`` kept a request from being sent
    again.
    """

    kind: EventKind
    origin: str
    realm: str = ""
    error: str | None = None
    reason: str | None = None
    seconds: float | None = None
    detail: str | None = None


Listener: TypeAlias = Callable[[Event], object]


def heard(listener: Listener | None) -> bool:
    """Tell whether anybody hears of events: otherwise there is no need to make one."""
    return listener is not None or _log.isEnabledFor(logging.DEBUG)


def tell(listener: Listener | None, event: Event) -> None:
    """Log an event and hand it to the user's callback, whose mistakes cost no request."""
    if _log.isEnabledFor(logging.DEBUG):
        _log.debug("%s %s realm=%r error=%r reason=%r detail=%r", *_logged(event))
    if listener is None:
        return
    try:
        listener(event)
    except Exception:  # noqa: BLE001 - whatever the user's callback raises
        _log.exception("the event callback failed on %s", event.kind)


def warn(text: str, *words: object) -> None:
    """Log what somebody should look after."""
    _log.warning(text, *words)


def _logged(event: Event) -> tuple[str | None, ...]:
    # Quoted by the format, because a server chose the words; plain, because a code may be an enum.
    words = event.kind, event.origin, event.realm, event.error, event.reason, event.detail
    return tuple(None if word is None else str(word) for word in words)
