"""A nonce is no session that could be given back."""

from __future__ import annotations

from relogin.client.logins import DigestLogin
from tests.client.digest_site import PASSWORD, DigestSite
from tests.client.either import Either


def test_a_nonce_that_is_replaced_is_not_logged_out(site: DigestSite, either: Either) -> None:
    logouts: list[object] = []
    login = DigestLogin(site.user, PASSWORD)
    caller = either.attach(login, site.server.url, logout=logouts.append)
    for _ in range(3):
        assert caller.get(site.server.url).status_code == 200
        site.expire()
    assert logouts == []
