"""Choosing which of a response's challenges to answer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any, Protocol, Self, TypeVar, overload

from relogin.schemes.digest import DigestChallenge
from relogin.wire.model import Challenge

__all__ = ["best", "strongest"]


class _View(Protocol):
    @classmethod
    def from_challenge(cls, challenge: Challenge) -> Self: ...


View = TypeVar("View", bound=_View)


@overload
def best(challenges: Iterable[Challenge], *schemes: str) -> Challenge | None: ...
@overload
def best(challenges: Iterable[Challenge], *schemes: type[View]) -> View | None: ...
def best(challenges: Iterable[Challenge], *schemes: Any) -> Any:
    """Choose the challenge to answer: the strongest of the first of these schemes on offer.

    `schemes` are names in any case, or views such as `DigestChallenge`; for a view you get that
    view. Returns `None` if the server offers none of them. Of several Digest challenges you get the
    one with the strongest hash function (RFC 7616 §3.7), never one that cannot be answered; of
    several challenges of another scheme, the first.

    >>> import relogin
    >>> offered = relogin.parse(
    ...     'Basic realm="x", Digest realm="x", nonce="n", algorithm=MD5, qop="auth", '
    ...     'Digest realm="x", nonce="n", algorithm=SHA-256, qop="auth"'
    ... )
    >>> relogin.best(offered, "Bearer", "digest")["algorithm"]
    'SHA-256'
    >>> relogin.best(offered, relogin.DigestChallenge).algorithm
    'SHA-256'
    >>> relogin.best(offered, "Negotiate") is None
    True
    """
    offered = _offered(challenges, schemes)
    for scheme in schemes:
        found = _first(offered, scheme) if isinstance(scheme, str) else _first_view(offered, scheme)
        if found is not None:
            return found
    return None


def _offered(challenges: Any, schemes: tuple[Any, ...]) -> list[Challenge]:
    if not schemes:
        raise TypeError("best() needs at least one scheme that you can answer")
    if not all(isinstance(one, str | type) for one in schemes):
        raise TypeError('best() takes each scheme separately: best(challenges, "Digest", "Basic")')
    one_alone = isinstance(challenges, str | Challenge)
    offered = [] if one_alone else list(challenges)
    if one_alone or not all(isinstance(one, Challenge) for one in offered):
        raise TypeError("best() takes a list of challenges: best(relogin.parse(field), …)")
    return offered


def _first(offered: Sequence[Challenge], scheme: str) -> Challenge | None:
    fitting = [one for one in offered if one.scheme.lower() == scheme.lower()]
    if scheme.lower() == "digest":
        return strongest(fitting)
    return next(iter(fitting), None)


def _first_view(offered: Sequence[Challenge], view: type[View]) -> View | None:
    if view is DigestChallenge:
        found = _first(offered, "digest")
        return None if found is None else view.from_challenge(found)
    for challenge in offered:
        with suppress(ValueError):  # a challenge of another scheme
            return view.from_challenge(challenge)
    return None


def strongest(digests: Iterable[Challenge]) -> Challenge | None:
    """Choose the Digest challenge with the strongest hash function; if equal, the first."""
    ranked = [(DigestChallenge.from_challenge(one).strength, one) for one in digests]
    strength, found = max(ranked, key=lambda pair: pair[0], default=(0, None))
    return found if strength else None
