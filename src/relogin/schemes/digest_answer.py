"""Answering a Digest challenge (RFC 7616 §3.4), and checking what the server proves (§3.5).

No I/O and no HTTP library: what is signed is given as text.
"""

from __future__ import annotations

import itertools
import secrets
from collections import deque
from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from contextlib import suppress
from typing import NamedTuple
from unicodedata import normalize
from urllib.parse import quote

from relogin.errors import ChallengeSyntaxError
from relogin.schemes.digest import DigestChallenge
from relogin.schemes.digest_hash import Algorithm, algorithm_named
from relogin.wire.model import AuthInfo, Credentials

__all__ = ["Answers"]


# More than the threads of a pool mostly are; what is older, its server has mostly forgotten.
_MOST_FRESH = 32


class _Nonce(NamedTuple):
    """A nonce in use: how often so far, and what every answer and its proof begin with."""

    text: str
    counts: itertools.count[int]
    head: str
    proof: str


class Answers:
    """The answers of one account to one challenge, for as many requests as its nonce is good for.

    Safe to share between threads: each answer counts once. User and password are text; they are
    hashed as UTF-8. `cnonce` is chosen at random unless a test gives one.

    Raises `ValueError` for a challenge that cannot be answered: without a nonce, with a hash
    function that nobody knows or that this Python's OpenSSL lacks, or with no known qop.
    """

    def __init__(
        self, challenge: DigestChallenge, user: str, password: str, *, cnonce: str | None = None
    ) -> None:
        if _is_utf_8(challenge):  # and in its composed form (RFC 7616 §4)
            user, password = normalize("NFC", user), normalize("NFC", password)
        self._challenge = challenge
        self._user = user
        self._algorithm = _algorithm(challenge)
        self._cnonce = secrets.token_hex(16) if cnonce is None else cnonce
        secret = self._hex(b":".join((self._account(), password.encode())))
        if self._algorithm.session:  # of the first nonce, whatever comes after it (§3.4.2)
            secret = self._hex(f"{secret}:{challenge.nonce}:{self._cnonce}".encode("latin-1"))
        self._secret = secret
        self._nonce = self._begun(challenge.nonce)
        self._fresh: deque[_Nonce] = deque(maxlen=_MOST_FRESH)

    @property
    def qop(self) -> AbstractSet[str]:
        """The protections that the server offers; none where it is one of RFC 2069."""
        return self._challenge.qop

    def _hex(self, octets: bytes) -> str:
        return self._algorithm.hex(octets)

    def _account(self) -> bytes:
        # Text of a field stands for its octets, one character each; what users type does not.
        return self._user.encode() + b":" + self._challenge.realm.encode("latin-1")

    def __repr__(self) -> str:
        return f"<Answers to {self._algorithm.name} realm={self._challenge.realm!r}>"

    # Answering

    def roll(self, nonce: str) -> None:
        """Go on with another nonce: one that an answer named as `nextnonce` (§3.5).

        Where a server gives one nonce a request, each thread's answer brings the next one for some
        thread; so each is the first choice of one request only.
        """
        if nonce != self._nonce.text:
            self._fresh.append(self._begun(nonce))

    def _begun(self, nonce: str) -> _Nonce:
        return _Nonce(nonce, itertools.count(1), self._head(nonce), f"{self._secret}:{nonce}:")

    def _next(self) -> _Nonce:
        if self._fresh:
            with suppress(IndexError):  # another thread was first
                self._nonce = self._fresh.popleft()
        return self._nonce

    def _head(self, nonce: str) -> str:
        asked = self._challenge
        params = {**self._name(), "realm": asked.realm, "nonce": nonce}
        if asked.qop or self._algorithm.name != "MD5":  # which RFC 2069 does not name
            params["algorithm"] = self._algorithm.name
        if asked.qop or self._algorithm.session:
            params["cnonce"] = self._cnonce
        if asked.opaque is not None:
            params["opaque"] = asked.opaque
        if asked.userhash:
            params["userhash"] = "true"
        return str(Credentials("Digest", params))

    def _name(self) -> dict[str, str]:
        user, asked = self._user, self._challenge
        if asked.userhash:
            return {"username": self._hex(self._account())}
        if user.isascii():
            return {"username": user}
        if _is_utf_8(asked):  # §3.4.4, as RFC 8187 writes it
            return {"username*": f"UTF-8''{quote(user, safe='')}"}
        # A server of before RFC 7616 compares octets; mostly they are those of UTF-8.
        return {"username": user.encode().decode("latin-1")}

    def hashed(self, content: Iterable[bytes]) -> str:
        """Hash the content of a request, piece by piece, for `auth-int`."""
        digest = self._algorithm.new(b"")
        for piece in content:
            digest.update(piece)
        found: str = digest.hexdigest()
        return found

    def answer(self, method: str, target: str, content_hash: str | None = None) -> str:
        """Write the Authorization field of one request.

        `target` is the request-target as it goes on the wire: path and query. `content_hash` is
        what `hashed` made of the content, for `auth-int`.
        """
        nonce, new, uri = self._next(), self._algorithm.new, target
        if '"' in uri or "\\" in uri:
            uri = uri.replace("\\", "\\\\").replace('"', '\\"')
        what, proof, counted = f"{method}:{target}", nonce.proof, ""
        if self._challenge.qop:
            qop, count = "auth", f"{next(nonce.counts):08x}"
            if content_hash is not None:
                qop, what = "auth-int", f"{what}:{content_hash}"
            proof = f"{proof}{count}:{self._cnonce}:{qop}:"
            counted = f", qop={qop}, nc={count}"
        hashed = new(what.encode("latin-1")).hexdigest()
        response = new(f"{proof}{hashed}".encode("latin-1")).hexdigest()
        return f'{nonce.head}, uri="{uri}"{counted}, response="{response}"'

    # Checking the server

    def is_proof(self, sent: str, info: AuthInfo, content_hash: str | None = None) -> bool | None:
        """Tell whether an answer's `rspauth` shows that the server knows the password (§3.5).

        `sent` is the Authorization field that it answers. `None` where it says nothing, where only
        the content's hash could tell and is not given, and where another has written that field.
        """
        proof = info.get("rspauth")
        try:
            asked = Credentials.parse(sent)
        except ChallengeSyntaxError:
            return None
        if proof is None or "qop" not in asked or asked.get("cnonce") != self._cnonce:
            return None
        what = f":{asked.get('uri')}"
        if asked["qop"] == "auth-int":
            if content_hash is None:
                return None
            what = f"{what}:{content_hash}"
        parts = (self._secret, *(asked.get(name, "") for name in ("nonce", "nc", "cnonce", "qop")))
        expected = self._hex(
            ":".join((*parts, self._hex(what.encode("latin-1")))).encode("latin-1")
        )
        return secrets.compare_digest(proof.lower().encode(), expected.encode())


def _is_utf_8(challenge: DigestChallenge) -> bool:
    return (challenge.charset or "").upper() == "UTF-8"


def _algorithm(challenge: DigestChallenge) -> Algorithm:
    algorithm = algorithm_named(challenge.algorithm)
    if algorithm is None:
        raise ValueError(f"unknown Digest algorithm {challenge.algorithm!r}")
    if not algorithm.strength:
        raise ValueError(
            f"this Python's OpenSSL has no {algorithm.name}: the server needs to offer SHA-256 too"
        )
    if not challenge.strength:
        raise ValueError("the Digest challenge has no nonce, or no known qop")
    return algorithm
