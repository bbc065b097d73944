"""The fields of a login: values, functions that return them, and which of them are secrets."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from relogin.client.logins.base import kind_of
from relogin.client.logins.one_time import OneTime
from relogin.client.logins.sources import found_first, takes_nothing, without_first
from relogin.client.terms.answer import Answer
from relogin.client.terms.sources import Place

__all__ = [
    "Fields",
    "check_first",
    "is_from_response",
    "mapping_of",
    "names_person",
    "only_codes",
    "pages_of",
    "resolved",
    "secrets_of",
]

Fields: TypeAlias = Mapping[str, Any] | Callable[[], Mapping[str, Any]]

_PERSON = frozenset({"account", "email", "login", "user", "user_name", "userid", "username"})
# These say who logs in and how, and give nobody a session. Anything else may be a password.
_HARMLESS = _PERSON | {"client_id", "domain", "grant_type", "realm", "scope", "tenant"}
# Of Java EE, and of WordPress.
_OF_FORMS = _PERSON | {"j_username", "log"}


def names_person(name: str) -> bool:
    """Tell whether a field of a form says who logs in: `username`, or `user[email]` as in Rails."""
    return name.lower().rpartition("[")[2].rstrip("]") in _OF_FORMS


def secrets_of(fields: Fields, harmless: Collection[str]) -> tuple[object, ...]:
    """Return what may be a secret, at any depth; raise an error for an invalid `harmless`.

    A harmless name covers the texts under it, but not the fields of an object under it.
    """
    if isinstance(harmless, str):
        raise TypeError(f"harmless= must be a list of names of fields: [{harmless!r}]")
    if callable(fields):
        return (fields,)
    _check(fields)
    names = set(_names(fields))
    unknown = [name for name in harmless if name not in names]
    if unknown:
        raise ValueError(f"harmless= names {', '.join(unknown)}, and fields has no such name")
    return tuple(_secrets(fields, frozenset(harmless)))


def check_first(fields: Fields, first: str | None) -> None:
    """Raise `ValueError` for a field whose value is in a response that nobody asks for."""
    if first is not None or callable(fields):
        return
    for name, value in fields.items():
        if isinstance(value, Mapping):
            check_first(value, first)
        elif is_from_response(value):
            raise ValueError(without_first(name))


def pages_of(fields: Fields | Sequence[Fields]) -> tuple[Fields, ...]:
    """Return the fields of each page; raise `TypeError` for anything but fields."""
    pages: Any = fields if isinstance(fields, list | tuple) and fields else [fields]
    for page in pages:
        _check(page)
    return tuple(pages)


def _check(fields: object) -> None:
    if not (isinstance(fields, Mapping) or callable(fields)):
        raise TypeError(
            f"fields must be a mapping, or a function that returns one, not {kind_of(fields)}"
        )


def _names(value: object) -> Iterator[str]:
    for name, inner in _members(value):
        if name is not None:
            yield name
        yield from _names(inner)


def _secrets(value: object, harmless: frozenset[str], *, named: bool = False) -> Iterator[object]:
    if isinstance(value, Mapping | list | tuple):
        for name, inner in _members(value):
            if name not in harmless:
                known = named if name is None else str(name).lower() in _HARMLESS
                yield from _secrets(inner, harmless, named=known)
    elif not (named or value is None or isinstance(value, bool)):
        yield value


def _members(value: object) -> Iterator[tuple[str | None, object]]:
    if isinstance(value, Mapping):
        yield from value.items()
    elif isinstance(value, list | tuple):
        yield from ((None, inner) for inner in value)


def resolved(fields: Fields, first: Answer | None = None) -> dict[str, Any]:
    """Return the fields to be sent, with what their functions return.

    A `Place` is looked for in the response that came `first`, which a function may ask for too.
    """
    return {name: _value(name, value, first) for name, value in mapping_of(fields).items()}


def mapping_of(fields: Fields) -> Mapping[str, Any]:
    """Return the fields, if need be from their function; call no function of a single field."""
    given = fields() if callable(fields) else fields
    if not isinstance(given, Mapping):
        raise TypeError(f"the function for the fields must return a mapping, not {kind_of(given)}")
    return given


def only_codes(fields: Mapping[str, Any], harmless: Collection[str]) -> bool:
    """Tell whether all secrets in these fields are one-time codes."""
    secrets = list(_secrets(fields, frozenset(harmless)))
    return bool(secrets) and all(isinstance(secret, OneTime) for secret in secrets)


def is_from_response(value: object) -> bool:
    """Tell whether a value depends, at any depth, on a response: a place or a function of it."""
    if callable(value):
        return isinstance(value, Place) or not takes_nothing(value, otherwise=True)
    return any(is_from_response(inner) for _, inner in _members(value))


def _value(name: str, value: Any, first: Answer | None) -> Any:
    if callable(value):
        return found_first(name, value, first) if is_from_response(value) else value()
    if isinstance(value, Mapping):
        return {inner: _value(inner, each, first) for inner, each in value.items()}
    if isinstance(value, list | tuple):
        return [_value(name, each, first) for each in value]
    return value
