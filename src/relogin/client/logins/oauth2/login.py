"""Access tokens from an OAuth 2.0 token endpoint (RFC 6749); no refresh token is used twice."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import partial
from pickle import PicklingError
from typing import Any, Literal, NamedTuple
from urllib.parse import urlencode

from relogin.client.logins.answers import said
from relogin.client.logins.base import FORM, JSON, Login, Text, called, checked_text
from relogin.client.logins.fields import resolved
from relogin.client.logins.oauth2.client_authentication import Client, authenticated
from relogin.client.logins.oauth2.options import (
    TEXTS,
    check_client,
    check_dpop,
    check_grant,
    check_parameters,
    check_texts,
    check_urls,
    scopes,
)
from relogin.client.logins.oauth2.revocation import Revocation
from relogin.client.logins.oauth2.sent_tokens import SentTokens
from relogin.client.logins.oauth2.token_endpoint import (
    PASSING,
    TokenRefused,
    Tokens,
    TokenUnavailable,
    error_code,
    tokens_in,
)
from relogin.client.logins.one_time import has_codes
from relogin.client.logins.sending.exchange import NoAnswer, Steps
from relogin.client.logins.sending.request import Request
from relogin.client.responders import BEARER, SESSION
from relogin.client.responders.dpop import USE_NONCE, Prover, Proves, dpop
from relogin.client.terms.answer import Answer
from relogin.client.terms.grant import Context, Grant
from relogin.client.terms.responder import Responder
from relogin.errors import LoginRefused, LoginUnavailable, ReloginError

__all__ = ["OAuth2Login"]

INSUFFICIENT_SCOPE = "insufficient_scope"
GATEWAY_TIMEOUT = 504
MOST_NONCES = 2  # as often as a request to an API is sent again


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class OAuth2Login(Login):
    """Gets access tokens from an OAuth 2.0 token endpoint (RFC 6749).

    With `client_id` and `client_secret` alone it uses the client credentials grant (§4.4). With
    `username` and `password` it uses the password grant (§4.3) once, and then the refresh tokens
    that come with it. With `refresh_token` it begins with that one. What replaces a refresh token
    is kept in `Grant.refresh`, and in the store if there is one.

    A refresh token that the server may have used up is never sent again: another one came, the
    server refused it, or the response was lost. Then the login starts again with the password, or
    raises an error that asks for a new refresh token. Processes that share a refresh token must
    share a store (`relogin.client.stores`).

    `auth` says how the client authenticates (§2.3.1): ``"basic"``, or ``"post"`` to send its secret
    in the form. `client_assertion` takes the place of the secret: a function that returns a new JWT
    for each request (RFC 7523 §2.2, `private_key_jwt`). Without either it is a public client.
    `grant_type` names another grant than these, whose fields are in `parameters`: such as a JWT
    (RFC 7523 §2.1) or a token exchange (RFC 8693), which need no client: `client_id` may be `None`.
    With ``"refresh_token"`` it uses only the refresh tokens that another login has obtained, as
    `context.previous` has them: call it from a login that also knows how to begin.

    `dpop` is a function that signs proofs with a key of yours (RFC 9449): it gets the method, the
    URL, the server's nonce and the access token, the last two of which may be `None`, and returns a
    JWT. Then tokens are bound to that key, each request carries a proof of its own, and nonces are
    kept and renewed without a login.

    With `revocation_url`, the login has a logout of its own: ``SessionAuth(…).logout()`` revokes
    the refresh token and the access token there (RFC 7009).

    `scope` is the scope to ask for, as a str or a list. `scopes_up` says whether a 403
    `insufficient_scope` (RFC 6750 §3.1) may widen it: `True`, `False`, or the scopes that may be
    added. `parameters` are further fields to send, such as ``{"audience": …}`` (Auth0) or
    ``{"resource": …}`` (RFC 8707).

    Each of `client_id`, `client_secret`, `refresh_token`, `username`, `password` and of the values
    in `parameters` may be a function that is called at each login. A literal secret is not pickled,
    and in `parameters` all but `audience`, `resource` and the types of tokens are secrets.

    Usually the API is not at the origin of the token endpoint, so name it:

    >>> from relogin.client.requests import SessionAuth
    >>> login = OAuth2Login("https://auth.example.com/token", "orders-job", "secret", scope="read")
    >>> auth = SessionAuth(login, "https://api.example.com")

    Raises `ValueError` for an endpoint that is neither https nor loopback, unless
    ``insecure=True``, and for options that exclude each other.
    """

    url: str = field(init=False)
    token_url: str
    client_id: Text | None
    client_secret: Text | None = None
    client_assertion: Callable[[], str] | None = field(default=None, kw_only=True)
    grant_type: str | None = field(default=None, kw_only=True)
    scope: str | Collection[str] | None = field(default=None, kw_only=True)
    refresh_token: Text | None = field(default=None, kw_only=True)
    username: Text | None = field(default=None, kw_only=True)
    password: Text | None = field(default=None, kw_only=True)
    auth: Literal["basic", "post"] = field(default="basic", kw_only=True)
    parameters: Mapping[str, Text | Collection[str]] = field(default_factory=dict, kw_only=True)
    scopes_up: bool | str | Collection[str] = field(default=True, kw_only=True)
    revocation_url: str | None = field(default=None, kw_only=True)
    dpop: Proves | None = field(default=None, kw_only=True)
    _scope: tuple[str, ...] = field(init=False)
    _more: frozenset[str] = field(init=False)
    _prover: Prover | None = field(init=False)
    _sent: SentTokens = field(init=False, default_factory=SentTokens)

    def __post_init__(self) -> None:
        object.__setattr__(self, "url", self.token_url)
        check_parameters(self.parameters)
        Login.__post_init__(self)
        given = {name: getattr(self, name) for name in TEXTS}
        check_texts(given)
        check_urls(self.token_url, self.revocation_url, insecure=self.insecure)
        check_grant(self.grant_type, given)
        check_client(self.client_id, self.client_secret, self.client_assertion, self.auth)
        check_dpop(self.dpop)
        object.__setattr__(self, "_scope", scopes("scope", self.scope or ()))
        more = () if isinstance(self.scopes_up, bool) else scopes("scopes_up", self.scopes_up)
        object.__setattr__(self, "_more", frozenset(more))
        object.__setattr__(self, "_prover", None if self.dpop is None else Prover(self.dpop))

    @property
    def responders(self) -> tuple[Responder, ...]:
        """The responders of a `SessionAuth`, unless you pass others."""
        return (SESSION, BEARER) if self._prover is None else dpop(self._prover)

    @property
    def revocation(self) -> Revocation | None:
        """The logout of this login; `None` without a `revocation_url`."""
        url = self.revocation_url
        return None if url is None else Revocation(url, self._client)

    def _secrets(self) -> tuple[object, ...]:
        more = (value for name, value in self.parameters.items() if name not in _HARMLESS)
        secrets = (self.client_secret, self.refresh_token, self.password, *more)
        return tuple(secret for secret in secrets if secret is not None)

    def __reduce__(self) -> tuple[Any, ...]:
        if not all(callable(secret) for secret in self._secrets()):
            raise PicklingError(
                "this OAuth2Login contains a secret and so cannot be pickled: pass functions for "
                "client_secret, refresh_token, password and what is secret in parameters"
            )
        return self._rebuilding()

    def _steps(self, context: Context) -> Steps[Grant | None]:
        scope = self._scope_for(context)
        if scope is None:
            return None
        try:
            return (yield from self._granted(context, scope))
        except (TokenRefused, TokenUnavailable) as error:
            # What may not be widened is kept as it is.
            about_scope = error.of_its_own if isinstance(error, TokenRefused) else bool(error.code)
            if context.error == INSUFFICIENT_SCOPE and about_scope:
                return None
            raise

    def _scope_for(self, context: Context) -> tuple[str, ...] | None:
        """Add the demanded scopes to those of this login; `None` if that is more than allowed."""
        more = tuple(scope for scope in context.scope if scope not in self._scope)
        stepping = context.error == INSUFFICIENT_SCOPE
        if stepping and self.scopes_up is not True and not self._more.issuperset(more):
            return None
        return self._scope + more

    def _granted(self, context: Context, scope: tuple[str, ...]) -> Steps[Grant]:
        """Use a refresh token if one may be sent; else start again without one."""
        anew = self._anew()
        refreshed = yield from self._by_refresh_token(context, scope, anew)
        if isinstance(refreshed, Grant):
            return refreshed
        try:
            if anew is None:
                raise _none_left(refreshed)
            tokens = yield from self._asked(self._asking(anew, scope))
        except ReloginError as error:
            error.refresh_spent = refreshed is not None
            raise
        return _grant(tokens, scope, tokens.refresh if "username" in anew else None)

    def _by_refresh_token(
        self, context: Context, scope: tuple[str, ...], anew: dict[str, str] | None
    ) -> Steps[Grant | ReloginError | None]:
        """Return a grant, or why a refresh token is lost, or `None` if there was none to send."""
        lost: ReloginError | None = None
        for token, given in self._refresh_tokens(context, anew):
            asked = scope if anew is None else ()
            fields = {"grant_type": "refresh_token", "refresh_token": token}
            asking = self._asking(fields, asked)  # first: a function of the user may fail
            if not self._sent.claim(token, given=given):
                lost = lost or LoginUnavailable(
                    "another request is using it, or it was lost or revoked"
                )
                continue
            try:
                return (yield from self._refreshed(context, asking, token, asked))
            except (LoginRefused, LoginUnavailable) as error:
                if token not in self._sent:
                    raise
                lost = error
        return lost

    def _anew(self) -> dict[str, str] | None:
        """Return the fields of a grant that needs no refresh token; `None` if there is none."""
        if self.username is not None:
            account = {"username": _text(self, "username"), "password": _text(self, "password")}
            return {"grant_type": "password"} | account
        if self.refresh_token is not None or self.grant_type == "refresh_token":
            return None
        return {"grant_type": self.grant_type or "client_credentials"}

    def _refresh_tokens(
        self, context: Context, anew: dict[str, str] | None
    ) -> list[tuple[str, bool]]:
        """Return the refresh tokens that may be good, and which of them the user gave.

        The user's is good only to begin with: a login that this object did not see has used it.
        None of them widens a scope (RFC 6749 §6), so for that they are tried last.
        """
        found: list[tuple[str, bool]] = []
        if anew is not None and ("username" not in anew or context.error == INSUFFICIENT_SCOPE):
            return found
        previous = context.previous
        if previous is not None and previous.refresh is not None:
            found.append((previous.refresh, False))
        if self.refresh_token is not None and (previous is None or self._sent.given):
            found.append((_text(self, "refresh_token"), True))
        return found

    def _refreshed(
        self, context: Context, asking: _Asking, token: str, scope: tuple[str, ...]
    ) -> Steps[Grant]:
        """Use a refresh token; remember it as used unless it is certainly still good."""
        try:
            tokens = yield from self._asked(asking)
        except (TokenRefused, TokenUnavailable, NoAnswer) as error:
            if self._stays_good(error, token):
                self._sent.release(token)
            raise
        except GeneratorExit:  # cancelled, perhaps while it was still connecting
            if not context.progress.posted:
                self._sent.release(token)
            raise
        if tokens.refresh in {None, token}:
            self._sent.keep(token)
        held = scope or (() if context.previous is None else context.previous.scope)
        return _grant(tokens, held, tokens.refresh or token)

    def _stays_good(self, error: TokenRefused | TokenUnavailable | NoAnswer, token: str) -> bool:
        """Tell whether a refresh token is to be tried again after this failure."""
        if isinstance(error, NoAnswer):
            return not error.sent or self._sent.stays(token)
        if isinstance(error, TokenRefused):
            return error.code != "invalid_grant"
        # Servers have codes of their own for an expired one. A password does without it.
        if error.code not in PASSING and self.username is not None:
            return False
        return error.status != GATEWAY_TIMEOUT

    def _asking(self, fields: Mapping[str, str], scope: tuple[str, ...]) -> _Asking:
        """Make a request to the token endpoint; each has an assertion of its own."""
        asked = {"scope": " ".join(scope)} if scope else {}
        client, more = self._client(), resolved(self.parameters)
        content = urlencode({**more, **fields, **asked, **client.fields}, doseq=True).encode()
        once = client.once or "refresh_token" in fields or self.grant_type is not None
        once |= has_codes((self.password, self.parameters))
        headers = JSON | FORM | client.headers | self._proof()
        request = Request("POST", self.url, headers, content, once=once)
        given = {fields.get("refresh_token", ""), fields.get("password", "")}
        secrets = {*client.secrets, *given, *filter(_is_text, more.values())}
        return _Asking(request, fields["grant_type"], secrets, partial(self._asking, fields, scope))

    def _proof(self) -> dict[str, str]:
        if self._prover is None:
            return {}
        return {"DPoP": self._prover.proof("POST", self.url, self.url)}

    def _asked(self, asking: _Asking) -> Steps[Tokens]:
        answer: Answer = yield asking.request
        given: list[str] = []
        while (nonce := self._nonce_wanted(answer)) is not None:
            if nonce in given or len(given) == MOST_NONCES:
                # From another node, perhaps; it says nothing about the secrets.
                raise TokenUnavailable(f"{said(answer)} {USE_NONCE} to a proof with its own nonce")
            given.append(nonce)
            answer = yield asking.again().request
        self._ask_refused(answer)
        token_type = None if self._prover is None else "DPoP"
        return tokens_in(answer, asking.grant_type, asking.secrets, token_type)

    def _nonce_wanted(self, answer: Answer) -> str | None:
        """Keep the nonce of a response; return it if only a proof without it was refused.

        The server has not used up the refresh token then (RFC 9449 §8).
        """
        nonce = None if self._prover is None else self._prover.learn(self.url, answer.headers)
        return nonce if nonce is not None and error_code(answer) == USE_NONCE else None

    def _client(self) -> Client:
        return authenticated(
            _optional(self, "client_id"),
            _optional(self, "client_secret"),
            _optional(self, "client_assertion"),
            in_form=self.auth == "post",
        )


class _Asking(NamedTuple):
    """A request to the token endpoint, and what its response must not show."""

    request: Request
    grant_type: str
    secrets: set[str]
    again: Callable[[], _Asking]
    """Makes the request anew: its assertion and its proof may be used up."""


# Of the parameters beside RFC 6749's own: Auth0's, RFC 8707's, and RFC 8693's.
_HARMLESS = frozenset(
    {"audience", "resource", "actor_token_type", "requested_token_type", "subject_token_type"}
)


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _none_left(lost: ReloginError | None) -> ReloginError:
    if isinstance(lost, LoginRefused):
        return lost
    why = "another process has it, or has lost it" if lost is None else str(lost)
    return LoginUnavailable(f"there is no usable refresh token ({why}): pass a new one")


def _grant(tokens: Tokens, asked: Collection[str], refresh: str | None) -> Grant:
    scope = asked if tokens.scope is None else tokens.scope
    return Grant(token=tokens.access, expires_in=tokens.expires_in, refresh=refresh, scope=scope)


def _optional(login: OAuth2Login, name: str) -> str | None:
    return None if getattr(login, name) is None else _text(login, name)


def _text(login: OAuth2Login, name: str) -> str:
    """Return a text, or what its function returns; an error names the type, never the value."""
    return checked_text(f"OAuth2Login: {name}=", called(getattr(login, name)))
