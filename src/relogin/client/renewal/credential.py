"""A grant in use: whose it is, and what it adds to a request."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from math import inf
from typing import TYPE_CHECKING, NamedTuple

from relogin.client.terms.grant import Grant
from relogin.client.terms.responder import Carried, Carrier, Responder
from relogin.client.terms.signer import Signer
from relogin.errors import InvalidGrant

if TYPE_CHECKING:
    from relogin.client.stores.record import Version

__all__ = ["Credential", "Key", "carried", "renew_at"]


class Key(NamedTuple):
    """A protection space (RFC 9110 §11.5), which is an origin and a realm, and an account."""

    origin: str
    realm: str
    account: str = ""


_NEVER = -inf  # one object for all


class Life:
    """When a session was `seen` alive or `over` the last time, on the cache's clock.

    It is over if the server says so and nothing replaces it.
    """

    __slots__ = ("over", "seen")

    def __init__(self) -> None:
        self.seen: float = _NEVER
        self.over: float = _NEVER


# Treat it as immutable: `frozen` would set each field by a call, and slots make `signed` slower.
@dataclass(repr=False, kw_only=True)
class Credential:
    """A grant in use. `generation` counts logins; a rolled cookie does not change it.

    `headers` are all the header fields that it adds to a request, including Authorization if it
    carries the token; `query` is the name and value of the parameter that carries the token. If a
    `signer` signs each request, only a copy made for one request to `signed_url` has all `headers`.
    `version` is that of the grant in the store if it is `shared`, or else of the one that it
    replaced, if any. `asked_for` are the scopes that its login had to ask for, because challenges
    demanded them.
    """

    key: Key
    grant: Grant
    generation: int
    responder: Responder
    headers: Mapping[str, str]
    query: tuple[str, str] | None
    cookies: Mapping[str, str]
    signer: Signer | None = None
    signed_url: str | None = None
    renew_at: float | None = None
    version: Version | None = None
    shared: bool = False
    asked_for: tuple[str, ...] = ()
    life: Life = field(default_factory=Life)
    """The life of its session, which its changed copies share."""
    authorization: str | None = field(init=False)
    """The value of Authorization, if that is all that it adds to each request."""

    def __post_init__(self) -> None:
        alone = len(self.headers) == 1 and not (self.signer or self.query or self.cookies)
        self.authorization = self.headers.get("Authorization") if alone else None

    def __repr__(self) -> str:
        return f"<Credential generation {self.generation} for {self.key.origin}>"

    @property
    def decisive(self) -> Mapping[str, str]:
        """The header fields that show whether a request was sent with it.

        They carry the token. If there is neither a token nor a cookie, they are all its fields.
        """
        own = self.grant.headers
        if self.grant.token is None:
            return {} if self.cookies else self.headers
        if not own:
            return self.headers
        tokens = {name: value for name, value in self.headers.items() if name not in own}
        return tokens or self.headers

    def is_due(self, now: float, *, precious: bool) -> bool:
        """Tell whether to renew its session before the next request.

        For a `precious` request, which is long or cannot be sent twice, renew it earlier by a
        quarter of its lifetime, or if it was not seen alive for a whole lifetime.
        """
        lifetime = self.grant.expires_in or 0.0
        if self.renew_at is not None:
            return now >= self.renew_at - (lifetime / 4 if precious else 0.0)
        return precious and 0 < lifetime < now - self.life.seen < inf

    def signed(self, fields: Mapping[str, str], url: str) -> Credential:
        """Return a copy for one signed request; `replace` would take longer than a hash."""
        signed = object.__new__(Credential)
        values = vars(signed)
        values.update(vars(self))
        values["headers"] = {**self.headers, **fields} if self.headers else fields
        values["signed_url"] = url
        return signed

    def rolled(self, cookies: Mapping[str, str], headers: Mapping[str, str]) -> Credential:
        """Return a copy with new values of its cookies and header fields, for the same login.

        Field names are case-insensitive.
        """
        new = {name.lower(): value for name, value in headers.items()}
        fields = {name: new.get(name.lower(), value) for name, value in self.headers.items()}
        return replace(self, cookies={**self.cookies, **cookies}, headers=fields)


def carried(grant: Grant, carrier: Carrier, rolls: Iterable[str] = ()) -> Carried:
    """Return what a grant adds to a request, except its cookies.

    Raises `InvalidGrant` if its token cannot be sent there, or if it lacks a field of `rolls`. A
    field of `Grant.headers` overrides the token's own field of the same name.
    """
    carried = Carried({}) if grant.token is None else carrier.carried(grant.token)
    if not (grant.headers or rolls):
        return carried
    fields, query = carried
    own = {name.lower() for name in grant.headers}
    kept = {name: value for name, value in fields.items() if name.lower() not in own}
    headers = {**kept, **grant.headers}
    missing = {name.lower() for name in rolls} - {name.lower() for name in headers}
    if missing:
        raise InvalidGrant(
            f"rolls= names {', '.join(sorted(missing))}, and this Grant has no such header field: "
            "give it with Grant(headers=…)"
        )
    return Carried(headers, query)


def renew_at(now: float, expires_in: float | None) -> float | None:
    """Choose when to renew a session: when 80 to 90 % of its lifetime is over.

    The moment is random, so that processes do not renew at the same time. A session without any
    lifetime is renewed when its server says so, not before each request.
    """
    if expires_in is None or not expires_in > 0:
        return None
    return now + expires_in * random.uniform(0.8, 0.9)  # noqa: S311 - no secret
