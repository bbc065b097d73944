"""A client of the user's that keeps its cookies: it may be signed in before a login begins."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from http.cookiejar import CookieJar
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary, ref

from relogin.client.logins.answers import said, values_of, where
from relogin.client.logins.base import Login
from relogin.client.logins.fields import (
    Fields,
    is_from_response,
    mapping_of,
    names_person,
    resolved,
)
from relogin.client.logins.forms.page import form_with
from relogin.client.logins.keyed_digest import keyed_digest
from relogin.client.logins.one_time import has_codes
from relogin.client.logins.redirects import REDIRECTS, Final
from relogin.client.terms.answer import Answer
from relogin.client.terms.grant import Grant
from relogin.client.terms.origins import origin_of
from relogin.errors import LoginUnavailable

__all__ = ["Filled", "check_account", "check_new", "is_signed_in", "remember_account"]

NOT_FOUND = 404


class Filled(NamedTuple):
    """A page that was filled in: the fields as the user gave them, their values, their controls."""

    fields: Mapping[str, Any]
    values: Mapping[str, Any]
    kinds: Mapping[str, str]

    def named(self, passwords: Collection[str]) -> dict[str, Any]:
        """Return the values that name the account."""
        return {name: self.values[name] for name in _named(self.fields, passwords)}


class _Account(NamedTuple):
    """Who has signed in: by which login, and a digest of what named the account on each page.

    `passwords` do not count, because they change. `pages` is `None` if nothing names the account:
    then the session belongs to this login alone.
    """

    login: ref[Login]
    passwords: Collection[str]
    pages: Sequence[bytes] | None

    def is_of(self, login: Login, skipped: Iterable[Fields]) -> bool:
        """Tell whether a login has the same account, as far as the pages that it skips name it."""
        if self.login() is login:  # it calls no function only to be compared with itself
            return True
        if self.pages is None:
            return False
        named = [_named(mapping_of(page), self.passwords) for page in skipped]
        return list(self.pages[: len(named)]) == [_digest(resolved(page)) for page in named]


def _named(fields: Mapping[str, Any], passwords: Collection[str]) -> dict[str, Any]:
    """Return what names the account: neither passwords nor what is another value each time."""
    return {
        name: value
        for name, value in fields.items()
        if name not in passwords and not (has_codes(value) or is_from_response(value))
    }


def _digest(values: Mapping[str, Any]) -> bytes:
    return keyed_digest(sorted(values.items()))


# Who signed in last with each client, at each origin.
_accounts: WeakKeyDictionary[Any, dict[str, _Account]] = WeakKeyDictionary()


def remember_account(
    http: Any, origins: Iterable[str], login: Login, filled: Sequence[Filled]
) -> None:
    """Remember who has signed in with a client: at the application and its providers."""
    account = _Account(ref(login), *_who(filled))
    _accounts.setdefault(http, {}).update(dict.fromkeys(origins, account))


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


def check_account(
    answer: Answer, http: Any, origins: Iterable[str], login: Login, skipped: Sequence[Fields]
) -> None:
    """Raise an error if the client is known as somebody else: that session is not ours.

    The server judges the fields of the other pages.
    """
    known = _accounts.get(http, {})
    accounts = (known[origin] for origin in origins if origin in known)
    if not all(account.is_of(login, skipped) for account in accounts):
        raise LoginUnavailable(
            f"{said(answer)} without asking who you are: the client of http= was signed in with "
            "other fields; give each account a client of its own"
        )


def is_signed_in(final: Final, login: str) -> bool:
    """Tell whether the address of the login led on to the application, which asks for nothing.

    Whether there is a page at that place does not matter.
    """
    answer = final.answer
    if answer.status in REDIRECTS and "Location" in answer.headers:  # to the landing
        return True
    is_page = 200 <= answer.status < 300 or answer.status == NOT_FOUND
    is_ours = origin_of(answer.url) == origin_of(login)
    led_on = where(answer.url).rstrip("/") != where(login).rstrip("/")  # a slash is often added
    return is_page and is_ours and led_on and form_with(answer.text, ()) is None


def check_new(answer: Answer, kept: CookieJar, previous: Grant | None) -> None:
    """Raise an error if these are the cookies of the session that was refused."""
    refused = {} if previous is None else values_of(previous.cookies)
    if refused and refused.items() <= values_of(kept).items():
        raise LoginUnavailable(
            f"{said(answer)} without a form: the client of http= is still signed in, and its "
            "cookies were refused; pass a client without them"
        )
