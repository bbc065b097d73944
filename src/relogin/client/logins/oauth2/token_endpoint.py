"""Reading the responses of an OAuth 2.0 token endpoint (RFC 6749 §5), which are not trusted.

A revocation endpoint answers in the same way (RFC 7009 §2.2).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Container
from typing import Any, NamedTuple

from relogin.client.logins.answers import (
    REFUSALS,
    check,
    document_of,
    is_plain,
    members_of,
    retry_after,
    said,
    seconds,
)
from relogin.client.logins.redirects import REDIRECTS, leads_to
from relogin.client.terms.answer import Answer
from relogin.client.terms.scopes import scope_tokens
from relogin.errors import InvalidGrant, LoginRefused, LoginUnavailable

BAD_REQUEST, UNAUTHORIZED = 400, 401

__all__ = [
    "PASSING",
    "UNSUPPORTED_TOKEN_TYPE",
    "TokenRefused",
    "TokenUnavailable",
    "Tokens",
    "error_code",
    "revoked",
    "tokens_in",
]

# What passes, whatever refresh token was sent; no code at all is a server in trouble.
PASSING = frozenset({"", "server_error", "slow_down", "temporarily_unavailable"})

UNSUPPORTED_TOKEN_TYPE = "unsupported_token_type"


class TokenRefused(LoginRefused):
    """The token endpoint refused for good: `code` is `invalid_grant`, say, or `invalid_client`.

    `of_its_own` says that the code is none that we know: it may be about the scope as well.
    """

    code: str = ""
    of_its_own: bool = False


class TokenUnavailable(LoginUnavailable):
    """The token endpoint granted nothing; `code` is empty if it named no error."""

    code: str = ""
    status: int = 0


class Tokens(NamedTuple):
    """The members of a successful response (RFC 6749 §5.1); `None` for those it does not have."""

    access: str
    refresh: str | None
    expires_in: float | None
    scope: tuple[str, ...] | None


def tokens_in(
    answer: Answer, grant_type: str, secrets: Collection[str], token_type: str | None
) -> Tokens:
    """Read the tokens that the endpoint granted, or raise an error that says why it did not.

    `token_type` is the type that they must have; `None` stands for Bearer, or no type at all.
    The message shows no value but the error code, and not even that if it contains a secret that
    was sent.
    """
    _check_redirect(answer, secrets)
    code = error_code(answer)
    if code and not _is_busy(answer):
        raise _error(answer, code, grant_type, secrets)
    _check(answer)
    document = document_of(answer)
    token = document.get("access_token") if isinstance(document, dict) else None
    if not isinstance(token, str) or not token:
        raise LoginUnavailable(
            f"{said(answer)} without a string in access_token{members_of(document, secrets)}"
        )
    _check_type(document.get("token_type"), answer, token_type)
    refresh = document.get("refresh_token")
    return Tokens(
        token,
        refresh if isinstance(refresh, str) and refresh else None,
        seconds(document.get("expires_in")),
        _scope(document.get("scope")),
    )


def revoked(answer: Answer, secrets: Collection[str], fine: Container[str]) -> None:
    """Raise an error that says why a token was not revoked, unless the error code is `fine`."""
    _check_redirect(answer, secrets)
    if 200 <= answer.status < 300:  # whatever it says besides (RFC 7009 §2.2)
        return
    code = error_code(answer)
    if code in fine or (answer.status == BAD_REQUEST and code == "invalid_token"):
        return  # the latter is what Google says of a token that is over
    why = _REVOKING.get(code or ("invalid_client" if answer.status == UNAUTHORIZED else ""), "")
    shown = f" {_shown(code, secrets)}" if code else ""
    raise _unavailable(answer, f"{said(answer)}{shown}{why and ': '}{why}", code)


def _check_redirect(answer: Answer, secrets: Collection[str]) -> None:
    if answer.status in REDIRECTS:
        text = f"{said(answer)}: no secret follows a redirect; give the URL that it leads to"
        raise _unavailable(answer, text + leads_to(answer, secrets))


def error_code(answer: Answer) -> str:
    """Return the error code of a response, or an empty str. Some send it with 200, not 400."""
    try:
        document = answer.json()
    except ValueError:
        return ""
    if not isinstance(document, dict):
        return ""
    if document.get("access_token") and 200 <= answer.status < 300:
        return ""  # some send a code of success too
    # The others are Okta's and Apigee's names for it.
    codes = (document.get(name) for name in ("error", "errorCode", "ErrorCode"))
    return next((code for code in codes if isinstance(code, str)), "")


def _is_busy(answer: Answer) -> bool:
    return answer.status in {408, 425, 429} or answer.status >= 500


def _check(answer: Answer) -> None:
    """Raise what the status of a response without an error code means."""
    # A proxy or a firewall answers with a page; a token endpoint answers with JSON (RFC 6749 §5.2).
    is_page = answer.status != UNAUTHORIZED and _is_page(answer)
    try:
        check(answer, secret_sent=not is_page)
    except LoginUnavailable as error:
        kind = "an HTML page" if answer.media_type == "text/html" else "a text that is not JSON"
        page = f" with {kind}, perhaps from a proxy" if is_page else ""
        raise _unavailable(answer, f"{error}{page}") from None
    except LoginRefused as error:
        if answer.status != UNAUTHORIZED:
            raise
        raise LoginRefused(f"{error}: {_CLIENT}") from None


def _is_page(answer: Answer) -> bool:
    if answer.media_type == "text/html":
        return True
    try:
        answer.json()
    except ValueError:
        return bool(answer.body)
    return False


# What the codes mean: by themselves they do not help a user.
_CLIENT = (
    "the client's id or secret is wrong, or its assertion, or auth= is not the way this server "
    "wants it"
)
_DPOP = "the server wants DPoP (RFC 9449), and a proof that it accepts: see dpop="
_GRANTS = {
    "refresh_token": "the refresh token has expired, or it was revoked or used before",
    "password": "the username or the password is wrong",
    "client_credentials": "the client may not have a token",
}
_EXTENSION = "the assertion or the token in parameters= is wrong, or it has expired"
_IN_A_BROWSER = "a person must log in with a browser: pass the refresh_token from that login"
_HINTS = {
    "access_denied": "the client may not use what it asks for",
    "invalid_scope": "the scope is unknown, or more than the client may have",
    "unauthorized_client": "the client may not use this grant",
    "unsupported_grant_type": "the server does not have this grant",
}
_REVOKING = {
    "invalid_client": _CLIENT,
    "unauthorized_client": "the token is another client's, or this client may not revoke tokens",
    UNSUPPORTED_TOKEN_TYPE: "the server does not revoke this kind of token",
}
# Codes of single servers, as RFC 6749 has them: GitHub's, Slack's, and others'.
_OTHER_NAMES = {
    "bad_client_secret": "invalid_client",
    "bad_refresh_token": "invalid_grant",
    "incorrect_client_credentials": "invalid_client",
    "invalid_client_id": "invalid_client",
    "invalid_refresh_token": "invalid_grant",
}


_of_a_limit = re.compile(
    "limit|quota|throttl|too.?many|time.?out|unavailable", re.IGNORECASE
).search
# So say Auth0 and Keycloak to a wrong secret, with 401.
_OF_A_CLIENT = frozenset({"access_denied", "unauthorized_client"})


def _error(
    answer: Answer, code: str, grant_type: str, secrets: Collection[str]
) -> TokenRefused | TokenUnavailable:
    text = f"{said(answer)} {_shown(code, secrets)}"
    why = _refusal(code, grant_type)
    of_its_own = why is None
    if of_its_own and not _passes(answer, code):
        why = _refusal_of_its_own(answer.status, code, grant_type)
    if why is None:
        hint = f": {_HINTS[code]}" if code in _HINTS else ""
        return _unavailable(answer, text + hint, code)
    refused = TokenRefused(f"{text}: {why}")
    refused.code, refused.of_its_own = _OTHER_NAMES.get(code, code), of_its_own
    return refused


def _refusal(code: str, grant_type: str) -> str | None:
    """Say what is wrong if the code says that the same secrets cannot succeed later either."""
    code = _OTHER_NAMES.get(code, code)
    refusals = {"invalid_client": _CLIENT, "invalid_grant": _GRANTS.get(grant_type, _EXTENSION)}
    refusals |= dict.fromkeys(("invalid_dpop_proof", "use_dpop_nonce"), _DPOP)
    if grant_type == "password":
        refusals["invalid_request"] = _GRANTS[grant_type]  # so says Authlib to a wrong one
        refusals |= dict.fromkeys(("interaction_required", "mfa_required"), _IN_A_BROWSER)
    return refusals.get(code)


def _passes(answer: Answer, code: str) -> bool:
    # A server that says when to come again has not refused for good.
    return code in PASSING or bool(_of_a_limit(code)) or retry_after(answer.headers) is not None


def _refusal_of_its_own(status: int, code: str, grant_type: str) -> str | None:
    """Say what is wrong if the status says so, whatever the code.

    It does not for a refresh token: servers have codes of their own for an old one.
    """
    if status == UNAUTHORIZED and (code in _OF_A_CLIENT or grant_type == "client_credentials"):
        return _CLIENT
    if grant_type != "password":
        return None
    if status == UNAUTHORIZED:
        return f"{_GRANTS[grant_type]}, or {_CLIENT}"
    # To send a password again and again would lock the account.
    own = status in REFUSALS and code not in _HINTS
    return f"{_GRANTS[grant_type]}, or the account cannot log in" if own else None


def _unavailable(answer: Answer, text: str, code: str = "") -> TokenUnavailable:
    error = TokenUnavailable(text, retry_after=retry_after(answer.headers))
    error.code, error.status = code, answer.status
    return error


def _shown(word: str, secrets: Collection[str]) -> str:
    """Show a word from the server, unless it may be a secret of ours or control a terminal."""
    reflected = any(secret in word or word in secret for secret in secrets if secret)
    return word if is_plain(word) and not reflected else "with an error that is not shown"


_BEARER = frozenset({"bearer", "bearertoken"})  # the latter is Apigee's


def _check_type(kind: object, answer: Answer, wanted: str | None) -> None:
    """Raise `InvalidGrant` for another type than is wanted: such a token could not be sent."""
    known = _BEARER if wanted is None else frozenset({wanted.lower()})
    if (kind is None and wanted is None) or (isinstance(kind, str) and kind.lower() in known):
        return
    named = f": {kind}" if isinstance(kind, str) and is_plain(kind) else ""
    hint = "OAuth2Login sends DPoP tokens if you pass dpop=, and otherwise Bearer tokens"
    raise InvalidGrant(
        f"{said(answer)} with a token_type that is not {wanted or 'Bearer'}{named}; {hint}"
    )


def _scope(value: Any) -> tuple[str, ...] | None:
    """Read the scopes that were granted; some send a list."""
    try:
        return scope_tokens(value) or None
    except (TypeError, ValueError):
        return None
