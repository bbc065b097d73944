"""A wrong option of a gate raises an error when the gate is made, which says what is wrong."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial, wraps
from typing import Any

import flask
import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import override_settings
from starlette.applications import Starlette

import relogin
from relogin.server import asgi, wsgi
from relogin.server.django import SessionGate as DjangoGate
from relogin.server.flask import SessionGate as FlaskGate
from relogin.server.gate import Gate, StepUp
from relogin.server.starlette import CurrentSession, OwnSession
from relogin.server.starlette import SessionGate as StarletteGate
from relogin.server.verifiers import Lookup, Signed


def application(*_: Any) -> Any:
    raise AssertionError("nothing is asked here")


GATES: dict[str, Callable[..., Any]] = {
    "wsgi": lambda **options: wsgi.SessionGate(application, str, **options),
    "asgi": lambda **options: asgi.SessionGate(application, str, **options),
    "starlette": lambda **options: StarletteGate(application, str, **options),
    "flask": lambda **options: FlaskGate(flask.Flask("orders"), str, **options),
    "flask-without-app": lambda **options: FlaskGate(verify=str, **options),
    "django": lambda **options: DjangoGate(application, str, **options),
}
each_gate = pytest.mark.parametrize("gate", GATES.values(), ids=GATES)

GIVEN: dict[str, Callable[[Any], Any]] = {
    "wsgi": lambda verify: wsgi.SessionGate(application, verify, realm="a"),
    "asgi": lambda verify: asgi.SessionGate(application, verify, realm="a"),
    "starlette": lambda verify: StarletteGate(application, verify, realm="a"),
    "flask": lambda verify: FlaskGate(flask.Flask("orders"), verify, realm="a"),
    "flask-without-app": lambda verify: FlaskGate(verify=verify, realm="a"),
    "django": lambda verify: DjangoGate(application, verify, realm="a"),
}
each_gate_given = pytest.mark.parametrize("given", GIVEN.values(), ids=GIVEN)

CODES = "session_expired, session_invalid, session_revoked, insufficient_user_authentication"


async def coroutine(*given: Any) -> Any:
    """What nobody would await."""


class Coroutine:
    async def __call__(self, request: Any) -> Any:
        """What nobody would await."""


MISTAKES: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"realm": 5}, TypeError, "realm must be a str, not int"),
    ({"realm": None}, TypeError, "realm must be a str, not NoneType"),
    (
        {"publik": [], "open": []},
        TypeError,
        "a gate has no option open, publik; it has realm, public, step_up, cookie, schemes, also",
    ),
    (
        {"public": None},
        TypeError,
        'public must be a list of str, such as ["/health", "/docs/*"], not None',
    ),
    (
        {"public": "/a"},
        TypeError,
        'public must be a list of str, such as ["/health", "/docs/*"], not \'/a\'',
    ),
    (
        {"public": [5]},
        TypeError,
        'public must be a list of str, such as ["/health", "/docs/*"], not [5]',
    ),
    ({"public": b"/a"}, TypeError, "not b'/a'"),
    (
        {"step_up": {"/pay": 300}},
        TypeError,
        "step_up must be a mapping such as {\"/pay/*\": StepUp(max_age=300)}, not {'/pay': 300}",
    ),
    ({"step_up": {5: StepUp(300)}}, TypeError, "step_up must be a mapping such as"),
    ({"step_up": ["/pay"]}, TypeError, "not ['/pay']"),
    ({"step_up": False}, TypeError, "not False"),
    ({"cookie": 5}, TypeError, 'cookie must be the name of a cookie, such as "sid", not 5'),
    ({"cookie": ""}, ValueError, "cookie must be the name of a cookie, such as \"sid\", not ''"),
    ({"cookie": "a b"}, ValueError, "not 'a b'"),
    ({"cookie": "a=b"}, ValueError, "not 'a=b'"),
    ({"cookie": "sid\n"}, ValueError, r"not 'sid\n'"),
    ({"schemes": [5]}, TypeError, 'schemes must be a list of str, such as ["Session"], not [5]'),
    ({"schemes": "Bearer"}, TypeError, "not 'Bearer'"),
    ({"schemes": None}, TypeError, "not None"),
    (
        {"also": ["DPoP"]},
        TypeError,
        'also must be a list of Challenge, such as [relogin.Challenge("DPoP")], not [',
    ),
    ({"also": relogin.Challenge("DPoP")}, TypeError, "not Challenge('DPoP', {})"),
    ({"also": [relogin.Challenge("Basic")]}, ValueError, "also must not offer Basic, Digest, Nego"),
    ({"collapse": "no"}, TypeError, "collapse must be True or False, not 'no'"),
    ({"announce": 1}, TypeError, "announce must be True or False, not 1"),
    ({"retry_after": "5"}, TypeError, "retry_after must be an int of seconds, not str"),
    ({"retry_after": 5.5}, TypeError, "retry_after must be an int of seconds, not float"),
    ({"retry_after": True}, TypeError, "retry_after must be an int of seconds, not bool"),
    ({"retry_after": -1}, ValueError, "retry_after is 0 to 9999999999 seconds, not -1"),
    ({"retry_after": 10**10}, ValueError, "retry_after is 0 to 9999999999 seconds"),
    (
        {"login_page": b"<p>"},
        TypeError,
        "login_page must be HTML, or a function that returns it, not bytes",
    ),
    (
        {"login_page": "pages/login.html"},
        ValueError,
        "login_page is the page itself, not the name of its file: read 'pages/login.html' and pass",
    ),
    (
        {"legacy": [440]},
        TypeError,
        'legacy must be a mapping such as {440: "session_expired"}, or a callable, not',
    ),
    ({"legacy": {"440": "session_expired"}}, TypeError, "not {'440': 'session_expired'}"),
    ({"legacy": {440: None}}, TypeError, "not {440: None}"),
    ({"legacy": {440: "dead"}}, ValueError, f"legacy, for 440: error 'dead' is not one of {CODES}"),
    ({"legacy": lambda status: None}, TypeError, "legacy is called with status, headers, or with"),
    (
        {"ignore": "/static"},
        TypeError,
        "ignore must be a list of str, such as [\"/static/*\"], not '/static'",
    ),
    ({"ignore": ["/*"]}, ValueError, 'a gate that ignores "/*" protects nothing'),
    ({"ignore": ["static"]}, ValueError, "'static' does not begin with a slash"),
    ({"logout": 5}, TypeError, 'logout must be a list of str, such as ["/logout"], not 5'),
    ({"logout": "logout"}, ValueError, "'logout' does not begin with a slash"),
    ({"public": ["/a?b=c"]}, ValueError, "'/a?b=c' has a query"),
    (
        {"path_from": 5},
        TypeError,
        'path_from must be the name of a header field, such as "X-Original-U',
    ),
    ({"path_from": "X Original"}, ValueError, "path_from must be the name of a header field"),
    ({"recheck": "30"}, TypeError, "recheck must be a number of seconds, such as 30, not '30'"),
    ({"recheck": 0}, TypeError, "recheck must be a number of seconds, such as 30, not 0"),
    ({"recheck": True}, TypeError, "not True"),
    (
        {"params": ["a"]},
        TypeError,
        'params must be a mapping of strings, such as {"resource_metadata": "',
    ),
    ({"params": {"a": 5}}, TypeError, "or a function that returns one, not dict"),
    (
        {"params": {"Realm": "b"}},
        ValueError,
        "params: 'Realm' is not a valid name, or one t",
    ),
    ({"params": {"a b": "c"}}, ValueError, "params: 'a b' is not a valid"),
    ({"params": {"a": "b, c"}}, ValueError, "params: a must be printable ASCII without quotes, "),
    (
        {"headers": "HX-Redirect"},
        TypeError,
        'headers must be a mapping of strings, such as {"HX-Redirect',
    ),
    ({"headers": {"Vary": "a"}}, ValueError, "headers: 'Vary' is not a valid name, or one that th"),
    ({"headers": {"A:": "a"}}, ValueError, "headers: 'A:' is not a valid name"),
    (
        {"headers": {"A": "a\r\nB: c"}},
        ValueError,
        "headers: A must be printable ASCII and not empty",
    ),
    ({"headers": {"A": ""}}, ValueError, "headers: A must be printable ASCII and not empty"),
    ({"login_page": lambda: ""}, TypeError, "login_page is called with challenge, or with challe"),
    ({"headers": lambda a, b, c: {}}, TypeError, "headers is called with challenge, or with chal"),
    ({"params": lambda a, b: {}}, TypeError, "params is called with request; <lambda> takes a, b"),
    ({"login_page": coroutine}, TypeError, "login_page must be a plain function, not a coroutine "),
    ({"headers": partial(coroutine)}, TypeError, "headers must be a plain function, not a corout"),
    ({"params": Coroutine()}, TypeError, "params must be a plain function, not a coroutine funct"),
    ({"legacy": coroutine}, TypeError, "legacy must be a plain function, not a coroutine function"),
    (
        {"headers": {"Set-Cookie": "sid=; Max-Age=0"}, "cookie": "sid"},
        ValueError,
        "headers: a gate must not set the session cookie because its session died",
    ),
]


@pytest.mark.parametrize(("options", "kind", "told"), MISTAKES, ids=str)
def test_a_mistake_is_told_when_the_gate_is_made(
    options: dict[str, Any], kind: type[Exception], told: str
) -> None:
    given: Any = {"realm": "orders", **options}
    with pytest.raises(kind, match=re.escape(told)):
        Gate.of(given)


# One that each kind of check refuses: of the name, the type, the value, and the function.
OF_EACH_KIND = [{"publik": []}, {"public": "/a"}, {"recheck": 0}, {"params": lambda a, b: {}}]


@each_gate
@pytest.mark.parametrize("options", OF_EACH_KIND, ids=str)
def test_each_integration_has_its_options_checked_at_once(
    gate: Callable[..., Any], options: dict[str, Any]
) -> None:
    with pytest.raises(TypeError, match=next(iter(options))):
        gate(**{"realm": "orders", **options})


@pytest.mark.parametrize("options", OF_EACH_KIND, ids=str)
def test_django_is_told_in_which_setting(options: dict[str, Any]) -> None:
    mistake = f"in the setting RELOGIN: .*{next(iter(options))}"
    with (
        override_settings(RELOGIN={"realm": "orders", **options}),
        pytest.raises(ImproperlyConfigured, match=mistake),
    ):
        DjangoGate(application)


@each_gate
def test_a_gate_has_to_know_what_it_guards(gate: Callable[..., Any]) -> None:
    with pytest.raises(TypeError, match=r'a gate needs a name .*, such as realm="orders"'):
        gate(public=["/health"])


@each_gate
def test_what_an_option_lists_may_come_from_a_generator(gate: Callable[..., Any]) -> None:
    assert gate(realm="orders", public=(path for path in ["/health"]))


@pytest.mark.parametrize("verify", [None, 5, "orders"])
@pytest.mark.parametrize("gate", [wsgi.SessionGate, asgi.SessionGate, StarletteGate])
def test_a_verify_has_to_be_callable(gate: Any, verify: object) -> None:
    kind = type(verify).__name__
    with pytest.raises(
        TypeError, match=f"verify must be a function that takes a token, not {kind}"
    ):
        gate(application, verify, realm="orders")


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (None, 'SessionGate needs settings such as RELOGIN = {"realm": "orders"}'),
        ("orders", "SessionGate needs settings such as RELOGIN"),
        ({"realm": "orders", "verify": 5}, "in the setting RELOGIN: verify must be a function"),
        (
            {"realm": "orders", "verify": "no.such"},
            "in the setting RELOGIN: verify='no.such' cannot",
        ),
        ({"realm": "orders", "verify": "json.no"}, 'does not define a "no" attribute'),
        (
            {"realm": "orders", "login_page": "no.such"},
            "login_page='no.such' cannot be imported: No module",
        ),
        ({"realm": "orders", "headers": "json.no"}, 'does not define a "no" attribute'),
    ],
)
def test_django_is_told_what_is_wrong_with_its_setting(options: Any, told: str) -> None:
    with override_settings(RELOGIN=options), pytest.raises(ImproperlyConfigured, match=told):
        DjangoGate(application)


def test_a_verify_without_options_is_not_ignored() -> None:
    with (
        override_settings(RELOGIN={"realm": "orders"}),
        pytest.raises(TypeError, match="a gate needs a name"),
    ):
        DjangoGate(application, str)


@pytest.mark.parametrize(
    ("gate", "app", "told"),
    [
        (wsgi.SessionGate, Starlette(), "app is an ASGI application: use relogin.server.asgi.Se"),
        (asgi.SessionGate, flask.Flask("a"), "app is a WSGI application: use relogin.server.wsgi"),
        (StarletteGate, flask.Flask("a"), "app is a WSGI application: use relogin.server.wsgi.Se"),
        (FlaskGate, str.upper, "app must be a Flask application, not method_descriptor; verify c"),
        (FlaskGate, flask.Blueprint("a", "a"), "app must be a Flask application, not Blueprint"),
    ],
)
def test_an_application_of_another_kind_is_told(gate: Any, app: Any, told: str) -> None:
    with pytest.raises(TypeError, match=told):
        gate(app, str.upper, realm="orders")


def test_an_adapter_from_the_other_kind_is_an_application() -> None:
    @wraps(Starlette().__call__)
    def adapted(environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        return [environ["PATH_INFO"].encode()]

    wsgi.SessionGate(adapted, str.upper, realm="orders")


VERIFIERS: list[tuple[Callable[..., Any], str]] = [
    (lambda: None, "takes nothing"),
    (lambda token, request, more: None, "takes token, request, more"),
    (lambda token, *, store: None, "takes a required keyword argument that the gate does not pass"),
]


@each_gate_given
@pytest.mark.parametrize(("verify", "told"), VERIFIERS)
def test_a_verify_that_cannot_be_called_is_told(given: Any, verify: Any, told: str) -> None:
    with pytest.raises(
        TypeError,
        match=f"verify is called with token, or with token and request; <lambda> {told}",
    ):
        given(verify)


# Verifiers


@pytest.mark.parametrize("sessions", [None, ["secret"]])
def test_what_finds_no_session_is_refused_and_not_shown(sessions: Any) -> None:
    kind = type(sessions).__name__
    with pytest.raises(TypeError, match=f"a function that finds a session, not {kind}$"):
        Lookup(sessions)


@pytest.mark.parametrize("name", ["expires_at", "revoked", "key", "clock"])
def test_what_a_lookup_calls_has_to_be_callable(name: str) -> None:
    with pytest.raises(TypeError, match=f"^{name} must be a function, not int$"):
        Lookup({}, **{name: 900})  # type: ignore[arg-type]


def test_a_session_does_not_end_at_a_datetime() -> None:
    verify: Any = Lookup({"t1": datetime.now(UTC)}, expires_at=lambda ends: ends)
    with pytest.raises(TypeError, match="expires_at must return seconds as clock does, not datet"):
        verify("t1")


def test_a_secret_is_no_serializer_and_not_shown() -> None:
    with pytest.raises(TypeError, match=r"like itsdangerous\.\w+, not str$"):
        Signed("a long random secret", 900)  # type: ignore[arg-type]


def test_a_lifetime_of_text_is_refused() -> None:
    with pytest.raises(TypeError, match="max_age is a number of seconds, not str"):
        OwnSession("a long random secret", "900")  # type: ignore[arg-type]


def test_nothing_is_no_secret() -> None:
    with pytest.raises(TypeError, match="a secret_key is a str or a Secret, not NoneType"):
        OwnSession(None, 900)  # type: ignore[arg-type]


def test_a_dependency_tells_only_of_what_a_gate_speaks() -> None:
    assert CurrentSession("bearer").scheme_name == "Bearer"
    with pytest.raises(ValueError, match="Session, Bearer or both"):
        CurrentSession("Basic")
    with pytest.raises(ValueError, match="the name of a cookie"):
        CurrentSession(cookie="")
