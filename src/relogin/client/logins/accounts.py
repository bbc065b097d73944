"""Whose session a client of `http=` has: it keeps its cookies, and other accounts may use it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from http.cookiejar import Cookie, CookieJar
from typing import Any, NamedTuple, TypeAlias
from urllib.parse import urlsplit
from weakref import ref

from relogin.client.logins.base import Login
from relogin.client.logins.cookies import cookies_in, remove
from relogin.client.logins.fields import (
    Fields,
    is_from_response,
    mapping_of,
    names_person,
    resolved,
)
from relogin.client.logins.keyed_digest import keyed_digest
from relogin.client.logins.one_time import has_codes
from relogin.client.logins.per_client import PerClient
from relogin.client.terms.grant import Context
from relogin.client.terms.progress import Progress

__all__ = ["Filled", "forget_others", "is_known_as", "remember_account", "remember_owner"]


class Filled(NamedTuple):
    """A page that was filled in: the fields as the user gave them, their values, their controls."""

    fields: Mapping[str, Any]
    values: Mapping[str, Any]
    kinds: Mapping[str, str]

    def named(self, passwords: Collection[str]) -> dict[str, Any]:
        """Return the values that name the account."""
        return {name: self.values[name] for name in _named(self.fields, passwords)}


@dataclass(eq=False, slots=True)
class _Account:
    """Whose login it is: the login, and a digest of what named the account on each page.

    `passwords` do not count, because they change. `pages` is `None` if nothing names the account:
    then the session belongs to this login alone. A login of the user's may call several of ours,
    one after the other: `progress` is theirs.
    """

    login: ref[Login]
    passwords: Collection[str] = ()
    pages: Sequence[bytes] | None = None
    progress: ref[Progress] | None = None

    def is_part_of(self, progress: Progress) -> bool:
        """Tell whether the login that runs now has called this one before."""
        return self.progress is not None and self.progress() is progress

    def is_of(self, login: Login, skipped: Sequence[Fields]) -> bool:
        """Tell whether a login has the same account, as far as the pages that it skips name it."""
        if self.login() is login:  # it calls no function only to be compared with itself
            return True
        if self.pages is None:
            return False
        named = [_named(mapping_of(page), self.passwords) for page in skipped]
        return list(self.pages[: len(named)]) == [_digest(resolved(page)) for page in named]

    def may_be_of(self, login: Login, pages: Sequence[Fields]) -> bool:
        """Tell whether a login that has not begun has the same account; in doubt it has not.

        Only functions of the first page are called: later ones may ask for what that page sends.
        """
        if self.login() is login:
            return True
        if self.pages is None or not pages or any(map(callable, pages[1:])):
            return False
        first, *later = (_named(mapping_of(page), self.passwords) for page in pages)
        if any(callable(value) for page in later for value in page.values()):
            return False
        digests = [_digest(resolved(page)) for page in (first, *later) if page]
        return digests == [digest for digest in self.pages if digest != _digest({})]


def _named(fields: Mapping[str, Any], passwords: Collection[str]) -> dict[str, Any]:
    """Return what names the account: neither passwords nor what is another value each time."""
    return {
        name: value
        for name, value in fields.items()
        if name not in passwords and not (has_codes(value) or is_from_response(value))
    }


def _digest(values: Mapping[str, Any]) -> bytes:
    return keyed_digest(sorted(values.items()))


_Key: TypeAlias = tuple[str, str, str]
"""The domain, path and name of a cookie."""

# Who signed in last with each client, at each origin; and whose login has set each cookie.
_accounts: PerClient[dict[str, _Account]] = PerClient(dict)
_owners: PerClient[dict[_Key, _Account]] = PerClient(dict)


def _key(cookie: Cookie) -> _Key:
    return cookie.domain, cookie.path, cookie.name


def _account(http: Any, login: Login) -> _Account:
    known = (*_accounts[http].values(), *_owners[http].values())
    same = (account for account in known if account.login() is login)
    return next(same, None) or _Account(ref(login))


def remember_account(
    http: Any, origins: Iterable[str], login: Login, filled: Sequence[Filled]
) -> None:
    """Remember who has signed in with a client: at the application and its providers."""
    account = _account(http, login)
    account.passwords, account.pages = _who(filled)
    _accounts[http].update(dict.fromkeys(origins, account))


def is_known_as(login: Login, http: Any, origins: Iterable[str], skipped: Sequence[Fields]) -> bool:
    """Tell whether nobody else has signed in with a client, as far as the skipped pages tell."""
    known = _accounts[http]
    accounts = [known[origin] for origin in origins if origin in known]
    if not all(account.is_of(login, skipped) for account in accounts):
        return False
    mine = _account(http, login)
    if accounts and mine.pages is None:
        mine.passwords, mine.pages = accounts[0].passwords, accounts[0].pages
        known.update(dict.fromkeys(origins, mine))
    return True


def remember_owner(context: Context, keys: Iterable[_Key], login: Login) -> None:
    """Remember whose login has set these cookies of a client, even if it failed later."""
    account = _account(context.http, login)
    account.progress = ref(context.progress)
    _owners[context.http].update(dict.fromkeys(keys, account))


def remember_set(context: Context, jar: CookieJar, given: Mapping[str, str], login: Login) -> None:
    """Remember that a login has set these cookies, by their values: others use the client too."""
    found = (cookie for cookie in cookies_in(jar) if given.get(cookie.name) == cookie.value)
    remember_owner(context, map(_key, found), login)


def forget_others(
    context: Context, jar: CookieJar, login: Login, origins: Iterable[str], pages: Sequence[Fields]
) -> None:
    """Remove the cookies of other accounts: a server might otherwise take us for one of those.

    Some servers turn such a session into ours, and its owner then uses our account.
    """
    owners = _owners[context.http]
    known, cookies = set(owners), cookies_in(jar)  # in this order: others may add to both
    for gone in known.difference(map(_key, cookies)):
        owners.pop(gone, None)
    others = {
        one
        for one in set(owners.values())
        if not (one.is_part_of(context.progress) or one.may_be_of(login, pages))
    }
    hosts = [urlsplit(origin).hostname or "" for origin in origins]
    for cookie in cookies if others else ():
        key = _key(cookie)
        if owners.get(key) in others and any(_goes_to(host, cookie.domain) for host in hosts):
            remove(jar, key)
            owners.pop(key, None)


def _goes_to(host: str, domain: str) -> bool:
    """Tell whether a cookie may be sent to a host (RFC 6265 §5.1.3).

    `http.cookiejar` writes brackets around an IPv6 address, and .local behind a name without a dot.
    """
    domain = domain.removesuffix(".local").strip("[].")
    return f".{host.removesuffix('.local')}".endswith(f".{domain}")


def _who(filled: Sequence[Filled]) -> tuple[Collection[str], Sequence[bytes] | None]:
    """Return the names of the passwords, and the digests of the pages.

    Without the name of a person, a password says who it is: the PIN of a clerk, for example.
    """
    kinds = {name: page.kinds.get(name) for page in filled for name in page.named(())}
    passwords = {name for name, kind in kinds.items() if kind == "password"}
    if not any(kind == "email" or names_person(name) for name, kind in kinds.items()):
        if not passwords:
            return (), None
        passwords = set()
    return passwords, [_digest(page.named(passwords)) for page in filled]
