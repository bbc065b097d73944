"""What the session auth of every library is made of: one login, one policy, one book.

One object is one principal: whoever shares it shares its session. Here is what it is given and
how it is pickled; each library's `SessionAuth` says how it sends, waits and logs in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from inspect import iscoroutinefunction
from pickle import PicklingError
from typing import Any, Generic, Literal, Protocol, Self, TypeVar, runtime_checkable

from reauth import errors
from reauth.client.book import Book
from reauth.client.driver.drive import drive, stand_by
from reauth.client.driver.reentry import logging_in
from reauth.client.events import Event, Listener
from reauth.client.fleet import forget
from reauth.client.grant import Context
from reauth.client.origins import trusted
from reauth.client.policy import SESSION, Action, Policy, Responder
from reauth.client.signals import Signal
from reauth.client.stores import AnyStore, Store

__all__ = ["Kinds", "Principal", "by_base", "raisable"]

Http = TypeVar("Http")


@runtime_checkable
class _Client(Protocol):
    """What can be a login's `context.http`."""

    def request(self) -> object: ...


class Principal(Generic[Http]):
    """The login of one principal, and everything its requests share."""

    def __init__(
        self,
        login: Callable[[Context], object],
        origins: str | Iterable[str] | None = None,
        *,
        realm: str | None = None,
        signals: Iterable[Signal] = (),
        http: Http | None = None,
        responders: Iterable[Responder] = (SESSION,),
        actions: Mapping[str | None, Action] | None = None,
        strict: bool = False,
        insecure: bool = False,
        replay_any_method: bool = False,
        login_timeout: float = 20.0,
        budget: tuple[int, float] = (10, 30.0),
        on_event: Listener | None = None,
        store: AnyStore | None = None,
        account: str = "",
        fresh: Literal["always"] | None = None,
    ) -> None:
        _check_login(login)
        _check_store(store, fresh)
        _check("realm", realm, str | None, "a str or None")
        _check("account", account, str, "a str")
        _check("actions", actions, Mapping | None, "a mapping of error codes to actions")
        _check("http", http, _Client | None, "a session or client")
        _check("on_event", on_event, Callable | None, "a callable")
        if iscoroutinefunction(on_event):
            raise TypeError("SessionAuth: on_event= is called and never awaited: no `async def`")
        logins, seconds = _pair(budget)
        policy = Policy(
            origins=trusted(login, origins, insecure=insecure),
            realm=realm,
            account=account,
            signals=_several("signals", signals, callable, "callables, such as [status(440)]"),
            responders=_several("responders", responders, _responds, _RESPONDERS),
            actions={error: _action(action) for error, action in (actions or {}).items()},
            steps_up=bool(getattr(login, "steps_up", False)),
            replay_any_method=replay_any_method,
            strict=strict,
            listener=on_event,
            login_timeout=login_timeout,
            budget=logins,
            budget_window=seconds,
            store=store,
            fresh=fresh,
        )
        self._begin(login, policy, http)

    # What Python itself says of an unknown keyword names the class that users know.
    __init__.__qualname__ = "SessionAuth.__init__"

    def _begin(
        self, login: Callable[[Context], object], policy: Policy, http: Http | None = None
    ) -> None:
        self.login = login
        self._http = http
        self._policy = policy
        if policy.listener is not None:
            policy = replace(policy, listener=partial(self._tell, policy.listener))
        self._book = Book(policy)

    def _tell(self, listener: Listener, event: Event) -> None:
        # A request that a listener makes would wait for the renewal that waits for the listener.
        with logging_in(self._book):
            listener(event)

    def reset(self) -> None:
        """Forget the session and every refused login: the next challenge is answered anew.

        They are forgotten for all who share the store.
        """
        if self._book.policy.store is not None:
            drive(forget(self._book), partial(stand_by, self._book))
        self._book.reset()

    def __reduce__(self) -> tuple[Any, ...]:
        # No session and no refusal travels: whoever loads this logs in for itself.
        if self._http is not None:
            raise PicklingError(
                "this SessionAuth was given http=, and no client is pickled: a login that opens "
                "one of its own needs none"
            )
        return self._with_policy, (self.login, self._policy), self._more()

    def __copy__(self) -> Self:
        copied = self._with_policy(self.login, self._policy, self._http)
        vars(copied).update(self._more())
        return copied

    def _more(self) -> dict[str, Any]:
        """Return what a class derived from ours has added."""
        ours = vars(self._with_policy(self.login, self._policy))
        return {name: value for name, value in vars(self).items() if name not in ours}

    @classmethod
    def _with_policy(
        cls, login: Callable[[Context], object], policy: Policy, http: Http | None = None
    ) -> Self:
        auth = cls.__new__(cls)
        auth._begin(login, policy, http)
        return auth


def _check(name: str, value: object, kind: Any, takes: str) -> None:
    if not isinstance(value, kind):
        raise TypeError(f"SessionAuth: {name}= is {takes}; not {_kind(value)}")


def _kind(value: object) -> str:
    return type(value).__name__


def _pair(budget: Any) -> tuple[int, float]:
    try:
        logins, seconds = budget
    except (TypeError, ValueError):
        raise TypeError(
            "SessionAuth: budget= is how many logins, and in how many seconds: (10, 30)"
        ) from None
    return logins, seconds


def _check_login(login: object) -> None:
    if isinstance(login, type):
        raise TypeError(f"SessionAuth: a login is made of its class first: {login.__name__}(…)")
    if not callable(login):
        raise TypeError(f"SessionAuth: a login is a callable, not {_kind(login)}")


_RESPONDERS = "Responders of reauth.client.policy, such as [BEARER]"


def _several(
    name: str, given: object, fits: Callable[[object], bool], takes: str
) -> tuple[Any, ...]:
    found = tuple(given) if isinstance(given, Iterable) and not fits(given) else None
    if found is None or not all(map(fits, found)):
        raise TypeError(f"SessionAuth: {name}= takes several {takes}")
    return found


def _responds(responder: object) -> bool:
    return isinstance(responder, Responder)


def _action(action: Action) -> Action:
    try:
        return Action(action)
    except ValueError:
        raise ValueError(
            f"SessionAuth: {action!r} is not a valid Action: actions= names {', '.join(Action)}"
        ) from None


def _check_store(store: object, fresh: object) -> None:
    if isinstance(store, type):
        raise TypeError(f"SessionAuth: store= is a store, not its class: {store.__name__}(…)")
    if store is not None and not isinstance(store, Store):
        raise TypeError(
            "SessionAuth: store= has the methods of reauth.client.stores.Store; "
            f"{_kind(store)} has not"
        )
    if fresh not in (None, "always"):
        raise ValueError(f'SessionAuth: fresh= is "always" or None, not {fresh!r}')
    if fresh is not None and store is None:
        raise ValueError("SessionAuth: fresh= says when the store is asked: it needs store=")


Kinds = Mapping[type[errors.ReauthError], type[errors.ReauthError]]


def by_base(*kinds: type[errors.ReauthError]) -> Kinds:
    """Find a library's own kind of each failure by the failure it is derived from."""
    return {kind.__mro__[1]: kind for kind in kinds}


def raisable(failure: errors.ReauthError, kinds: Kinds, response: Any) -> errors.ReauthError:
    """Build a failure anew as a library's own kind, with the response that led to it."""
    error = kinds[type(failure)](*failure.args)
    error.__dict__.update(failure.__dict__)
    error.response = response
    # Both libraries' exceptions name the request, and it is the one that was refused.
    error.request = getattr(response, "request", None)  # type: ignore[attr-defined]
    return error
