"""What a login reads from a response: texts, seconds and header fields, from where you say."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from math import isfinite
from urllib.parse import urljoin

from relogin.client.logins.steps import document_of, member_of, said, seconds, text_in
from relogin.client.terms.answer import Answer
from relogin.client.terms.sources import Place, Source
from relogin.errors import LoginUnavailable

__all__ = [
    "check_place",
    "check_seconds",
    "headers_of",
    "location_of",
    "seconds_of",
    "text_of",
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


def text_of(where: str | Source, answer: Answer, wanted: str, sent: str = "") -> str:
    """Return a text that a response must have; raise `LoginUnavailable` if it has none.

    The message names the members of the response, unless they were `sent`.
    """
    if isinstance(where, str):
        return text_in(document_of(answer), where, answer, sent)
    found = where(answer)
    if isinstance(found, str) and found:
        return found
    place = str(where) if isinstance(where, Place) else wanted
    raise LoginUnavailable(f"{said(answer)} without {place}")


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


def headers_of(headers: Mapping[str, Source], answer: Answer) -> dict[str, str]:
    """Return the header fields of a grant, whose values a response must have."""
    return {
        name: text_of(source, answer, f"a value for {name}") for name, source in headers.items()
    }
