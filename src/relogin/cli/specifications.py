"""The specification of each scheme, and what it expects of a client.

The registered schemes are those of IANA's registry of authentication schemes (RFC 9110 §16.4.1);
real servers send the others. `SessionAuth` does not use this: it is for people to read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from relogin.wire.model import Challenge

__all__ = ["PARAMETERS", "SPECIFICATIONS", "Specification", "specification"]


class Specification(NamedTuple):
    """A document, and what it expects of a client, in one sentence."""

    document: str
    client: str


_PASSWORD = "Send the user name and the password, over TLS only."
_SCRAM = Specification("RFC 7804", "Prove in two steps that you know the password.")

SPECIFICATIONS: Final[Mapping[str, Specification]] = {
    # registered with IANA
    "basic": Specification("RFC 7617", _PASSWORD),
    "bearer": Specification(
        "RFC 6750", "Send an access token; after invalid_token, get a new one first."
    ),
    "concealed": Specification(
        "RFC 9729", "Sign a value that TLS exports with a key that the server knows."
    ),
    "digest": Specification(
        "RFC 7616", "Answer with a hash of the password, the nonce and the request."
    ),
    "dpop": Specification(
        "RFC 9449",
        "Send an access token bound to a key, and in DPoP a proof signed for the request.",
    ),
    "gnap": Specification(
        "RFC 9635", "Ask the server at as_uri for an access token, and sign the request with it."
    ),
    "hoba": Specification("RFC 7486", "Sign the challenge with a key registered for the origin."),
    "mutual": Specification(
        "RFC 8120", "Exchange keys from the password, and check that the server knows it too."
    ),
    "negotiate": Specification(
        "RFC 4559", "Send a SPNEGO token in base64, with Kerberos or NTLM inside."
    ),
    "oauth": Specification(
        "RFC 5849", "Sign the request with the token's shared secret (OAuth 1.0)."
    ),
    "privatetoken": Specification(
        "RFC 9577", "Have the issuer sign a token for the value of challenge, and spend it once."
    ),
    "scram-sha-1": _SCRAM,
    "scram-sha-256": _SCRAM,
    "vapid": Specification(
        "RFC 8292", "Send a JWT signed by the application server, and its public key."
    ),
    # not registered
    "session": Specification(
        "relogin's SPEC.md, not registered",
        "Do what the error says: log in and repeat, or stop (session_revoked).",
    ),
    "ntlm": Specification("MS-NTHT", "Send the first of three NTLM messages on this connection."),
    "aws4-hmac-sha256": Specification(
        "AWS Signature Version 4", "Sign the request with the secret access key."
    ),
    "cargo": Specification(
        "Cargo's registry authentication",
        "Send a token without a scheme before it; login_url is a page that shows one.",
    ),
    "gssapi": Specification("RFC 4559 under another name", "Send a GSSAPI token in base64."),
    "hawk": Specification("Hawk 1.1", "Sign the request with a shared key and the server's time."),
    "ipaddress": Specification(
        "npm's registry API", "Stop: the registry does not accept this client's address."
    ),
    "l402": Specification(
        "L402", "Pay the Lightning invoice, and send token (once macaroon) with the preimage."
    ),
    "lsat": Specification(
        "L402 under its old name",
        "Pay the Lightning invoice, and send the macaroon with the preimage.",
    ),
    "otp": Specification(
        "npm's registry API", "Repeat the request with a one-time password in npm-otp."
    ),
    "payment": Specification(
        "draft-httpauth-payment",
        "Pay as request says by method, before expires, and send the proof.",
    ),
    "passport1.4": Specification("MS-PASS", "Log in at the Passport server, and send its ticket."),
    "keystone": Specification(
        "OpenStack Identity API v3", "Get a token at uri, and send it in X-Auth-Token."
    ),
    "oauth2": Specification("RFC 6750 under another name", "Send an access token."),
    "jwt": Specification("the API's own documentation", "Send a JWT that the API accepts."),
    "signature": Specification(
        "draft-cavage-http-signatures",
        "Sign the fields that headers names, and send the signature.",
    ),
    "uma": Specification(
        "User-Managed Access 2.0",
        "Get a token for ticket from the authorization server at as_uri, if you trust it.",
    ),
    "wsse": Specification(
        "the UsernameToken profile of WS-Security",
        "Send the user name and a hash of the password, a nonce and the time in X-WSSE.",
    ),
    "xbasic": Specification(
        "RFC 7617 under a name that browsers do not know",
        "Send the user name and the password as Basic, over TLS only.",
    ),
    "token": Specification("the API's own documentation", "Send the API's token."),
    "apikey": Specification("the API's own documentation", "Send the API's key."),
    "x-api-key": Specification(
        "the API's own documentation", "Send the API's key in the field X-API-Key."
    ),
}
"""By the name of the scheme in lower case."""

_RESOURCE_METADATA = Specification(
    "RFC 9728",
    "The document there names the authorization servers; you decide whether to trust them.",
)

PARAMETERS: Final[Mapping[tuple[str, str], Specification]] = {
    ("bearer", "claims"): Specification(
        "OpenID Connect Core §5.5, as Microsoft Entra uses it",
        "Get a token with these claims: decode the base64, and pass it to the token endpoint.",
    ),
    ("bearer", "resource_metadata"): _RESOURCE_METADATA,
    ("dpop", "resource_metadata"): _RESOURCE_METADATA,
    ("bearer", "service"): Specification(
        "the distribution project's token authentication",
        "Get a token at realm for this service and scope, if you trust that server.",
    ),
    ("basic", "charset"): Specification("RFC 7617 §2.1", "Encode user name and password in UTF-8."),
    ("bearer", "authorization_uri"): Specification(
        "Microsoft Entra", "The server there issues access tokens, if you trust it."
    ),
    ("gnap", "access"): Specification(
        "RFC 9635 §9.1", "Ask for the access that this reference stands for."
    ),
    ("gnap", "referrer"): Specification(
        "RFC 9635 §9.1", "Go on only if this is the URL of the server that sent the challenge."
    ),
    ("cargo", "login_url"): Specification(
        "Cargo's registry authentication", "Show the page to the user, who finds a token there."
    ),
}
"""By scheme and parameter, for parameters that ask for more than their scheme does."""

ERRORS: Final[Mapping[tuple[str, str], Specification]] = {
    ("bearer", "insufficient_scope"): Specification(
        "RFC 6750 §3.1", "Ask for a token with the scopes in scope: just a new one does not help."
    ),
    ("bearer", "insufficient_user_authentication"): Specification(
        "RFC 9470", "Have the user log in again, as acr_values and max_age ask."
    ),
    ("bearer", "insufficient_claims"): Specification(
        "Microsoft Entra, continuous access evaluation", "Get a token with the claims in claims."
    ),
    ("dpop", "use_dpop_nonce"): Specification(
        "RFC 9449 §9", "Put the value of the DPoP-Nonce field into the proof, and repeat."
    ),
    ("dpop", "invalid_dpop_proof"): Specification(
        "RFC 9449 §7.1", "Sign a new proof for this request: the server refused the one sent."
    ),
}
"""By scheme and the value of its parameter `error`."""

_SERVERS_TOKEN = Specification(
    "RFC 4559 §5", "This is the server's own token: check it, and do not answer it."
)


def specification(challenge: Challenge, status: int | None = None) -> Iterator[Specification]:
    """Yield the specifications of a challenge, and what they expect of a client.

    First comes that of its scheme, then those of parameters that ask for more. `status` is that of
    the response: on a 200, a Negotiate challenge completes the authentication of the server.

    >>> import relogin
    >>> [challenge] = relogin.parse('DPoP error="use_dpop_nonce", algs="ES256"')
    >>> [one.document for one in specification(challenge)]
    ['RFC 9449', 'RFC 9449 §9']
    """
    scheme = challenge.scheme.lower()
    if scheme == "negotiate" and challenge.token68 and status is not None and status < 300:
        yield _SERVERS_TOKEN
        return
    if scheme in SPECIFICATIONS:
        yield SPECIFICATIONS[scheme]
    for name in challenge.params:
        if (scheme, name) in PARAMETERS:
            yield PARAMETERS[scheme, name]
    error = ERRORS.get((scheme, challenge.get("error", "")))
    if error is not None:
        yield error
