"""What ready-made logouts share, and `Logout`: one request that carries the session it ends."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from urllib.parse import urljoin, urlsplit

from relogin.client.logins.answers import said, where
from relogin.client.logins.base import ANY, check_method, kind_of
from relogin.client.logins.redirects import sent_from
from relogin.client.logins.sending.exchange import Steps, run, run_async
from relogin.client.logins.sending.request import Request
from relogin.client.terms.grant import Context
from relogin.client.terms.origins import check_secure, sent_to
from relogin.errors import LoginUnavailable

__all__ = ["Logout", "ReadyLogout"]

# With these, the server does not know the session, or no longer.
_ENDED = frozenset({401, 404, 410})


class ReadyLogout(ABC):
    """A logout that sends its requests with `context.http`, of any library."""

    __slots__ = ()

    def __call__(self, context: Context) -> None:
        """Log out with `context.http`, a `requests.Session` or an `httpx.Client`."""
        run(self._steps(context), context.http, context.timeout)

    async def acall(self, context: Context) -> None:
        """Log out with `context.http`, an `httpx.AsyncClient` or an `aiohttp.ClientSession`."""
        await run_async(self._steps(context), context.http, context.timeout)

    @abstractmethod
    def _steps(self, context: Context) -> Steps[None]:
        """Yield one request after the other."""


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Logout(ReadyLogout):
    """Ends a session with a request that carries it: its token, cookies and header fields.

    Without a `url` the request goes to the session's own URL, which some servers give (Redfish):
    `Grant.location`, or ``location=`` of a ready-made login. It must be on the session's origin.

    Any status below 400 is success, and so are 401, 404 and 410. It follows no redirect.

    >>> Logout("https://api.example.com/session")
    <Logout DELETE https://api.example.com/session>

    Raises `ValueError` for a URL that is neither https nor loopback, unless ``insecure=True``.
    """

    url: str | None = None
    method: str = "DELETE"
    insecure: bool = field(default=False, kw_only=True)

    def __post_init__(self) -> None:
        if not isinstance(self.url, str | None):
            raise TypeError(f"the URL of a logout must be a str, not {kind_of(self.url)}")
        check_method("Logout", self.method)
        if self.url is not None:
            check_secure(self.url, insecure=self.insecure)
            if "@" in urlsplit(self.url).netloc:
                raise ValueError("the URL of a logout must not contain a user name")

    def _steps(self, context: Context) -> Steps[None]:
        headers = dict(ANY)
        url = context.sign(headers, _target(context) if self.url is None else self.url)
        if "Cookie" in headers:  # many servers want to know then where the request comes from
            headers |= sent_from(self.url or url, url)
        answer = yield Request(self.method, url, headers)
        if answer.status >= 400 and answer.status not in _ENDED:
            raise LoginUnavailable(said(answer))

    def __repr__(self) -> str:
        place = "the session's own URL" if self.url is None else where(self.url)
        return f"<Logout {self.method} {place}>"


def _target(context: Context) -> str:
    location = None if context.previous is None else context.previous.location
    if location is None:
        raise LoginUnavailable("the login gave this session no URL: pass one, Logout(url)")
    target = urljoin(context.url, location)
    if sent_to(target) != sent_to(context.url):
        raise LoginUnavailable("the URL of this session is on another origin")
    return target
