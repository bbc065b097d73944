"""The base of every library's `SessionAuth`: one login, one policy, one cache.

One object is one principal: all who use it share its session. This class takes the parameters and
is pickled; each library's `SessionAuth` sends, waits and logs in.
"""

from __future__ import annotations

import inspect
from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping, MutableMapping
from dataclasses import replace
from functools import partial
from typing import Any, Generic, Literal, Self, TypeVar

from relogin import client
from relogin.client import renewal
from relogin.client.driver.credentials import sign
from relogin.client.driver.drive import drive, stand_by
from relogin.client.driver.options import (
    ActionName,
    able_unchallenged,
    brought_by,
    check_carry,
    check_client,
    check_kind,
    check_listener,
    check_login,
    check_logout,
    check_rolls,
    check_signers,
    check_store,
    check_url,
    logout_of,
    named_actions,
    pair,
    rolling,
    several_responders,
    several_signals,
    unchallenged,
)
from relogin.client.driver.reentry import logging_in
from relogin.client.renewal.cache import CredentialCache
from relogin.client.renewal.commands import Command, LogOut
from relogin.client.renewal.description import servers, state
from relogin.client.renewal.policy import Policy
from relogin.client.responders import with_scheme_of
from relogin.client.terms.answer import Source
from relogin.client.terms.grant import Context
from relogin.client.terms.origins import trusted
from relogin.client.terms.responder import Action, Responder

__all__ = ["Principal"]

Http = TypeVar("Http")


class Principal(Generic[Http]):
    """The login of one principal, and everything that its requests share."""

    def __init__(
        self,
        login: Callable[[Context], object],
        origins: str | Iterable[str] | None = None,
        *,
        realm: str | None = None,
        signals: Iterable[client.signals.Signal] = (),
        http: Http | None = None,
        carry: client.carry.Authorization | client.carry.Header | client.carry.Query | None = None,
        rolls: Mapping[str, str | Source] | Iterable[str] = (),
        responders: Iterable[Responder] | None = None,
        actions: Mapping[str | None, Action | ActionName] | None = None,
        strict: bool = False,
        insecure: bool = False,
        replay_any_method: bool | None = None,
        check: str | bool | None = True,
        bare: bool = True,
        preemptive: bool = False,
        logout: Callable[[Context], object] | None = None,
        logout_replaced: bool = True,
        login_timeout: float = 20.0,
        budget: tuple[int, float] = (10, 30.0),
        on_event: client.events.Listener | None = None,
        store: client.stores.AnyStore | None = None,
        account: str = "",
        fresh: Literal["always"] | None = None,
    ) -> None:
        """Log in to an account again whenever its session dies, once for all requests that wait.

        :param login: A function that gets a `Context` and returns a token, a `relogin.Grant`, or
            `None` to decline; or a ready-made login of `relogin.client.logins`.
        :param origins: The servers that may get the token, as one URL or several; only scheme,
            host and port count. Required for a function; a ready-made login has its own.
        :param realm: Answer challenges of this realm only. Default: of any realm.
        :param signals: Other responses that mean a dead session, from `relogin.client.signals`,
            such as `[status(440)]`. Default: none.
        :param http: The client that a login gets as `context.http`. Default: a new one.
        :param carry: How the token travels: `Authorization(…)`, `Header(…)` or `Query(…)` of
            `relogin.client.carry`. Default: in Authorization, with the scheme that the server
            asked for.
        :param rolls: Header fields whose value each response may change, such as a CSRF token; a
            mapping says where the new value comes from. Default: none.
        :param responders: The schemes to answer, best first, such as `[BEARER]` of
            `relogin.client.responders`. Default: Session and Bearer, or those of the login.
        :param actions: What to do for an error code: "renew", "replace", "step_up" or "stop".
            Default: as in SPEC.md; after "session_revoked", nothing.
        :param strict: Raise `BodyNotReplayable` or `MethodNotReplayable` if the request cannot be
            sent again, instead of returning the 401. Default: `False`.
        :param insecure: Allow plain http to other machines; secrets are then sent in clear text.
            Default: `False`.
        :param replay_any_method: `True` sends every method again, `False` only those that are safe
            to repeat. Default `None`: every method after a 401, safe ones after a signal.
        :param check: If an upload ends in a broken connection or in 502, 503 or 504, ask with one
            small request whether the session still lives, and log in again if not. A URL is asked
            with GET. Default `True`: the URL of the upload, with HEAD. `False`: do not ask. It is
            asked in the same way when a stream of events has ended.
        :param bare: Log in after a 401 without a WWW-Authenticate header too. Default: `True`.
        :param preemptive: Log in before the first request, for a server that answers a request
            without a session with a 404 or an empty list. Default: `False`, after a 401.
        :param logout: How to end a session on its server: a function that gets a `Context`, or
            `relogin.client.logins.Logout(url)`. Default: that of a ready-made login, if it has one.
        :param logout_replaced: Also log out a session that a newer one replaces while it is still
            alive. Default: `True`.
        :param login_timeout: Seconds that each request of a login may take. Another request takes
            the login over after 1.5 times that, and stops waiting after 2.5 times. Default: 20.
        :param budget: How many logins, in how many seconds. Default: 10 in 30 seconds.
        :param on_event: A function that is called with each `relogin.client.events.Event`.
        :param store: Shares one session between processes, see `relogin.client.stores`. Default:
            the session is kept in memory.
        :param account: Whose session it is, if several users share a store. Default: "".
        :param fresh: "always" reads the store before each request. Default: when a session ends.
        :raises ValueError: for a function without `origins`, and for plain http to another machine.
        :raises TypeError: for an option of the wrong type.
        """
        check_login(login)
        check_store(store, fresh)
        check_listener(on_event)
        check_client(http)
        check_kind("realm", realm, str | None, "a str or None")
        check_kind("account", account, str, "a str")
        check_kind("bare", bare, bool, "a bool")
        check_kind("preemptive", preemptive, bool, "a bool")
        check_carry(carry)
        check_logout(logout)
        check_kind("logout_replaced", logout_replaced, bool, "a bool")
        logins, seconds = pair(budget)
        taking = rolling(rolls)
        check_rolls(taking, login, carry)
        answering = with_scheme_of(carry, several_responders(brought_by(login, responders)))
        check_signers(carry, answering)
        alone = unchallenged(answering)
        allowed = trusted(login, origins, insecure=insecure)
        policy = Policy(
            origins=allowed,
            origin_of_login=origins is None,
            realm=realm,
            account=account,
            signals=several_signals(signals),
            responders=answering,
            unchallenged=alone,
            bare=bare and alone is not None,
            preemptive=able_unchallenged(answering) if preemptive else None,
            carry=carry,
            rolls=taking,
            logout=logout_of(login, logout),
            logout_replaced=logout_replaced,
            any_scheme=carry is not None and not isinstance(carry, client.carry.Authorization),
            actions=named_actions(actions),
            steps_up=bool(getattr(login, "steps_up", False)),
            scopes_up=bool(getattr(login, "scopes_up", False)),
            replay_any_method=replay_any_method,
            check=check_url(check, allowed),
            strict=strict,
            listener=on_event,
            login_timeout=login_timeout,
            budget=logins,
            budget_window=seconds,
            store=store,
            fresh=fresh,
        )
        self._begin(login, policy, http)

    # So that Python's error about an unknown keyword names the class that users know.
    __init__.__qualname__ = "SessionAuth.__init__"

    def __repr__(self) -> str:
        account = f" as {self._policy.account!r}" if self._policy.account else ""
        return f"<SessionAuth for {servers(self._cache)}{account}: {state(self._cache)}>"

    def _begin(
        self, login: Callable[[Context], object], policy: Policy, http: Http | None = None
    ) -> None:
        self.login = login
        self._http = http
        self._policy = policy
        if policy.listener is not None:
            policy = replace(policy, listener=partial(self._tell, policy.listener))
        self._cache = CredentialCache(policy)

    def _tell(self, listener: client.events.Listener, event: client.events.Event) -> None:
        # A request made by a listener would wait for the renewal, which waits for the listener.
        with logging_in(self._cache):
            listener(event)

    def reset(self) -> None:
        """Forget the session and every refused login; the next 401 causes a login again.

        With a store, this applies to every process that shares it.
        """
        if self._cache.policy.store is not None:
            drive(renewal.shared.forget(self._cache), partial(stand_by, self._cache))
        self._cache.reset()

    def logout(self) -> None:
        """Log out: end every session on its server. The next request logs in again.

        Needs `logout=`. A session in a store ends for all processes that share the store. A failed
        logout raises nothing; an event and a warning report it. If you use this object as a context
        manager, it logs out at the end of the block, unless it has a store.
        """
        self._check_logout()
        drive(renewal.log_out.log_out(self._cache), self._do_here)

    def __enter__(self) -> Self:
        self._check_logout()
        return self

    def __exit__(self, *_: object) -> None:
        if self._policy.store is None:
            self.logout()

    def _check_logout(self) -> None:
        if self._policy.logout is None:
            raise TypeError("this SessionAuth has no logout: SessionAuth(…, logout=Logout(url))")

    @abstractmethod
    def _do_here(self, command: Command) -> object:
        """Run a command in this thread that no request has caused."""

    def _log_out(self, command: LogOut, open_http: Callable[[], Http]) -> object:
        logout: Any = self._policy.logout
        with logging_in(self._cache, command.credential):
            result = logout(self._leaving(command, open_http))
        if inspect.iscoroutine(result):
            result.close()
            raise TypeError("the logout is a coroutine function: await auth.alogout()")
        return result

    def _leaving(self, command: LogOut, open_http: Callable[[], object]) -> Context:
        def put(headers: MutableMapping[str, str], url: str) -> str:
            return sign(headers, url, command.credential)

        return replace(command.context, open_http=open_http, sign=put)

    def __reduce__(self) -> tuple[Any, ...]:
        # Sessions and refused logins are not pickled: the loaded copy logs in by itself.
        if self._http is not None:
            from pickle import PicklingError

            raise PicklingError(
                "a SessionAuth with http= cannot be pickled: let the login open a client of its own"
            )
        return self._with_policy, (self.login, self._policy), self._more()

    def __copy__(self) -> Self:
        copied = self._with_policy(self.login, self._policy, self._http)
        vars(copied).update(self._more())
        return copied

    def _more(self) -> dict[str, Any]:
        """Return the attributes that a derived class has added."""
        ours = vars(self._with_policy(self.login, self._policy))
        return {name: value for name, value in vars(self).items() if name not in ours}

    @classmethod
    def _with_policy(
        cls, login: Callable[[Context], object], policy: Policy, http: Http | None = None
    ) -> Self:
        auth = cls.__new__(cls)
        auth._begin(login, policy, http)
        return auth
