"""The words of a gate. A mistake in them is told when the gate is made: what it is, and where."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Required, TypeAlias, TypedDict, TypeVar

from reauth.server.answers import Page
from reauth.wire.abnf import TOKEN
from reauth.wire.model import Challenge

if TYPE_CHECKING:
    from reauth.server.gate import StepUp

__all__ = ["Legacy", "Words", "cookie_name", "expect", "known", "mapping", "several"]

Legacy: TypeAlias = Mapping[int, str] | Callable[[int, Mapping[str, str]], str | None]
T = TypeVar("T")

_token = re.compile(TOKEN).fullmatch


class Words(TypedDict, total=False):
    """The words of `Gate`, which every `SessionGate` takes."""

    realm: Required[str]
    public: Iterable[str]
    step_up: Mapping[str, StepUp]
    cookie: str | None
    schemes: Iterable[str]
    also: Iterable[Challenge]
    collapse: bool
    retry_after: int
    login_page: Page | None
    legacy: Legacy | None
    announce: bool


def known(words: Words) -> Words:
    """Return the words; raises `TypeError` where `realm` is missing, or one is none of them."""
    strange = sorted(words.keys() - Words.__annotations__.keys())
    if strange:
        raise TypeError(
            f"a gate has no word {', '.join(strange)}; it has {', '.join(Words.__annotations__)}"
        )
    if "realm" not in words:
        raise TypeError('a gate needs the name of what it guards, such as realm="orders"')
    return words


def expect(word: str, given: object, meant: str, fits: bool) -> None:
    """Raise `TypeError` for a word that is given something which does not fit."""
    if not fits:
        raise TypeError(f"{word} is {meant}, not {given!r}")


def several(word: str, given: Any, kind: type[T], such_as: str) -> tuple[T, ...]:
    """Return what a word lists; raises `TypeError` for one alone, and for another kind."""
    fits = isinstance(given, Iterable) and not isinstance(given, (str, bytes, kind))
    listed: tuple[T, ...] = tuple(given) if fits else ()
    fits = fits and all(isinstance(each, kind) for each in listed)
    expect(word, listed or given, f"several, such as {such_as}", fits)
    return listed


def mapping(word: str, given: object, key: type, value: type, such_as: str) -> None:
    """Raise `TypeError` for what is no mapping of this kind."""
    fits = isinstance(given, Mapping) and all(
        isinstance(name, key) and isinstance(what, value) for name, what in given.items()
    )
    expect(word, given, f"such as {such_as}", fits)


def cookie_name(given: str | None) -> str | None:
    """Return the name of a cookie, or None; raises for what no cookie can be called."""
    meant = 'the name of a cookie, such as "sid"'
    expect("cookie", given, meant, given is None or isinstance(given, str))
    if given is not None and not _token(given):
        raise ValueError(f"cookie is {meant}, not {given!r}")
    return given
