"""Whole header fields: `parse` and `serialize`, which the package exports."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from relogin import wire
from relogin.lazy import importing
from relogin.wire import MAX_LENGTH
from relogin.wire.model import Challenge

__all__ = ["parse", "serialize"]

_challenge = Challenge._of


def parse(
    field: str | Iterable[str], *, lenient: bool = False, max_length: int = MAX_LENGTH
) -> list[Challenge]:
    """Read the challenges of a WWW-Authenticate field (RFC 9110 §11.6.1).

    `field` is the header's value, as `http.client` and requests show it, or a list of values if the
    server sent the header several times (§5.3). An empty field gives an empty list.

    Raises `ChallengeSyntaxError` if the field breaks the rules of §11, or is longer than
    `max_length` characters. With `lenient`, you get what could be recovered from a malformed field
    (`diagnose` tells you what was wrong with it), and only the length raises.

    >>> parse('Bearer realm="a, b", Negotiate')
    [Challenge('Bearer', {'realm': 'a, b'}), Challenge('Negotiate', {})]
    >>> parse('Basic realm="security" charset="UTF-8"', lenient=True)
    [Challenge('Basic', {'realm': 'security', 'charset': 'UTF-8'})]
    """
    text = field if isinstance(field, str) else ", ".join(field := wire.scan.lines_of(field))
    if len(text) > max_length:
        raise wire.scan.too_long(text, max_length)
    scanned = wire.scan.scan_challenges(text)
    if scanned is not None:
        return list(map(_challenge, scanned))
    if lenient:
        with importing:
            from relogin.wire.diagnose import diagnose_lines  # loaded when there is a fault

        return list(diagnose_lines([text] if isinstance(field, str) else list(field)).challenges)
    with importing:
        from relogin.wire.explain import explain  # loads pyparsing: only when there is a fault

    raise explain("challenges", text)


class _HasChallenge(Protocol):
    def to_challenge(self) -> Challenge: ...


def serialize(challenges: Iterable[Challenge | _HasChallenge]) -> str:
    r"""Write challenges as one header value (RFC 9110 §11.6.1), which `parse` reads back unchanged.

    Typed challenges, such as a `SessionChallenge`, can be among them.

    >>> serialize([Challenge("Bearer", {"realm": 'say "hi"'}), Challenge("Negotiate")])
    'Bearer realm="say \\"hi\\"", Negotiate'

    Raises `TypeError` for anything else: a `str` would be sent unchecked.
    """
    if not isinstance(challenges, Iterable):
        raise TypeError("serialize takes a list of challenges; for one alone use str()")
    return ", ".join(map(_written, challenges))


def _written(challenge: Challenge | _HasChallenge) -> str:
    plain = challenge.to_challenge() if hasattr(challenge, "to_challenge") else challenge
    if not isinstance(plain, Challenge):
        raise TypeError(f"expected a Challenge or a SessionChallenge, not {type(plain).__name__}")
    return str(plain)
