"""DigestSigner: a request has a nonce of its own if one is free."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from relogin import Credentials, LoginUnavailable, parse
from relogin.client.logins import DigestLogin
from relogin.client.requests import SessionAuth
from relogin.client.responders.digest import DigestSigner
from relogin.client.terms.signer import Outgoing, Signer
from relogin.schemes.digest_answer import Counts
from tests.client.digest_site import PASSWORD, USER, DigestSite

REQUEST = Outgoing("GET", "https://camera.example.com/", {})


def signer(nonce: str, more: str = "", counts: Counts | None = None) -> DigestSigner:
    field = f'Digest realm="x", nonce="{nonce}", qop="auth"{more}'
    return DigestSigner(parse(field)[0], ("ada", "pw"), check_server=True, counts=counts)


def sent(signing: DigestSigner) -> dict[str, str]:
    fields = signing.sign(REQUEST)
    assert fields is not None
    return dict(fields)


def nonce(fields: dict[str, str]) -> str:
    return Credentials.parse(fields["Authorization"])["nonce"]


def nonce_and_count(fields: dict[str, str]) -> tuple[str, str]:
    answer = Credentials.parse(fields["Authorization"])
    return answer["nonce"], answer["nc"]


def two() -> DigestSigner:
    """A signer that has two nonces: the first is the first that is accepted."""
    counts = Counts()
    first, second = signer("n1", counts=counts), signer("n2", counts=counts)
    answers = sent(first), sent(second)
    second.join(first)
    for fields in answers:
        second.learn(fields, {})
    return second


def test_requests_at_once_have_nonces_of_their_own() -> None:
    signing = two()
    assert [nonce(sent(signing)) for _ in range(2)] == ["n2", "n1"]


def test_a_nonce_has_one_count_however_many_challenges_named_it() -> None:
    first, again = signer("n1"), signer("n1")
    sent(first)
    again.join(first)
    counts = [Credentials.parse(sent(one)["Authorization"])["nc"] for one in (again, first, again)]
    assert counts == ["00000002", "00000003", "00000004"]


def test_a_next_nonce_has_one_count_whichever_nonce_it_follows() -> None:
    signing = two()
    answers = [sent(signing) for _ in range(2)]
    for fields in answers:
        signing.learn(fields, {"Authentication-Info": 'nextnonce="n3"'})
    assert [nonce_and_count(sent(signing)) for _ in range(3)] == [
        ("n3", "00000001"),
        ("n3", "00000002"),
        ("n3", "00000003"),
    ]


def test_a_nonce_is_shared_if_none_is_free() -> None:
    signing = two()
    assert [nonce(sent(signing)) for _ in range(4)] == ["n2", "n1", "n2", "n2"]


def test_the_nonce_that_was_accepted_last_is_the_next() -> None:
    signing = two()
    late, early = sent(signing), sent(signing)
    signing.learn(late, {})
    signing.learn(early, {})
    assert nonce(sent(signing)) == nonce(early) == "n1"


def test_what_is_refused_is_not_used_for_another() -> None:
    signing = two()
    sent(signing)
    assert nonce(sent(signing)) == "n1"


class Emptied(list[DigestSigner]):
    """What another thread empties at the last moment."""

    def pop(self, _: object = -1) -> DigestSigner:
        raise IndexError


def test_a_nonce_that_another_thread_has_taken_first_is_shared() -> None:
    signing = signer("n1")
    signing._nonces.free = Emptied([signing])
    assert nonce(sent(signing)) == "n1"


def test_a_shared_nonce_is_not_released_by_each_request() -> None:
    signing = signer("n1")
    for fields in [sent(signing) for _ in range(3)]:
        signing.learn(fields, {})
    assert len(signing._nonces.free) == 1


def test_answers_that_never_come_are_forgotten() -> None:
    signing = signer("n1")
    for number in range(600):
        other = signer(f"m{number}")
        other.join(signing)
        sent(signing)
    assert len(signing._nonces.in_use) <= 256


def test_no_more_nonces_are_kept_than_are_needed() -> None:
    signing = signer("n1")
    for number in range(100):
        other = signer(f"m{number}")
        fields = sent(other)
        other.join(signing)
        other.learn(fields, {})
    assert len(signing._nonces.free) == 32


def test_a_proof_is_checked_with_the_secret_that_it_is_for() -> None:
    signing = signer("n1", ", algorithm=MD5-sess")
    info = {"Authentication-Info": 'rspauth="00"'}
    with pytest.raises(LoginUnavailable, match="rspauth is wrong"):
        signing.learn(sent(signing), info)
    another = signer("n2", ", algorithm=MD5-sess")
    another.learn(sent(signing), info)  # who has lost sight of it cannot tell


def test_a_server_that_asks_otherwise_gets_no_old_nonce() -> None:
    old, new = signer("n1"), signer("n2", ", algorithm=SHA-256")
    new.join(old)
    assert [nonce(sent(new)) for _ in range(2)] == ["n2", "n2"]


def test_a_signer_of_another_kind_has_nothing_to_share() -> None:
    class Other(Signer):
        def sign(self, request: Outgoing) -> dict[str, str]:
            return {}

    signing, other = signer("n1"), Other()
    signing.join(other)
    other.join(signing)
    assert nonce(sent(signing)) == "n1"


def test_counts_in_order_cost_threads_a_challenge_each(
    site: DigestSite, session: requests.Session
) -> None:
    site.rising = True
    session.auth = SessionAuth(DigestLogin(USER, PASSWORD), site.server.url)
    with ThreadPoolExecutor(10) as pool:
        statuses = list(pool.map(lambda _: session.get(site.server.url).status_code, range(200)))
    assert set(statuses) == {200}
    assert len(site.challenged) <= 40  # and with one nonce for all, about a hundred
