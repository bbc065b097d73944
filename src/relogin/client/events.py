"""Events about sessions, for your callback and for the log. They never hold a secret."""

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
    """This request waits for the login of another request."""
    FINISHED = "finished"
    """The login of this request succeeded, after `seconds`."""
    FAILED = "failed"
    """The login of this request failed, after `seconds`; `reason` says why."""
    ADOPTED = "adopted"
    """Another process has logged in: its session is used, with no login here."""
    STORE_AWAY = "store_away"
    """The store failed, so this process continues without it; `reason` says why."""
    REPLAYED = "replayed"
    """The request was sent again."""
    REFUSED = "refused"
    """A dead session was not renewed; `reason` is an `Outcome` or an error code."""
    LOGGED_OUT = "logged_out"
    """The session was ended on its server."""
    LOGOUT_FAILED = "logout_failed"
    """The session could not be ended on its server; `reason` says why."""
    LAPSED = "lapsed"
    """A response other than a 401 said that the session is dead; you get it unchanged."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event: enough to count it, and no secret.

    `error` is the error code of the challenge, unchanged; the server chose it and `realm`.
    `seconds` is how long a login took. `detail` adds to `reason`: the schemes that were offered, or
    whether ``"method"`` or ``"body"`` kept a request from being sent again.

    >>> def on_event(event):
    ...     if event.kind is EventKind.FINISHED:
    ...         print(f"logged in at {event.origin}, in {event.seconds:.1f} s")
    >>> on_event(Event(EventKind.FINISHED, "https://api.example.com", seconds=0.25))
    logged in at https://api.example.com, in 0.2 s
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
    """Tell whether events are listened to or logged; if not, none needs to be made."""
    return listener is not None or _log.isEnabledFor(logging.DEBUG)


def tell(listener: Listener | None, event: Event) -> None:
    """Log an event and pass it to the user's callback. An error there does not fail the request."""
    if _log.isEnabledFor(logging.DEBUG):
        _log.debug("%s %s realm=%r error=%r reason=%r detail=%r", *_logged(event))
    if listener is None:
        return
    try:
        listener(event)
    except Exception:  # noqa: BLE001 - whatever the user's callback raises
        _log.exception("the event callback failed on %s", event.kind)


def warn(text: str, *words: object) -> None:
    """Log a warning about something that needs attention."""
    _log.warning(text, *words)


def _logged(event: Event) -> tuple[str | None, ...]:
    # As plain strings, because a code may be an enum. The format quotes what the server chose.
    words = event.kind, event.origin, event.realm, event.error, event.reason, event.detail
    return tuple(None if word is None else str(word) for word in words)
