"""A token that each response replaces, while requests with the one before are on their way."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Literal

import pytest

from relogin import Grant
from relogin.client.carry import Header
from tests.client.libraries.face import Client, Face
from tests.client.server import PATIENCE, Answer, Request, Server, serve

NAME = "X-Auth-Token"


class Rolling:
    """An API that accepts the newest token only, and gives the next one with each response."""

    def __init__(self, face: Face, server: Server) -> None:
        self.logins = 0
        self.token = ""
        self.gates: dict[str, tuple[Event, Event]] = {}
        self.places: dict[str, str] = {}
        server.answers = self.answer
        auth = face.auth(server, face.own_way(self.log_in), carry=Header(NAME), rolls=[NAME])
        self.client: Client = face.open(auth)

    def log_in(self, _: object) -> str:
        self.logins += 1
        return self.next()

    def next(self) -> str:
        self.token = f"t{int(self.token[1:] or 0) + 1}"
        return self.token

    def answer(self, request: Request) -> Answer:
        if request.path in self.gates:
            arrived, leaves = self.gates.pop(request.path)
            arrived.set()
            assert leaves.wait(PATIENCE)
        if request.headers[NAME] != self.token:
            return Answer(401)
        fields = ((NAME, self.next()),)
        place = self.places.get(request.path)
        if place is None:
            return Answer(200, fields)
        return Answer(307, (*fields, ("Location", place)))


def test_a_request_that_was_overtaken_is_sent_again_without_a_login(
    face: Face, server: Server
) -> None:
    rolling = Rolling(face, server)
    rolling.client.get(f"{server.url}/first")
    arrived, leaves = rolling.gates["/late"] = Event(), Event()
    with ThreadPoolExecutor(1) as thread:
        late = thread.submit(rolling.client.get, f"{server.url}/late")
        assert arrived.wait(PATIENCE)
        try:
            assert rolling.client.get(f"{server.url}/quick").status == 200
        finally:
            leaves.set()
        assert (late.result().status, late.result().outcome) == (200, "replayed")
    assert rolling.logins == 1


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_redirect_that_replaces_the_token_costs_no_login(
    face: Face, server: Server, method: str
) -> None:
    rolling = Rolling(face, server)
    rolling.client.get(f"{server.url}/first")
    rolling.places["/moved"] = "/orders"
    assert rolling.client(method, f"{server.url}/moved").status == 200
    assert rolling.logins == 1


def test_a_redirect_that_replaces_the_token_of_a_new_login_costs_no_other(
    face: Face, server: Server
) -> None:
    rolling = Rolling(face, server)
    rolling.places["/moved"] = "/orders"
    assert rolling.client.get(f"{server.url}/moved").status == 200
    assert rolling.logins == 1


@pytest.mark.parametrize("hops", [1, 2, 3])
def test_redirects_that_replace_the_token_take_none_to_another_origin(
    face: Face, server: Server, hops: int
) -> None:
    rolling = Rolling(face, server)
    rolling.client.get(f"{server.url}/first")
    with serve() as foreign:
        rolling.places |= {f"/{hop}": f"/{hop - 1}" for hop in range(2, hops + 1)}
        rolling.places["/1"] = f"{foreign.url}/caught"
        rolling.client.get(f"{server.url}/{hops}")
        (caught,) = foreign.seen("/caught")
        assert NAME not in caught.headers


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_redirect_that_takes_a_part_of_the_grant_away_costs_no_login(
    face: Face, server: Server, method: str
) -> None:
    """httpx keeps Authorization, and nobody can have it keep other fields."""
    logins = 0

    def log_in(_: object) -> Grant:
        nonlocal logins
        logins += 1
        return Grant("t1", headers={NAME: "csrf"})

    def answer(request: Request) -> Answer:
        if request.headers["Authorization"] != "Bearer t1" or request.headers[NAME] != "csrf":
            return Answer(401)
        if request.path == "/moved":
            return Answer(307, (("Location", "/orders"),))
        return Answer(200)

    server.answers = answer
    client = face.open(face.auth(server, face.own_way(log_in)))
    client.get(f"{server.url}/first")
    assert client(method, f"{server.url}/moved").status == 200
    assert logins == 1


@pytest.mark.parametrize("binding", ["token", "cookie"])
def test_a_grant_of_several_fields_that_comes_back_from_another_origin_costs_no_login(
    face: Face, server: Server, binding: Literal["token", "cookie"]
) -> None:
    logins = 0

    def log_in(_: object) -> Grant:
        nonlocal logins
        logins += 1
        fields = {NAME: "csrf"}
        if binding == "token":
            return Grant("t1", headers=fields)
        return Grant(cookies={"sid": "t1"}, headers=fields)

    def answer(request: Request) -> Answer:
        whole = "t1" in {request.cookies.get("sid"), request.headers.get("Authorization", "")[7:]}
        if request.path == "/away" and whole:
            return Answer(302, (("Location", f"{foreign.url}/back"),))
        return Answer(200 if whole and request.headers[NAME] else 401)

    with serve() as foreign:
        server.answers = answer
        foreign.answers = lambda _: Answer(302, (("Location", f"{server.url}/home"),))
        client = face.open(face.auth(server, face.own_way(log_in)))
        client.get(f"{server.url}/first")
        assert client.get(f"{server.url}/away").status == 200
    assert logins == 1


def test_a_session_that_dies_after_its_cookie_was_replaced_is_renewed_at_once(
    face: Face, server: Server
) -> None:
    """The redirected request carries the new cookie: the old one's 401 would be another matter."""
    cookies: list[str] = []

    def log_in(_: object) -> Grant:
        cookies.append(f"sid-{len(cookies)}")
        return Grant(cookies={"sid": cookies[-1]})

    def answer(request: Request) -> Answer:
        if not cookies or request.cookies.get("sid") != cookies[-1]:
            return Answer(401)
        if request.path == "/moved":
            cookies.append("rolled")
            return Answer(302, (("Set-Cookie", "sid=rolled; Path=/"), ("Location", "/orders")))
        if cookies[-1] == "rolled":
            cookies.append("over")
            return Answer(401)
        return Answer(200)

    server.answers = answer
    client = face.open(face.auth(server, face.own_way(log_in)))
    client.get(f"{server.url}/first")
    assert client.get(f"{server.url}/moved").status == 200
    sent = [request.cookies.get("sid") for request in server.seen("/orders")]
    assert sent == ["rolled", "sid-3"]
