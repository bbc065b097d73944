"""The DPoP scheme (RFC 9449): each request proves that its sender has the key of the token."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from relogin.client.responders.bearer import BEARER
from relogin.client.terms.fields import is_field_value
from relogin.client.terms.grant import Grant
from relogin.client.terms.origins import origin_of
from relogin.client.terms.responder import Action, Responder
from relogin.client.terms.signer import Outgoing, Signer
from relogin.errors import InvalidGrant
from relogin.wire.model import Challenge

__all__ = ["USE_NONCE", "Prover", "Proves", "dpop"]

Proves: TypeAlias = Callable[[str, str, str | None, str | None], str]
"""Signs a proof: a function of the method, the URL, the server's nonce and the access token."""

USE_NONCE = "use_dpop_nonce"


@dataclass(frozen=True, slots=True, repr=False)
class Prover:
    """The user's function that signs proofs, and the last nonce of each server."""

    proves: Proves
    _nonces: dict[str, str] = field(default_factory=dict, init=False)

    def proof(
        self, method: str, url: str, server: str, token: str | None = None, own: str | None = None
    ) -> str:
        """Return a proof for a request to this server (RFC 9449 §4.2), with its `own` nonce if any.

        Raises `InvalidGrant` if the user's function returns anything but one.
        """
        nonce = self._nonces.get(server) if own is None else own
        proof: object = self.proves(method, _target(url), nonce, token)
        if not (isinstance(proof, str) and is_field_value(proof)):
            raise InvalidGrant(f"dpop= must return a JWT as a str, not {type(proof).__name__}")
        return proof

    def learn(self, server: str, answered: Mapping[str, str], own: str | None = None) -> str | None:
        """Keep the nonce of a response, or the one it accepted; return it if there is one."""
        nonce = answered.get("DPoP-Nonce", own)
        if nonce is not None:
            self._nonces[server] = nonce
        return nonce


def _target(url: str) -> str:
    """Return the URL that the server sees: a user and password in it go into another field."""
    scheme, _, rest = url.partition("#")[0].partition("?")[0].partition("://")
    authority, slash, path = rest.partition("/")
    return f"{scheme}://{authority.rpartition('@')[2]}{slash}{path}"


def dpop(prover: Prover) -> tuple[Responder, ...]:
    """Make responders for DPoP; `prover` may be that of the login, which knows other servers.

    The second is for servers that offer only Bearer to a request without a token. It sends DPoP
    too: a token that is bound to a key is no Bearer token.
    """
    first = replace(
        BEARER,
        scheme="DPoP",
        authorization=None,
        actions={**BEARER.actions, USE_NONCE: Action.STOP, "invalid_dpop_proof": Action.STOP},
        signer=_Signing(prover).signer,
    )
    return first, replace(first, scheme="Bearer")


@dataclass(frozen=True, slots=True, repr=False)
class _Signing:
    """A class, because nested functions cannot be pickled."""

    prover: Prover

    def signer(self, grant: Grant, _: Challenge | None) -> Signer:
        if grant.token is None:
            raise InvalidGrant("DPoP needs a token, and this Grant has none")
        return _DPoPSigner(grant.token, self.prover)


class _DPoPSigner(Signer):
    """`own` is the nonce for one request alone: some servers take each nonce only once."""

    def __init__(self, token: str, prover: Prover, own: str | None = None) -> None:
        self._token = token
        self._prover = prover
        self._own = own
        self._server = ""

    def sign(self, request: Outgoing) -> Mapping[str, str]:
        self._server = origin_of(request.url)  # it signs for one alone
        proof = self._prover.proof(
            request.method, request.url, self._server, self._token, self._own
        )
        return {"Authorization": f"DPoP {self._token}", "DPoP": proof}

    def learn(self, sent: Mapping[str, str], answered: Mapping[str, str]) -> None:  # noqa: ARG002
        self._prover.learn(self._server, answered, self._own)

    def refused(self, challenge: Challenge | None, answered: Mapping[str, str]) -> Signer | None:
        """Sign again with the nonce that the server asks for (RFC 9449 §9), unless it refused that.

        The nodes of one server may each ask for a nonce of their own.
        """
        nonce = answered.get("DPoP-Nonce", self._own)
        is_asked_for = challenge is not None and challenge.get("error") == USE_NONCE
        if is_asked_for and nonce != self._own:
            return _DPoPSigner(self._token, self._prover, nonce)
        self._prover.learn(self._server, answered)
        return None
