"""A site that takes Digest only, and checks each answer by itself (RFC 7616), not by our code."""

from __future__ import annotations

import hashlib
import secrets
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from urllib.parse import quote

from relogin import Credentials
from tests.client.server import Answer, Request, Server

__all__ = ["PASSWORD", "USER", "DigestSite"]

USER, PASSWORD = "ada", "s3cret: pass"
_FUNCTIONS = {"MD5": "md5", "SHA-256": "sha256", "SHA-512-256": "sha512_256", "SHA-512": "sha512"}


@dataclass
class _Nonce:
    highest: int = 0
    seen: set[int] = field(default_factory=set)


@dataclass
class DigestSite:
    """How it challenges, how strict it is, and what it has counted."""

    server: Server
    algorithm: str = "MD5"
    qop: str | None = "auth"
    lines: Callable[[str], Iterable[str]] = lambda challenge: [challenge]
    """The field lines, made of its one challenge."""
    uses: int = 10**9
    """How many requests a nonce is good for."""
    rising: bool = False
    """Whether a count must be higher than every one before it."""
    nonce: str | None = None
    """The nonce of every challenge; `None` makes a new one for each."""
    says_stale: bool = True
    next_nonces: bool = False
    proves: bool | None = True
    """Whether `rspauth` is right; `None` sends none."""
    proxy: bool = False
    """Whether it is a proxy, and asks for its own account with 407."""
    behind: Callable[[Request], Answer] | None = None
    """What answers a request that is accepted."""
    realms: Callable[[str], str] = lambda path: "dig"
    """The realm of a path."""
    redirects: dict[str, str] = field(default_factory=dict)
    """Where an accepted request for a path is sent."""
    userhash: bool = False
    charset: bool = False
    user: str = USER
    password: str = PASSWORD
    refuses: int = 0
    """So many more answers are refused, though they are right, as by a nonce that is too old."""
    answers: list[Credentials] = field(default_factory=list)
    challenged: list[str] = field(default_factory=list)
    """The nonces of all challenges sent."""
    wrong: int = 0
    """Answers that no password of this site could have given."""
    nonces: dict[str, _Nonce] = field(default_factory=dict)
    realm: str = ""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.server.answers = self.answer

    def answer(self, request: Request) -> Answer:
        with self.lock:
            return self._answer(request)

    def _answer(self, request: Request) -> Answer:
        if request.path.startswith("/to/"):
            return Answer(307, (("Location", request.path.removeprefix("/to")),))
        self.realm = self.realms(request.path)
        field_value = request.headers.get(
            "Proxy-Authorization" if self.proxy else "Authorization", ""
        )
        if not field_value.startswith("Digest "):
            return self._refuse(stale=False)
        sent = Credentials.parse(field_value)
        self.answers.append(sent)
        if not self._is_right(sent, request):
            self.wrong += 1
            return self._refuse(stale=False)
        if self.refuses or not self._is_fresh(sent):
            self.refuses = max(self.refuses - 1, 0)
            return self._refuse(stale=self.says_stale)
        if request.path in self.redirects:
            return Answer(307, (("Location", self.redirects[request.path]),))
        if self.behind is not None:
            return self.behind(request)
        return Answer(200, tuple(self._info(sent)), request.body or b"content")

    def expire(self) -> None:
        """Let every nonce grow too old."""
        with self.lock:
            self.nonces.clear()

    # Challenging

    def _refuse(self, *, stale: bool) -> Answer:
        parts = [f'realm="{self.realm}", nonce="{self._new_nonce()}", algorithm={self.algorithm}']
        parts += [f'qop="{self.qop}"'] if self.qop else []
        parts += ["stale=true"] if stale else []
        parts += ["userhash=true"] if self.userhash else []
        parts += ['charset="UTF-8"'] if self.charset else []
        lines = self.lines("Digest " + ", ".join(parts))
        status, name = (407, "Proxy-Authenticate") if self.proxy else (401, "WWW-Authenticate")
        return Answer(status, tuple((name, line) for line in lines), b"refused")

    def _new_nonce(self) -> str:
        nonce = self.nonce or secrets.token_hex(8)
        self.nonces.setdefault(nonce, _Nonce())
        self.challenged.append(nonce)
        return nonce

    # Checking

    def _hex(self, *parts: str) -> str:
        function = _FUNCTIONS[self.algorithm.removesuffix("-sess")]
        return hashlib.new(function, ":".join(parts).encode()).hexdigest()

    def _secret(self, sent: Credentials) -> str:
        secret = self._hex(self.user, self.realm, self.password)
        if self.algorithm.endswith("-sess"):
            secret = self._hex(secret, sent["nonce"], sent["cnonce"])
        return secret

    def _response(self, sent: Credentials, *what: str) -> str:
        secret, qop = self._secret(sent), sent.get("qop")
        if qop is None:
            return self._hex(secret, sent["nonce"], self._hex(*what))
        parts = (sent["nonce"], sent["nc"], sent["cnonce"], qop)
        return self._hex(secret, *parts, self._hex(*what))

    def _is_right(self, sent: Credentials, request: Request) -> bool:
        if sent["uri"] != request.path or not self._is_user(sent):
            return False
        offered = (self.qop or "").replace(" ", "").split(",")
        what = [request.method, request.path]
        if sent.get("qop") == "auth-int":
            function = _FUNCTIONS[self.algorithm.removesuffix("-sess")]
            what.append(hashlib.new(function, request.body).hexdigest())
        return sent.get("qop", "") in offered and sent["response"] == self._response(sent, *what)

    def _is_user(self, sent: Credentials) -> bool:
        if self.userhash:
            return sent["username"] == self._hex(self.user, self.realm)
        if self.charset and not self.user.isascii():
            return sent.get("username*") == f"UTF-8''{quote(self.user)}"
        return sent.get("username") == self.user

    def _is_fresh(self, sent: Credentials) -> bool:
        nonce = self.nonces.get(sent["nonce"])
        if nonce is None or "nc" not in sent:
            return nonce is not None
        count = int(sent["nc"], 16)
        fresh = count not in nonce.seen and len(nonce.seen) < self.uses
        if self.rising:
            fresh = fresh and count > nonce.highest
        nonce.seen.add(count)
        nonce.highest = max(nonce.highest, count)
        return fresh

    def _info(self, sent: Credentials) -> Iterable[tuple[str, str]]:
        parts = []
        if self.proves is not None and sent.get("qop") == "auth":
            proof = self._response(sent, "", sent["uri"])
            parts.append(f'rspauth="{proof if self.proves else proof[::-1]}"')
            parts.append(f'qop=auth, nc={sent["nc"]}, cnonce="{sent["cnonce"]}"')
        if self.next_nonces:
            nonce = secrets.token_hex(8)
            self.nonces[nonce] = _Nonce()
            parts.append(f'nextnonce="{nonce}"')
        name = "Proxy-Authentication-Info" if self.proxy else "Authentication-Info"
        return [(name, ", ".join(parts))] if parts else []
