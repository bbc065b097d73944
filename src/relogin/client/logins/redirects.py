"""Where the requests of a login go: to one origin, with its redirects, and to no other."""

from __future__ import annotations

import re
from collections.abc import Collection, Container, Mapping
from typing import NamedTuple
from urllib.parse import urljoin, urlsplit

from relogin.client.logins.answers import where
from relogin.client.logins.sending.exchange import Steps
from relogin.client.logins.sending.request import Request
from relogin.client.terms.answer import Answer
from relogin.client.terms.origins import origin_of
from relogin.errors import LoginUnavailable

__all__ = [
    "MOST_REDIRECTS",
    "REDIRECTS",
    "Final",
    "Route",
    "followed",
    "leads_to",
    "sent_from",
    "within",
]

REDIRECTS = frozenset({301, 302, 303, 307, 308})
WITH_CONTENT = frozenset({307, 308})
MOST_REDIRECTS = 5


class Final(NamedTuple):
    """The response after all redirects, the request that it answers, and all cookies set so far."""

    answer: Answer
    request: Request
    cookies: Mapping[str, str]


class Route(NamedTuple):
    """Where redirects may lead, besides the origin that they come from.

    One to `landing` ends the login. One to any of `origins` is followed, but never with content. A
    `hint` in the error for all others says what to do.
    """

    landing: str | None = None
    origins: Collection[str] = ()
    hint: str = ""


def followed(
    request: Request, route: Route | None = None, history: tuple[Answer, ...] = ()
) -> Steps[Final]:
    """Send a request and follow its redirects within the origin, or as the route allows."""
    cookies: dict[str, str] = {}
    route = route or Route()
    for _ in range(MOST_REDIRECTS + 1):
        answer = yield request
        cookies |= answer.cookies
        answer.history, history = history, (*history, answer)
        location = answer.headers.get("Location")
        if answer.status not in REDIRECTS or location is None:
            return Final(answer, request, cookies)
        keeps = answer.status in WITH_CONTENT
        leads_to = _origin(request.url, location)
        if leads_to is not None and leads_to == route.landing and not keeps:
            return Final(answer, request, cookies)
        allowed = () if keeps and request.content is not None else route.origins
        url = within(request.url, location, hint=route.hint, allowed=allowed)
        request = _redirected(request, url, keeps=keeps)
    raise LoginUnavailable(f"{where(request.url)} redirects too often")


def _redirected(request: Request, url: str, *, keeps: bool) -> Request:
    if keeps:
        headers, content = request.headers, request.content
        return Request(request.method, url, headers, content, once=request.once)
    headers = {name: v for name, v in request.headers.items() if name not in _OF_A_FORM}
    return Request("GET", url, headers)


_OF_A_FORM = frozenset({"Content-Type", "Origin", "Referer"})


def within(
    url: str,
    reference: str,
    does: str = "redirects",
    hint: str = "",
    allowed: Container[str] = (),
) -> str:
    """Resolve a reference, which must stay within the origin: secrets would go along."""
    leads = _origin(url, reference)
    if leads is None or (leads != origin_of(url) and leads not in allowed):
        named = "" if leads is None else f", {leads}"
        raise LoginUnavailable(
            f"{where(url)} {does} to another origin{named}, and a login does not follow{hint}"
        )
    return urljoin(url, reference)


def _origin(url: str, reference: str) -> str | None:
    try:
        return origin_of(urljoin(url, reference))
    except ValueError:
        return None


def leads_to(answer: Answer, secrets: Collection[str]) -> str:
    """Return where a redirect leads, for a message: only a plain URL without any secret."""
    location = answer.headers.get("Location", "")
    target = where(urljoin(answer.url, location))
    is_safe = _is_plain_url(target) and not any(s in target for s in secrets if s)
    return f", {target}" if location and is_safe else ""


_is_plain_url = re.compile(
    r"https?://[A-Za-z0-9.:\[\]-]{1,100}(?:/[A-Za-z0-9_.~/-]{0,100})?"
).fullmatch


def sent_from(here: str, url: str) -> dict[str, str]:
    """Say where a form was, as a browser does; Django and Rails compare that with their own name.

    Another origin learns no more than the origin (Fetch, "Origin header"; Referrer Policy).
    """
    split = urlsplit(here)
    split = split._replace(netloc=split.netloc.rpartition("@")[2])
    origin = f"{split.scheme}://{split.netloc}"
    is_same = origin_of(here) == origin_of(url)
    return {"Origin": origin, "Referer": split.geturl() if is_same else f"{origin}/"}
