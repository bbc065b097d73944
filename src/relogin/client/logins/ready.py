"""Logins with a user and a password, by JSON, a form or Basic."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from http.cookiejar import CookieJar
from typing import Any, NamedTuple
from urllib.parse import urldefrag, urlencode, urljoin, urlsplit

from relogin.client.logins.base import (
    ANY,
    FORM,
    JSON,
    Login,
    Text,
    called,
    check_method,
    check_text,
    kind_of,
)
from relogin.client.logins.exchange import Steps, jar_of
from relogin.client.logins.fields import Fields, pages_of, resolved, secrets_of
from relogin.client.logins.form_content import form_content
from relogin.client.logins.forms import Form, form_with
from relogin.client.logins.request import Request
from relogin.client.logins.sources import (
    check_place,
    check_seconds,
    headers_of,
    location_of,
    seconds_of,
    text_of,
)
from relogin.client.logins.steps import (
    REDIRECTS,
    check,
    check_cookies,
    followed,
    is_plain,
    said,
    set_in,
    where,
    within,
)
from relogin.client.terms.answer import Answer
from relogin.client.terms.charsets import charset_of_form
from relogin.client.terms.grant import Context, Grant
from relogin.client.terms.origins import origin_of
from relogin.client.terms.sources import Source, check_headers
from relogin.errors import LoginRefused, LoginUnavailable

__all__ = ["BasicLogin", "FormLogin", "JSONLogin"]

_HTML = ANY | {"Accept": "text/html"}
_DROPPED = "; a redirect to it turned the POST into a GET: give the URL that it leads to"
_PAGE = " with an HTML page; FormLogin fills in the form of a page"
_LANDING = ": if a successful login leads there, pass landing="


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class _TokenLogin(Login):
    """A login that is answered with JSON."""

    token: str | Source | None = field(default="access_token", kw_only=True)
    expires_in: str | float | Callable[[Answer], float | str | None] | None = field(
        default="expires_in", kw_only=True
    )
    refresh: str | Source | None = field(default=None, kw_only=True)
    cookies: bool = field(default=False, kw_only=True)
    headers: Mapping[str, Source] = field(default_factory=dict, kw_only=True)
    location: str | Source | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        super(_TokenLogin, self).__post_init__()  # a class with slots is made twice
        for name in ("token", "refresh", "location"):
            check_place(name, getattr(self, name))
        check_seconds(self.expires_in)
        if not isinstance(self.cookies, bool):
            raise TypeError(f"cookies= must be True or False, not {kind_of(self.cookies)}")
        check_headers(self.headers)

    @property
    def given_headers(self) -> Iterable[str]:
        """The header fields that its grants have."""
        return self.headers

    def _obtained(self, request: Request, jar: CookieJar) -> Steps[Grant]:
        answer, last, set_cookies = yield from followed(request)
        self._ask_refused(answer)
        was_dropped = request.content is not None and last.content is None
        page = _PAGE if answer.media_type == "text/html" and answer.status < 500 else ""
        check(answer, secret_sent=not was_dropped, hint=_DROPPED if was_dropped else page)
        cookies: Any = {}
        if self.cookies or self.token is None:
            cookies = set_in(jar, set_cookies)
        if self.token is None and not self.headers:
            check_cookies(answer, cookies)
        sent = (request.content or b"").decode()

        def found(where: str | Source | None, wanted: str) -> str | None:
            return None if where is None else text_of(where, answer, wanted, sent)

        return Grant(
            found(self.token, "a token"),
            cookies,
            None if self.expires_in is None else seconds_of(self.expires_in, answer),
            found(self.refresh, "a refresh token"),
            headers_of(self.headers, answer),
            location=None if self.location is None else location_of(self.location, answer),
        )


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class JSONLogin(_TokenLogin):
    """Posts user and password to a URL, and takes the token from the JSON response.

    `fields` is posted as JSON, or as a form with `form=True`. Any value in it, at any depth, or
    `fields` itself, may be a function that is called at each login.

    `token`, `expires_in` (seconds) and `refresh` are names in the response, or JSON Pointers (RFC
    6901). Use `from_header` or `from_cookie` for what is elsewhere. If the response does not say
    how long the session lives and you know it, pass the seconds: `expires_in=600`. `headers` are
    fields to send with each request, and where to find their values. `cookies=True` keeps the
    cookies of the login as well; ``token=None`` keeps only those. `location` is where the response
    has the session's own URL, which `Logout()` then deletes. `refused` is a function that gets each
    `Answer` and returns true if it means a wrong password although the status does not say so.

    Raises `ValueError` for a URL that is neither https nor loopback, unless `insecure=True`.

    >>> JSONLogin("https://api.example.com/login", {"user": "ada", "password": "secret"})
    <JSONLogin https://api.example.com/login>

    OpenStack puts the token into a header field, and so does Redfish:

    >>> from relogin.client.logins import from_header
    >>> account = {"auth": {}}  # see its documentation
    >>> url = "https://cloud.example/v3/auth/tokens"
    >>> JSONLogin(url, account, token=from_header("X-Subject-Token"))
    <JSONLogin https://cloud.example/v3/auth/tokens>
    """

    fields: Fields
    form: bool = field(default=False, kw_only=True)
    harmless: Collection[str] = field(default=(), kw_only=True)

    def _secrets(self) -> tuple[object, ...]:
        return secrets_of(self.fields, self.harmless)

    def _steps(self, context: Context) -> Steps[Grant]:
        values = resolved(self.fields)
        if self.form:
            headers, content = JSON | FORM, urlencode(values)
        else:
            headers, content = JSON | {"Content-Type": "application/json"}, json.dumps(values)
        request = Request("POST", self.url, headers, content.encode())
        return self._obtained(request, jar_of(context.http))


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class BasicLogin(_TokenLogin):
    """Sends user and password once, as HTTP Basic (RFC 7617), and finds a token in the response.

    `user` and `password` may be functions that are called at each login. `method` is that of the
    request. The other options are those of `JSONLogin`.

    >>> BasicLogin("https://api.example.com/sessions", "ada", "secret", token="token")
    <BasicLogin https://api.example.com/sessions>
    """

    user: Text
    password: Text
    method: str = field(default="POST", kw_only=True)

    def __post_init__(self) -> None:
        super(BasicLogin, self).__post_init__()
        check_text("BasicLogin: user", self.user)
        check_text("BasicLogin: password", self.password)
        _check_user(self.user)
        check_method("BasicLogin", self.method)

    def _secrets(self) -> tuple[object, ...]:
        return (self.password,)

    def _steps(self, context: Context) -> Steps[Grant]:
        user, password = called(self.user), called(self.password)
        _check_user(user)
        basic = base64.b64encode(f"{user}:{password}".encode()).decode()
        headers = JSON | {"Authorization": f"Basic {basic}"}
        return self._obtained(Request(self.method, self.url, headers), jar_of(context.http))


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class FormLogin(Login):
    """Fills in the login form of a page, as a browser does, and keeps the cookies.

    `url` is the address of the page. The form is the one that has all of `fields`; its other
    fields, such as a CSRF token, are sent as they are, and so is its first button, unless `fields`
    names another one to press. Any value in `fields`, or `fields` itself, may be a function that is
    called at each login. If the password, or a code, is asked for on a page of its own, `fields` is
    a list with the fields of each page.

    An error status, or a form that comes again, means that the password was wrong. Redirects are
    followed within the origin. `landing` is another origin to which a successful login redirects;
    it gets no request. `headers` and `refused` are as for `JSONLogin`.

    >>> FormLogin("https://www.example.com/login", {"username": "ada", "password": "secret"})
    <FormLogin https://www.example.com/login>
    """

    fields: Fields | Sequence[Fields]
    landing: str | None = field(default=None, kw_only=True)
    harmless: Collection[str] = field(default=(), kw_only=True)
    headers: Mapping[str, Source] = field(default_factory=dict, kw_only=True)

    def __post_init__(self) -> None:
        super(FormLogin, self).__post_init__()
        if self.landing is not None:
            origin_of(self.landing)
        check_headers(self.headers)

    @property
    def given_headers(self) -> Iterable[str]:
        """The header fields that its grants have."""
        return self.headers

    def _secrets(self) -> tuple[object, ...]:
        pages = pages_of(self.fields)
        every = pages[0] if len(pages) == 1 else {f"page {n}": page for n, page in enumerate(pages)}
        return secrets_of(every, self.harmless)

    def _steps(self, context: Context) -> Steps[Grant]:
        answer, last, cookies = yield from followed(Request("GET", self.url, _HTML))
        check(answer, secret_sent=False)
        landing = None if self.landing is None else origin_of(self.landing)
        given: list[_Given] = []
        for fields in pages_of(self.fields):
            values = resolved(fields)
            form = form_with(answer.text, values)
            if form is None:
                self._check_forms(answer, last, given)
                raise LoginUnavailable(_no_form(answer, values))
            given.append(_Given(where(answer.url), form, values))
            filled, before = _filled(answer, form, values), (*answer.history, answer)
            answer, last, more = yield from followed(filled, landing, before, _LANDING)
            cookies = {**cookies, **more}
        self._check_forms(answer, last, given)
        kept = set_in(jar_of(context.http), cookies)
        check_cookies(answer, kept)
        return Grant(cookies=kept, headers=headers_of(self.headers, answer))

    def _check_forms(self, answer: Answer, last: Request, given: Sequence[_Given]) -> None:
        if not given:
            return
        self._ask_refused(answer)
        # The status of a page that the login redirected to says nothing: the page may be missing.
        if last.method == "POST" and answer.status not in REDIRECTS:
            check(answer)
        *earlier, latest = given
        is_again = form_with(answer.text, latest.values) is not None
        if is_again or any(page.is_back(answer, last) for page in earlier):
            raise LoginRefused(f"{said(answer)} with the form again")


class _Given(NamedTuple):
    """A page that was filled in."""

    url: str
    form: Form
    values: Mapping[str, Any]

    def is_back(self, answer: Answer, last: Request) -> bool:
        """Tell whether a later page led back to this one, as some do for a wrong password.

        The page after a login may ask for an e-mail address too, so the whole form must be there.
        """
        form = form_with(answer.text, self.values)
        same = form is not None and form.names == self.form.names
        return same and (last.method == "POST" or where(answer.url) == self.url)


def _check_user(user: object) -> None:
    if isinstance(user, str) and ":" in user:
        raise ValueError("Basic cannot send a user name that contains a colon (RFC 7617 §2)")


def _filled(page: Answer, form: Form, values: Mapping[str, Any]) -> Request:
    form = form.pressed(values)
    if form.method != "post":
        raise LoginUnavailable(f"{said(page)} with a form that puts the password into a URL")
    here = urldefrag(page.url).url
    split = urlsplit(here)
    # Django and Rails compare these with their own name (Fetch, "Origin header").
    origin = {"Origin": f"{split.scheme}://{split.netloc}", "Referer": here}
    charset = charset_of_form(form.charsets, page.charset)
    files = {name for name, kind in form.kinds.items() if kind == "file"}
    kind, content = form_content(form.filled(values, charset), charset, form.enctype, files)
    url = within(here, _target(here, form), "has a form that leads")
    return Request("POST", url, _HTML | kind | origin, content)


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
        return f"{text}; it has none for a password, perhaps because a script builds it"
    names = sorted(filter(is_plain, form.names))[:10]
    return f"{text}; the one for a password has {', '.join(names)}"
