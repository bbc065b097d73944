"""What a login reads from a response: texts, seconds and header fields, from where you say."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from inspect import signature
from math import isfinite
from typing import Any
from urllib.parse import urljoin

from relogin.client.logins.answers import document_of, instead, member_of, said, seconds, text_in
from relogin.client.logins.base import checked_text
from relogin.client.terms.answer import Answer
from relogin.client.terms.fields import check_field_name, is_field_value
from relogin.client.terms.sources import Place, Source
from relogin.errors import LoginUnavailable

__all__ = [
    "check_place",
    "check_seconds",
    "check_sends",
    "found_first",
    "headers_of",
    "location_of",
    "seconds_of",
    "secret_fields",
    "sent_fields",
    "takes_nothing",
    "text_of",
    "without_first",
]


def check_place(option: str, where: object) -> None:
    """Raise `TypeError` for what does not say where a response has a text."""
    if where == "" or not (where is None or isinstance(where, str) or callable(where)):
        raise TypeError(
            f"{option}= must be a name, a JSON Pointer, from_header(…) or from_cookie(…); "
            f"not {'an empty str' if where == '' else type(where).__name__}"
        )


def check_seconds(expires_in: object) -> None:
    """Raise an error for what is neither a place in a response nor a number of seconds."""
    if isinstance(expires_in, int | float) and not isinstance(expires_in, bool):
        if not (expires_in > 0 and isfinite(expires_in)):
            raise ValueError(
                "expires_in= must be a number of seconds above 0, or say where the response has it"
            )
        return
    check_place("expires_in", expires_in)


def text_of(where: str | Source, answer: Answer, wanted: str, sent: str | None = "") -> str:
    """Return a text that a response must have; raise `LoginUnavailable` if it has none.

    The message names the members of the response, unless they were `sent` (`None`: not known).
    """
    if isinstance(where, str):
        return text_in(document_of(answer), where, answer, sent or "")
    found: object = where(answer)
    if not (found is None or found is False or found == ""):
        return checked_text(f"the function that returns {wanted}", found)
    place = str(where) if isinstance(where, Place) else wanted
    is_member = isinstance(where, Place) and where.kind == "JSON member"
    clues = instead(answer, sent if is_member else None)
    raise LoginUnavailable(f"{said(answer)} without {place}{clues}")


def location_of(where: str | Source, answer: Answer) -> str:
    """Return the URL of a session, which a response may name by a relative reference."""
    return urljoin(answer.url, text_of(where, answer, "the URL of the session"))


def seconds_of(
    where: str | float | Callable[[Answer], float | str | None], answer: Answer
) -> float | None:
    """Return for how many seconds the session lives, if the user or the response says that."""
    if isinstance(where, int | float):
        return where
    if not isinstance(where, str):
        return seconds(where(answer))
    with suppress(ValueError):
        return seconds(member_of(answer.json(), where))
    return None


def headers_of(
    headers: Mapping[str, Source], answer: Answer, sent: str | None = None
) -> dict[str, str]:
    """Return the header fields of a grant, whose values a response must have."""
    return {
        name: text_of(source, answer, f"a value for {name}", sent)
        for name, source in headers.items()
    }


# These say what a request is, and give nobody a session. Anything else may be a key.
_HARMLESS = frozenset({"accept", "origin", "referer", "user-agent", "x-requested-with"})


def check_sends(sends: object, first: str | None) -> None:
    """Raise an error for header fields that the login's request cannot have."""
    if not isinstance(sends, Mapping):
        raise TypeError(f"sends= must be a mapping of header names, not {type(sends).__name__}")
    for name, value in sends.items():
        check_field_name("sends=", name)
        if isinstance(value, str):
            _sendable(name, value)
        elif not callable(value):
            kind = type(value).__name__
            raise TypeError(f"sends=: {name} must be a str, a function or from_…(…), not {kind}")
        elif first is None and not takes_nothing(value, otherwise=True):
            raise ValueError(without_first(name))


def _sendable(name: str, value: object) -> str:
    if isinstance(value, str) and is_field_value(value):
        return value
    raise ValueError(f"sends=: the value of {name} cannot be sent in a header field")


def without_first(name: str) -> str:
    """Say that a login looks for a value in a response that it does not get."""
    return f"{name} is looked for in a response: pass first=, the URL that gives it"


def secret_fields(sends: Mapping[str, Any]) -> list[object]:
    """Return the values that may be secrets."""
    return [
        value
        for name, value in sends.items()
        if not (name.lower() in _HARMLESS or value == "Fetch")  # SAP gives a CSRF token for that
    ]


def sent_fields(sends: Mapping[str, Any], first: Answer | None) -> dict[str, str]:
    """Return header fields with their values: some are in the response that came `first`."""
    return {name: _sendable(name, _sent(name, value, first)) for name, value in sends.items()}


def _sent(name: str, value: Any, first: Answer | None) -> object:
    if isinstance(value, str):
        return value
    is_value = takes_nothing(value, otherwise=first is None)
    if is_value:
        return checked_text(f"sends=: the function for {name}", value())
    return found_first(name, value, first)


def takes_nothing(function: Callable[..., object], *, otherwise: bool) -> bool:
    """Tell a function that returns a value from one that looks for it in a response.

    Return `otherwise` if it may be either: it takes `*args`, or is in C and has no signature.
    """
    try:
        taken = signature(function)
        taken.bind()
    except TypeError:
        return False
    except ValueError:
        return otherwise
    takes_any = any(one.kind is one.VAR_POSITIONAL for one in taken.parameters.values())
    return otherwise if takes_any else True


def found_first(name: str, source: Source, first: Answer | None) -> str:
    """Find a value in the response that came first; raise `LoginUnavailable` if it has none."""
    if first is None:
        raise LoginUnavailable(without_first(name))
    return text_of(source, first, f"a value for {name}")
