"""Which refresh tokens a login has sent: none is sent again once it may be spent."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

__all__ = ["SentTokens"]


class SentTokens:
    """Refresh tokens that were sent, as digests, until it is certain that they are still good.

    Nothing in it waits or locks: it may be asked by any thread, and in a forked child.
    """

    _MOST = 1000

    def __init__(self) -> None:
        self.given: bool = False
        """Whether one that was given to the login is or was among them."""
        self._claims: dict[bytes, _Claim] = {}
        self._kept: bytes | None = None

    def claim(self, token: str, *, given: bool) -> bool:
        """Take a token for oneself, in one step; `False` where somebody has taken it before."""
        self.given |= given
        rotated = [digest for digest, claim in list(self._claims.items()) if not claim.given]
        for digest in rotated[: -self._MOST]:
            self._claims.pop(digest, None)
        mine = _Claim(given)
        return self._claims.setdefault(_digest(token), mine) is mine

    def release(self, token: str) -> None:
        """Say that a token is still good."""
        self._claims.pop(_digest(token), None)

    def keep(self, token: str) -> None:
        """Say that a token is good for many uses: it was used, and no other came for it."""
        self._kept = _digest(token)
        self.release(token)

    def stays(self, token: str) -> bool:
        """Tell whether a token is good for many uses, as far as that has been seen."""
        return self._kept == _digest(token)

    def __contains__(self, token: str) -> bool:
        return _digest(token) in self._claims


@dataclass(frozen=True, slots=True, eq=False)
class _Claim:
    given: bool


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
