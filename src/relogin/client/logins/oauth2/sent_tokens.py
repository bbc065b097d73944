"""Which refresh tokens a login has sent, so that it sends none twice."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

__all__ = ["SentTokens"]


class SentTokens:
    """Digests of the refresh tokens that were sent, until it is certain that they are still good.

    Nothing here waits or locks, so any thread and a forked child may use it.
    """

    _MOST = 1000

    def __init__(self) -> None:
        self.given: bool = False
        """Whether a refresh token that the user gave is or was among them."""
        self._claims: dict[bytes, _Claim] = {}
        self._kept: bytes | None = None

    def claim(self, token: str, *, given: bool) -> bool:
        """Claim a token, in one step; `False` if somebody has claimed it before."""
        self.given |= given
        rotated = [digest for digest, claim in list(self._claims.items()) if not claim.given]
        for digest in rotated[: -self._MOST]:
            self._claims.pop(digest, None)
        mine = _Claim(given)
        return self._claims.setdefault(_digest(token), mine) is mine

    def release(self, token: str) -> None:
        """Remember that a token is still good."""
        self._claims.pop(_digest(token), None)

    def keep(self, token: str) -> None:
        """Remember that a token can be used again: it was used, and no other replaced it."""
        self._kept = _digest(token)
        self.release(token)

    def stays(self, token: str) -> bool:
        """Tell whether a token has been seen to be good for many uses."""
        return self._kept == _digest(token)

    def __contains__(self, token: str) -> bool:
        return _digest(token) in self._claims


@dataclass(frozen=True, slots=True, eq=False)
class _Claim:
    given: bool


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
