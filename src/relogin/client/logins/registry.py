"""A login for container registries that take tokens from a token server (distribution, Harbor)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit

from relogin.client.events import warn
from relogin.client.logins.answers import check, document_of, member_of, said, seconds
from relogin.client.logins.base import JSON, Account, Text, basic, called, checked_text, kind_of
from relogin.client.logins.redirects import followed
from relogin.client.logins.sending.exchange import Steps, run, run_async
from relogin.client.logins.sending.request import Request
from relogin.client.responders.registry import REGISTRY
from relogin.client.terms.answer import Answer
from relogin.client.terms.grant import Context, Grant
from relogin.client.terms.origins import check_secure, origin_of
from relogin.client.terms.responder import Responder
from relogin.errors import LoginUnavailable
from relogin.schemes.registry import RegistryChallenge, accesses, scopes
from relogin.wire.model import Challenge

__all__ = ["RegistryLogin"]

# Of one token: each makes it longer by some 100 octets, and servers take 8 KiB of header fields.
_MOST_RESOURCES = 32
_MOST_REALMS = 16
# In seconds, where the token server does not say (distribution's specification).
_LIFETIME = 60.0


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class RegistryLogin(Account):
    """Gets tokens for a container registry from its token server, for what each request needs.

    `token_servers` lists the URLs of the token servers that may get the password: an origin, or the
    URL itself. A registry names its token server in the challenge. If that is not listed, nothing
    is sent there, and you get the 401. With `None` for user and password you get
    anonymous tokens.

    A token covers all scopes requested so far, up to 32 repositories: a push after a pull requests
    both. If the account may not have a scope, you get the 401, and other requests are not affected.
    `user` and `password` may be functions that are called at each login.

    Raises `ValueError` for a token server that is neither https nor loopback, unless
    `insecure=True`.

    >>> from relogin.client.requests import SessionAuth
    >>> login = RegistryLogin("ada", "secret", token_servers=["https://auth.example.com/token"])
    >>> auth = SessionAuth(login, "https://registry.example.com")
    """

    user: Text | None
    password: Text | None
    token_servers: Sequence[str]
    insecure: bool = field(default=False, kw_only=True)
    # By registry and realm: a renewal ahead of expiry has no challenge of its own.
    _challenges: dict[tuple[str, str], Challenge] = field(default_factory=dict, init=False)

    responders: Sequence[Responder] = field(default=(REGISTRY,), init=False)
    """The responders of a `SessionAuth`, unless you pass others."""

    def __post_init__(self) -> None:
        if (self.user is None) is not (self.password is None):
            raise ValueError("RegistryLogin: pass both user and password, or None for both")
        if isinstance(self.token_servers, str) or not isinstance(self.token_servers, Iterable):
            kind = kind_of(self.token_servers)
            raise TypeError(f"RegistryLogin: token_servers= must be a list of URLs, not {kind}")
        object.__setattr__(self, "token_servers", tuple(self.token_servers))
        if not self.token_servers:
            raise ValueError("RegistryLogin: token_servers= must list at least one URL")
        for url in self.token_servers:
            check_secure(url, insecure=self.insecure)

    def __call__(self, context: Context) -> Grant | None:
        """Get a token with `context.http`, a `requests.Session` or an `httpx.Client`."""
        return run(self._steps(context), context.http, context.timeout)

    async def acall(self, context: Context) -> Grant | None:
        """Get a token with `context.http`, an `httpx.AsyncClient`."""
        return await run_async(self._steps(context), context.http, context.timeout)

    def _secrets(self) -> tuple[object, ...]:
        return (self.password or called,)  # nothing is secret where there is no password

    def _steps(self, context: Context) -> Steps[Grant | None]:
        asked = self._asked(context)
        if asked is None:
            return None
        if not self._is_listed(asked.realm):
            warn(
                "the registry at %s names a token server that token_servers= does not list: "
                "nothing is sent there",
                origin_of(context.url),
            )
            return None
        held = () if context.previous is None else tuple(context.previous.scope)
        if context.error == "insufficient_scope" and accesses(" ".join(held)) >= asked.scope:
            return None  # it was asked for, and not given
        wanted, needed = _wanted(held, asked), _wanted((), asked)
        known = context.previous is not None
        grant = yield from self._obtained(asked, wanted, known=known)
        if grant is None and wanted != needed:  # what it held so far may be what is denied
            grant = yield from self._obtained(asked, needed, known=known)
        return grant

    def _asked(self, context: Context) -> RegistryChallenge | None:
        key = (origin_of(context.url), context.realm)
        challenge = context.challenge or self._challenges.get(key)
        if challenge is None:
            return None
        self._challenges[key] = challenge
        if len(self._challenges) > _MOST_REALMS:  # a registry may name token servers without end
            self._challenges.pop(next(iter(self._challenges)), None)
        return RegistryChallenge.from_challenge(challenge)

    def _is_listed(self, realm: str) -> bool:
        with suppress(ValueError):  # a realm that is no URL
            check_secure(realm, insecure=self.insecure)
            place, parts = origin_of(realm), urlsplit(realm)
            paths = {"", parts.path.rstrip("/")}  # an origin lists every path on it
            return "@" not in parts.netloc and any(
                origin_of(url) == place and urlsplit(url).path.rstrip("/") in paths
                for url in self.token_servers
            )
        return False

    def _obtained(
        self, asked: RegistryChallenge, scope: Sequence[str], *, known: bool
    ) -> Steps[Grant | None]:
        """Get a token; return `None` if the account is good but may not have these scopes.

        `known` says that the account has got a token before.
        """
        user = called(self.user)
        answer, *_ = yield from followed(self._request(asked, scope, user))
        if _is_denied(answer, known=known, anybody=user is None):
            warn("%s: it gives no token for what the registry asks", said(answer))
            return None
        check(answer, secret_sent=user is not None)
        document: Any = document_of(answer)
        found = document if isinstance(document, dict) else {}
        token = found.get("token") or found.get("access_token")
        if not isinstance(token, str):
            raise LoginUnavailable(f"{said(answer)} without a token")
        lifetime = seconds(member_of(document, "expires_in")) or _LIFETIME
        return Grant(token, expires_in=lifetime, scope=scope)

    def _request(self, asked: RegistryChallenge, scope: Sequence[str], user: str | None) -> Request:
        headers, query = dict(JSON), [("scope", one) for one in scope]
        if asked.service is not None:
            query.insert(0, ("service", asked.service))
        if user is not None:
            user = checked_text("RegistryLogin: user", user)
            password = checked_text("RegistryLogin: password", called(self.password))
            headers["Authorization"] = basic(user, password)
            query.append(("account", user))
        mark = "&" if urlsplit(asked.realm).query else "?"
        url = f"{asked.realm.partition('#')[0]}{mark}{urlencode(query)}"
        return Request("GET", url, headers)


def _is_denied(answer: Answer, *, known: bool, anybody: bool) -> bool:
    """Tell whether a token server refuses the scopes, and not the account.

    GitLab does so with 403, and GHCR for requests without an account; others leave it to the
    registry. DENIED is an error code of distribution's specification.
    """
    if anybody:
        return answer.status in {401, 403}
    return answer.status == 403 and (known or b'"DENIED"' in answer.body)


def _wanted(held: Sequence[str], asked: RegistryChallenge) -> list[str]:
    """Merge the scopes of before with those needed now; those last, and leave out the oldest.

    There is one scope for each resource, so that the order of actions means nothing.
    """
    needed = [scope.rpartition(":")[0] for scope in scopes(asked.scope)]
    places = [scope.rpartition(":")[0] for scope in held]
    order = [*(place for place in places if place not in needed), *needed][-_MOST_RESOURCES:]
    joined = {s.rpartition(":")[0]: s for s in scopes(accesses(" ".join(held)) | asked.scope)}
    return [joined[place] for place in order]
