"""What is wrong with the options of `OAuth2Login`, told when it is made."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from inspect import iscoroutinefunction
from urllib.parse import urlsplit

from relogin.client.logins.base import check_text, kind_of
from relogin.client.terms.origins import check_secure
from relogin.client.terms.scopes import scope_tokens

__all__ = [
    "TEXTS",
    "check_client",
    "check_dpop",
    "check_grant",
    "check_parameters",
    "check_texts",
    "check_urls",
    "scopes",
]

TEXTS = ("client_id", "client_secret", "refresh_token", "username", "password")
_OURS = frozenset({"grant_type", "scope", "client_assertion", *TEXTS})


def check_texts(texts: Mapping[str, object]) -> None:
    """Raise an error for an option that is neither a text nor a function that returns one."""
    for name, value in texts.items():
        if value is None:
            continue
        if iscoroutinefunction(value):
            raise TypeError(f"OAuth2Login: {name}= must be a plain function: it is not awaited")
        check_text(f"OAuth2Login: {name}=", value)
        if value == "":
            raise ValueError(f"OAuth2Login: {name}= is empty")


def check_urls(token_url: str, revocation_url: object, *, insecure: bool) -> None:
    """Raise an error for an endpoint that cannot be asked; the login has checked the first."""
    if "#" in token_url:
        raise ValueError("OAuth2Login: token_url must not have a fragment (RFC 6749 §3.2)")
    if revocation_url is None:
        return
    if not isinstance(revocation_url, str):
        raise TypeError(
            f"OAuth2Login: revocation_url= must be a str, not {kind_of(revocation_url)}"
        )
    check_secure(revocation_url, insecure=insecure)
    if "@" in urlsplit(revocation_url).netloc:
        raise ValueError("OAuth2Login: revocation_url= must not contain a user name")


def check_grant(kind: object, given: Mapping[str, object]) -> None:
    """Raise an error for options from which no grant follows, or several."""
    if (given["username"] is None) != (given["password"] is None):
        raise ValueError("OAuth2Login: username= needs password=, and password= needs username=")
    if kind is None:
        if given["client_id"] is None:
            raise TypeError(
                "OAuth2Login: client_id= must be a str or a function, not NoneType. For a server "
                "that knows no clients, write JSONLogin(url, fields, form=True)"
            )
        return
    if not isinstance(kind, str):
        raise TypeError(f"OAuth2Login: grant_type= must be a str, not {kind_of(kind)}")
    for name in ("refresh_token", "username"):
        if given[name] is not None:
            raise ValueError(f"OAuth2Login: {name}= already sets the grant: leave out grant_type=")


def check_client(name: object, secret: object, assertion: object, auth: object) -> None:
    """Raise an error for options that do not say how the client authenticates."""
    if auth not in ("basic", "post"):
        raise ValueError(f'OAuth2Login: auth= must be "basic" or "post", not {auth!r:.40}')
    if name is None and secret is not None:
        raise ValueError("OAuth2Login: client_secret= needs client_id=")
    if assertion is None:
        return
    if not _is_plain_function(assertion):
        raise TypeError(
            "OAuth2Login: client_assertion= must be a plain function that returns a new JWT each "
            f"time, not {kind_of(assertion)}: a server takes each only once"
        )
    if secret is not None:
        raise ValueError("OAuth2Login: pass client_secret= or client_assertion=, not both")


def check_dpop(proves: object) -> None:
    """Raise `TypeError` for what cannot sign proofs."""
    if not (proves is None or _is_plain_function(proves)):
        raise TypeError(
            "OAuth2Login: dpop= must be a plain function of method, url, nonce and token that "
            f"returns a proof, not {kind_of(proves)}"
        )


def _is_plain_function(value: object) -> bool:
    return callable(value) and not iscoroutinefunction(value)


def check_parameters(parameters: object) -> None:
    """Raise an error for parameters that are none, or that the login sends by itself."""
    if not isinstance(parameters, Mapping):
        raise TypeError(
            'OAuth2Login: parameters= must be a mapping, such as {"audience": "…"}, '
            f"not {kind_of(parameters)}"
        )
    ours = _OURS.intersection(parameters)
    if ours:
        raise ValueError(
            f"OAuth2Login: parameters= must not contain {min(ours)}: OAuth2Login sends it itself"
        )


def scopes(name: str, value: str | Collection[str]) -> tuple[str, ...]:
    """Return scopes as a tuple; an error names the option."""
    try:
        return scope_tokens(value)
    except (TypeError, ValueError) as error:
        raise type(error)(f"OAuth2Login: {name}=: {error}") from None
