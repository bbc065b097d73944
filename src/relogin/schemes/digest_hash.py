"""The hash functions of Digest (RFC 7616 §6.1): names, strength, availability."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import cache, partial
from typing import Any, NamedTuple

__all__ = ["Algorithm", "algorithm_named"]


class Algorithm(NamedTuple):
    """A hash function as a challenge names it.

    `new` starts a hash. `session` says that the name ends in ``-sess``. A greater `strength` is
    better; 0 means that this Python cannot compute it.
    """

    name: str
    new: Callable[..., Any]
    session: bool
    strength: int

    def hex(self, octets: bytes) -> str:
        """Hash octets; return lower-case hexadecimal, as every Digest value is written."""
        digest: str = self.new(octets).hexdigest()
        return digest


# Weakest first. SHA-512 is not registered (RFC 7616 §6.1), but some servers send it.
_FUNCTIONS = {"MD5": "md5", "SHA-256": "sha256", "SHA-512-256": "sha512_256", "SHA-512": "sha512"}


@cache
def algorithm_named(name: str) -> Algorithm | None:
    """Find an algorithm by its name, in any case; `None` if it is unknown.

    >>> algorithm_named("sha-256-sess").name
    'SHA-256-sess'
    """
    plain, session = name.upper().removesuffix("-SESS"), name.upper().endswith("-SESS")
    function = _FUNCTIONS.get(plain)
    if function is None:
        return None
    new: Callable[..., Any] = getattr(hashlib, function, partial(hashlib.new, function))
    if not _is_available(new):  # FIPS forbids MD5; old servers need it (RFC 7616)
        new = partial(new, usedforsecurity=False)
    strength = 1 + list(_FUNCTIONS).index(plain) if _is_available(new) else 0
    return Algorithm(plain + "-sess" * session, new, session, strength)


def _is_available(new: Callable[..., object]) -> bool:
    """Tell whether this Python's OpenSSL has a function; some builds lack SHA-512/256."""
    try:
        new(b"")
    except ValueError:
        return False
    return True
