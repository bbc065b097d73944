"""Logins with a user and a password that are answered with JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit

from relogin.client.logins.accounts import remember_set
from relogin.client.logins.answers import check, said
from relogin.client.logins.base import (
    FORM,
    JSON,
    Login,
    Text,
    basic,
    called,
    check_method,
    check_text,
    checked_text,
    kind_of,
)
from relogin.client.logins.cookies import check_cookies, set_in
from relogin.client.logins.fields import (
    Fields,
    check_first,
    is_from_response,
    mapping_of,
    resolved,
    secrets_of,
)
from relogin.client.logins.one_time import SentCodes, has_codes, new_codes, sent_codes
from relogin.client.logins.redirects import Final, followed
from relogin.client.logins.sending.exchange import Steps, jar_of
from relogin.client.logins.sending.request import Request
from relogin.client.logins.sources import (
    check_place,
    check_seconds,
    check_sends,
    headers_of,
    location_of,
    seconds_of,
    secret_fields,
    sent_fields,
    text_of,
)
from relogin.client.logins.turns import Turn
from relogin.client.terms.answer import Answer
from relogin.client.terms.grant import Context, Grant
from relogin.client.terms.origins import origin_of
from relogin.client.terms.sources import Source, check_headers
from relogin.errors import LoginRefused, LoginUnavailable

__all__ = ["BasicLogin", "JSONLogin"]

UNAUTHORIZED = 401
_DROPPED = "; a redirect to it turned the POST into a GET: give the URL that it leads to"
_PAGE = " with an HTML page; FormLogin fills in the form of a page"


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
    first: str | None = field(default=None, kw_only=True)
    sends: Mapping[str, Text | Source] = field(default_factory=dict, kw_only=True)

    def __post_init__(self) -> None:
        check_sends(self.sends, self.first)
        super(_TokenLogin, self).__post_init__()  # a class with slots is made twice
        for name in ("token", "refresh", "location"):
            check_place(name, getattr(self, name))
        check_seconds(self.expires_in)
        if not isinstance(self.cookies, bool):
            raise TypeError(f"cookies= must be True or False, not {kind_of(self.cookies)}")
        check_headers(self.headers)
        if self.first is not None and origin_of(self.first) != origin_of(self.url):
            raise ValueError("first= must be on the server of the login: its cookies go there")
        if self.first is not None and "@" in urlsplit(self.first).netloc:
            raise ValueError("first= must not contain a user name: messages show this URL")

    @property
    def given_headers(self) -> Iterable[str]:
        """The header fields that its grants have."""
        return self.headers

    @property
    def _keeps_cookies(self) -> bool:
        return self.cookies or self.token is None

    def _turn(self, context: Context) -> AbstractContextManager[Steps[Grant | None]]:
        if self._keeps_cookies or self.first is not None:
            return Turn(self, context, self._steps(context), [self.url])
        return super(_TokenLogin, self)._turn(context)

    def _before(self, fields: Iterable[object] = ()) -> Steps[Final | None]:
        """Get what must be got first, such as a CSRF token, or a challenge for the fields."""
        if self.first is None:
            return None
        final = yield from followed(Request("GET", self.first, JSON))
        is_challenge = any(map(is_from_response, (*fields, *self.sends.values())))
        if not (is_challenge and final.answer.status == UNAUTHORIZED):
            check(final.answer, secret_sent=False)
        return final

    def _obtained(
        self,
        request: Request,
        context: Context,
        before: Final | None,
        codes: SentCodes,
        names: Collection[str] = (),
    ) -> Steps[Grant]:
        jar = jar_of(context.http)
        final = yield from self._sent(request, before)
        try:
            self._check(final, request, names)
        except LoginRefused as error:
            codes.refused(error, final.answer, context.attempt)
        codes.accept()
        if final.cookies:
            remember_set(context, jar, final.cookies, self)
        cookies: Any = set_in(jar, final.answer) if self._keeps_cookies else {}
        if self.token is None and not self.headers:
            check_cookies(final.answer, cookies)
        return self._grant(final.answer, cookies, (request.content or b"").decode())

    def _sent(self, request: Request, before: Final | None) -> Steps[Final]:
        """Send the request of the login; return its response, and all cookies since the first."""
        seen = None if before is None else before.answer
        request.headers = {**request.headers, **sent_fields(self.sends, seen)}
        final = yield from followed(request, history=() if seen is None else (*seen.history, seen))
        cookies = {} if before is None else before.cookies
        return final._replace(cookies={**cookies, **final.cookies})

    def _check(self, final: Final, request: Request, names: Collection[str]) -> None:
        answer = final.answer
        self._ask_refused(answer)
        is_html = answer.media_type == "text/html"
        is_again = bool(names) and is_html and _has_form(answer.text, names)
        was_dropped = request.content is not None and final.request.content is None and not is_again
        page = _PAGE if is_html and _is_no_error_page(answer) else ""
        check(answer, secret_sent=not was_dropped, hint=_DROPPED if was_dropped else page)
        if is_again:  # of a server that has no trouble
            raise LoginRefused(f"{said(answer)} with a form that asks for the same fields")

    def _grant(self, answer: Answer, cookies: Any, sent: str) -> Grant:
        def found(where: str | Source | None, wanted: str) -> str | None:
            return None if where is None else text_of(where, answer, wanted, sent)

        return Grant(
            found(self.token, "a token"),
            cookies,
            None if self.expires_in is None else seconds_of(self.expires_in, answer),
            found(self.refresh, "a refresh token"),
            headers_of(self.headers, answer, sent),
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

    `first` is a URL to get before the login, for cookies and a CSRF token. `sends` are header
    fields of the login's own request: each is a str, a function that returns one, or where the
    response of `first` has it. Values of `fields` may be there too: ``from_json("csrfToken")``, or
    a function of its `Answer`, such as one that hashes the password with a challenge.

    Raises `ValueError` for a URL that is neither https nor loopback, unless `insecure=True`, and
    without `first` for a value that is in its response.

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

    def __post_init__(self) -> None:
        super(JSONLogin, self).__post_init__()
        check_first(self.fields, self.first)

    def _secrets(self) -> tuple[object, ...]:
        return (*secrets_of(self.fields, self.harmless), *secret_fields(self.sends))

    def _steps(self, context: Context) -> Steps[Grant]:
        named = mapping_of(self.fields)
        before = yield from self._before(named.values())
        given = named, self.sends
        yield from new_codes(given, context.timeout)
        values = resolved(named, None if before is None else before.answer)
        if self.form:
            headers, content = JSON | FORM, urlencode(values)
        else:
            headers, content = JSON | {"Content-Type": "application/json"}, _json(values)
        request = Request("POST", self.url, headers, content.encode(), once=has_codes(given))
        codes = sent_codes(given, (values, self.sends))
        return (yield from self._obtained(request, context, before, codes, values))


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
        return (self.password, *secret_fields(self.sends))

    def _steps(self, context: Context) -> Steps[Grant]:
        before = yield from self._before()
        user = checked_text("BasicLogin: user", called(self.user))
        password = checked_text("BasicLogin: password", called(self.password))
        _check_user(user)
        headers = JSON | {"Authorization": basic(user, password)}
        given = self.user, self.password, self.sends
        request = Request(self.method, self.url, headers, once=has_codes(given))
        codes = sent_codes(given, (user, password, self.sends))
        return (yield from self._obtained(request, context, before, codes))


def _json(values: Mapping[str, Any]) -> str:
    """Write the fields as JSON; an error names the field and the type, never the value."""
    for name, value in values.items():
        try:
            json.dumps(value)
        except TypeError as error:
            text = f"JSONLogin: the field {name} cannot be sent as JSON: {error}"
            raise LoginUnavailable(text) from error
    return json.dumps(values)


def _is_no_error_page(answer: Answer) -> bool:
    """Tell a page that a person may log in with from what a 401 or an outage looks like."""
    return answer.status < 500 and (answer.status != 401 or "<form" in answer.text.lower())


def _has_form(page: str, names: Collection[str]) -> bool:
    from relogin.client.logins.forms.page import form_with  # most servers answer with JSON

    return form_with(page, names) is not None


def _check_user(user: object) -> None:
    if isinstance(user, str) and ":" in user:
        raise ValueError("Basic cannot send a user name that contains a colon (RFC 7617 §2)")
