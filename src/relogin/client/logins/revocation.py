"""Revoking the tokens of an OAuth 2.0 session (RFC 7009): the logout of `OAuth2Login`."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlencode

from relogin.client.logins.base import FORM, JSON
from relogin.client.logins.client_authentication import Client
from relogin.client.logins.exchange import Steps
from relogin.client.logins.logout import ReadyLogout
from relogin.client.logins.request import Request
from relogin.client.logins.steps import where
from relogin.client.logins.token_endpoint import UNSUPPORTED_TOKEN_TYPE, revoked
from relogin.client.terms.grant import Context

__all__ = ["Revocation"]


class Revocation(ReadyLogout):
    """Revokes the refresh token of a session, and then its access token.

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
        given = {"refresh_token": grant.refresh, "access_token": grant.token}
        tokens = [(hint, token) for hint, token in given.items() if token is not None]
        secrets = {token for _, token in tokens}
        for index, (hint, token) in enumerate(tokens):
            client = self._client()
            fields = {"token": token, "token_type_hint": hint, **client.fields}
            headers, content = JSON | FORM | client.headers, urlencode(fields).encode()
            answer = yield Request("POST", self.url, headers, content, once=client.once)
            fine = {UNSUPPORTED_TOKEN_TYPE} if index else set()
            revoked(answer, {*secrets, *client.secrets}, fine)

    def __repr__(self) -> str:
        return f"<Revocation {where(self.url)}>"
