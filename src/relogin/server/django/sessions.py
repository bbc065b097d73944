"""Django's own sessions: whether one lives, and why another has ended.

Django itself treats a session that has ended like none at all.
"""

from __future__ import annotations

from contextlib import suppress

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.backends.db import SessionStore as Database
from django.contrib.sessions.backends.signed_cookies import SessionStore as SignedCookies
from django.core import signing
from django.core.cache import InvalidCacheKey
from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, HttpResponse

from relogin.reasons import SessionError
from relogin.server.verdicts import Refused

__all__ = ["own_session", "use"]

SALT = "django.contrib.sessions.backends.signed_cookies"


def own_session(request: HttpRequest, token: str) -> SessionBase:
    """Return Django's own session for its key, if a user is logged in.

    Raises `Refused`, with the reason if the session is dead, and without one if nobody is logged
    in. A database keeps expired sessions until `clearsessions`, and a signed cookie proves that it
    was genuine. A session that a cache or a file has lost counts as invalid.
    """
    session = request.session
    if session.session_key != token:
        session = use(request, type(session)(token))
    if SESSION_KEY in session:
        # The user is gone or disabled, or has another password: that ended the session.
        if not _has_user(request):
            raise Refused(SessionError.REVOKED)
        return session
    raise Refused(_why_dead(session, token))


def _has_user(request: HttpRequest) -> bool:
    """Return whether the session's user may still log in, and keep the session if not.

    Django deletes a session whose user has another password. The next request could then not be
    told why it ended.
    """
    own = vars(request.session)
    own["flush"] = lambda: None
    try:
        return request.user.is_authenticated
    finally:
        del own["flush"]


def use(request: HttpRequest, session: SessionBase) -> SessionBase:
    """Give the request another session and its user, and forget the user looked up before."""
    # This needs Django's users installed; your own verify does not.
    from django.contrib.auth.middleware import AuthenticationMiddleware

    request.session = session
    for remembered in ("_cached_user", "_acached_user"):
        vars(request).pop(remembered, None)
    AuthenticationMiddleware(HttpResponse).process_request(request)
    return session


def _why_dead(session: SessionBase, token: str) -> SessionError | None:
    if isinstance(session, SignedCookies):
        return _why_unsigned(session, token)
    if session.session_key is not None and not session.modified:
        return None  # it lives, and nobody is logged in
    if isinstance(session, Database):
        kept = session.get_model_class().objects.filter(session_key=token)
        # One that is kept was not loaded, so it has expired; and the database has answered,
        # whatever its cache does.
        return SessionError.EXPIRED if kept.exists() else SessionError.INVALID
    # Django treats a cache that does not answer like one without the session. This raises.
    with suppress(SuspiciousOperation, InvalidCacheKey):  # no key of Django's making
        session.exists(token)
    return SessionError.INVALID


def _why_unsigned(session: SignedCookies, token: str) -> SessionError | None:
    lifetime = session.get_session_cookie_age()
    try:
        signing.loads(token, salt=SALT, serializer=session.serializer, max_age=lifetime)
    except signing.SignatureExpired:
        return SessionError.EXPIRED
    except signing.BadSignature:
        return SessionError.INVALID
    return None
