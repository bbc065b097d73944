"""What a login takes out of an answer: texts, seconds, header fields; each where it is named."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from urllib.parse import urljoin

from relogin.client.logins.steps import document_of, said, seconds_in, text_in
from relogin.client.terms.answer import Answer
from relogin.client.terms.sources import Place, Source
from relogin.errors import LoginUnavailable

__all__ = ["headers_of", "location_of", "seconds_of", "text_of"]


def text_of(where: str | Source, answer: Answer, wanted: str) -> str:
    """Return a text that an answer must have; raise `LoginUnavailable` where it has not."""
    if isinstance(where, str):
        return text_in(document_of(answer), where, answer)
    found = where(answer)
    if isinstance(found, str) and found:
        return found
    place = str(where) if isinstance(where, Place) else wanted
    raise LoginUnavailable(f"{said(answer)} without {place}")


def location_of(where: str | Source, answer: Answer) -> str:
    """Return the URL of a session, which an answer may name by a relative reference."""
    return urljoin(answer.url, text_of(where, answer, "the URL of the session"))


def seconds_of(where: str | Callable[[Answer], float | str | None], answer: Answer) -> float | None:
    """Return for how many seconds the session lives, where an answer says that."""
    if not isinstance(where, str):
        found = where(answer)
        if isinstance(found, str):
            found = float(found) if _is_number(found) else None
        return seconds_in({"": found}, "")
    with suppress(ValueError):
        return seconds_in(answer.json(), where)
    return None


_is_number = re.compile(r"[0-9]{1,10}(\.[0-9]{1,9})?").fullmatch


def headers_of(headers: Mapping[str, Source], answer: Answer) -> dict[str, str]:
    """Return the header fields of a grant, whose values an answer must have."""
    return {
        name: text_of(source, answer, f"a value for {name}") for name, source in headers.items()
    }
