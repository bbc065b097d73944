"""A client of the user's that keeps its cookies: it may be signed in before a login begins."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from http.cookiejar import CookieJar
from typing import Any

from relogin.client.logins.accounts import is_known_as
from relogin.client.logins.answers import said, where
from relogin.client.logins.base import Login
from relogin.client.logins.cookies import values_of
from relogin.client.logins.fields import Fields
from relogin.client.logins.forms.page import form_with
from relogin.client.logins.redirects import REDIRECTS, Final
from relogin.client.terms.answer import Answer
from relogin.client.terms.grant import Grant
from relogin.client.terms.origins import origin_of
from relogin.errors import LoginUnavailable

__all__ = ["check_account", "check_new", "is_signed_in"]

NOT_FOUND = 404


def check_account(
    answer: Answer, http: Any, origins: Iterable[str], login: Login, skipped: Sequence[Fields]
) -> None:
    """Raise an error if the client is known as somebody else: that session is not ours.

    The server judges the fields of the other pages.
    """
    if not is_known_as(login, http, origins, skipped):
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
