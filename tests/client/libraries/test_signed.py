"""A scheme of one's own, and Digest's auth-int, in every library."""

from __future__ import annotations

import pytest

from relogin.client.logins import DigestLogin
from tests.client.digest_site import PASSWORD, DigestSite
from tests.client.hmac_scheme import HMAC, HMACSite
from tests.client.libraries.face import Face
from tests.client.libraries.shapes import WHOLE
from tests.client.server import Server


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
