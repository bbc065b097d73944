"""Revoking the tokens of an OAuth 2.0 session (RFC 7009): the logout of `OAuth2Login`."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlencode

from relogin.client.logins.answers import where
from relogin.client.logins.base import FORM, JSON
from relogin.client.logins.logout import ReadyLogout
from relogin.client.logins.oauth2.client_authentication import Client
from relogin.client.logins.oauth2.token_endpoint import (
    UNSUPPORTED_TOKEN_TYPE,
    TokenUnavailable,
    revoked,
)
from relogin.client.logins.redirects import REDIRECTS
from relogin.client.logins.sending.exchange import NoAnswer, Steps
from relogin.client.logins.sending.request import Request
from relogin.client.terms.grant import Context

__all__ = ["Revocation"]

UNAUTHORIZED = 401


class Revocation(ReadyLogout):
    """Revokes the refresh token of a session, and then its access token, even if the first failed.

    If the server does not revoke access tokens too, those end by themselves.
    """

    ends_authorization = True
    """Whether it also ends a session that was refreshed: that has another refresh token now."""

    def __init__(self, url: str, client: Callable[[], Client]) -> None:
        self.url = url
        self._client = client

    def _steps(self, context: Context) -> Steps[None]:
        grant = context.previous
        if grant is None:
            return
        failed: TokenUnavailable | NoAnswer | None = None
        given = {"refresh_token": grant.refresh, "access_token": grant.token}
        tokens = {hint: token for hint, token in given.items() if token is not None}
        for hint, token in tokens.items():
            fine = {UNSUPPORTED_TOKEN_TYPE} if hint == "access_token" and len(tokens) > 1 else set()
            try:
                yield from self._revoked(hint, token, set(tokens.values()), fine)
            except (TokenUnavailable, NoAnswer) as error:
                if isinstance(error, TokenUnavailable) and _concerns_all(error):
                    raise
                failed = failed or error
        if failed is not None:
            raise failed

    def _revoked(self, hint: str, token: str, secrets: set[str], fine: set[str]) -> Steps[None]:
        """Revoke one token; the error codes in `fine` are no failure."""
        client = self._client()
        fields = {"token": token, "token_type_hint": hint, **client.fields}
        headers, content = JSON | FORM | client.headers, urlencode(fields).encode()
        answer = yield Request("POST", self.url, headers, content, once=client.once)
        revoked(answer, {*secrets, *client.secrets}, fine)

    def __repr__(self) -> str:
        return f"<Revocation {where(self.url)}>"


def _concerns_all(error: TokenUnavailable) -> bool:
    """Tell whether the next token would fail too: for its client, its address or its time."""
    is_of_client = error.status == UNAUTHORIZED or error.code == "invalid_client"
    return is_of_client or error.status in REDIRECTS or error.retry_after is not None
