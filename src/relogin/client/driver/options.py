"""Checks of the options of a `SessionAuth`. Errors say what to pass instead."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from inspect import iscoroutinefunction, signature
from typing import TYPE_CHECKING, Any, Literal, TypeAlias
from urllib.parse import urlsplit

from relogin import client
from relogin.client import terms
from relogin.client.responders import BEARER, SESSION
from relogin.client.terms.answer import Source
from relogin.client.terms.fields import check_field_name
from relogin.client.terms.origins import sent_to
from relogin.client.terms.responder import Action, Responder, covers_all

if TYPE_CHECKING:
    from relogin.client.signals import Signal
    from relogin.client.terms.grant import Context

__all__ = [
    "ActionName",
    "able_unchallenged",
    "brought_by",
    "check_carry",
    "check_client",
    "check_kind",
    "check_listener",
    "check_login",
    "check_logout",
    "check_rolls",
    "check_signers",
    "check_store",
    "check_url",
    "logout_of",
    "named_actions",
    "pair",
    "rolling",
    "several_responders",
    "several_signals",
    "unchallenged",
]

ActionName: TypeAlias = Literal["renew", "replace", "step_up", "stop"]


def check_kind(name: str, value: object, kind: Any, takes: str) -> None:
    """Raise `TypeError` for an option of the wrong type."""
    if not isinstance(value, kind):
        raise TypeError(f"SessionAuth: {name}= must be {takes}, not {_kind(value)}")


def _kind(value: object) -> str:
    return type(value).__name__


def pair(budget: Any) -> tuple[int, float]:
    """Take a budget apart; raise `TypeError` if it is not a pair."""
    try:
        logins, seconds = budget
    except (TypeError, ValueError):
        raise TypeError(
            "SessionAuth: budget= must be a number of logins and of seconds, such as (10, 30)"
        ) from None
    return logins, seconds


def check_login(login: object) -> None:
    """Raise `TypeError` for a login that cannot be called with a `Context`."""
    if isinstance(login, type):
        raise TypeError(f"SessionAuth: pass an instance, not the class: {login.__name__}(…)")
    if not callable(login):
        raise TypeError(
            f"SessionAuth: a login must be a function or other callable, not {_kind(login)}"
        )
    _check_parameter("login", login)


def _check_parameter(name: str, function: Callable[..., object]) -> None:
    """Raise `TypeError` for a function that cannot be called with one argument, the context."""
    try:
        parameters = signature(function)
    except (TypeError, ValueError):  # some functions written in C have no signature
        return
    try:
        parameters.bind(None)
    except TypeError:  # no default is shown: it may be a password
        takes = ", ".join(parameters.parameters) or "none"
        raise TypeError(
            f"SessionAuth: a {name} is called with one argument, the context: def {name}(context). "
            f"This one takes: {takes}"
        ) from None


def check_carry(carry: object) -> None:
    """Raise `TypeError` for a `carry=` that does not say how the token travels."""
    takes = 'Authorization(…), Header(…) or Query(…), such as Header("X-Auth-Token")'
    if carry is not None:
        known = client.carry
        check_kind("carry", carry, known.Authorization | known.Header | known.Query, takes)


def rolling(rolls: Any) -> dict[str, Source]:
    """Return where a response has the new value of each field; raise if `rolls=` is wrong.

    >>> rolling(["X-CSRF-Token"]) == rolling({"X-CSRF-Token": "X-CSRF-Token"})
    True
    """
    if isinstance(rolls, str) or not isinstance(rolls, Iterable):
        raise TypeError(
            "SessionAuth: rolls= must be a list of header names, or a mapping from each to the "
            'header of the response: {"X-CSRF-Token": "X-Updated-CSRF-Token"}, '
            f"not {_kind(rolls)}"
        )
    named = rolls if isinstance(rolls, Mapping) else {name: name for name in rolls}
    for name, source in named.items():
        check_field_name("SessionAuth: rolls=", name)
        if not callable(source):
            check_field_name("SessionAuth: rolls=", source)
    return {n: terms.sources.from_header(s) if isinstance(s, str) else s for n, s in named.items()}


def check_rolls(rolls: Iterable[str], login: object, carry: object) -> None:
    """Raise `ValueError` for a header field that this ready-made login never gives."""
    given = getattr(login, "given_headers", None)
    if given is None:
        return
    own = "Authorization"
    if carry is not None and isinstance(carry, client.carry.Header):
        own = carry.name
    known = {name.lower() for name in (*given, own)}
    strange = [name for name in rolls if name.lower() not in known]
    if strange:
        raise ValueError(
            f"SessionAuth: rolls= names {', '.join(strange)}, but this {_kind(login)} gives no "
            f"such header: tell the login where its response has it, as in {_kind(login)}(…, "
            f'headers={{"{strange[0]}": from_header("{strange[0]}")}})'
        )


def check_logout(logout: object) -> None:
    """Raise `TypeError` for a logout that cannot be called with a `Context`."""
    if isinstance(logout, type):
        raise TypeError(f"SessionAuth: pass an instance, not the class: {logout.__name__}(…)")
    check_kind("logout", logout, Callable | None, "a function, such as Logout(url)")
    if callable(logout):
        _check_parameter("logout", logout)


def check_listener(on_event: object) -> None:
    """Raise `TypeError` for a listener that is not a plain function."""
    check_kind("on_event", on_event, Callable | None, "a function")
    if iscoroutinefunction(on_event):
        raise TypeError("SessionAuth: on_event= must be a plain function: it is not awaited")


def several_signals(signals: Iterable[Signal]) -> tuple[Signal, ...]:
    """Return signals as a tuple; raise `TypeError` for a single one, or anything else.

    A coroutine and `html_form` without its parentheses would count after each response.
    """
    given = _several("signals", signals, callable, "functions, such as [status(440)]")
    for signal in given:
        if iscoroutinefunction(signal):
            raise TypeError("SessionAuth: a signal must be a plain function: it is not awaited")
        if getattr(signal, "__module__", None) == "relogin.client.signals":
            name = signal.__name__
            raise TypeError(f"SessionAuth: signals= needs {name}(…), not {name} itself")
    return given


def several_responders(responders: Iterable[Responder]) -> tuple[Responder, ...]:
    """Return responders as a tuple; raise `TypeError` for a single one, or anything else."""
    takes = "Responders of relogin.client.responders, such as [BEARER]"
    return _several("responders", responders, lambda one: isinstance(one, Responder), takes)


def brought_by(login: object, responders: Iterable[Responder] | None) -> Iterable[Responder]:
    """Return the responders that the user passed, or else those of a ready-made login."""
    if responders is not None:
        return responders
    brought: Iterable[Responder] = getattr(login, "responders", (SESSION, BEARER))
    return brought


def logout_of(
    login: object, logout: Callable[[Context], object] | None
) -> Callable[[Context], object] | None:
    """Return the logout that the user passed, or else that of a ready-made login."""
    if logout is not None:
        return logout
    found: Any = getattr(login, "revocation", None)
    return found if hasattr(found, "acall") else None  # a login of the user may have any there


def unchallenged(responders: tuple[Responder, ...]) -> Responder | None:
    """Choose who signs without a challenge: APIs that send none mostly use Bearer."""
    able = [one for one in responders if one.grant_from is None]
    return next((one for one in (BEARER, *able) if one in able), None)


def able_unchallenged(responders: tuple[Responder, ...]) -> Responder:
    """Do the same; raise `ValueError` if every token is made for a challenge."""
    found = unchallenged(responders)
    if found is None or found.covers is not covers_all:
        raise ValueError(
            "SessionAuth: preemptive=True logs in before the first request, but this login needs a "
            f"{responders[0].scheme} challenge first: leave preemptive= out"
        )
    return found


def check_signers(carry: object, responders: tuple[Responder, ...]) -> None:
    """Raise `ValueError` if a token would both travel as it is and sign each request."""
    signing = [one.scheme for one in responders if one.signer is not None]
    if carry is not None and signing:
        raise ValueError(
            f"SessionAuth: carry= sends a token as it is, but {signing[0]} signs each request "
            "instead: leave carry= out"
        )


def _several(
    name: str, given: object, fits: Callable[[object], bool], takes: str
) -> tuple[Any, ...]:
    found = tuple(given) if isinstance(given, Iterable) and not fits(given) else None
    if found is None or not all(map(fits, found)):
        raise TypeError(f"SessionAuth: {name}= must be a list of {takes}")
    return found


def named_actions(
    actions: Mapping[str | None, Action | ActionName] | None,
) -> dict[str | None, Action]:
    """Return what to do for each error code; raise `ValueError` for an unknown action."""
    check_kind("actions", actions, Mapping | None, "a mapping of error codes to actions")
    return {error: _action(action) for error, action in (actions or {}).items()}


def _action(action: Action | ActionName) -> Action:
    try:
        return Action(action)
    except ValueError:
        raise ValueError(
            f"SessionAuth: actions= takes {', '.join(Action)}, not {action!r}"
        ) from None


def check_url(check: object, origins: frozenset[str]) -> str | bool:
    """Return the URL to ask whether a session lives, or whether to ask at all."""
    if check is None or isinstance(check, bool):
        return bool(check)
    if not isinstance(check, str):
        raise TypeError(f"SessionAuth: check= must be a URL, True or False, not {_kind(check)}")
    if sent_to(check) not in origins:
        raise ValueError("SessionAuth: check= must be a whole URL at one of the origins")
    url = urlsplit(check)
    if url.scheme not in {"http", "https"} or "@" in url.netloc or not check.isprintable():
        raise ValueError(
            "SessionAuth: check= must be an http or https URL without a password or line breaks"
        )
    return check


def check_client(http: object) -> None:
    """Raise `TypeError` for an `http=` that is not a session or client."""
    if http is not None and not hasattr(http, "request"):
        raise TypeError(f"SessionAuth: http= must be a session or client, not {_kind(http)}")


def check_store(store: object, fresh: object) -> None:
    """Raise `TypeError` for anything but a store, and `ValueError` for an unknown `fresh`."""
    if isinstance(store, type):
        raise TypeError(f"SessionAuth: pass an instance, not the class: {store.__name__}(…)")
    if store is not None and not isinstance(store, client.stores.Store):
        raise TypeError(
            "SessionAuth: store= must be a store, such as SQLiteStore(path) of "
            f"relogin.client.stores.sqlite, not {_kind(store)}"
        )
    if fresh not in (None, "always"):
        raise ValueError(f'SessionAuth: fresh= must be "always" or None, not {fresh!r}')
    if fresh is not None and store is None:
        raise ValueError("SessionAuth: fresh= sets when the store is read, so it needs store=")
