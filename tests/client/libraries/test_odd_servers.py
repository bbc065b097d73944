"""Servers that say one thing to a request without a session, and another to a dead one."""

from __future__ import annotations

from itertools import count

from relogin import Grant
from tests.client.libraries.face import Face
from tests.client.server import Answer, Server
from tests.client.travel import Travel, by_cookie, by_header

BY_BEARER = by_header("Authorization", "Bearer")


def challenge(line: str) -> Answer:
    return Answer(401, (("WWW-Authenticate", line),))


def test_a_realm_that_only_a_dead_token_is_told_costs_no_further_request(
    face: Face, server: Server
) -> None:
    travel = Travel(server, BY_BEARER)
    travel.routes["/orders"] = lambda request: (
        challenge("bearer")
        if request.headers["Authorization"] is None
        else challenge('Bearer realm="orders", error="invalid_token"')
        if BY_BEARER(request) != travel.living
        else Answer(200)
    )
    client = face.open(face.auth(server, travel.login))
    client.get(f"{server.url}/orders")
    travel.kill()
    assert client.get(f"{server.url}/orders").outcome == "replayed"
    assert client.get(f"{server.url}/orders").outcome == "untouched"
    assert travel.logins == 2


def test_a_cookie_that_is_deleted_for_another_path_stays(face: Face, server: Server) -> None:
    values = (f"rolled-{number}" for number in count())
    travel = Travel(server, by_cookie, grant=lambda token: Grant(cookies={"sid": token}))

    def roll(request: object) -> Answer:
        travel.living = next(values)
        new, gone = f"sid={travel.living}; Path=/", "sid=; Path=/old; Max-Age=0"
        return Answer(200, (("Set-Cookie", new), ("Set-Cookie", gone)))

    travel.routes["/roll"] = roll
    client = face.open(face.auth(server, travel.login))
    client.get(f"{server.url}/orders")
    client.get(f"{server.url}/roll")
    assert client.get(f"{server.url}/orders").outcome == "untouched"
    assert travel.logins == 1
