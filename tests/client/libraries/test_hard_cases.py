"""The hard cases, and every library through all of them."""

from __future__ import annotations

import time
from typing import Any

import pytest

from relogin import Grant, LoginRefused
from relogin.client.logins import DigestLogin, Logout
from tests.client.digest_site import PASSWORD, DigestSite
from tests.client.libraries.face import FACES, Answer, Face, opened, statuses
from tests.client.libraries.shapes import WHOLE
from tests.client.server import COOKIE, Server, flood, serve
from tests.client.server import Answer as Served


def test_a_dead_session_is_renewed_and_the_request_sent_again(face: Face, service: Server) -> None:
    client = face.open(face.auth(service))
    client.get(f"{service.url}/first")
    service.kill()
    answer = client.post(f"{service.url}/orders", face.bodies()["bytes"])
    assert (answer.status, answer.body, answer.outcome) == (200, WHOLE, "replayed")
    assert service.logins == 2


def test_a_living_session_is_sent_at_once(face: Face, service: Server) -> None:
    client = face.open(face.auth(service))
    client.get(f"{service.url}/first")
    answer = client.get(f"{service.url}/orders")
    assert (answer.status, answer.outcome) == (200, "untouched")
    assert len(service.seen("/orders")) == 1


@pytest.mark.requirement("C-17")
def test_a_herd_meets_one_login(face: Face, service: Server) -> None:
    client = face.open(face.auth(service))
    client.get(f"{service.url}/first")
    service.kill()
    answers = client.at_once(50, lambda index: f"{service.url}/orders/{index}")
    assert statuses(answers) == {200}
    assert service.logins == 2


@pytest.mark.requirement("C-18")
def test_a_late_401_starts_no_login(face: Face, service: Server) -> None:
    client = face.open(face.auth(service))
    client.get(f"{service.url}/first")
    service.kill()
    service.late_paths = frozenset(f"/late/{index}" for index in range(0, 20, 2))
    answers = client.at_once(20, lambda index: f"{service.url}/late/{index}")
    assert statuses(answers) == {200}
    assert service.logins == 2


def _body_cases() -> list[tuple[str, str]]:
    cases = []
    for name in FACES:
        with opened(name) as face:
            cases += [(name, shape) for shape in face.bodies()]
    return cases


@pytest.mark.parametrize(("library", "shape"), _body_cases())
def test_a_body_goes_again_whole_or_not_at_all(library: str, shape: str, server: Server) -> None:
    with opened(library) as face:
        body = face.bodies()[shape]
        client = face.open(face.auth(server))
        client.get(f"{server.url}/first")
        whole = client.post(f"{server.url}/orders", body).body  # what it is with a living session
        server.kill()
        answer = client.post(f"{server.url}/orders", body)
        refused, *again = server.seen("/orders")[1:]
        if body.repeats:
            assert (answer.status, answer.outcome) == (200, "replayed")
            assert len(answer.body) == len(whole)  # a boundary is another each time
            assert len(again) == 1
            assert again[0].body == refused.body
        else:
            assert (answer.status, answer.outcome) == (401, "renewed_not_replayed")
            assert again == []
        assert server.logins == 2  # the session lives again in any case


@pytest.mark.parametrize("name", FACES)
def test_there_are_a_dozen_shapes_of_body(name: str) -> None:
    with opened(name) as face:
        assert len(face.bodies()) >= 12


def test_nothing_goes_along_a_redirect_to_another_origin(face: Face, service: Server) -> None:
    with serve() as foreign:
        service.routes["/away"] = lambda _: Served(302, (("Location", f"{foreign.url}/caught"),))
        client = face.open(face.auth(service))
        client.get(f"{service.url}/first")
        answer = client.get(f"{service.url}/away")
        (caught,) = foreign.seen("/caught")
        assert "Authorization" not in caught.headers
        assert COOKIE not in caught.cookies
        assert (answer.status, foreign.logins) == (401, 0)
        assert service.logins == 1


def test_a_redirect_within_the_origin_keeps_the_session(face: Face, service: Server) -> None:
    service.routes["/moved"] = lambda _: Served(302, (("Location", "/orders"),))
    client = face.open(face.auth(service))
    client.get(f"{service.url}/first")
    assert client.get(f"{service.url}/moved").status == 200
    assert service.logins == 1


def test_a_session_that_dies_on_a_redirect_is_renewed(face: Face, server: Server) -> None:
    def move(_: object) -> Served:
        server.kill()
        return Served(302, (("Location", "/orders"),))

    client = face.open(face.auth(server))
    client.get(f"{server.url}/first")
    server.routes["/moved"] = move
    answer = client.get(f"{server.url}/moved")
    assert (answer.status, answer.outcome) == (200, "replayed")
    assert server.logins == 2


@pytest.mark.requirement("C-20")
def test_a_refused_password_is_sent_once(face: Face, server: Server) -> None:
    asked = []

    def refuse(context: object) -> str:
        asked.append(context)
        raise LoginRefused("no such account")

    client = face.open(face.auth(server, refuse))
    for _ in range(3):
        with pytest.raises(face.failure, match="no such account") as caught:
            client.get(f"{server.url}/orders")
        assert isinstance(caught.value, face.ours.LoginRefused)
        refused = caught.value.response
        assert 401 in {getattr(refused, "status_code", None), getattr(refused, "status", None)}
    assert len(asked) == 1


def test_an_outage_reaches_all_who_wait_each_with_its_own_exception(
    face: Face, server: Server
) -> None:
    def fail(_: object) -> str:
        raise ConnectionError("the login server is away")

    client = face.open(face.auth(server, fail))
    failures = client.at_once(10, lambda index: f"{server.url}/orders/{index}")
    assert all(isinstance(failure, face.ours.LoginUnavailable) for failure in failures)
    assert len({id(failure) for failure in failures}) == 10


def test_a_login_that_declines_leaves_the_401(face: Face, server: Server) -> None:
    client = face.open(face.auth(server, lambda _: None))
    answer = client.get(f"{server.url}/orders")
    assert (answer.status, answer.body, answer.outcome) == (401, b"refused", "declined")


def test_a_cookie_that_rolls_is_followed(face: Face, server: Server) -> None:
    server.binding, server.rolls = "cookie", True
    client = face.open(face.auth(server))
    assert [client.get(f"{server.url}/orders/{n}").status for n in range(5)] == [200] * 5
    assert server.logins == 1


def test_the_cookies_that_a_401_sets_and_deletes_count_in_the_replay(
    face: Face, server: Server
) -> None:
    client = face.open(face.auth(server))
    server.routes["/cookies"] = lambda _: Served(
        200, (("Set-Cookie", "old=1; Path=/"), ("Set-Cookie", "kept=1; Path=/"))
    )
    client.get(f"{server.url}/cookies")
    server.refusal_headers = (
        ("Set-Cookie", "old=; Path=/; Max-Age=0"),
        ("Set-Cookie", "new=2; Path=/"),
    )
    client.get(f"{server.url}/orders")
    again = server.seen("/orders")[-1]
    assert again.cookies == {"kept": "1", "new": "2"}


def test_a_late_answer_cannot_wipe_the_cookie_of_the_grant(face: Face, server: Server) -> None:
    server.binding = "cookie"
    client = face.open(face.auth(server))
    client.get(f"{server.url}/first")
    server.kill()
    server.refusal_headers = (("Set-Cookie", f"{COOKIE}=; Path=/; Max-Age=0"),)
    assert client.get(f"{server.url}/orders").status == 200
    assert client.get(f"{server.url}/orders").status == 200
    assert server.logins == 2


def test_a_cookie_of_the_dead_session_does_not_survive_it(face: Face, server: Server) -> None:
    server.refuse_all = True
    names = iter(["first", "second"])
    client = face.open(face.auth(server, lambda _: Grant(cookies={next(names): "1"})))
    client.get(f"{server.url}/1")
    client.get(f"{server.url}/2")
    assert [request.cookies for request in server.seen("/2")] == [{"first": "1"}, {"second": "1"}]


def test_a_session_is_given_back_once(face: Face, service: Server) -> None:
    service.routes["/session"] = lambda _: Served(204)
    auth = face.auth(service, logout=Logout(f"{service.url}/session"))
    face.open(auth).get(f"{service.url}/orders")
    for _ in range(2):
        face.run(auth.alogout if face.is_async else auth.logout)
    (ended,) = service.seen("/session")
    assert (ended.method, ended.token or ended.cookies[COOKIE]) == ("DELETE", service.living)


def test_a_session_that_is_replaced_ahead_of_its_end_is_given_back(
    face: Face, server: Server
) -> None:
    def log_in(context: Any) -> Grant:
        return Grant(token=server.login(context).token, expires_in=0.001)

    server.routes["/session"] = lambda _: Served(204)
    client = face.open(face.auth(server, log_in, logout=Logout(f"{server.url}/session")))
    for _ in range(3):
        assert client.get(f"{server.url}/orders").status == 200
        time.sleep(0.01)
    assert [request.token for request in server.seen("/session")] == ["s3cret-1", "s3cret-2"]


def test_a_login_through_the_same_client_ends(face: Face, server: Server) -> None:
    client = None

    def log_in(_: object) -> str:
        assert client is not None
        answer: Answer = face.send(client.client, "POST", f"{server.url}/login")
        return answer.body.decode()

    async def log_in_async(_: object) -> str:
        assert client is not None
        answer: Answer = await face.send(client.client, "POST", f"{server.url}/login")
        return answer.body.decode()

    client = face.open(face.auth(server, log_in_async if face.is_async else log_in))
    assert client.get(f"{server.url}/orders").status == 200
    assert server.logins == 1


def test_a_login_in_a_thread_has_a_client_too(face: Face, service: Server) -> None:
    client = face.open(face.auth(service, service.login))
    answers = client.at_once(10, lambda index: f"{service.url}/orders/{index}")
    assert statuses(answers) == {200}
    assert service.logins == 1


def test_a_refusal_that_never_ends_is_closed(face: Face, server: Server) -> None:
    server.refusal_body = flood
    client = face.open(face.auth(server))
    assert client.get(f"{server.url}/orders").status == 200


def test_an_upload_that_is_refused_early_goes_again(face: Face, server: Server) -> None:
    server.early = True
    client = face.open(face.auth(server))
    client.get(f"{server.url}/first")
    server.kill()
    answer = client.post(f"{server.url}/orders", face.bodies()["bytes"])
    assert (answer.status, answer.body) == (200, WHOLE)


def test_no_secret_is_in_what_an_auth_shows(face: Face, server: Server) -> None:
    auth = face.auth(server)
    client = face.open(auth)
    client.get(f"{server.url}/orders")
    assert server.living is not None
    assert server.living not in repr(auth)


def test_an_auth_serves_many_clients(face: Face, server: Server) -> None:
    auth = face.auth(server)
    assert {face.open(auth).get(f"{server.url}/orders").status for _ in range(3)} == {200}
    assert server.logins == 1


_SIGNED = {"bytes", "BytesIO", "a file", "JSON", "nothing"}


@pytest.mark.parametrize(("library", "shape"), [c for c in _body_cases() if c[1] in _SIGNED])
def test_digest_signs_each_request_and_its_body(library: str, shape: str, server: Server) -> None:
    with opened(library) as face:
        site = DigestSite(server, "SHA-256", "auth-int")
        client = face.open(face.auth(server, DigestLogin(site.user, PASSWORD)))
        for _ in range(2):
            assert client.post(f"{server.url}/orders", face.bodies()[shape]).status == 200
    assert (site.wrong, {answer["qop"] for answer in site.answers}) == (0, {"auth-int"})


@pytest.mark.parametrize("target", ["/?a b", "/?a=%20ü", "/ö?[x]", '/?"q"', "/a;b?c=d/e?f", "?x"])
def test_digest_signs_the_target_that_is_sent(face: Face, server: Server, target: str) -> None:
    site = DigestSite(server)
    client = face.open(face.auth(server, DigestLogin(site.user, PASSWORD)))
    assert [client.get(f"{server.url}{target}").status for _ in range(2)] == [200, 200]
    assert site.wrong == 0


def test_digest_sends_nothing_that_it_could_not_sign(face: Face, server: Server) -> None:
    site = DigestSite(server, "SHA-256", "auth-int")
    client = face.open(face.auth(server, DigestLogin(site.user, PASSWORD)))
    spent = next(n for n in face.bodies() if "generator" in n and "around" not in n)
    assert client.post(f"{server.url}/orders", face.bodies()[spent]).status == 401
    assert client.get(f"{server.url}/orders").status == 200
    assert client.post(f"{server.url}/orders", face.bodies()[spent]).status == 401
    assert site.wrong == 0


def test_a_digest_answer_without_its_proof_is_not_believed(face: Face, server: Server) -> None:
    site = DigestSite(server, proves=False)
    client = face.open(face.auth(server, DigestLogin(site.user, PASSWORD)))
    with pytest.raises(face.failure):
        client.get(f"{server.url}/orders")
