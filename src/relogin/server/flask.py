"""The gate as a Flask extension, with decorators for single views.

>>> import flask, relogin
>>> from relogin.server.flask import SessionGate, current_session
>>> app = flask.Flask("orders")
>>> def verify(token):
...     if token == "an old one":
...         raise relogin.Refused("session_expired")
...     return {"t1": "Ada"}.get(token)
>>> gate = SessionGate(app, verify, realm="orders", public=["/health"])
>>> @app.get("/orders")
... def orders():
...     return f"Hello, {current_session}"
>>> client = app.test_client()
>>> client.get("/orders", headers={"Authorization": 'Session token="t1"'}).text
'Hello, Ada'
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial, wraps
from typing import Any, ParamSpec, TypeVar, Unpack, cast

try:
    from flask import Flask, Response, current_app, request, session
except ModuleNotFoundError as _missing:
    raise ImportError(
        "relogin.server.flask needs Flask: pip install 'relogin[flask]'", name=_missing.name
    ) from _missing
from flask.json.provider import DefaultJSONProvider
from flask.sessions import SecureCookieSessionInterface
from werkzeug.datastructures import Headers
from werkzeug.local import LocalProxy

from relogin.reasons import SessionError
from relogin.server import wsgi
from relogin.server.decisions import REFUSED, SESSION, VERIFY
from relogin.server.drain import drain
from relogin.server.gate import Answer, Decision, Gate
from relogin.server.options import Options
from relogin.server.responses import additions, dress, replacement
from relogin.server.streams import Stream
from relogin.server.verdicts import Admitted, Refused, StepUp
from relogin.server.verifiers import (
    Signed,
    Verifier,
    ask,
    ask_again,
    synchronous,
    wants_request,
)

__all__ = ["OwnSession", "SessionGate", "current_session"]

P = ParamSpec("P")
R = TypeVar("R")

_DECIDED = "relogin.decided"  # in the environ: what each gate has decided, the last one last


class SessionGate:
    """Lets a request through to the views of `app` if `verify` returns its session.

    `realm`, which names what it protects, is required; `public` lists the open paths. See
    `relogin.server.gate.Gate` for all options.

    Without `verify` it checks Flask's own sessions (`OwnSession`), which Flask-Login uses too.
    Without `app`, call `init_app`. A view finds its session in `current_session`, and may raise
    `Refused`.

    With `public=["/*"]` only views decorated with `required` or `step_up` need a session.
    """

    def __init__(
        self, app: Flask | None = None, verify: Verifier | None = None, **options: Unpack[Options]
    ) -> None:
        self._verify = None if verify is None else synchronous(verify)
        if verify is not None:
            wants_request(verify)  # raises an error for a mistake in it
        self._options = options
        self._gate = Gate.of(options)  # raises an error for a mistake in them
        if app is not None:
            self.init_app(app)

    def init_app(self, app: Flask) -> None:
        """Guard this application."""
        if not isinstance(app, Flask):
            kind = type(app).__name__
            raise TypeError(f"app must be a Flask application, not {kind}; verify comes after it")
        verify, gate = self._verify, self._gate
        if verify is None:
            verify = OwnSession(app)
            gate = Gate.of({"cookie": app.config["SESSION_COOKIE_NAME"], **self._options})
        guard = _Guard(gate, verify)
        app.before_request(guard.decide)
        app.after_request(guard.dress)
        app.register_error_handler(Refused, _refusal)
        if isinstance(app.json, DefaultJSONProvider):
            app.json.default = partial(_to_json, app.json.default)

    def required(self, view: Callable[P, R]) -> Callable[P, R]:
        """Decorate a view of a public path that needs a session after all."""
        return self.step_up()(view)

    def step_up(
        self, max_age: int | None = None, acr_values: tuple[str, ...] = ()
    ) -> Callable[[Callable[P, R]], Callable[P, R]]:
        """Decorate a view that asks for more than a living session: see `StepUp`."""
        required = StepUp(max_age, acr_values)

        def decorate(view: Callable[P, R]) -> Callable[P, R]:
            @wraps(view)
            def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
                try:
                    _decision().insist(required)
                except Refused as why:
                    # Not raised: an exception handler of the blueprint could catch it.
                    return cast("R", _refusal(why))
                answer: R = current_app.ensure_sync(view)(*args, **kwargs)
                return answer

            return guarded

        return decorate

    def unauthorized(self) -> Response:
        """Refuse, for `login_manager.unauthorized_handler(gate.unauthorized)` of Flask-Login."""
        return _refusal(Refused())

    def needs_refresh(self) -> Response:
        """Ask for a new login, for `login_manager.needs_refresh_handler(gate.needs_refresh)`."""
        return _refusal(Refused(SessionError.INSUFFICIENT))


class _Guard:
    """What one application calls before and after its views."""

    def __init__(self, gate: Gate, verify: Verifier) -> None:
        self.gate = gate
        self.verify = verify
        self.with_request = wants_request(verify)

    def decide(self) -> Response | None:
        environ = request.environ  # what `request` stands for is looked up at each use
        claim = self.gate.claim(wsgi.request(environ))
        if claim.ignored and _DECIDED in environ:
            return None  # another gate has decided
        more = (claim.request,) if self.with_request else ()
        decision = self.gate.decide(claim, ask(self.verify, claim.token, *more))
        environ.setdefault(_DECIDED, {})[self] = decision
        environ[SESSION] = decision.session
        environ[REFUSED] = decision.refused
        environ[VERIFY] = partial(ask_again, self.verify, claim.token, *more)
        if decision.answer is None:
            return None
        drain(environ, self.gate.drain)
        return _send(decision.answer)

    def dress(self, response: Response) -> Response:
        """Return the response as it leaves the gate."""
        decision = request.environ.get(_DECIDED, {}).get(self)
        if decision is None or isinstance(response, _Answer):
            return response  # another hook answered first, or another gate decided, or we answered
        if decision.claim.logout and decision.died and isinstance(self.verify, OwnSession):
            session.modified = True  # Flask deletes the cookie of an empty session that was changed
        status = response.status_code
        self._end_with_session(response, decision)
        names = [name.lower() for name, _ in response.headers]
        added = additions(self.gate, decision, status, names)
        if added is not None:
            for name, value in added:  # `extend` takes twice as long
                response.headers.add(name, value)
            return response
        headers = list(response.headers.items())
        answer = replacement(self.gate, decision, status, headers)
        if answer is not None:
            response.close()
            return _send(answer)
        response.headers = Headers(dress(self.gate, decision, status, headers))
        return response

    def _end_with_session(self, response: Response, decision: Decision) -> None:
        """Make a stream end when its session does; what is sent as a file ends by itself."""
        if response.is_streamed and not response.direct_passthrough:
            every = self.gate.recheck if decision.session is not None else None
            again, headers = request.environ[VERIFY], [*response.headers.items()]
            chunks: Any = response.response
            response.response = Stream(chunks, headers, again=again, every=every)


class OwnSession:
    """Tells why Flask's own session, a signed cookie, has ended; Flask itself only empties it.

    It expires `PERMANENT_SESSION_LIFETIME` after it was last written. `user_key` is the key that a
    session with a user has, by default Flask-Login's. A session without it counts as none.

    Leave `session.permanent` False: browsers delete a permanent cookie when it expires, and the
    gate could not say `session_expired`.
    """

    def __init__(self, app: Flask, user_key: str = "_user_id") -> None:
        interface = app.session_interface
        if not isinstance(interface, SecureCookieSessionInterface):
            raise TypeError("this app does not use Flask's signed cookies: pass a verify")
        self._app = app
        self._interface = interface
        self._user_key = user_key

    def __call__(self, token: str) -> Admitted[Mapping[str, Any]] | None:
        """Return what the cookie holds; raise `Refused` if it is too old or has no user."""
        serializer = self._interface.get_signing_serializer(self._app)
        if serializer is None:
            raise RuntimeError("the application has no SECRET_KEY")
        lifetime = self._app.permanent_session_lifetime
        admitted = Signed(serializer, int(lifetime.total_seconds()))(token)
        if admitted is not None and self._user_key not in admitted.session:
            raise Refused
        return admitted


class _Answer(Response):
    """What the gate has answered: it needs no dressing."""


def _decided() -> tuple[Gate, Decision]:
    decided: dict[_Guard, Decision] | None = request.environ.get(_DECIDED)
    if decided is None:
        raise RuntimeError("no SessionGate has seen this request: call init_app with this app")
    guard, decision = next(reversed(decided.items()))
    return guard.gate, decision


def _decision() -> Decision:
    return _decided()[1]


def _refusal(why: Refused) -> Response:
    gate, decision = _decided()
    request.environ[REFUSED] = decision.reason_to_keep(why)
    # `stream` is looked up inside: it raises if the content is longer than Flask allows.
    drain(request.environ, gate.drain, lambda size: request.stream.read(size))  # noqa: PLW0108
    return _send(gate.refuse(decision, why))


def _send(answer: Answer) -> Response:
    response = _Answer(answer.body, answer.status)
    response.headers = Headers(answer.headers)
    return response


def _to_json(default: Callable[[Any], Any], given: Any) -> Any:
    """Let `jsonify(user=current_session)` show the session itself."""
    is_ours = isinstance(given, LocalProxy) and given is current_session
    return given._get_current_object() if is_ours else default(given)


class _Session(LocalProxy[Any]):
    """Stands for the session of a request, and lets a view return it.

    A LocalProxy has the methods of everything, so Flask takes it for an iterator of chunks.
    """

    __next__: Any = None


#: The session of this request; on a public page it may be None.
current_session: Any = _Session(lambda: _decision().session)
