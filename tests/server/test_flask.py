"""The Flask extension: decorators, Flask's own sessions, Flask-Login."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import flask
import pytest
from flask.json.provider import JSONProvider
from flask.sessions import SessionInterface
from flask.testing import FlaskClient
from flask_login import (  # type: ignore[import-untyped]
    LoginManager,
    UserMixin,
    fresh_login_required,
    login_required,
    login_user,
)
from itsdangerous import TimestampSigner
from werkzeug.test import TestResponse

from relogin.server.flask import OwnSession, SessionGate, current_session
from tests.server.orders import SECRET, verify


def challenge(response: TestResponse) -> str | None:
    return response.headers.get("WWW-Authenticate")


# Decorators


@pytest.fixture
def decorated() -> FlaskClient:
    app = flask.Flask("orders")
    gate = SessionGate(verify=verify, realm="orders", public=["/*"], cookie="sid")
    gate.init_app(app)

    @app.get("/")
    def home() -> str:
        return f"session={current_session}"

    @app.get("/orders")
    @gate.required
    def orders() -> str:
        return f"session={current_session}"

    @app.get("/environ")
    def environ() -> str:
        said = flask.request.environ
        return f"{said['relogin.session']} {said['relogin.refused']}"

    @app.get("/pay")
    @gate.step_up(max_age=300)
    def pay() -> str:
        return "paid"

    @app.get("/slow")
    @gate.required
    async def slow() -> str:
        return "slow"

    return app.test_client(use_cookies=False)


def get(client: FlaskClient, path: str, token: str | None = None) -> TestResponse:
    return client.get(path, headers={} if token is None else {"Cookie": f"sid={token}"})


def test_what_is_not_decorated_is_served(decorated: FlaskClient) -> None:
    assert get(decorated, "/").text == "session=None"
    assert get(decorated, "/", "good").text == "session=ada"


def test_what_is_decorated_needs_a_session_and_tells_why_not(decorated: FlaskClient) -> None:
    assert get(decorated, "/orders", "good").text == "session=ada"
    assert challenge(get(decorated, "/orders")) == 'Session realm="orders"'
    expired = get(decorated, "/orders", "expired")
    assert challenge(expired) == 'Session realm="orders", error="session_expired"'
    assert get(decorated, "/orders", SECRET).status_code == 503


def test_a_view_may_ask_for_more(decorated: FlaskClient) -> None:
    assert get(decorated, "/pay", "good").text == "paid"
    assert "insufficient_user_authentication" in str(challenge(get(decorated, "/pay", "aged")))


def test_the_environ_has_the_session_and_the_refusal(decorated: FlaskClient) -> None:
    assert get(decorated, "/environ", "good").text == "ada None"
    assert get(decorated, "/environ", "expired").text == "None session_expired"


@pytest.mark.parametrize(
    ("path", "token", "error"),
    [
        ("/orders", "expired", "session_expired"),
        ("/pay", "aged", "insufficient_user_authentication"),
    ],
)
def test_a_log_finds_why_a_view_was_refused(
    decorated: FlaskClient, path: str, token: str, error: str
) -> None:
    with decorated:  # which keeps the request
        get(decorated, path, token)
        assert flask.request.environ["relogin.refused"].error == error


@pytest.mark.parametrize("path", ["/orders", "/pay", "/login"])
def test_what_a_blueprint_does_with_exceptions_takes_no_refusal(path: str) -> None:
    gate = SessionGate(verify=verify, realm="orders", public=["/*"])
    blueprint = flask.Blueprint("shop", __name__)
    blueprint.register_error_handler(Exception, lambda error: ("broken", 500))
    blueprint.add_url_rule("/orders", "orders", gate.required(lambda: "orders"))
    blueprint.add_url_rule("/pay", "pay", gate.step_up(max_age=300)(lambda: "paid"))
    blueprint.add_url_rule("/login", "login", gate.unauthorized)
    app = flask.Flask("orders")
    gate.init_app(app)
    app.register_blueprint(blueprint)
    assert challenge(app.test_client().get(path)) == 'Session realm="orders"'


def test_views_keep_their_names(decorated: FlaskClient) -> None:
    assert {"orders", "pay"} <= set(decorated.application.view_functions)


def test_without_a_gate_there_is_no_session_to_ask_for() -> None:
    with (
        flask.Flask("orders").test_request_context(),
        pytest.raises(RuntimeError, match="call init_app"),
    ):
        str(current_session)


def test_a_hook_that_answers_first_is_left_alone() -> None:
    app = flask.Flask("orders")
    app.before_request(lambda: "maintenance")
    SessionGate(app, verify, realm="orders")
    response = app.test_client().get("/")
    assert (response.text, response.headers.get("Vary")) == ("maintenance", None)


def test_a_path_without_a_view_tells_nothing_to_strangers() -> None:
    app = flask.Flask("orders")
    SessionGate(app, verify, realm="orders", cookie="sid")
    client = app.test_client(use_cookies=False)
    assert get(client, "/nowhere").status_code == 401
    assert get(client, "/nowhere", "good").status_code == 404


# Flask's own sessions, with Flask-Login


class User(UserMixin):  # type: ignore[misc]
    id = "ada"


@pytest.fixture
def app() -> flask.Flask:
    app = flask.Flask("orders")
    app.config.update(SECRET_KEY="a secret", PERMANENT_SESSION_LIFETIME=timedelta(minutes=15))
    manager = LoginManager(app)
    manager.user_loader(lambda user_id: User() if user_id == "ada" else None)
    gate = SessionGate(app, realm="orders", public=["/", "/login", "/logout", "/visit"])
    manager.unauthorized_handler(gate.unauthorized)
    manager.needs_refresh_handler(gate.needs_refresh)

    @app.get("/login")
    def login() -> str:
        asked = flask.request.args
        login_user(User(), fresh="stale" not in asked, remember="remember" in asked)
        return "in"

    @app.get("/visit")
    def visit() -> str:
        flask.session["basket"] = [7]
        return "visited"

    @app.get("/")
    @login_required  # type: ignore[untyped-decorator]
    def home() -> str:
        return "home"

    @app.get("/orders")
    @login_required  # type: ignore[untyped-decorator]
    def orders() -> str:
        return "orders"

    @app.get("/plain")
    def plain() -> str:
        return "plain"

    @app.get("/pay")
    @fresh_login_required  # type: ignore[untyped-decorator]
    def pay() -> str:
        return "paid"

    return app


@pytest.fixture
def client(app: flask.Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def sixteen_minutes_later(monkeypatch: pytest.MonkeyPatch) -> None:
    later = int((datetime.now(UTC) + timedelta(minutes=16)).timestamp())
    monkeypatch.setattr(TimestampSigner, "get_timestamp", lambda self: later)


def test_a_login_of_flask_login_is_admitted(client: FlaskClient) -> None:
    client.get("/login")
    assert client.get("/orders").text == "orders"
    assert client.get("/").text == "home"


def test_nobody_and_a_visitor_are_told_of_no_session(client: FlaskClient) -> None:
    assert challenge(client.get("/orders")) == 'Session realm="orders"'
    client.get("/visit")
    assert challenge(client.get("/orders")) == 'Session realm="orders"'
    assert challenge(client.get("/")) == 'Session realm="orders"'
    assert challenge(client.get("/plain")) == 'Session realm="orders"'


def test_a_session_that_is_too_old_is_expired(
    client: FlaskClient, request: pytest.FixtureRequest
) -> None:
    client.get("/login")
    request.getfixturevalue("sixteen_minutes_later")
    for path in ("/orders", "/"):
        response = client.get(path)
        assert challenge(response) == 'Session realm="orders", error="session_expired"'
        assert not response.headers.getlist("Set-Cookie")


# Flask-Login 0.6 calls it for its cookie; Python 3.12 and newer warn of it.
@pytest.mark.filterwarnings("ignore:datetime.datetime.utcnow:DeprecationWarning")
def test_on_a_public_path_flask_login_remembers_whose_session_has_ended(
    client: FlaskClient, request: pytest.FixtureRequest
) -> None:
    client.get("/login?remember")
    request.getfixturevalue("sixteen_minutes_later")
    assert "session_expired" in str(challenge(client.get("/orders")))
    assert client.get("/").text == "home"
    assert client.get("/orders").text == "orders"
    assert "insufficient_user_authentication" in str(challenge(client.get("/pay")))


def test_a_forged_session_is_invalid(client: FlaskClient) -> None:
    client.set_cookie("session", "forged")
    assert challenge(client.get("/orders")) == 'Session realm="orders", error="session_invalid"'


def test_a_login_that_is_not_fresh_is_asked_to_step_up(client: FlaskClient) -> None:
    client.get("/login?stale")
    assert client.get("/orders").text == "orders"
    assert "insufficient_user_authentication" in str(challenge(client.get("/pay")))


def test_a_cookie_of_another_name_can_be_given() -> None:
    app = flask.Flask("orders")
    app.config.update(SECRET_KEY="a secret")
    SessionGate(app, realm="orders", cookie="other")
    client = app.test_client()
    client.set_cookie("other", "forged")
    assert "session_invalid" in str(challenge(client.get("/")))


def test_without_a_secret_key_nobody_can_tell(caplog: pytest.LogCaptureFixture) -> None:
    app = flask.Flask("orders")
    SessionGate(app, realm="orders")
    client = app.test_client()
    client.set_cookie("session", "x")
    assert client.get("/").status_code == 503
    assert "RuntimeError" in caplog.text


def test_sessions_that_flask_keeps_elsewhere_need_a_verify() -> None:
    class Elsewhere(SessionInterface):
        def open_session(self, app: Any, request: Any) -> None:
            return None

    app = flask.Flask("orders")
    app.session_interface = Elsewhere()
    with pytest.raises(TypeError, match="pass a verify"):
        OwnSession(app)


def test_a_response_that_is_replaced_is_closed() -> None:
    closed: list[bool] = []
    app = flask.Flask("orders")
    SessionGate(app, verify, realm="a", public=["/*"], legacy={440: "session_expired"})

    @app.get("/")
    def old() -> flask.Response:
        def chunks() -> Iterator[str]:
            yield "old"

        response = flask.Response(chunks(), 440)
        response.call_on_close(lambda: closed.append(True))
        return response

    assert b"session_expired" in app.test_client().get("/").data
    assert closed


@pytest.mark.parametrize("session", [{"user": "ada"}, "ada", ["a", {"b": 1}]])
def test_the_session_goes_into_json(session: object) -> None:
    app = flask.Flask("orders")
    SessionGate(app, lambda _: session, realm="orders")
    app.add_url_rule("/", "me", lambda: flask.jsonify(me=current_session))
    app.add_url_rule("/list", "list", lambda: {"all": [current_session]})
    app.add_url_rule("/itself", "itself", lambda: current_session)
    client = app.test_client()
    fields = {"Authorization": 'Session token="t"'}
    itself = client.get("/itself", headers=fields)
    assert (itself.text if isinstance(session, str) else itself.json) == session
    assert client.get("/", headers=fields).json == {"me": session}
    assert client.get("/list", headers=fields).json == {"all": [session]}


def test_what_is_no_json_is_told_as_ever() -> None:
    app = flask.Flask("orders")
    SessionGate(app, lambda _: "ada", realm="orders")
    with pytest.raises(TypeError, match="object is not JSON serializable"):
        app.json.dumps(object())


def test_a_json_provider_of_ones_own_is_left_alone() -> None:
    class Own(JSONProvider):
        def dumps(self, obj: Any, **_: Any) -> str:
            return "own"

    app = flask.Flask("orders")
    app.json = Own(app)
    SessionGate(app, lambda _: "ada", realm="orders")
    assert app.json.dumps({}) == "own"
