"""A login by the form of a page, and by those of the pages that follow."""

from __future__ import annotations

from collections.abc import (
    Callable,  # noqa: F401 - in a type that the constructor inherits
    Collection,
    Container,
    Iterable,
    Mapping,
    Sequence,
)
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field
from functools import cache
from typing import Any, NamedTuple
from urllib.parse import urldefrag, urljoin

from relogin.client.logins.accounts import Filled, remember_account
from relogin.client.logins.answers import check, is_plain, said, where
from relogin.client.logins.base import ANY, Login
from relogin.client.logins.cookies import check_cookies, cookies_in, set_in, values_of
from relogin.client.logins.fields import (
    Fields,
    mapping_of,
    only_codes,
    pages_of,
    resolved,
    secrets_of,
)
from relogin.client.logins.forms.content import form_content
from relogin.client.logins.forms.form import Form
from relogin.client.logins.forms.page import form_with, forms
from relogin.client.logins.forms.signed_in import check_account, check_new, is_signed_in
from relogin.client.logins.one_time import SentCodes, has_codes, new_codes, sent_codes
from relogin.client.logins.redirects import (
    MOST_REDIRECTS,
    REDIRECTS,
    Final,
    Route,
    followed,
    sent_from,
    within,
)
from relogin.client.logins.sending.exchange import Steps, jar_of
from relogin.client.logins.sending.request import Request
from relogin.client.logins.sources import headers_of
from relogin.client.logins.turns import Turn
from relogin.client.terms.answer import Answer
from relogin.client.terms.charsets import charset_of_form
from relogin.client.terms.grant import Context, Grant
from relogin.client.terms.origins import check_secure, origin_of
from relogin.client.terms.sources import Source, check_headers
from relogin.errors import LoginRefused, LoginUnavailable

__all__ = ["FormLogin"]

_HTML = ANY | {"Accept": "text/html"}
_ELSEWHERE = ": if a successful login leads there, pass landing=; if it leads through it, via="


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class FormLogin(Login):
    """Fills in the login form of a page, as a browser does, and keeps the cookies.

    `url` is the address of the page. The login takes the form that has all of `fields`. It sends
    the form's other fields, such as a CSRF token, as they are, and presses its first button, unless
    `fields` names another one. Any value in `fields`, or `fields` itself, may be a function; each
    login calls it. A value that takes a parameter gets the `Answer` that has the form. If the
    password, or a code, has a page of its own, pass a list with the fields of each page. For
    one-time codes, pass ``OneTime(function)``.

    An error status, or the same form again, means that the password was wrong. The login follows
    redirects within the origin. `via` lists other origins that it may lead through, such as that of
    an identity provider: the one that has the form gets the fields. `landing` is another origin to
    which a successful login redirects; it gets no request. If a client that you pass with
    ``SessionAuth(…, http=…)`` is signed in already, the login fills in nothing. `headers` and
    `refused` are as for `JSONLogin`.

    >>> FormLogin("https://www.example.com/login", {"username": "ada", "password": "secret"})
    <FormLogin https://www.example.com/login>
    """

    fields: Fields | Sequence[Fields]
    landing: str | None = field(default=None, kw_only=True)
    via: Collection[str] = field(default=(), kw_only=True)
    harmless: Collection[str] = field(default=(), kw_only=True)
    headers: Mapping[str, Source] = field(default_factory=dict, kw_only=True)

    def __post_init__(self) -> None:
        super(FormLogin, self).__post_init__()
        if self.landing is not None:
            origin_of(self.landing)
        if isinstance(self.via, str):
            raise TypeError(f"FormLogin: via= must be a list of URLs: [{self.via!r}]")
        for url in self.via:
            check_secure(url, insecure=self.insecure)
        check_headers(self.headers)

    @property
    def given_headers(self) -> Iterable[str]:
        """The header fields that its grants have."""
        return self.headers

    def _secrets(self) -> tuple[object, ...]:
        pages = pages_of(self.fields)
        every = pages[0] if len(pages) == 1 else {f"page {n}": page for n, page in enumerate(pages)}
        return secrets_of(every, self.harmless)

    def _turn(self, context: Context) -> AbstractContextManager[Steps[Grant | None]]:
        every = [*map(_asked_once, pages_of(self.fields))]
        steps = self._steps(context, every)
        return Turn(self, context, steps, self._route().origins, every)

    def _steps(self, context: Context, every: Sequence[Fields] = ()) -> Steps[Grant]:
        jar = jar_of(context.http)
        known = {cookie.name for cookie in cookies_in(jar)}  # of a client of the user's
        final = yield from self._page(known)
        given: list[_Given] = []
        pages = self._awaited(every, final) if known else every
        skipped, origins = every[: len(every) - len(pages)], self._route().origins
        if skipped:
            check_account(final.answer, context.http, origins, self, skipped)
        if pages:
            check(final.answer, secret_sent=False)
            final = yield from self._filled_in(pages, final, given, context)
            kept = set_in(jar, final.answer)
        else:
            kept = set_in(jar, final.answer, known)
            check_new(final.answer, kept, context.previous)
        check_cookies(final.answer, kept)
        for page in given:
            page.codes.accept()
        if not skipped:
            filled = [Filled(page.fields, page.values, page.form.kinds) for page in given]
            remember_account(context.http, origins, self, filled)
        own = _at(origin_of(self.url), final.answer)
        if not given:
            own.cookies = values_of(kept)
        return Grant(cookies=kept, headers=headers_of(self.headers, own))

    def _route(self) -> Route:
        landing = None if self.landing is None else origin_of(self.landing)
        # An identity provider leads back to where the login has begun.
        return Route(landing, {origin_of(url) for url in (*self.via, self.url)}, _ELSEWHERE)

    def _page(self, known: Collection[str]) -> Steps[Final]:
        """Get the first page; only a client that is signed in already is led to the landing."""
        route = self._route() if known else self._route()._replace(landing=None)
        return (yield from _handed_on(Request("GET", self.url, _HTML), route))

    def _awaited(self, pages: Sequence[Fields], final: Final) -> Sequence[Fields]:
        """Return the fields of this page and of the next ones, if a client may be known.

        It may skip the first pages. If it is signed in already, there are none.
        """
        page = final.answer.text
        if forms(page):
            for number, fields in enumerate(pages):
                if form_with(page, mapping_of(fields)):
                    return pages[number:]
        return () if is_signed_in(final, self.url) else pages

    def _filled_in(
        self, pages: Sequence[Fields], final: Final, given: list[_Given], context: Context
    ) -> Steps[Final]:
        """Fill in one page after the other, and return what comes after the last."""
        for fields in pages:
            answer, named = final.answer, mapping_of(fields)
            form = form_with(answer.text, named)
            if form is None:
                self._check_forms(final, given, context.attempt)
                raise LoginUnavailable(_no_form(answer, named))
            yield from new_codes(named, context.timeout)
            values = resolved(named, answer)
            codes = sent_codes(named, values, alone=only_codes(named, self.harmless))
            given.append(_Given(where(answer.url), form, named, values, codes))
            request = _filled(answer, form, values)
            request.once = has_codes(named)
            final = yield from _handed_on(request, self._route(), final)
        self._check_forms(final, given, context.attempt)
        return final

    def _check_forms(self, final: Final, given: Sequence[_Given], attempt: int) -> None:
        """Raise an error if a page was refused."""
        if not given:
            return
        try:
            self._check_pages(final.answer, final.request, given)
        except LoginRefused as error:
            given[-1].codes.refused(error, final.answer, attempt)

    def _check_pages(self, answer: Answer, last: Request, given: Sequence[_Given]) -> None:
        self._ask_refused(answer)
        # The status of a page that the login redirected to says nothing: the page may be missing.
        if last.method == "POST" and answer.status not in REDIRECTS:
            check(answer)
        *earlier, latest = given
        is_again = form_with(answer.text, latest.values) is not None
        if is_again or any(page.is_back(answer, last) for page in earlier):
            raise LoginRefused(f"{said(answer)} with the form again")


def _asked_once(page: Fields) -> Fields:
    """Call a function for the fields of a page only once in a login: it may ask a person."""
    return cache(page) if callable(page) else page


def _at(origin: str, answer: Answer) -> Answer:
    """Return the last response of a server, with its others: a provider's values are not for it."""
    *earlier, last = (one for one in (*answer.history, answer) if origin_of(one.url) == origin)
    last.history = tuple(earlier)
    return last


def _handed_on(request: Request, route: Route, before: Final | None = None) -> Steps[Final]:
    """Follow redirects, and forms that a script sends on with a message of single sign-on.

    Collect the responses and cookies since the login began.
    """
    for _ in range(MOST_REDIRECTS):
        history = () if before is None else (*before.answer.history, before.answer)
        final = yield from followed(request, route, history)
        cookies = {} if before is None else before.cookies
        before = final._replace(cookies={**cookies, **final.cookies})
        message = _message(final.answer) if len(route.origins) > 1 else None
        if message is None:
            return before
        request = _filled(final.answer, message, {}, route.origins)
    raise LoginUnavailable(f"{where(request.url)} passes the login on too often")


# SAML 2.0 bindings §3.5, WS-Federation §13.1, and OAuth 2.0 Form Post Response Mode.
_MESSAGES = ({"SAMLResponse"}, {"SAMLRequest"}, {"wresult"}, {"code", "state"})


def _message(page: Answer) -> Form | None:
    """Find a form that has such a message and nothing to fill in."""
    for form in forms(page.text):
        is_hidden = all(kind in {"hidden", "submit"} for kind in form.kinds.values())
        if is_hidden and any(names <= form.names for names in _MESSAGES):
            return form
    return None


class _Given(NamedTuple):
    """A page that was filled in."""

    url: str
    form: Form
    fields: Mapping[str, Any]
    values: Mapping[str, Any]
    codes: SentCodes

    def is_back(self, answer: Answer, last: Request) -> bool:
        """Tell whether a later page led back to this one, as some do for a wrong password.

        The page after a login may ask for an e-mail address too, so the whole form must be there.
        """
        form = form_with(answer.text, self.values)
        same = form is not None and form.names == self.form.names
        return same and (last.method == "POST" or where(answer.url) == self.url)


def _filled(
    page: Answer, form: Form, values: Mapping[str, Any], allowed: Container[str] = ()
) -> Request:
    form = form.pressed(values)
    if form.method != "post":
        raise LoginUnavailable(f"{said(page)} with a form that puts the password into a URL")
    here = urldefrag(page.url).url
    charset = charset_of_form(form.charsets, page.charset)
    files = {name for name, kind in form.kinds.items() if kind == "file"}
    kind, content = form_content(form.filled(values, charset), charset, form.enctype, files)
    url = within(here, _target(here, form), "has a form that leads", allowed=allowed)
    return Request("POST", url, _HTML | kind | sent_from(here, url), content)


def _target(here: str, form: Form) -> str:
    action = form.action.strip()
    with suppress(ValueError):  # a browser ignores a base that is no URL, too
        return urljoin(urljoin(here, form.base), action) if action else here
    return action


def _no_form(page: Answer, values: Mapping[str, Any]) -> str:
    """Say which form is missing, and what the page has in its place."""
    text = f"{said(page)} without a form that has {', '.join(values)}"
    form = form_with(page.text, ())
    if form is None:
        return f"{text}; no form there asks for a password, perhaps because a script builds it"
    names = sorted(filter(is_plain, form.names))[:10]
    return f"{text}; the form that asks for a password has {', '.join(names)}"
