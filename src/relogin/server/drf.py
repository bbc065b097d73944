"""The gate as an authentication class of Django REST framework::

    REST_FRAMEWORK = {
        "DEFAULT_AUTHENTICATION_CLASSES": ["relogin.server.drf.SessionAuthentication"],
        "EXCEPTION_HANDLER": "relogin.server.drf.exception_handler",
    }
    RELOGIN = {"realm": "orders"}

A view's permissions say whether it needs a session. If it does, it answers 401 with the reason; the
framework's own class answers 403.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

try:
    from django.core.exceptions import ImproperlyConfigured
    from django.http import HttpRequest, HttpResponse
    from django.utils.encoding import force_str
    from rest_framework import exceptions, views
except ModuleNotFoundError as _missing:
    raise ImportError(
        "relogin.server.drf needs Django REST framework: "
        "pip install 'relogin[django]' djangorestframework",
        name=_missing.name,
    ) from _missing
from rest_framework.authentication import SessionAuthentication as CookieAuthentication
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.settings import api_settings

from relogin.server.django import Guard
from relogin.server.gate import Decision
from relogin.server.logs import report
from relogin.server.schemes import asks_for_password
from relogin.server.verdicts import CSRF_INVALID, Refused
from relogin.wire.field import parse, serialize
from relogin.wire.model import Challenge

__all__ = ["SessionAuthentication", "exception_handler"]


class SessionAuthentication(CookieAuthentication):
    """Tells the framework whose request it is, and why a session is dead. See `settings.RELOGIN`.

    Put it first: the framework asks only the first class for a challenge. This one adds those of
    the others, but none that makes a browser ask for a password. `request.auth` is the session,
    `request.user` its user: Django's for Django's own sessions, otherwise the session's attribute
    `user`, or the session itself if it has none.
    """

    def authenticate(self, request: Request) -> tuple[Any, Any] | None:
        """Return user and session, or None if there is no session; a cookie needs a CSRF token.

        Without this module's exception handler, trouble in the store is raised as 503 at once.
        """
        decision = _decision(request._request)
        if decision.trouble and api_settings.EXCEPTION_HANDLER is not exception_handler:
            raise StoreTrouble
        if decision.session is None:
            return None
        if decision.claim.by_cookie:
            self.enforce_csrf(request)
        session = decision.session
        if Guard.configured().verify is None:
            return request._request.user, session
        return _user(session), session

    def authenticate_header(self, request: Request) -> str | None:
        """Return the challenge, with the reason why this request's session is dead.

        Returns None if the session lives: then a 401 is about something else, such as a wrong old
        password. Without a challenge the framework turns the 401 into a 403, and this module's
        exception handler turns that back.
        """
        decision = _decision(request._request)
        if decision.session is not None:
            return None
        ours = Guard.configured().gate.challenges(decision, decision.refused or Refused())
        return serialize([*_others(request), *ours])

    def enforce_csrf(self, request: Request) -> None:
        """Raise `CSRFInvalid` for a request that another site could have made."""
        try:
            super().enforce_csrf(request)
        except exceptions.PermissionDenied:
            raise CSRFInvalid from None


class CSRFInvalid(exceptions.PermissionDenied):
    """A 403 with the code `csrf_invalid`."""

    def __init__(self) -> None:
        detail = "The CSRF token is missing or wrong"
        super().__init__({"detail": detail, "error": CSRF_INVALID}, CSRF_INVALID)


class StoreTrouble(exceptions.APIException):
    """A 503: nobody can tell at the moment whether the session lives."""

    status_code = 503
    default_detail: str = "Sessions cannot be checked at the moment"

    def __init__(self) -> None:
        super().__init__()
        self.wait: float = Guard.configured().gate.retry_after  # sent as Retry-After


def exception_handler(exc: Exception, context: Mapping[str, Any]) -> Response | HttpResponse | None:
    """Answer errors about sessions as the gate does, and all others as the framework does.

    With this handler, views may raise `Refused`.
    """
    request: Request = context["request"]
    if isinstance(exc, CSRFInvalid):
        exc = Refused(CSRF_INVALID)
    elif isinstance(exc, exceptions.NotAuthenticated) and _asks(request):
        return _refuse(request, Refused(), _others(request))
    elif isinstance(exc, exceptions.AuthenticationFailed) and _admitted(request):
        # This is not about the session, but about a wrong old password, for example. There is no
        # challenge for that, so the framework has turned it into a 403.
        exc.status_code = type(exc).status_code
    if not isinstance(exc, Refused):
        return views.exception_handler(exc, dict(context))
    return _refuse(request, exc)


def _refuse(request: Request, why: Refused, others: Sequence[Challenge] = ()) -> HttpResponse:
    views.set_rollback()
    decision = _decision(request._request)
    response = Guard.configured().refused(request._request, decision, why)
    if "WWW-Authenticate" in response:  # a 503 has none
        line = response["WWW-Authenticate"]
        response["WWW-Authenticate"] = ", ".join([*map(str, others), line])
    return response


def _others(request: Request) -> list[Challenge]:
    """Return the challenges of the view's other classes, in their order, for before ours."""
    ours = {scheme.name.lower() for scheme in Guard.configured().gate.schemes}
    found = [
        challenge
        for one in request.authenticators or ()
        if not _is_ours(one)
        for challenge in _challenges_of(one, request)
    ]
    return [one for one in found if one.scheme.lower() not in ours and not asks_for_password([one])]


def _challenges_of(authenticator: Any, request: Request) -> list[Challenge]:
    try:
        line = authenticator.authenticate_header(request)
        return parse(force_str(line or ""), lenient=True)  # it may be a lazy translation
    except Exception as raised:  # noqa: BLE001  whatever it raises, the refusal must be sent
        report(f"authenticate_header of {type(authenticator).__name__} has failed", raised)
        return []


def _is_ours(authenticator: object) -> bool:
    return isinstance(authenticator, SessionAuthentication)


def _user(session: Any) -> Any:
    user = getattr(session, "user", session)
    if not hasattr(user, "is_authenticated"):
        kind = type(user).__name__
        raise ImproperlyConfigured(
            f"for REST framework, verify must return a user with is_authenticated, or a session "
            f"whose attribute user has it; this {kind} has none, so IsAuthenticated would fail"
        )
    return user


def _admitted(request: Request) -> bool:
    """Whether this view looks for a session, and the request has one that lives."""
    return _asks(request) and _decision(request._request).session is not None


def _asks(request: Request) -> bool:
    """Whether this view looks for a session at all."""
    return any(map(_is_ours, request.authenticators or ()))


def _decision(request: HttpRequest) -> Decision:
    """Return the decision of the middleware, or decide here if it did not see the request."""
    decided: Decision | None = request.META.get("relogin.decision")
    return Guard.configured().decide(request) if decided is None else decided
