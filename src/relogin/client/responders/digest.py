"""The Digest scheme (RFC 7616): each request is signed with the nonce of a challenge."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import TypeAlias

from relogin.client.terms.grant import Grant
from relogin.client.terms.responder import ACTIONS, Action, Responder
from relogin.client.terms.signer import Outgoing, Signer
from relogin.errors import ChallengeSyntaxError, LoginUnavailable
from relogin.schemes.choose import strongest
from relogin.schemes.digest import DigestChallenge
from relogin.schemes.digest_answer import Answers, Counts
from relogin.schemes.digest_hash import algorithm_named
from relogin.wire.model import AuthInfo, Challenge, without_quotes

__all__ = ["Account", "digest"]

Account: TypeAlias = tuple[str, str]
"""A user and a password."""


def digest(account: Callable[[], Account | None], *, check_server: bool) -> Responder:
    """Make a responder for Digest. `account` returns `None` until a login has set the account.

    With `check_server`, a response is an error if its proof that the server knows the password is
    wrong.
    """
    answering = _Answering(account, check_server)
    return Responder(
        "Digest",
        error_of=_error_of,
        actions={**ACTIONS, "stale": Action.RENEW},
        choose=_choose,
        signer=answering.signer,
        grant_from=answering.grant_from,
        reading=without_quotes,
    )


@dataclass(frozen=True, slots=True, repr=False)
class _Answering:
    """The account of a responder. A class, because nested functions cannot be pickled."""

    account: Callable[[], Account | None]
    check_server: bool
    counts: Counts = field(default_factory=Counts)

    def grant_from(self, challenge: Challenge) -> Grant | None:
        return None if self.account() is None else nonce_of(challenge)

    def signer(self, _: Grant, challenge: Challenge | None) -> Signer:
        known = self.account()
        if known is None or challenge is None:
            raise LoginUnavailable("Digest needs a challenge, and an account to answer it for")
        return DigestSigner(challenge, known, check_server=self.check_server, counts=self.counts)


def nonce_of(challenge: Challenge) -> Grant:
    """Make a grant from a challenge: the nonce is the whole session."""
    return Grant(token=challenge.get("nonce"))


def _error_of(challenge: Challenge) -> str | None:
    return "stale" if DigestChallenge.from_challenge(challenge).stale else None


def _choose(challenges: Sequence[Challenge]) -> Challenge | None:
    """Choose the strongest; else one that this Python cannot answer, to get its error."""
    known = (c for c in challenges if algorithm_named(c.get("algorithm", "MD5")) and c.get("nonce"))
    return strongest(challenges) or next(known, None)


# More requests than are usually sent at the same time.
_MOST_IN_USE, _MOST_FREE = 256, 32


class _Nonces:
    """The nonces of one account: the free ones, and those that requests are using.

    Some servers require the counts of a nonce in ascending order. So a request gets a nonce of its
    own if one is free, the latest first; if not, it shares one. Each challenge adds a nonce, until
    there are as many as concurrent requests.
    """

    def __init__(self, first: DigestSigner) -> None:
        self.free: list[DigestSigner] = [first]
        self.in_use: dict[str, DigestSigner] = {}
        """The signers in use, by the Authorization field that each wrote."""

    def take(self) -> DigestSigner | None:
        """Take a free one for one request, if there is any."""
        try:
            return self.free.pop() if self.free else None
        except IndexError:  # another thread was first
            return None

    def use(self, field: str, signer: DigestSigner) -> None:
        """Remember which signer a request uses; forget those that are never returned."""
        if len(self.in_use) >= _MOST_IN_USE:
            self.in_use.clear()
        self.in_use[field] = signer

    def release(self, field: str) -> DigestSigner | None:
        """Free the signer of an accepted request, if it had one of its own."""
        signer = self.in_use.pop(field, None)
        if signer is not None and len(self.free) < _MOST_FREE:
            self.free.append(signer)
        return signer


class DigestSigner(Signer):
    """Signs requests with the nonces that the server gives, one after another."""

    def __init__(
        self,
        challenge: Challenge,
        account: Account,
        *,
        check_server: bool,
        counts: Counts | None = None,
    ) -> None:
        asked = DigestChallenge.from_challenge(challenge)
        try:
            self._answers = Answers(asked, *account, counts=counts)
        except ValueError as error:
            raise LoginUnavailable(str(error)) from error
        self._qop = asked.qop
        self._kind = asked.realm, asked.algorithm, asked.qop, asked.charset, asked.userhash
        self._nonce = asked.nonce
        self._check_server = check_server
        self._nonces = _Nonces(self)

    def sign(self, request: Outgoing) -> Mapping[str, str] | None:
        """Write the Authorization field.

        `auth-int` protects the content if the server offers it and the content can be read twice.
        If the server accepts nothing else, a request whose content cannot is not signed.
        """
        nonces = self._nonces
        free = nonces.take()
        return self._sign(request, None) if free is None else free._sign(request, nonces)

    def _sign(self, request: Outgoing, nonces: _Nonces | None) -> Mapping[str, str] | None:
        qop, hashed = self._qop, None
        if "auth-int" in qop:
            content = request.content()
            if content is None and "auth" not in qop:
                return None
            hashed = self._hashed(content or (), always="auth" not in qop)
        field = self._answers.answer(request.method, request.target, hashed)
        if nonces is not None:
            nonces.use(field, self)
        return {"Authorization": field}

    def _hashed(self, content: Iterable[bytes], *, always: bool) -> str | None:
        pieces = filter(None, content)
        first = next(pieces, b"")
        return self._answers.hashed(chain((first,), pieces)) if first or always else None

    def join(self, current: Signer) -> None:
        """Add its nonce to those of `current`, unless the challenge differs in more than that."""
        if isinstance(current, DigestSigner) and current._kind == self._kind:
            own, self._nonces = self._nonces, current._nonces
            if self._nonce == current._nonce:  # one count for one nonce
                self._answers = current._answers
                return
            self._nonces.free += own.free
            self._nonces.in_use |= own.in_use

    def learn(self, sent: Mapping[str, str], answered: Mapping[str, str]) -> None:
        """Use the next nonce from the response, and check its proof (RFC 7616 §3.5)."""
        signed = sent["Authorization"]
        signer = self._nonces.release(signed) or self
        field = answered.get("Authentication-Info")  # few responses have one
        if field is not None:
            signer._learn(signed, field)

    def _learn(self, signed: str, field: str) -> None:
        try:
            info = AuthInfo.parse(field, lenient=True)
        except ChallengeSyntaxError:  # longer than any real one
            return
        if self._check_server and self._answers.is_proof(signed, info) is False:
            raise LoginUnavailable(
                "the response's rspauth is wrong: its sender does not know the password (RFC 7616 "
                "§3.5); if the server computes it wrongly, set check_server=False"
            )
        if info.get("nextnonce"):
            self._answers.roll(info["nextnonce"])
