"""What a DigestLogin is made of, and what is said of mistakes."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from typing import Any

import pytest

from relogin import Challenge, Grant, LoginUnavailable
from relogin.client.carry import Header
from relogin.client.logins import DigestLogin
from relogin.client.requests import SessionAuth
from relogin.client.responders.digest import digest
from relogin.client.terms.grant import Context
from relogin.schemes import digest_hash
from tests.client.digest.conftest import attach
from tests.client.digest_site import DigestSite
from tests.client.either import Either

ORIGIN = "https://camera.example.com"


@pytest.mark.parametrize("account", [(None, "p"), ("u", None), (b"u", "p"), ("u", 5)])
def test_user_and_password_are_text(account: Any) -> None:
    with pytest.raises(TypeError, match=r"DigestLogin: \w+ must be a str or a function"):
        DigestLogin(*account)


def test_an_account_without_an_origin_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="origins="):
        SessionAuth(DigestLogin("ada", "pw"))


def test_a_token_cannot_travel_where_each_request_is_signed() -> None:
    with pytest.raises(ValueError, match=r"carry= .* Digest signs each request"):
        SessionAuth(DigestLogin("ada", "pw"), ORIGIN, carry=Header("X-Auth-Token"))


def test_a_literal_password_is_not_pickled() -> None:
    with pytest.raises(pickle.PicklingError, match="this DigestLogin contains a password"):
        pickle.dumps(DigestLogin("ada", "pw"))


def hand_over() -> str:
    return "pw"


def test_a_login_travels_with_a_callable_and_without_what_it_knows() -> None:
    auth = SessionAuth(DigestLogin("ada", hand_over), ORIGIN)
    login = pickle.loads(pickle.dumps(auth)).login
    assert (login.user, login.password()) == ("ada", "pw")
    assert repr(login) == "<DigestLogin>"
    [responder] = login.responders
    assert responder.grant_from(Challenge("Digest", {"nonce": "n"})) is None


def test_a_user_that_no_field_can_carry_is_told_so_without_being_shown(
    site: DigestSite, either: Either
) -> None:
    site.user = "s3cret\nuser"
    with pytest.raises(LoginUnavailable, match="'username' cannot be sent") as failed:
        attach(either, site).get(site.server.url)
    assert "s3cret" not in str(failed.value)


def test_without_a_challenge_a_digest_login_declines() -> None:
    context = Context(challenge=None, error=None, realm="", method="GET", url=ORIGIN)
    assert DigestLogin("ada", "pw")(context) is None


def test_a_signer_needs_an_account_and_a_challenge() -> None:
    unknown = digest(lambda: None, check_server=True)
    assert unknown.signer is not None
    with pytest.raises(LoginUnavailable, match="needs a challenge, and an account"):
        unknown.signer(Grant("n"), Challenge("Digest", {"nonce": "n"}))


@pytest.fixture
def without_sha_512_256(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An OpenSSL that has no SHA-512/256."""
    monkeypatch.setattr(digest_hash, "_is_available", lambda new: "sha512_256" not in str(new))
    digest_hash.algorithm_named.cache_clear()
    yield
    digest_hash.algorithm_named.cache_clear()


@pytest.mark.usefixtures("without_sha_512_256")
def test_a_hash_function_that_this_python_lacks_is_named(site: DigestSite, either: Either) -> None:
    site.algorithm = "SHA-512-256"
    with pytest.raises(LoginUnavailable, match="OpenSSL has no SHA-512-256"):
        attach(either, site).get(site.server.url)


@pytest.mark.usefixtures("without_sha_512_256")
def test_in_place_of_a_missing_hash_function_another_on_offer_is_taken(
    site: DigestSite, either: Either
) -> None:
    site.lines = lambda ours: [ours.replace("MD5", "SHA-512-256"), ours]
    assert attach(either, site).get(site.server.url).status_code == 200
