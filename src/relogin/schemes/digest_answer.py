"""Answering a Digest challenge (RFC 7616 §3.4), and checking the proof of the server (§3.5).

No I/O and no HTTP library: you pass what to sign as text.
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

__all__ = ["Answers", "Counts"]

# More than most thread pools have threads. Servers forget older nonces anyway.
_MOST_FRESH = 32
_MOST_COUNTED = 512


class Counts:
    """How often each nonce was used, for all `Answers` that share this object.

    A server may give one nonce to many requests. It refuses a count that it has seen already.
    """

    def __init__(self) -> None:
        self._counts: dict[str, itertools.count[int]] = {}

    def of(self, nonce: str) -> itertools.count[int]:
        """Return the count of a nonce; forget the oldest ones."""
        for oldest in [*self._counts][:-_MOST_COUNTED]:
            self._counts.pop(oldest, None)
        return self._counts.setdefault(nonce, itertools.count(1))  # in one step, for threads

    def __reduce__(self) -> tuple[type[Counts], tuple[()]]:
        return Counts, ()  # another process begins with a nonce of its own


class _Nonce(NamedTuple):
    """A nonce in use: its count, and what every response and its hash start with."""

    text: str
    counts: itertools.count[int]
    head: str
    proof: str


class Answers:
    """Answers one challenge for one account, for as many requests as the server accepts its nonce.

    Threads can share it: each response has its own count. User and password are hashed as UTF-8.
    `cnonce` is random unless you pass one, for a test. Pass the same `counts` to all `Answers` that
    may get the same nonce.

    Raises `ValueError` for a challenge that cannot be answered: it has no nonce, no known qop, or a
    hash function that is unknown or that this Python's OpenSSL lacks.
    """

    def __init__(
        self,
        challenge: DigestChallenge,
        user: str,
        password: str,
        *,
        cnonce: str | None = None,
        counts: Counts | None = None,
    ) -> None:
        if _is_utf_8(challenge):  # in composed form, NFC (RFC 7616 §4)
            user, password = normalize("NFC", user), normalize("NFC", password)
        self._challenge = challenge
        self._user = user
        self._algorithm = _algorithm(challenge)
        self._cnonce = secrets.token_hex(16) if cnonce is None else cnonce
        secret = self._hex(b":".join((self._account(), password.encode())))
        if self._algorithm.session:  # with the first nonce, even after later ones (§3.4.2)
            secret = self._hex(f"{secret}:{challenge.nonce}:{self._cnonce}".encode("latin-1"))
        self._secret = secret
        self._counts = Counts() if counts is None else counts
        self._nonce = self._begun(challenge.nonce)
        self._fresh: deque[_Nonce] = deque(maxlen=_MOST_FRESH)

    @property
    def qop(self) -> AbstractSet[str]:
        """The protections that the server offers; none if it follows the old RFC 2069."""
        return self._challenge.qop

    def _hex(self, octets: bytes) -> str:
        return self._algorithm.hex(octets)

    def _account(self) -> bytes:
        # In text from a header, each character is one octet. In what users type, it is not.
        return self._user.encode() + b":" + self._challenge.realm.encode("latin-1")

    def __repr__(self) -> str:
        return f"<Answers to {self._algorithm.name} realm={self._challenge.realm!r}>"

    # Answering

    def roll(self, nonce: str) -> None:
        """Continue with another nonce, the `nextnonce` of a response (§3.5).

        Some servers give a new nonce with each response. So each new nonce is first used for one
        request, whichever thread sends it.
        """
        if nonce != self._nonce.text and all(nonce != fresh.text for fresh in [*self._fresh]):
            self._fresh.append(self._begun(nonce))

    def _begun(self, nonce: str) -> _Nonce:
        head, proof = self._head(nonce), f"{self._secret}:{nonce}:"
        return _Nonce(nonce, self._counts.of(nonce), head, proof)

    def _next(self) -> _Nonce:
        if self._fresh:
            with suppress(IndexError):  # another thread was first
                self._nonce = self._fresh.popleft()
        return self._nonce

    def _head(self, nonce: str) -> str:
        asked = self._challenge
        params = {**self._name(), "realm": asked.realm, "nonce": nonce}
        if asked.qop or self._algorithm.name != "MD5":  # RFC 2069 does not name it
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
        # Servers older than RFC 7616 compare octets, mostly UTF-8.
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

        `target` is the request-target as sent: path and query. `content_hash` is the result of
        `hashed` for the content; with it, the response uses `auth-int`.
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

    def is_proof(self, sent: str, info: AuthInfo) -> bool | None:
        """Tell whether a response's `rspauth` proves that the server knows the password (§3.5).

        `sent` is the Authorization field of the request. Returns `None` if there is no `rspauth`,
        if it is also about the content (auth-int), or if `sent` is not from here.
        """
        proof = info.get("rspauth")
        try:
            asked = Credentials.parse(sent)
        except ChallengeSyntaxError:
            return None
        if proof is None or asked.get("qop") != "auth" or asked.get("cnonce") != self._cnonce:
            return None
        what = f":{asked.get('uri')}"
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
