"""DigestLogin : a wrong password is sent once, and none is shown."""

from __future__ import annotations

import pytest
import requests

from relogin import LoginRefused
from relogin.client.logins import DigestLogin
from relogin.client.requests import SessionAuth
from tests.client.digest.conftest import attach
from tests.client.digest_site import PASSWORD, USER, DigestSite
from tests.client.either import Either
from tests.client.steps import Told
from tests.threads import in_threads


def test_a_wrong_password_is_sent_once(site: DigestSite, either: Either) -> None:
    caller = attach(either, site, "wrong")
    for _ in range(3):
        with pytest.raises(LoginRefused) as refused:
            caller.get(site.server.url)
        assert refused.value.response.status_code == 401
    assert site.wrong == 1


def test_a_wrong_password_is_sent_once_by_many_threads(site: DigestSite) -> None:
    session = requests.Session()
    session.trust_env = False
    session.auth = SessionAuth(DigestLogin(USER, "wrong"), site.server.url)

    def ask(_: int) -> str:
        try:
            return str(session.get(site.server.url).status_code)
        except LoginRefused:
            return "refused"

    with session:
        assert set(in_threads(8, ask)) == {"refused"}
    assert site.wrong == 1


def test_a_password_that_changes_is_refused_once_and_asked_for_after_reset(
    site: DigestSite, either: Either
) -> None:
    passwords = iter([PASSWORD, "the new one"])
    auth = either.auth(DigestLogin(USER, lambda: next(passwords)), site.server.url)
    caller = either.client(auth)
    assert caller.get(site.server.url).status_code == 200
    site.password = "the new one"
    for _ in range(2):
        with pytest.raises(LoginRefused):
            caller.get(site.server.url)
    assert site.wrong == 2  # with the nonce that it had, and with the one that it was given
    auth.reset()
    assert caller.get(site.server.url).status_code == 200


def test_no_secret_is_shown(site: DigestSite, either: Either) -> None:
    login, told = DigestLogin(USER, "wr0ng"), Told()
    caller = either.attach(login, site.server.url, on_event=told)
    with pytest.raises(LoginRefused) as refused:
        caller.get(site.server.url)
    assert "wr0ng" not in f"{refused.value} {login!r} {told.events!r} {login.responders!r}"
