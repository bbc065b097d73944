"""Ready-made logins: what to ask for a session, and what the answers mean, without I/O.

A login knows its URL and goes nowhere else: a redirect to another origin ends it. It raises
`LoginRefused` where its server says that the password is wrong, and `LoginUnavailable` for
whatever else keeps it from a session. No password is shown, logged or pickled.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.cookiejar import CookieJar
from pickle import PicklingError
from typing import Any, TypeAlias
from urllib.parse import urlencode, urljoin, urlsplit

from reauth.client.answer import Answer, member
from reauth.client.exchange import Request, Steps, jar_of, run, run_async
from reauth.client.grant import Context, Grant
from reauth.client.origins import check_secure, origin_of
from reauth.errors import LoginRefused, LoginUnavailable

__all__ = ["JSONLogin"]

Fields: TypeAlias = Mapping[str, Any] | Callable[[], Mapping[str, Any]]

# What servers say to a wrong password. All other failures may pass, and are tried again.
REFUSALS = frozenset({400, 401, 403, 422})
REDIRECTS = frozenset({301, 302, 303, 307, 308})
MOST_REDIRECTS = 5


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class _Login:
    """What all logins share: where they go, how they are driven, and what they keep secret."""

    url: str
    insecure: bool = field(default=False, kw_only=True)

    def __post_init__(self) -> None:
        check_secure(self.url, insecure=self.insecure)
        if "@" in urlsplit(self.url).netloc:
            raise ValueError("the URL of a login names no user: pass user and password apart")

    def __call__(self, context: Context) -> Grant:
        """Log in with `context.http`, a `requests.Session` or an `httpx.Client`."""
        return run(self._steps(jar_of(context.http)), context.http, context.timeout)

    async def acall(self, context: Context) -> Grant:
        """Log in with `context.http`, an `httpx.AsyncClient`."""
        return await run_async(self._steps(jar_of(context.http)), context.http, context.timeout)

    def _steps(self, jar: CookieJar) -> Steps[Grant]:
        raise NotImplementedError

    def _secrets(self) -> tuple[object, ...]:
        """What must not be pickled unless somebody hands it over when it is needed: a callable."""
        raise NotImplementedError

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {_where(self.url)}>"

    def __reduce__(self) -> tuple[Any, ...]:
        if not any(callable(secret) for secret in self._secrets()):
            raise PicklingError(
                f"this {type(self).__name__} holds a literal password, and passwords are not "
                "pickled: give it a callable that returns the password instead"
            )
        return _rebuilt, (
            type(self),
            {each.name: getattr(self, each.name) for each in fields(self)},
        )


def _rebuilt(kind: type[_Login], values: dict[str, Any]) -> _Login:
    return kind(**values)


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class JSONLogin(_Login):
    """Posts an account to a URL and finds a token in the JSON of the answer.

    `fields` is what is posted, as JSON, or as a form where `form=True` says so. A value, or
    `fields` as a whole, may be a callable that is asked at each login.

    `token`, `expires_in` and `refresh` name members of the answer, by name or by JSON Pointer
    (RFC 6901): the token itself, the number of seconds it lives (ignored where there is none),
    and what `Grant.refresh` shall keep. With `cookies=True` the session is also the cookies that
    the login sets; with `token=None` it is nothing else.

    Raises `ValueError` for a URL that is neither https nor loopback, unless `insecure=True`.

    >>> JSONLogin("https://api.example.com/login", {"user": "ada", "password": "secret"})
    <JSONLogin https://api.example.com/login>
    """

    fields: Fields
    token: str | None = field(default="access_token", kw_only=True)
    expires_in: str = field(default="expires_in", kw_only=True)
    refresh: str | None = field(default=None, kw_only=True)
    cookies: bool = field(default=False, kw_only=True)
    form: bool = field(default=False, kw_only=True)

    def _secrets(self) -> tuple[object, ...]:
        return _values_of(self.fields)

    def _steps(self, jar: CookieJar) -> Steps[Grant]:
        values = _resolved(self.fields)
        kind = "application/x-www-form-urlencoded" if self.form else "application/json"
        content = urlencode(values) if self.form else json.dumps(values)
        request = Request("POST", self.url, _HEADERS | {"Content-Type": kind}, content.encode())
        answer, named = yield from _followed(request)
        _check(answer)
        return self._granted(answer, _set_in(jar, named))

    def _granted(self, answer: Answer, cookies: CookieJar) -> Grant:
        kept: Any = cookies if self.cookies or self.token is None else {}
        document = _document(answer) if self.token or self.refresh else None
        token = None if self.token is None else _text(answer, document, self.token)
        if token is None and not kept:
            raise LoginUnavailable(
                f"{_where(answer.url)} answered {answer.status} without a cookie"
            )
        refresh = None if self.refresh is None else _text(answer, document, self.refresh)
        return Grant(token, kept, _seconds(document, self.expires_in), refresh)


_HEADERS = {"Accept": "application/json", "Accept-Encoding": "identity"}


def _values_of(fields: Fields) -> tuple[object, ...]:
    return (fields,) if callable(fields) else tuple(fields.values())


def _resolved(fields: Fields) -> dict[str, Any]:
    given = fields() if callable(fields) else fields
    return {name: value() if callable(value) else value for name, value in given.items()}


def _where(url: str) -> str:
    """Name a URL without its query, which may hold what is not to be shown."""
    return url.partition("?")[0].partition("#")[0]


# What answers mean


def _followed(request: Request) -> Steps[tuple[Answer, frozenset[str]]]:
    """Send a request and follow redirects within its origin; tell what cookies were set."""
    named: frozenset[str] = frozenset()
    for _ in range(MOST_REDIRECTS + 1):
        answer = yield request
        named |= answer.cookies
        location = answer.headers.get("Location")
        if answer.status not in REDIRECTS or location is None:
            return answer, named
        request = _redirected(request, answer.status, _within(request.url, location))
    raise LoginUnavailable(f"{_where(request.url)} redirects without end")


def _within(url: str, reference: str) -> str:
    """Resolve a reference, which must stay within the origin: it would take secrets along."""
    target = urljoin(url, reference)
    try:
        stays = origin_of(target) == origin_of(url)
    except ValueError:
        stays = False
    if not stays:
        raise LoginUnavailable(f"{_where(url)} leads to another origin: a login stays in its own")
    return target


def _redirected(request: Request, status: int, url: str) -> Request:
    if status in {307, 308}:
        return Request(request.method, url, request.headers, request.content)
    headers = {name: v for name, v in request.headers.items() if name != "Content-Type"}
    return Request("GET", url, headers)


def _check(answer: Answer) -> None:
    """Raise what the status says, unless it is one of success."""
    if 200 <= answer.status < 300:
        return
    pause = _retry_after(answer.headers)
    said = f"{_where(answer.url)} answered {answer.status}"
    if answer.status in REFUSALS and pause is None:  # who says when to come again refuses nobody
        raise LoginRefused(said)
    raise LoginUnavailable(said, retry_after=pause)


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Read Retry-After (RFC 9110 §10.2.3) as seconds from now."""
    said = headers.get("Retry-After", "").strip()
    if re.fullmatch("[0-9]{1,10}", said):
        return float(said)
    until = _date(said)
    if until is None:
        return None
    # By the server's own clock, where it shows it: ours may be wrong.
    now = _date(headers.get("Date", "")) or datetime.now(UTC)
    return max((until - now).total_seconds(), 0.0)


def _date(text: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(text)
    except ValueError:
        return None
    return date if date.tzinfo is not None else date.replace(tzinfo=UTC)


def _document(answer: Answer) -> Any:
    if answer.cut:
        raise LoginUnavailable(f"the answer of {_where(answer.url)} is too long, or broke off")
    try:
        return answer.json()
    except ValueError:
        raise LoginUnavailable(f"the answer of {_where(answer.url)} is no JSON") from None


def _text(answer: Answer, document: object, name: str) -> str:
    try:
        found = member(document, name)
    except LookupError:
        found = None
    if isinstance(found, str) and found:
        return found
    raise LoginUnavailable(f"the answer of {_where(answer.url)} has no text in {name!r}")


def _seconds(document: object, name: str) -> float | None:
    try:
        found = member(document, name)
    except LookupError:
        return None
    number = isinstance(found, int | float) and not isinstance(found, bool)
    return found if number and 0 <= found < 1e10 else None  # type: ignore[operator,return-value]


def _set_in(jar: CookieJar, named: frozenset[str]) -> CookieJar:
    """Pick the cookies that a login set and that still live; a shared client has others too."""
    picked = CookieJar()
    for cookie in jar:
        if cookie.name in named:
            picked.set_cookie(cookie)
    return picked
