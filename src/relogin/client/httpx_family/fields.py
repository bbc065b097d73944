"""The header fields of a response, as octets: httpx guesses one encoding for all of them."""

from __future__ import annotations

from collections.abc import Mapping

from relogin.client.httpx_family.library import Response

__all__ = ["challenge_lines", "fields_of", "has_events"]


def fields_of(response: Response) -> dict[bytes, bytes]:
    """Return the fields by their names in lower case; of several with one name, the last.

    Asking httpx for a single field takes longer.
    """
    return {name.lower(): value for name, value in response.headers.raw}


def challenge_lines(response: Response) -> list[str]:
    """Read the challenges of a response, each line as it came."""
    return [
        line.decode("latin-1")
        for name, line in response.headers.raw
        if name.lower() == b"www-authenticate"
    ]


def has_events(fields: Mapping[bytes, bytes]) -> bool:
    """Tell whether the body of a response is an event stream."""
    return fields.get(b"content-type", b"")[:17].lower() == b"text/event-stream"
