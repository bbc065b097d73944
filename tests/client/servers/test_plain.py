"""Servers that say nothing of why a session died: simplejwt, FastAPI's HTTPBearer, Apache."""

import secrets
import sys
import time
from collections.abc import Iterator
from typing import Annotated, Any

import pytest
import requests
from fastapi import Depends, FastAPI, Form, HTTPException
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from relogin.client import outcome
from relogin.client.logins import FormLogin, JSONLogin
from relogin.client.requests import SessionAuth
from tests.client.servers.mod_auth_form import an_apache
from tests.programs import running_until_killed
from tests.server.serving import serving_asgi

BEYOND_TWO_SECONDS = 3.1  # a JWT's expiry is in whole seconds


@pytest.fixture
def simplejwt() -> Iterator[str]:
    command = [sys.executable, "-m", "tests.client.servers.drf_jwt"]
    with running_until_killed(command) as port:
        yield f"http://127.0.0.1:{int(port)}"


def test_simplejwt_says_no_error_of_an_expired_token_and_it_is_renewed(
    simplejwt: str, session: requests.Session
) -> None:
    account = {"username": "ada", "password": "pa55"}
    session.auth = SessionAuth(JSONLogin(f"{simplejwt}/token", account, token="access"))
    first = session.get(f"{simplejwt}/orders")
    time.sleep(BEYOND_TWO_SECONDS)
    second = session.post(f"{simplejwt}/orders", json={"tea": 2})
    assert (first.status_code, second.json()) == (200, {"ordered": {"tea": 2}})
    for answer in (first, second):
        (refusal,) = answer.history
        assert refusal.headers["WWW-Authenticate"] == 'Bearer realm="api"'
    assert second.history[0].json()["code"] == "token_not_valid"


@pytest.fixture(params=[{"WWW-Authenticate": "Bearer"}, None], ids=["challenging", "plain"])
def fastapi(request: pytest.FixtureRequest) -> Iterator[tuple[str, set[str]]]:
    """An API that challenges a request without a token, and a dead token only if told to."""
    app, living = FastAPI(), set[str]()
    bearer = Depends(HTTPBearer())

    def user(credentials: HTTPAuthorizationCredentials = bearer) -> str:
        if credentials.credentials not in living:
            raise HTTPException(401, headers=request.param)
        return "ada"

    @app.post("/token")
    def token(username: Annotated[str, Form()], password: Annotated[str, Form()]) -> dict[str, Any]:
        assert (username, password) == ("ada", "pa55")
        living.clear()
        living.add(secrets.token_urlsafe())
        return {"access_token": next(iter(living)), "token_type": "bearer"}

    @app.post("/orders")
    def orders(order: dict[str, Any], user: str = Depends(user)) -> dict[str, Any]:
        return {"by": user, **order}

    with serving_asgi(app) as port:
        yield f"http://127.0.0.1:{port}", living


def test_fastapi_s_http_bearer_gives_no_reason_and_is_renewed(
    fastapi: tuple[str, set[str]], session: requests.Session
) -> None:
    url, living = fastapi
    login = JSONLogin(f"{url}/token", {"username": "ada", "password": "pa55"}, form=True)
    session.auth = SessionAuth(login)
    for _ in range(3):
        answer = session.post(f"{url}/orders", json={"tea": 2})
        assert answer.json() == {"by": "ada", "tea": 2}
        assert [past.status_code for past in answer.history] == [401]
        living.clear()


@pytest.mark.needs("apache2")
@pytest.mark.needs("openssl")
def test_mod_auth_form_answers_a_dead_session_with_a_bare_401_and_it_is_renewed(
    session: requests.Session,
) -> None:
    with an_apache() as url:
        account = {"httpd_username": "alice", "httpd_password": "s3cret"}
        session.auth = SessionAuth(FormLogin(f"{url}/login.html", account))
        for pause in (0.0, 3.1):  # mod_session counts in whole seconds
            time.sleep(pause)
            answer = session.get(f"{url}/orders/index.html")
            assert (answer.status_code, answer.text) == (200, "tea, ink")
            assert outcome(answer) == "replayed"
            (refusal,) = answer.history
            assert refusal.status_code == 401
            assert "WWW-Authenticate" not in refusal.headers
            alive = session.get(f"{url}/orders/index.html")
            assert (alive.status_code, alive.history) == (200, [])
