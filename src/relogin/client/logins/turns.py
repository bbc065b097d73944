"""Logins of several accounts through one client that keeps its cookies: one after the other.

At the same time, each would send and get the other's cookies. Nothing here locks: a login that
was abandoned, or lost in a fork, makes no other login wait.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Sequence
from contextvars import ContextVar
from typing import Any
from weakref import ref

from relogin.client.logins.accounts import forget_others, remember_owner
from relogin.client.logins.base import Login
from relogin.client.logins.cookies import cookies_in
from relogin.client.logins.fields import Fields
from relogin.client.logins.per_client import PerClient
from relogin.client.logins.sending.exchange import Steps, jar_of
from relogin.client.logins.sending.request import Pause
from relogin.client.terms.grant import Context, Grant
from relogin.errors import LoginUnavailable

__all__ = ["Turn"]

_POLL = 0.05  # in seconds
_PATIENCE = 0.5  # of the time that the login has
_OWN = "; give each account a client of its own"

# The logins that use a client now or wait for it, in their order.
_queues: PerClient[list[ref[Turn]]] = PerClient(list)
_running: ContextVar[tuple[ref[Turn], ...]] = ContextVar("relogin: turns", default=())


class Turn:
    """The steps of a login at these origins, once no login of another object uses its client.

    It begins without the cookies that the logins of other accounts have set there. `pages` say
    whose login it is; without them, it is of no other login's account.
    """

    def __init__(
        self,
        login: Login,
        context: Context,
        steps: Steps[Grant | None],
        origins: Iterable[str],
        pages: Sequence[Fields] = (),
    ) -> None:
        self._login = login
        self._context = context
        self._http = context.http
        self._steps = steps
        self._origins = origins
        self._pages = pages
        self._until = time.monotonic() + context.timeout * _PATIENCE
        self._process = os.getpid()
        self._before: dict[Any, str | None] | None = None

    def __enter__(self) -> Steps[Grant | None]:
        self._outer = _running.get()
        self._queue = _queues[self._http]
        self._queue.append(ref(self, self._queue.remove))
        _running.set((*self._outer, ref(self)))
        return self._in_turn()

    def __exit__(self, *_: object) -> None:
        _running.set(self._outer)
        if self._before is not None:
            found = self._cookies()
            changed = {key for key in found if found[key] != self._before.get(key)}
            remember_owner(self._context, changed, self._login)
        self._queue.remove(ref(self))

    def _in_turn(self) -> Steps[Grant | None]:
        while (other := self._other()) is not None:
            if ref(other) in self._outer:
                raise LoginUnavailable(
                    f"a login that uses the same client has called this one{_OWN}"
                )
            if time.monotonic() > self._until:
                raise LoginUnavailable(f"another login keeps the client of http= busy{_OWN}")
            yield Pause(_POLL)
        jar = jar_of(self._http)
        forget_others(self._context, jar, self._login, self._origins, self._pages)
        self._before = self._cookies()
        return (yield from self._steps)

    def _other(self) -> Turn | None:
        """Find a login of another object that came first; those of one object may overlap."""
        queue = self._queue
        earlier = (entry() for entry in queue[: queue.index(ref(self))])
        return next((turn for turn in earlier if turn is not None and self._waits_for(turn)), None)

    def _waits_for(self, other: Turn) -> bool:
        return other._login is not self._login and other._process == self._process

    def _cookies(self) -> dict[Any, str | None]:
        return {(c.domain, c.path, c.name): c.value for c in cookies_in(jar_of(self._http))}
