"""The options of a gate: a wrong one raises an error that names it when the gate is made."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal, Required, TypeAlias, TypedDict, TypeVar

from relogin.server.custom_refusals import Fields, Page, Params
from relogin.server.signatures import check_plain, takes_request
from relogin.server.verdicts import Refused, StepUp
from relogin.wire.abnf import TOKEN
from relogin.wire.model import Challenge

__all__ = [
    "Bounds",
    "Legacy",
    "Options",
    "check_legacy",
    "check_step_up",
    "check_switch",
    "cookie_name",
    "drain_bounds",
    "field_name",
    "interval",
    "known",
    "logout_paths",
    "several",
]

Legacy: TypeAlias = Mapping[int, str] | Callable[..., str | None]
"""By status, or a function of status, headers and, if it takes a third argument, the request."""
Bounds: TypeAlias = tuple[float, float]
"""How many bytes of a refused request are read at most, and for how many seconds."""
T = TypeVar("T")

_token = re.compile(TOKEN).fullmatch


class Options(TypedDict, total=False):
    """The options of `Gate`, which every `SessionGate` takes: a line each, for editors."""

    realm: Required[str]
    """A name for what the gate protects. Clients see it."""
    public: Iterable[str]
    """Paths that are open to everybody, such as `["/health", "/docs/*"]`."""
    step_up: Mapping[str, StepUp]
    """Paths that need a recent or stronger login: `{"/pay/*": StepUp(300)}`."""
    cookie: str | None
    """The name of a cookie that may carry the token. Authorization comes first."""
    schemes: Iterable[str]
    """The schemes that the gate reads and offers: `Session`, `Bearer`, or both."""
    also: Iterable[Challenge]
    """Challenges of other schemes that the gate sends as well."""
    collapse: bool
    """Send `session_invalid` for expired, invalid and revoked alike."""
    retry_after: int
    """The Retry-After of a 503, in seconds."""
    login_page: Page | None
    """The body of a 401 to a browser that opens a page: HTML, or a function that returns it."""
    legacy: Legacy | None
    """Your own statuses that mean a dead session: `{440: "session_expired"}`, or a function."""
    announce: bool
    """Send the challenge with a public page too, if the session is dead."""
    drain: Bounds | Literal[0] | None
    """How much of a refused upload the gate reads, in bytes and seconds; 0 for nothing."""
    params: Params | None
    """Your own parameters in each challenge: a mapping, or a function of the `Request`."""
    headers: Fields | None
    """Your own header fields in each 401: a mapping, or a function of the challenge."""
    ignore: Iterable[str]
    """Paths that the gate does not touch, such as `["/static/*"]`."""
    logout: str | Iterable[str]
    """The path of your logout, which may delete the cookie of a dead session."""
    path_from: str | None
    """The header in which a proxy names the path that it asks about."""
    recheck: float | None
    """Seconds after which `verify` is called again while a response or a WebSocket goes on."""


def known(options: Options) -> Options:
    """Return the options; raise `TypeError` if `realm` is missing or an option is unknown."""
    names = Options.__annotations__
    unknown = sorted(options.keys() - names.keys())
    if unknown:
        raise TypeError(f"a gate has no option {', '.join(unknown)}; it has {', '.join(names)}")
    if "realm" not in options:
        raise TypeError('a gate needs a name for what it protects, such as realm="orders"')
    return options


def _expect(option: str, given: object, meant: str, fits: bool) -> None:
    """Raise `TypeError` if an option is given a value that does not fit."""
    if not fits:
        raise TypeError(f"{option} must be {meant}, not {given!r}")


def several(option: str, given: Any, kind: type[T], such_as: str) -> tuple[T, ...]:
    """Return what an option lists; raise `TypeError` for a single value and for a wrong type."""
    fits = isinstance(given, Iterable) and not isinstance(given, (str, bytes, kind))
    listed: tuple[T, ...] = tuple(given) if fits else ()
    fits = fits and all(isinstance(each, kind) for each in listed)
    # As a list: `not ('a',)` would read as if the tuple were the mistake.
    shown = list(listed) or given
    _expect(option, shown, f"a list of {kind.__name__}, such as {such_as}", fits)
    return listed


def cookie_name(given: str | None) -> str | None:
    """Return the name of a cookie, or None; raise an error for an invalid name."""
    return _name("cookie", given, 'the name of a cookie, such as "sid"')


def logout_paths(given: str | Iterable[str]) -> tuple[str, ...]:
    """Return the paths of a logout; most applications have one."""
    return (given,) if isinstance(given, str) else several("logout", given, str, '["/logout"]')


def field_name(option: str, given: str | None) -> str | None:
    """Return the name of a header in lower case, or None; raise an error for an invalid name."""
    name = _name(option, given, 'the name of a header field, such as "X-Original-URI"')
    return None if name is None else name.lower()


def _name(option: str, given: str | None, meant: str) -> str | None:
    _expect(option, given, meant, given is None or isinstance(given, str))
    if given is not None and not _token(given):
        raise ValueError(f"{option} must be {meant}, not {given!r}")
    return given


def interval(option: str, given: float | None) -> float | None:
    """Return a number of seconds, or None; raise `TypeError` for anything else."""
    _expect(option, given, "a number of seconds, such as 30", given is None or _is_bound(given))
    return given


def check_step_up(given: Mapping[str, StepUp] | None) -> Mapping[str, StepUp]:
    """Return what each path asks for; raise `TypeError` for anything but such a mapping."""
    step_ups = {} if given is None else given
    fits = _maps(step_ups, str, StepUp)
    _expect("step_up", step_ups, 'a mapping such as {"/pay/*": StepUp(max_age=300)}', fits)
    return step_ups


def check_switch(option: str, given: bool) -> None:
    """Raise `TypeError` for anything but True and False."""
    _expect(option, given, "True or False", isinstance(given, bool))


def drain_bounds(given: Any) -> Bounds | None:
    """Return how much of a refused request is read, or None; raise `TypeError` if wrong."""
    if given is None or (given == 0 and not isinstance(given, bool)):
        return None
    fits = isinstance(given, tuple) and len(given) == 2
    fits = fits and all(_is_bound(one) for one in given)
    _expect("drain", given, "bytes and seconds, such as (64 * 1024 * 1024, 30.0), or 0", fits)
    bounds: Bounds = given
    return bounds


def _is_bound(given: object) -> bool:
    return isinstance(given, int | float) and given is not True and 0 < given < float("inf")


def check_legacy(given: Legacy | None) -> bool:
    """Check the option, and tell whether it is a function that takes the request.

    Raises `TypeError` for a wrong type and `ValueError` for a code that cannot be sent.
    """
    if given is None:
        return False
    if callable(given):
        check_plain("legacy", given)
        return takes_request("legacy", given, ("status", "headers"))
    meant = 'a mapping such as {440: "session_expired"}, or a callable'
    _expect("legacy", given, meant, _maps(given, int, str))
    for status, error in given.items():
        try:
            Refused(error)
        except ValueError as mistake:
            raise ValueError(f"legacy, for {status}: {mistake}") from None
    return False


def _maps(given: object, key: type, value: type) -> bool:
    return isinstance(given, Mapping) and all(
        isinstance(name, key) and isinstance(what, value) for name, what in given.items()
    )
