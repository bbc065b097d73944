"""A scheme of one's own, and Digest's auth-int, in every library."""

from __future__ import annotations

import pytest

from relogin.client.logins import DigestLogin
from relogin.client.stores.memory import MemoryStore
from tests.client.digest_site import PASSWORD, DigestSite
from tests.client.hmac_scheme import HMAC, HMACSite
from tests.client.libraries.face import Face
from tests.client.libraries.shapes import WHOLE
from tests.client.server import Answer, Server, serve


def test_a_scheme_of_one_s_own_signs_method_target_and_content(face: Face, server: Server) -> None:
    server.answers = site = HMACSite()
    auth = face.auth(server, lambda _: site.key, responders=[HMAC])
    client = face.open(auth)
    assert client.get(f"{server.url}/orders?a=%20b").status == 200
    site.key = "another"
    answer = client.post(f"{server.url}/orders?c", face.bodies()["bytes"])
    assert (answer.status, answer.body, site.refused) == (200, WHOLE, 2)


@pytest.mark.parametrize("shape", ["bytes", "a file"])
def test_auth_int_protects_what_can_be_read_twice(face: Face, server: Server, shape: str) -> None:
    bodies = face.bodies()
    site = DigestSite(server, qop="auth-int, auth")
    client = face.open(face.auth(server, DigestLogin(site.user, PASSWORD)))
    client.get(server.url)
    answer = client.post(server.url, bodies.get(shape, bodies["bytes"]))  # some take no file
    assert (answer.status, answer.body, site.wrong) == (200, WHOLE, 0)
    assert site.answers[-1]["qop"] == "auth-int"


def test_a_redirect_within_the_origin_is_signed_for_where_it_leads(
    face: Face, server: Server
) -> None:
    site = DigestSite(server)
    client = face.open(face.auth(server, DigestLogin(site.user, PASSWORD)))
    client.get(server.url)
    answer = client.get(f"{server.url}/to/orders?a=b")
    assert (answer.status, site.wrong) == (200, 0)
    assert site.answers[-1]["uri"] == "/orders?a=b"


def test_no_answer_goes_to_another_origin(face: Face, server: Server) -> None:
    with serve() as elsewhere:
        away = DigestSite(elsewhere)
        site = DigestSite(server)
        client = face.open(face.auth(server, DigestLogin(site.user, PASSWORD)))
        client.get(server.url)
        server.answers = lambda _: Answer(302, (("Location", f"{elsewhere.url}/"),))
        assert client.get(f"{server.url}/away").status == 401
        assert away.answers == []


def test_a_nonce_is_no_session_that_processes_share(face: Face, server: Server) -> None:
    site, store = DigestSite(server), MemoryStore()
    login = DigestLogin(site.user, PASSWORD)
    for _ in range(2):
        client = face.open(face.auth(server, login, store=store))
        assert [client.get(server.url).status for _ in range(2)] == [200, 200]
    assert len(site.challenged) == 2
