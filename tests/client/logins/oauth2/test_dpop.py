"""DPoP (RFC 9449): proofs for tokens and requests, and nonces that a server wants in them."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import count
from typing import Any

import aiohttp
import anyio
import pytest
import requests

from relogin import Grant, InvalidGrant, LoginUnavailable
from relogin.client import Outcome, outcome
from relogin.client.aiohttp import SessionAuth as AiohttpAuth
from relogin.client.logins import OAuth2Login
from relogin.client.requests import SessionAuth
from relogin.client.responders import Signer
from relogin.client.responders.dpop import Prover, dpop
from tests.client.dpop_site import Site, claims
from tests.client.either import Either
from tests.client.server import Answer, Request, Server
from tests.client.servers.assertions import proof


class ServedOnce(dict[str, str]):
    """Each nonce that is looked up is a new one, good for one request."""

    def __init__(self) -> None:
        super().__init__()
        self._numbers, self._living = count(), set[str]()

    def __getitem__(self, who: str) -> str:
        nonce = f"{who}-{next(self._numbers)}"
        self._living.add(nonce)
        return nonce

    def takes(self, nonce: str) -> bool:
        with suppress(KeyError):
            self._living.remove(nonce)
            return True
        return False


@pytest.fixture
def site(server: Server) -> Site:
    return Site(server)


@pytest.fixture
def caller(site: Site, either: Either) -> Any:
    return either.attach(site.login())


def test_each_request_has_a_proof_of_its_own(site: Site, caller: Any) -> None:
    for path in ("/orders", "/orders?id=7", "/orders"):
        assert caller.get(site.url + path).status_code == 200
    # The token twice, for its nonce; the first request twice, for its nonce, and then once each.
    assert (len(site.asked), len(site.proofs)) == (2, 2 + 2 + 1 + 1)


def test_a_password_in_the_url_is_not_in_the_proof(site: Site, session: requests.Session) -> None:
    session.auth = SessionAuth(site.login())
    url = site.url.replace("//", "//ada:pa55@")
    assert session.get(f"{url}/orders?id=7").status_code == 200
    assert claims(site.proofs[-1])["htu"] == f"{site.url}/orders"


def test_a_new_nonce_costs_one_more_request_and_no_login(
    site: Site, either: Either, caller: Any
) -> None:
    caller.get(f"{site.url}/orders")
    site.nonces["api"] = "api-2"
    body = {"data" if either.driver is None else "content": b"tea"}
    answer = caller.post(f"{site.url}/orders", **body)
    assert (answer.status_code, answer.content) == (200, b"tea")
    assert outcome(answer) == Outcome.REPLAYED
    assert len(site.asked) == 2


def test_a_request_is_sent_again_with_each_of_two_new_nonces(site: Site, caller: Any) -> None:
    """As where each of several nodes takes only its own (RFC 9449 §8.2)."""
    caller.get(f"{site.url}/orders")
    before, wrong, nonces = len(site.proofs), site.wrong, iter(["api-2", "api-3"])

    def at_another_node(request: Request, who: str, token: str | None = None) -> str | None:
        site.nonces["api"] = next(nonces, site.nonces["api"])
        return wrong(request, who, token)

    site.wrong = at_another_node  # type: ignore[method-assign]
    assert caller.get(f"{site.url}/orders").status_code == 200
    assert [claims(one)["nonce"] for one in site.proofs[before:]] == ["api-1", "api-2", "api-3"]
    assert len(site.asked) == 2


def test_a_third_new_nonce_is_for_the_next_request(site: Site, caller: Any) -> None:
    """A request is sent again twice at most."""
    caller.get(f"{site.url}/orders")
    before, wrong, nonces = len(site.proofs), site.wrong, iter(["api-2", "api-3", "api-4"])

    def at_another_node(request: Request, who: str, token: str | None = None) -> str | None:
        site.nonces["api"] = next(nonces, site.nonces["api"])
        return wrong(request, who, token)

    site.wrong = at_another_node  # type: ignore[method-assign]
    assert caller.get(f"{site.url}/orders").status_code == 401
    assert len(site.proofs) == before + 3
    assert caller.get(f"{site.url}/orders").status_code == 200
    assert len(site.asked) == 2


def test_a_nonce_of_a_response_is_in_the_next_proof(site: Site, caller: Any) -> None:
    caller.get(f"{site.url}/orders")
    site.next_nonce = "api-2"
    caller.get(f"{site.url}/orders")
    assert outcome(caller.get(f"{site.url}/orders")) == Outcome.UNTOUCHED
    assert claims(site.proofs[-1])["nonce"] == "api-2"


def test_nonces_that_serve_once_are_enough_for_all_threads(
    site: Site, session: requests.Session
) -> None:
    """Each request is sent again with the nonce of its own 401, which no other request has."""
    site.nonces = served_once = ServedOnce()

    def wrong(request: Request, who: str, token: str | None = None) -> str | None:
        nonce = claims(request.headers["DPoP"]).get("nonce", "")
        return None if who == "token" or served_once.takes(nonce) else "use_dpop_nonce"

    site.wrong = wrong  # type: ignore[method-assign]
    session.auth = SessionAuth(site.login())
    with ThreadPoolExecutor(20) as pool:
        answers = pool.map(lambda _: session.get(f"{site.url}/orders"), range(100))
        assert {answer.status_code for answer in answers} == {200}
    assert len(site.asked) == 1


def test_a_token_that_ended_is_refreshed(site: Site, caller: Any) -> None:
    caller.get(f"{site.url}/orders")
    site.living = "another"
    assert caller.get(f"{site.url}/orders").status_code == 200
    assert len(site.asked) == 3  # the nonce of the token endpoint is known by now


def test_a_nonce_that_comes_with_a_dead_token_is_in_the_next_proof(
    site: Site, server: Server, caller: Any
) -> None:
    caller.get(f"{site.url}/orders")
    before = len(server.seen("/orders"))
    site.living, site.nonces["api"] = "another", "api-2"
    assert caller.get(f"{site.url}/orders").status_code == 200
    assert len(server.seen("/orders")) == before + 2


def test_a_middleware_of_aiohttp_proves_its_key(site: Site) -> None:
    async def main() -> list[int]:
        auth = AiohttpAuth(site.login())
        async with aiohttp.ClientSession(middlewares=[auth]) as http:
            statuses = []
            for nonce in ("api-1", "api-2"):
                site.nonces["api"] = nonce
                async with http.get(f"{site.url}/orders") as answer:
                    statuses.append(answer.status)
            return statuses

    assert anyio.run(main) == [200, 200]
    assert len(site.asked) == 2


def test_a_refresh_token_is_sent_again_with_the_nonce(
    site: Site, session: requests.Session
) -> None:
    session.auth = SessionAuth(site.login(refresh_token="given"))
    assert session.get(f"{site.url}/orders").status_code == 200
    assert [fields["refresh_token"] for fields in site.asked] == [["given"], ["given"]]


def test_an_assertion_is_made_anew_for_the_nonce(site: Site, session: requests.Session) -> None:
    made = iter("ab")
    login = site.login(client_secret=None, client_assertion=lambda: next(made))
    session.auth = SessionAuth(login)
    assert session.get(f"{site.url}/orders").status_code == 200
    assert [fields["client_assertion"] for fields in site.asked] == [["a"], ["b"]]


def test_a_server_that_offers_only_bearer_gets_a_token_with_a_proof(
    site: Site, caller: Any
) -> None:
    site.offer = 'Bearer realm="api"'  # and names no realm when it wants a nonce
    assert caller.get(f"{site.url}/orders").status_code == 200
    site.nonces["api"] = "api-2"
    assert caller.get(f"{site.url}/orders").status_code == 200
    assert len(site.asked) == 2


# What cannot be helped


@pytest.mark.parametrize("wrong", ["use_dpop_nonce", "invalid_dpop_proof"])
def test_a_proof_that_is_never_right_ends_in_the_401_and_causes_no_login(
    site: Site, session: requests.Session, wrong: str
) -> None:
    session.auth = SessionAuth(site.login())
    session.get(f"{site.url}/orders")
    before = len(site.server.seen("/orders"))
    site.wrong = lambda *_: wrong  # type: ignore[method-assign]
    assert session.get(f"{site.url}/orders").status_code == 401
    assert len(site.asked) == 2  # both before, the second with the nonce
    again = 1 if wrong == "use_dpop_nonce" else 0  # the nonce that it refuses is the one it gave
    assert len(site.server.seen("/orders")) == before + 1 + again


def test_a_nonce_that_is_never_right_is_told_as_that(
    site: Site, caller: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caller.get(f"{site.url}/orders")
    site.wrong = lambda *_: "use_dpop_nonce"  # type: ignore[method-assign]
    caller.get(f"{site.url}/orders")
    [record] = caplog.records
    assert "with DPoP: the server refused the nonce of each proof" in record.getMessage()
    assert "carry=" not in record.getMessage()


def test_a_proof_that_is_refused_with_a_new_nonce_is_told_as_that(
    site: Site, caller: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caller.get(f"{site.url}/orders")
    wrong = iter(["use_dpop_nonce", "invalid_dpop_proof"])
    site.wrong = lambda *_: next(wrong)  # type: ignore[method-assign]
    caller.get(f"{site.url}/orders")
    [record] = caplog.records
    assert "with DPoP: the server refused the proof that dpop= returned" in record.getMessage()


def test_a_warning_about_proofs_hides_none_about_the_session(
    site: Site, caller: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caller.get(f"{site.url}/orders")
    right, wrong = site.wrong, "use_dpop_nonce"

    def refuse(request: Request, who: str, token: str | None = None) -> str | None:
        return wrong if who == "api" else right(request, who, token)

    site.wrong = refuse  # type: ignore[method-assign]
    caller.get(f"{site.url}/orders")
    caller.get(f"{site.url}/orders")
    wrong = "invalid_token"
    caller.get(f"{site.url}/orders")
    caller.get(f"{site.url}/orders")
    assert [record.getMessage().partition(": ")[2][:27] for record in caplog.records] == [
        "the server refused the nonc",
        "the login succeeded, but th",
    ]


def test_a_token_endpoint_whose_nonce_is_never_right_is_asked_twice(
    site: Site, session: requests.Session
) -> None:
    site.wrong = lambda *_: "use_dpop_nonce"  # type: ignore[method-assign]
    session.auth = SessionAuth(site.login())
    with pytest.raises(LoginUnavailable, match="use_dpop_nonce to a proof with its own nonce"):
        session.get(f"{site.url}/orders")
    assert len(site.asked) == 2


def test_a_token_endpoint_is_asked_again_with_each_of_two_new_nonces(
    site: Site, server: Server, session: requests.Session
) -> None:
    token, nonces = site.token, iter(["token-2"])

    def changing(request: Request) -> Answer:
        answer = token(request)
        site.nonces["token"] = next(nonces, site.nonces["token"])
        return answer

    server.routes["/token"] = changing
    session.auth = SessionAuth(site.login(refresh_token="given"))
    assert session.get(f"{site.url}/orders").status_code == 200
    assert [fields["refresh_token"] for fields in site.asked] == [["given"]] * 3


def test_a_nonce_that_changes_meanwhile_is_no_refusal_and_spends_no_refresh_token(
    site: Site, server: Server, session: requests.Session
) -> None:
    """As where several nodes have nonces of their own."""
    token, nonces = site.token, iter(["token-2", "token-3"])

    def changing(request: Request) -> Answer:
        answer = token(request)
        site.nonces["token"] = next(nonces, site.nonces["token"])
        return answer

    server.routes["/token"] = changing
    login = site.login(refresh_token="given", username="ada", password="pa55")
    session.auth = auth = SessionAuth(login)
    with pytest.raises(LoginUnavailable):
        session.get(f"{site.url}/orders")
    now = auth._cache.clock
    auth._cache.clock = lambda: now() + 2
    assert session.get(f"{site.url}/orders").status_code == 200
    assert {*(fields["grant_type"][0] for fields in site.asked)} == {"refresh_token"}


def test_a_token_that_is_not_bound_to_the_key_is_refused(
    site: Site, session: requests.Session
) -> None:
    site.token_type = "Bearer"
    session.auth = SessionAuth(site.login())
    with pytest.raises(InvalidGrant, match="token_type that is not DPoP: Bearer"):
        session.get(f"{site.url}/orders")


@pytest.mark.parametrize("made", [b"a.b.c", None, "a\nb"])
def test_a_function_that_returns_no_proof_is_told(
    site: Site, session: requests.Session, made: Any
) -> None:
    session.auth = SessionAuth(site.login(dpop=lambda *_: made))
    with pytest.raises(InvalidGrant, match="dpop= must return a JWT as a str, not"):
        session.get(f"{site.url}/orders")


async def proves(*_: object) -> str:
    return "a.b.c"


@pytest.mark.parametrize("given", ["a.b.c", proves, True])
def test_what_cannot_sign_proofs_is_told_when_the_login_is_made(given: Any) -> None:
    with pytest.raises(TypeError, match="dpop= must be a plain function of method, url, nonce"):
        OAuth2Login("https://auth.example.com/token", "job", dpop=given)


def test_an_auth_with_proofs_is_pickled(site: Site) -> None:
    login = OAuth2Login(f"{site.url}/token", "job", dpop=proof)
    with requests.Session() as session:
        session.auth = pickle.loads(pickle.dumps(SessionAuth(login)))
        assert session.get(f"{site.url}/orders").status_code == 200


def test_a_session_without_a_token_cannot_be_proven() -> None:
    make = dpop(Prover(proof))[0].signer
    assert make is not None
    with pytest.raises(InvalidGrant, match="DPoP needs a token"):
        make(Grant(cookies={"sid": "1"}), None)


def test_a_signer_learns_nothing_from_a_401_by_default() -> None:
    class Silent(Signer):
        def sign(self, _: object) -> Mapping[str, str]:
            return {}

    assert Silent().refused(None, {}) is False
