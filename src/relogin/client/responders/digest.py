"""The Digest scheme (RFC 7616): each request is signed with the nonce of a challenge."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TypeAlias

from relogin.client.terms.grant import Grant
from relogin.client.terms.responder import Action, Responder
from relogin.client.terms.signer import Outgoing, Signer
from relogin.errors import ChallengeSyntaxError, LoginUnavailable
from relogin.schemes.choose import strongest
from relogin.schemes.digest import DigestChallenge
from relogin.schemes.digest_answer import Answers
from relogin.schemes.digest_hash import algorithm_named
from relogin.session import without_quotes
from relogin.wire.model import AuthInfo, Challenge

__all__ = ["Account", "digest"]

Account: TypeAlias = tuple[str, str]
"""A user and a password."""


def digest(account: Callable[[], Account | None], *, check_server: bool) -> Responder:
    """Answer Digest challenges for an account; `None` where a login has yet to find out whose.

    `check_server` says whether an answer that fails to prove that its server knows the password is
    an error.
    """
    answering = _Answering(account, check_server)
    return Responder(
        "Digest",
        error_of=_error_of,
        actions={None: Action.RENEW, "stale": Action.RENEW},
        choose=_choose,
        signer=answering.signer,
        grant_from=answering.grant_from,
        reading=without_quotes,
    )


@dataclass(frozen=True, slots=True, repr=False)
class _Answering:
    """Whose answers a responder gives; made of functions alone it could not be pickled."""

    account: Callable[[], Account | None]
    check_server: bool

    def grant_from(self, challenge: Challenge) -> Grant | None:
        return None if self.account() is None else nonce_of(challenge)

    def signer(self, _: Grant, challenge: Challenge | None) -> Signer:
        known = self.account()
        if known is None or challenge is None:
            raise LoginUnavailable("Digest needs a challenge, and an account to answer it for")
        return DigestSigner(challenge, known, check_server=self.check_server)


def nonce_of(challenge: Challenge) -> Grant:
    """Make a grant of a challenge: its nonce is all the session there is."""
    return Grant(token=challenge.get("nonce"))


def _error_of(challenge: Challenge) -> str | None:
    return "stale" if DigestChallenge.from_challenge(challenge).stale else None


def _choose(challenges: Sequence[Challenge]) -> Challenge | None:
    """Choose the strongest; or else one that only this Python cannot answer, so that it is told."""
    known = (c for c in challenges if algorithm_named(c.get("algorithm", "MD5")) and c.get("nonce"))
    return strongest(challenges) or next(known, None)


class DigestSigner(Signer):
    """Signs requests with one nonce after another, as its server names them."""

    def __init__(self, challenge: Challenge, account: Account, *, check_server: bool) -> None:
        try:
            self._answers = Answers(DigestChallenge.from_challenge(challenge), *account)
        except ValueError as error:
            raise LoginUnavailable(str(error)) from error
        self._qop = self._answers.qop
        self._check_server = check_server

    def sign(self, request: Outgoing) -> Mapping[str, str] | None:
        """Write the Authorization field.

        `auth-int` protects the content where it is offered and there is any that can be read
        twice. Where a server takes nothing else, a request whose content cannot be is not signed.
        """
        qop, hashed = self._qop, None
        if "auth-int" in qop:
            content = request.content()
            if content is None and "auth" not in qop:
                return None
            hashed = self._hashed(content or (), always="auth" not in qop)
        return {"Authorization": self._answers.answer(request.method, request.target, hashed)}

    def _hashed(self, content: Iterable[bytes], *, always: bool) -> str | None:
        pieces = filter(None, content)
        first = next(pieces, b"")
        return self._answers.hashed(chain((first,), pieces)) if first or always else None

    def learn(self, sent: Mapping[str, str], answered: Mapping[str, str]) -> None:
        """Take over the next nonce, and check what the answer proves (RFC 7616 §3.5)."""
        field = answered.get("Authentication-Info")  # asked first: few answers have one
        if field is None:
            return
        try:
            info = AuthInfo.parse(field, lenient=True)
        except ChallengeSyntaxError:  # longer than anybody's
            return
        if self._check_server and self._answers.is_proof(sent["Authorization"], info) is False:
            raise LoginUnavailable(
                "the answer's rspauth is wrong: who sent it does not know the password (RFC 7616 "
                "§3.5); if the server is wrong about itself, set check_server=False"
            )
        if info.get("nextnonce"):
            self._answers.roll(info["nextnonce"])
