"""A grant in use: whose it is, and what it puts on a request."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

from relogin.client.terms.grant import Grant
from relogin.client.terms.responder import Carried, Carrier, Responder
from relogin.client.terms.signer import Signer
from relogin.errors import InvalidGrant

__all__ = ["Credential", "Key", "carried", "renew_at"]


class Key(NamedTuple):
    """A protection space (RFC 9110 §11.5): an origin and a realm, and whose sessions they are."""

    origin: str
    realm: str
    account: str = ""


# Nobody changes one; but `frozen` would set each field by a call, and slots make `signed` slower.
@dataclass(repr=False, kw_only=True)
class Credential:
    """A grant in use. `generation` counts logins: a cookie that rolls changes, and it does not.

    `headers` are all the fields that it puts on a request, Authorization among them where its
    token travels there; `query` is the parameter that carries the token, as name and value. Where a
    `signer` signs each request by itself, `headers` are complete in a copy that is made for one
    transmission, to `signed_url`. `version` is the generation among all who share a store, of the
    grant itself if it is `shared`, and otherwise of the one it replaced. `asked_for` are the scopes
    that its login was asked for because challenges demanded them.
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
    version: int = 0
    shared: bool = False
    asked_for: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"<Credential generation {self.generation} for {self.key.origin}>"

    @property
    def decisive(self) -> Mapping[str, str]:
        """The fields that show whether a request went out with it.

        They carry the token; where there is none, and no cookie either, they are all there are.
        """
        own = self.grant.headers
        if self.grant.token is None:
            return {} if self.cookies else self.headers
        if not own:
            return self.headers
        tokens = {name: value for name, value in self.headers.items() if name not in own}
        return tokens or self.headers

    def signed(self, fields: Mapping[str, str], url: str) -> Credential:
        """Return it as it goes with one transmission; `replace` would take longer than a hash."""
        signed = object.__new__(Credential)
        values = vars(signed)
        values.update(vars(self))
        values["headers"] = {**self.headers, **fields} if self.headers else fields
        values["signed_url"] = url
        return signed

    def rolled(self, cookies: Mapping[str, str], headers: Mapping[str, str]) -> Credential:
        """Return it with new values of cookies and of fields that it has; it stays the same login.

        The names of fields compare in any case.
        """
        new = {name.lower(): value for name, value in headers.items()}
        fields = {name: new.get(name.lower(), value) for name, value in self.headers.items()}
        return replace(self, cookies={**self.cookies, **cookies}, headers=fields)


def carried(grant: Grant, carrier: Carrier, rolls: Iterable[str] = ()) -> Carried:
    """Say what a grant puts on a request beside its cookies.

    Raises `InvalidGrant` where its token cannot travel so, and where it lacks a field that rolls.
    A field of `Grant.headers` counts for more than the token's own of the same name.
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
    """Choose when to renew a session that lives so long: a tenth to a fifth ahead of its end.

    At random, so that processes do not renew in step. A session that is over as soon as it begins
    is renewed when its server says so, not before each request.
    """
    if expires_in is None or not expires_in > 0:
        return None
    return now + expires_in * random.uniform(0.8, 0.9)  # noqa: S311 - no secret
