"""The gate as Django middleware::

    MIDDLEWARE = [
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "relogin.server.django.SessionGate",
    ]
    RELOGIN = {"realm": "orders", "public": ["/health", "/login"]}
    SESSION_EXPIRE_AT_BROWSER_CLOSE = True  # the cookie outlives the session, so it can be told
    CSRF_FAILURE_VIEW = "relogin.server.django.csrf_failure"

Without a `verify` the gate checks Django's own sessions. With one, a view finds its session in
`request.META["relogin.session"]`. A function may be given by its dotted name.
"""

from __future__ import annotations

import re
from asyncio import CancelledError
from collections.abc import Awaitable, Callable
from functools import cache, partial, wraps
from http.cookies import SimpleCookie
from typing import Any, TypeAlias, TypeVar, Unpack, cast

try:
    from asgiref.sync import (
        async_to_sync,
        iscoroutinefunction,
        markcoroutinefunction,
        sync_to_async,
    )
except ModuleNotFoundError as _missing:
    raise ImportError(
        "relogin.server.django needs Django: pip install 'relogin[django]'", name=_missing.name
    ) from _missing
import django
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured, RequestAborted
from django.core.signals import setting_changed
from django.dispatch import receiver
from django.http import FileResponse, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.module_loading import import_string

from relogin.server import wsgi
from relogin.server.decisions import REFUSED, SESSION, VERIFY, living
from relogin.server.django.sessions import own_session, use
from relogin.server.drain import drain
from relogin.server.fields import Headers, values, without
from relogin.server.gate import Answer, Claim, Decision, Gate
from relogin.server.options import Options
from relogin.server.refusals import forbidden
from relogin.server.request import Request
from relogin.server.responses import additions, dress, replacement
from relogin.server.signatures import is_async
from relogin.server.streams import Stream, astream
from relogin.server.verdicts import CSRF_INVALID, Refused, StepUp, refusal_in
from relogin.server.verifiers import (
    AsyncVerifier,
    Verifier,
    ask,
    ask_async,
    checked,
    wants_request,
)

__all__ = [
    "Guard",
    "SessionGate",
    "csrf_failure",
    "facts",
    "own_session",
    "required",
    "step_up",
    "to_response",
]

ResponseT = TypeVar("ResponseT", bound=HttpResponseBase)
ViewT = TypeVar("ViewT", bound=Callable[..., Any])

GetResponse: TypeAlias = Callable[[HttpRequest], HttpResponseBase]
AsyncGetResponse: TypeAlias = Callable[[HttpRequest], Awaitable[HttpResponseBase]]


class SessionGate:
    """Middleware that lets a request through to its view if its session is alive.

    The setting `RELOGIN` has its options: see `relogin.server.gate.Gate`.

    A view may raise `Refused`. For Django's own sessions, put it after the authentication
    middleware, and always inside whatever answers CORS preflights.
    """

    sync_capable = True
    async_capable = True

    def __init__(
        self,
        get_response: GetResponse | AsyncGetResponse,
        verify: Verifier | AsyncVerifier | None = None,
        **options: Any,
    ) -> None:
        self.get_response = get_response
        has_options = options or verify is not None
        self.guard: Guard = Guard(verify, **options) if has_options else Guard.configured()
        self._is_async = iscoroutinefunction(get_response)
        if self._is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        """Answer a request, or have the rest of Django answer it."""
        if self._is_async:
            return self._acall(request)
        decision = self.guard.decide(request)
        if decision.answer is not None:
            return self.guard.refuse(request, decision.answer)
        return self.guard.dress(decision, cast("GetResponse", self.get_response)(request))

    async def _acall(self, request: HttpRequest) -> HttpResponseBase:
        decision = await self.guard.adecide(request)
        if decision.answer is not None:
            return self.guard.refuse(request, decision.answer)
        return self.guard.dress(
            decision, await cast("AsyncGetResponse", self.get_response)(request)
        )

    def process_exception(self, request: HttpRequest, raised: Exception) -> HttpResponse | None:
        """Answer for a view that raised `Refused`."""
        refused = refusal_in(raised)
        has_decided = request.META.get("relogin.guard") is self.guard
        if refused is None or not has_decided:
            return None
        return self.guard.refused(request, _decision(request), refused)


def required(view: ViewT) -> ViewT:
    """Decorate a view of a public path that needs a session after all, plain or asynchronous."""
    return step_up()(view)


def step_up(
    max_age: int | None = None, acr_values: tuple[str, ...] = ()
) -> Callable[[ViewT], ViewT]:
    """Decorate a view that asks for more than a living session: see `StepUp`."""
    needed = StepUp(max_age, acr_values)

    def decorate(view: ViewT) -> ViewT:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            _decision(request).insist(needed)
            return view(request, *args, **kwargs)

        @wraps(view)
        async def aguarded(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            return await guarded(request, *args, **kwargs)

        return cast("ViewT", aguarded if iscoroutinefunction(view) else guarded)

    return decorate


def _decision(request: HttpRequest) -> Decision:
    """Return what the middleware decided on this request."""
    decided: Decision | None = request.META.get("relogin.decision")
    if decided is None:
        raise ImproperlyConfigured("SessionGate did not see this request: add the middleware")
    return decided


class Guard:
    """A gate and its verifier for Django; without a verifier it checks Django's own sessions."""

    def __init__(
        self, verify: Verifier | AsyncVerifier | str | None = None, **options: Unpack[Options]
    ) -> None:
        if verify is None:
            options.setdefault("cookie", settings.SESSION_COOKIE_NAME)
        for name in _MAY_BE_NAMED & options.keys():
            options[name] = _named(name, options[name])  # type: ignore[literal-required]
        named = _imported("verify", verify) if isinstance(verify, str) else verify
        self.verify: Verifier | AsyncVerifier | None = None if named is None else checked(named)
        self._awaits = named is not None and is_async(named)
        self._with_request = named is not None and wants_request(named)
        self.gate: Gate = Gate.of(options)

    @classmethod
    def configured(cls) -> Guard:
        """Return the one that `settings.RELOGIN` describes."""
        return _configured()

    def decide(self, request: HttpRequest) -> Decision:
        """Decide on a request; views find what was decided in `request.META`."""
        claim = self._claim(request)
        return self._decided(request, self.gate.decide(claim, self._ask(request, claim)))

    def _ask(self, request: HttpRequest, claim: Claim) -> object:
        verify: Any = self.verify or partial(own_session, request)
        if self._awaits:  # under WSGI, and in a view of REST framework
            verify = async_to_sync(verify)
        return ask(verify, claim.token, *self._more(claim))

    async def adecide(self, request: HttpRequest) -> Decision:
        """Decide on a request; what may touch the database runs where Django wants it to."""
        if self.verify is None or not self._awaits:
            return await sync_to_async(self.decide)(request)
        claim = self._claim(request)
        outcome = await ask_async(self.verify, claim.token, *self._more(claim))
        return self._decided(request, self.gate.decide(claim, outcome))

    def _more(self, claim: Claim) -> tuple[Request, ...]:
        return (claim.request,) if self._with_request else ()

    def _claim(self, request: HttpRequest) -> Claim:
        if self.verify is None and not hasattr(request, "user"):
            raise ImproperlyConfigured(
                "without a verify, SessionGate must come after SessionMiddleware and "
                "AuthenticationMiddleware"
            )
        return self.gate.claim(facts(request))

    def _decided(self, request: HttpRequest, decision: Decision) -> Decision:
        if decision.claim.ignored and "relogin.decision" in request.META:
            return decision  # a gate outside of this one has decided
        request.META["relogin.guard"] = self
        request.META[SESSION] = decision.session
        request.META[REFUSED] = decision.refused
        request.META["relogin.decision"] = decision
        # A coroutine function if the verifier is one, and there is a loop to await it in.
        awaited = self._awaits and hasattr(request, "scope")
        again: Any = self._aagain if awaited else self._again
        request.META[VERIFY] = partial(again, request, decision.claim)
        if decision.claim.logout and decision.died:
            return decision  # Django finds no session either, and deletes the cookie
        if self.verify is None and (decision.died or decision.trouble):
            # Or SessionMiddleware would set or delete the cookie: late, when it may already be
            # that of the session which took over.
            request.COOKIES.pop(settings.SESSION_COOKIE_NAME, None)
            use(request, type(request.session)())
        return decision

    def _again(self, request: HttpRequest, claim: Claim) -> Any:
        """Ask the verifier once more; given to views."""
        if claim.token is None:
            raise Refused
        return living(self._ask(request, claim))

    async def _aagain(self, request: HttpRequest, claim: Claim) -> Any:
        if claim.token is None or self.verify is None or not self._awaits:
            return await sync_to_async(self._again)(request, claim)
        return living(await ask_async(self.verify, claim.token, *self._more(claim)))

    def refused(self, request: HttpRequest, decision: Decision, why: Refused) -> HttpResponse:
        """Answer for a view that raised `Refused`."""
        request.META[REFUSED] = decision.reason_to_keep(why)
        return self.refuse(request, self.gate.refuse(decision, why))

    def refuse(self, request: HttpRequest, answer: Answer) -> HttpResponse:
        """Answer a refused request when it has been read; under ASGI Django has read it before."""
        drain(getattr(request, "environ", {}), self.gate.drain, request.read)
        return to_response(answer)

    def dress(self, decision: Decision, response: HttpResponseBase) -> HttpResponseBase:
        """Return the response as it leaves the gate."""
        if getattr(response, "relogin_answer", False):
            return response
        if isinstance(response, StreamingHttpResponse) and not isinstance(response, FileResponse):
            self._end_with_session(decision, response)
        status = response.status_code
        if not response.cookies:
            names = [name.lower() for name in response.headers]
            for name, value in (added := additions(self.gate, decision, status, names)) or ():
                response.headers[name] = value
            if added is not None:
                return response
        set_cookies = [("Set-Cookie", line.OutputString()) for line in response.cookies.values()]
        headers = [*response.items(), *set_cookies]
        answer = replacement(self.gate, decision, status, headers)
        if answer is not None:
            response.close()
            return to_response(answer, response.cookies)
        headers = dress(self.gate, decision, status, headers)
        return _with_headers(response, headers, response.cookies)

    def _end_with_session(self, decision: Decision, response: StreamingHttpResponse) -> None:
        """Make a stream end when its session does; a file ends by itself."""
        headers = list(response.items())
        every = self.gate.recheck if decision.session is not None else None
        request, claim = decision.claim.request.source, decision.claim
        chunks: Any = response.streaming_content
        if response.is_async:
            # What Django takes for a client that has gone.
            gone = RequestAborted() if django.VERSION >= (6,) else CancelledError()
            again = partial(self._aagain, request, claim)
            content: Any = astream(chunks, headers, gone, again=again, every=every)
        else:
            again = partial(self._again, request, claim)
            content = Stream(chunks, headers, again=again, every=every)
        response.streaming_content = content


_MAY_BE_NAMED = frozenset({"headers", "legacy", "login_page", "params"})
_is_dotted = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)+").fullmatch


def _named(option: str, given: Any) -> Any:
    """Return the function of a dotted name: settings cannot import what needs the applications."""
    return _imported(option, given) if isinstance(given, str) and _is_dotted(given) else given


def _imported(option: str, name: str) -> Any:
    try:
        return import_string(name)
    except ImportError as error:
        raise ImportError(f"{option}={name!r} cannot be imported: {error}") from error


def facts(request: HttpRequest) -> Request:
    """Return the facts of a request."""
    under_wsgi = wsgi.request(request.META)
    under_asgi = getattr(request, "scope", {}).get("raw_path", b"").decode("latin-1")
    raw_path = under_asgi or under_wsgi.raw_path
    return under_wsgi._replace(path=request.path_info, raw_path=raw_path, source=request)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:  # noqa: ARG001  Django's
    """Answer for `settings.CSRF_FAILURE_VIEW`: 403, and the code `csrf_invalid` in the content."""
    return to_response(forbidden(CSRF_INVALID, None))


def to_response(answer: Answer, cookies: SimpleCookie | None = None) -> HttpResponse:
    """Build Django's response, with the cookies that are kept."""
    response = HttpResponse(answer.body, status=answer.status)
    response.relogin_answer = True  # type: ignore[attr-defined]
    return _with_headers(response, answer.headers, cookies or SimpleCookie())


def _with_headers(response: ResponseT, headers: Headers, cookies: SimpleCookie) -> ResponseT:
    """Replace the headers of a response; Django keeps cookies apart from the others."""
    kept = {line.partition("=")[0] for line in values(headers, "set-cookie")}
    for name in list(response.headers):
        del response.headers[name]
    for name, value in without(headers, "set-cookie"):
        response.headers[name] = value
    response.cookies = SimpleCookie()
    response.cookies.update({name: cookies[name] for name in cookies if name in kept})
    return response


@cache
def _configured() -> Guard:
    options = getattr(settings, "RELOGIN", None)
    if not isinstance(options, dict):
        raise ImproperlyConfigured(
            'SessionGate needs settings such as RELOGIN = {"realm": "orders"}'
        )
    try:
        return Guard(**options)
    except (ImportError, TypeError, ValueError) as mistake:
        raise ImproperlyConfigured(f"in the setting RELOGIN: {mistake}") from mistake


@receiver(setting_changed)
def _reconfigure(**_: object) -> None:
    _configured.cache_clear()
