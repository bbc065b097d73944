"""What a protected resource and its authorization servers say of themselves (RFC 9728, RFC 8414).

All of it is only a server's claim. This module reads it and checks it against what was asked for,
so that requests go nowhere but to the URL of the user, and to where checked metadata leads.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from relogin.client.terms.origins import check_secure, origin_of

__all__ = [
    "AuthorizationServer",
    "Disbelieved",
    "ProtectedResource",
    "authorization_server",
    "metadata_urls",
    "protected_resource",
    "resource_metadata_url",
]


class Disbelieved(ValueError):
    """The metadata must not be used; the message says why (RFC 9728 §3.3, RFC 8414 §3.3)."""


@dataclass(frozen=True, slots=True)
class ProtectedResource:
    """What a resource says of itself (RFC 9728 §2), as far as a client needs it."""

    resource: str
    authorization_servers: tuple[str, ...]
    scopes_supported: tuple[str, ...]


_ENDPOINTS = (
    "authorization_endpoint", "token_endpoint", "registration_endpoint", "revocation_endpoint",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class AuthorizationServer:
    """What an authorization server says of itself (RFC 8414 §2), as far as a client needs it."""

    issuer: str
    authorization_endpoint: str | None
    token_endpoint: str | None
    registration_endpoint: str | None
    revocation_endpoint: str | None
    grant_types_supported: tuple[str, ...]
    code_challenge_methods_supported: tuple[str, ...]
    scopes_supported: tuple[str, ...]

    def steps(self, resource: ProtectedResource, scope: AbstractSet[str]) -> Iterator[str]:
        """List the steps that a client has to take."""
        wanted = " ".join(sorted(scope)) or " ".join(resource.scopes_supported)
        asked = f" and scope={wanted!r}" if wanted else ""
        if self.registration_endpoint is not None:
            yield f"Register the client at {self.registration_endpoint} (RFC 7591)."
        else:
            yield "Get a client_id from the operator: the server names no registration endpoint."
        if self.authorization_endpoint and "authorization_code" in self.grant_types_supported:
            if "S256" in self.code_challenge_methods_supported:
                proof = "with PKCE (S256)"
            else:
                proof = "without PKCE, as the server names no S256"
            yield (
                f"Send the user's browser to {self.authorization_endpoint} {proof}, "
                f"resource={resource.resource}{asked}; exchange the code at {self.token_endpoint}."
            )
        if "client_credentials" in self.grant_types_supported:
            yield (
                f"Or, if the client acts for itself: POST to {self.token_endpoint} with "
                f"grant_type=client_credentials, resource={resource.resource}{asked}."
            )
        if "refresh_token" in self.grant_types_supported:
            yield f"When the token has expired, use the refresh token at {self.token_endpoint}."
        yield f"Send the token as Authorization: Bearer to {resource.resource}, and nowhere else."
        if self.revocation_endpoint is not None:
            yield f"At the end, revoke the tokens at {self.revocation_endpoint} (RFC 7009)."


def resource_metadata_url(url: str, named: str | None) -> str:
    """Find the URL of a resource's metadata: the one in its challenge, or the usual one.

    Raises `Disbelieved` for a URL of another origin than the resource's.
    """
    if named is None:
        return _well_known(url, "oauth-protected-resource")
    _check_place("resource_metadata", named)
    if origin_of(named) != origin_of(url):
        raise Disbelieved(
            f"resource_metadata is on another origin, {origin_of(named)}: it could name any "
            "authorization server for this resource"
        )
    return named


def protected_resource(url: str, document: Mapping[str, Any]) -> ProtectedResource:
    """Read the metadata of the resource at `url`; it must be this one's (RFC 9728 §3.3)."""
    resource = _text(document, "resource")
    if resource is None or _identifier(resource) != _identifier(url):
        raise Disbelieved(
            f"the metadata is of another resource, {resource!r}, and must not be used for this one"
        )
    return ProtectedResource(
        resource,
        _texts(document, "authorization_servers"),
        _texts(document, "scopes_supported"),
    )


def metadata_urls(issuer: str) -> list[str]:
    """List the URLs of an issuer's metadata: RFC 8414 §3.1, and OpenID Connect Discovery."""
    _check_place("the authorization server", issuer)
    places = [
        _well_known(issuer, "oauth-authorization-server"),
        _well_known(issuer, "openid-configuration"),
        f"{issuer.rstrip('/')}/.well-known/openid-configuration",  # where a path comes first
    ]
    return list(dict.fromkeys(places))


def authorization_server(issuer: str, document: Mapping[str, Any]) -> AuthorizationServer:
    """Read the metadata of an issuer; it must be this one's (RFC 8414 §3.3)."""
    said = _text(document, "issuer")
    if said is None or said.rstrip("/") != issuer.rstrip("/"):
        raise Disbelieved(f"the metadata is of another issuer, {said!r}, and must not be used")
    endpoints = {name: _text(document, name) for name in _ENDPOINTS}
    for name, endpoint in endpoints.items():
        if endpoint is not None:
            _check_place(name, endpoint)
    grants = _texts(document, "grant_types_supported") or ("authorization_code", "implicit")
    return AuthorizationServer(
        issuer=said,
        grant_types_supported=grants,
        code_challenge_methods_supported=_texts(document, "code_challenge_methods_supported"),
        scopes_supported=_texts(document, "scopes_supported"),
        **endpoints,
    )


def _check_place(name: str, url: str) -> None:
    try:
        check_secure(url, insecure=False)
    except ValueError as error:
        raise Disbelieved(f"{name} cannot be used: {error}") from None
    if "@" in urlsplit(url).netloc:
        raise Disbelieved(f"{name} cannot be used: it contains a user name")


def _well_known(url: str, name: str) -> str:
    """Insert the well-known path between host and path (RFC 9728 §3.1, RFC 8414 §3.1)."""
    parts = urlsplit(url)
    path = "" if parts.path == "/" else parts.path
    return urlunsplit((parts.scheme, parts.netloc, f"/.well-known/{name}{path}", parts.query, ""))


def _identifier(url: str) -> tuple[str, str, str] | None:
    try:
        parts = urlsplit(url)
        return origin_of(url), parts.path or "/", parts.query
    except ValueError:
        return None


def _text(document: Mapping[str, Any], name: str) -> str | None:
    found = document.get(name)
    return found if isinstance(found, str) and found else None


def _texts(document: Mapping[str, Any], name: str) -> tuple[str, ...]:
    found = document.get(name)
    several = found if isinstance(found, list) else ()
    return tuple(text for text in several if isinstance(text, str) and text)
