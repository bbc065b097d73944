"""The hash functions of Digest (RFC 7616 §6.1): names, strength, and whether we have them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import cache, partial
from typing import Any, NamedTuple

__all__ = ["Algorithm", "algorithm_named"]


class Algorithm(NamedTuple):
    """A hash function as a challenge names it.

    `new` begins a hash. `session` says that the name ends in ``-sess``. Of two, the one of greater
    `strength` is the better answer; at 0 this Python cannot compute it.
    """

    name: str
    new: Callable[..., Any]
    session: bool
    strength: int

    def hex(self, octets: bytes) -> str:
        """Hash octets; return lower-case hexadecimal, as every Digest value is written."""
        digest: str = self.new(octets).hexdigest()
        return digest


# In the order of their strength. SHA-512 is in no registry, and servers send it all the same.
_FUNCTIONS = {"MD5": "md5", "SHA-256": "sha256", "SHA-512-256": "sha512_256", "SHA-512": "sha512"}


@cache
def algorithm_named(name: str) -> Algorithm | None:
    """Find an algorithm by its name in any case; `None` where nobody knows it.

    >>> algorithm_named("sha-256-sess").name
    'SHA-256-sess'
    """
    plain, session = name.upper().removesuffix("-SESS"), name.upper().endswith("-SESS")
    function = _FUNCTIONS.get(plain)
    if function is None:
        return None
    new: Callable[..., Any] = getattr(hashlib, function, partial(hashlib.new, function))
    if not _is_available(new):  # what FIPS forbids, RFC 7616 allows to old servers
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
