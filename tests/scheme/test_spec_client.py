"""SPEC.md §4 and §6: what a client does, seen by servers on loopback. The client is requests'."""

import io
import logging
import pickle
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from typing import Any

import pytest
import requests
from requests.adapters import HTTPAdapter
from urllib3 import Retry

import reauth
from reauth.client import outcome
from reauth.client.outcomes import Outcome
from reauth.client.requests import SessionAuth
from tests.scheme import spec
from tests.scheme.server import Reply, Sent, Server, refusal

EXPIRED = 'Session realm="orders", error="session_expired"'


class Orders:
    """One session at a time: a login ends the one before; others are told `refused`."""

    def __init__(self) -> None:
        self.alive = 0
        self.refused = refusal(EXPIRED)
        self.accepted = Reply()
        self.seen: list[Any] = []

    def __call__(self, sent: Sent) -> Reply:
        ours = sent.token == f"t{self.alive}" or f"sid=t{self.alive}" in sent.fields.get(
            "Cookie", ""
        )
        return self.accepted if self.alive and ours else self.refused

    def login(self, context: Any) -> reauth.Grant | str | None:
        self.seen.append(context)
        self.alive += 1
        return f"t{self.alive}"

    @property
    def logins(self) -> int:
        return len(self.seen)


@pytest.fixture
def orders() -> Orders:
    return Orders()


@pytest.fixture
def server(orders: Orders) -> Iterator[Server]:
    with Server(orders) as server:
        yield server


@pytest.fixture
def foreign(orders: Orders) -> Iterator[Server]:
    with Server(lambda sent: refusal(EXPIRED)) as server:
        yield server


@pytest.fixture
def client(orders: Orders, server: Server) -> Iterator[requests.Session]:
    with session_for(orders.login, server.url) as client:
        yield client


def session_for(login: Callable[[Any], Any], origin: str, **words: Any) -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    session.auth = SessionAuth(login, origin, **words)
    return session


def cookie_login(orders: Orders) -> Callable[[Any], reauth.Grant]:
    return lambda context: reauth.Grant(cookies={"sid": str(orders.login(context))})


# The credential


@pytest.mark.requirement("C-4")
def test_a_challenge_without_realm_is_not_for_every_realm(orders: Orders, server: Server) -> None:
    orders.refused = refusal("Session")
    with session_for(orders.login, server.url, realm="orders") as client:
        assert client.get(server.url).status_code == 401
    assert orders.logins == 0


@pytest.mark.requirement("C-5")
def test_the_token_travels_quoted_in_one_line(client: requests.Session, server: Server) -> None:
    assert client.get(server.url).status_code == 200
    assert server.sent[-1].fields.get_all("Authorization") == ['Session token="t1"']


def lasts(seconds: str, *more: tuple[str, str]) -> Reply:
    return Reply(fields=(("Authentication-Info", seconds), *more))


def later(client: requests.Session, seconds: float) -> None:
    """Let the time pass for the client alone."""
    assert isinstance(client.auth, SessionAuth)
    client.auth._book.clock = lambda: time.monotonic() + seconds


@pytest.mark.requirement("C-6", "C-21")
def test_a_session_that_is_about_to_end_is_renewed_when_a_request_comes(
    orders: Orders, client: requests.Session, server: Server
) -> None:
    orders.accepted = lasts("expires_in=60")
    client.get(server.url)
    client.get(server.url)
    later(client, 55)
    assert orders.logins == 1
    client.get(server.url)
    assert orders.logins == 2
    assert server.tokens == [None, "t1", "t1", "t2"]


@pytest.mark.requirement("C-6")
@pytest.mark.parametrize(
    "field", ["expires_in=-1", "expires_in=60.0", 'expires_in=""', "expires_in", "lifetime=60"]
)
def test_a_lifetime_that_is_no_number_of_seconds_is_ignored(
    orders: Orders, client: requests.Session, server: Server, field: str
) -> None:
    orders.accepted = lasts(field)
    client.get(server.url)
    later(client, 61)
    client.get(server.url)
    assert orders.logins == 1


@pytest.mark.requirement("C-6")
def test_a_lifetime_in_answer_to_a_cookie_is_ignored(orders: Orders, server: Server) -> None:
    orders.accepted = lasts("expires_in=60")
    with session_for(cookie_login(orders), server.url) as client:
        client.get(server.url)
        later(client, 61)
        assert client.get(server.url).status_code == 200
    assert orders.logins == 1


@pytest.mark.requirement("C-6")
def test_a_lifetime_on_a_refusal_is_ignored(
    orders: Orders, client: requests.Session, server: Server
) -> None:
    client.get(server.url)
    told = ("Authentication-Info", "expires_in=60")
    revoked = refusal('Session realm="orders", error="session_revoked"')
    server.answer = lambda sent: Reply(401, (*revoked.fields, told))
    client.get(server.url)
    server.answer = orders
    later(client, 61)
    assert client.get(server.url).status_code == 200
    assert orders.logins == 1


@pytest.mark.requirement("C-6")
def test_a_lifetime_counts_from_when_it_was_written(
    orders: Orders, client: requests.Session, server: Server
) -> None:
    orders.accepted = lasts("expires_in=600", ("Age", "540"))
    client.get(server.url)
    later(client, 61)
    client.get(server.url)
    assert orders.logins == 2


@pytest.mark.requirement("C-7")
@pytest.mark.parametrize("cookie", ["sid=; Max-Age=0", "sid=anonymous"])
def test_a_refusal_of_an_old_cookie_cannot_touch_the_new_one(
    orders: Orders, server: Server, cookie: str
) -> None:
    orders.refused = Reply(401, (*orders.refused.fields, ("Set-Cookie", cookie)))
    with session_for(cookie_login(orders), server.url) as client:
        client.cookies.set("sid", "old")
        assert [client.get(server.url).status_code for _ in range(2)] == [200, 200]
    assert [sent.fields["Cookie"] for sent in server.sent] == ["sid=old", "sid=t1", "sid=t1"]


@pytest.mark.requirement("C-7")
@pytest.mark.parametrize("status", [200, 401])
def test_nor_can_a_late_answer_to_it(orders: Orders, server: Server, status: int) -> None:
    arrived, go = threading.Event(), threading.Event()

    def late(sent: Sent) -> Reply:
        if sent.path == "/slow" and sent.fields["Cookie"] == "sid=t1":
            arrived.set()
            go.wait(10)
            return Reply(status, (*orders.refused.fields, ("Set-Cookie", "sid=rolled")))
        return orders(sent)

    with session_for(cookie_login(orders), server.url) as client, ThreadPoolExecutor(1) as pool:
        client.get(server.url)
        server.answer = late
        slow = pool.submit(client.get, f"{server.url}/slow")
        arrived.wait(10)
        orders.alive += 1
        client.get(server.url)
        go.set()
        assert slow.result(10).status_code == 200
        client.get(server.url)
    assert server.sent[-1].fields["Cookie"] == "sid=t3"
    assert orders.logins == 2


# Whom to trust


@pytest.mark.requirement("C-8")
def test_a_foreign_origin_gets_neither_login_nor_token(
    orders: Orders, client: requests.Session, server: Server, foreign: Server
) -> None:
    assert client.get(foreign.url).status_code == 401
    client.get(server.url)
    assert outcome(client.get(foreign.url)) is Outcome.FOREIGN
    assert (orders.logins, foreign.tokens) == (1, [None, None])


@pytest.mark.requirement("C-8")
def test_nor_does_one_that_a_redirect_leads_to(
    orders: Orders, client: requests.Session, server: Server, foreign: Server
) -> None:
    orders.accepted = Reply(307, (("Location", foreign.url),))
    assert client.get(server.url).status_code == 401
    assert (orders.logins, foreign.tokens) == (1, [None])


@pytest.mark.requirement("C-8")
def test_origins_are_configured_and_never_learnt() -> None:
    with pytest.raises(ValueError, match="origins"):
        SessionAuth(lambda context: "token")


@pytest.mark.requirement("C-9")
def test_no_token_travels_without_tls_unless_its_user_says_so() -> None:
    with pytest.raises(ValueError, match="https"):
        SessionAuth(lambda context: "token", "http://api.example.com")
    SessionAuth(lambda context: "token", "http://api.example.com", insecure=True)


@pytest.mark.requirement("C-10")
def test_no_address_in_a_challenge_is_followed(
    orders: Orders, client: requests.Session, server: Server, foreign: Server
) -> None:
    url = foreign.url
    orders.refused = refusal(
        f'Session realm="{url}", error="session_expired", error_uri="{url}", '
        f'error_description="{url}", login="{url}"'
    )
    assert client.get(server.url).status_code == 200
    assert foreign.sent == []


@pytest.mark.requirement("C-11")
@pytest.mark.parametrize("line", ['Basic realm="orders"', 'Digest realm="orders", nonce="n"'])
def test_another_schemes_challenge_is_not_answered(
    orders: Orders, client: requests.Session, server: Server, line: str
) -> None:
    orders.refused = refusal(line)
    assert client.get(server.url).status_code == 401
    assert (orders.logins, len(server.sent)) == (0, 1)


@pytest.mark.requirement("C-12")
def test_a_token_is_in_no_log_representation_or_pickle(
    orders: Orders, server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    events: list[object] = []

    def login(context: Any) -> reauth.Grant:
        orders.login(context)
        return reauth.Grant(token=f"t{orders.alive}", refresh="refresh-secret")

    with (
        caplog.at_level(logging.DEBUG),
        session_for(login, server.url, on_event=events.append) as client,
    ):
        orders.alive = 700  # tokens that no other text holds by chance
        client.get(server.url)
    told = [caplog.text, repr(events), repr(client.auth), repr(orders.seen), repr(login(None))]
    assert server.tokens[-1] == "t701"
    assert not [text for text in told if "t701" in text or "refresh-secret" in text]


@pytest.mark.requirement("C-12")
def test_a_token_does_not_travel_in_a_pickle(orders: Orders, server: Server) -> None:
    auth = SessionAuth(named_login, server.url)
    with requests.Session() as client:
        client.auth = auth
        client.get(server.url)
    assert "token-of-named-login" in server.tokens
    assert b"token-of-named-login" not in pickle.dumps(auth)


def named_login(context: object) -> str:
    return "token-of-named-login"


# What to act on


@pytest.mark.requirement("C-13")
@pytest.mark.parametrize("status", [200, 403, 404, 419, 440, 503])
def test_only_a_401_says_that_a_session_is_dead(
    orders: Orders, client: requests.Session, server: Server, status: int
) -> None:
    orders.refused = refusal(EXPIRED, status=status)
    assert client.get(server.url).status_code == status
    assert orders.logins == 0


@pytest.mark.requirement("C-14")
@pytest.mark.parametrize(
    "lines",
    [
        ['Basic realm="a"', EXPIRED],
        [f'Basic realm="a", {EXPIRED}, Negotiate'],
        ['Bearer realm="a, Session realm=b"', EXPIRED],
        ['Basic realm="a', EXPIRED],
        [EXPIRED, "Bearer realm=https://example.com/ error=a"],
        [f'Basic realm="a" charset="UTF-8", {EXPIRED}'],
    ],
)
def test_the_challenge_is_found_among_its_neighbours(
    orders: Orders, client: requests.Session, server: Server, lines: list[str]
) -> None:
    orders.refused = refusal(*lines)
    assert client.get(server.url).status_code == 200


DEFAULTS = {row[0]: row[2] for row in spec.table("| `error` | the session | a client by default |")}


@pytest.mark.requirement("C-15")
@pytest.mark.parametrize("code", DEFAULTS)
def test_the_client_does_by_default_what_the_table_says(
    orders: Orders, client: requests.Session, server: Server, code: str
) -> None:
    client.get(server.url)
    orders.alive += 1  # the token the client has is dead
    error = "" if code == "absent" else f', error="{code}"'
    orders.refused = refusal(f'Session realm="orders"{error}')
    renews = "logs in" in DEFAULTS[code]
    assert client.get(server.url).status_code == (200 if renews else 401)
    assert orders.logins == (2 if renews else 1)


@pytest.mark.requirement("C-15")
def test_a_session_that_is_not_enough_is_kept_when_the_login_cannot_step_up(
    orders: Orders, client: requests.Session, server: Server
) -> None:
    client.get(server.url)
    server.answer = lambda sent: refusal('Session error="insufficient_user_authentication"')
    client.get(server.url)
    server.answer = orders
    assert client.get(server.url).status_code == 200
    assert server.tokens == [None, "t1", "t1", "t1"]


@pytest.mark.requirement("C-15")
def test_a_login_that_can_is_asked_to_step_up(orders: Orders, server: Server) -> None:
    class Login:
        steps_up = True

        def __call__(self, context: Any) -> Any:
            return orders.login(context)

    orders.refused = refusal('Session error="insufficient_user_authentication", max_age="60"')
    with session_for(Login(), server.url) as client:
        assert client.get(server.url).status_code == 200
    assert orders.seen[0].challenge["max_age"] == "60"


@pytest.mark.requirement("C-16")
@pytest.mark.parametrize("status", [200, 401, 403])
def test_the_content_alone_is_not_acted_upon(
    orders: Orders, client: requests.Session, server: Server, status: int
) -> None:
    problem = ("Content-Type", "application/problem+json")
    orders.refused = Reply(status, (problem,), b'{"error": "session_expired"}')
    assert client.get(server.url).status_code == status
    assert orders.logins == 0


@pytest.mark.requirement("C-16")
def test_the_field_decides_over_the_content(
    orders: Orders, client: requests.Session, server: Server
) -> None:
    field = ("WWW-Authenticate", 'Session realm="orders", error="session_revoked"')
    orders.refused = Reply(401, (field,), b'{"error": "session_expired"}')
    assert client.get(server.url).status_code == 401
    assert orders.logins == 0


# Renewal


@pytest.mark.requirement("C-17")
def test_many_refused_requests_share_one_login(
    orders: Orders, client: requests.Session, server: Server
) -> None:
    with ThreadPoolExecutor(20) as pool:
        statuses = list(pool.map(lambda _: client.get(server.url).status_code, range(20)))
    assert (statuses, orders.logins) == ([200] * 20, 1)


@pytest.mark.requirement("C-17")
def test_who_waits_for_a_login_has_a_deadline(orders: Orders, server: Server) -> None:
    released = threading.Event()

    def login(context: Any) -> str:
        released.wait(10)
        return str(orders.login(context))

    with ThreadPoolExecutor(4) as pool, session_for(login, server.url, login_timeout=0.2) as client:
        pending = [pool.submit(client.get, server.url) for _ in range(4)]
        ended = wait(pending, timeout=10, return_when=FIRST_COMPLETED).done
        hanging = not released.is_set()
        released.set()
    assert hanging
    assert isinstance(ended.pop().exception(), reauth.LoginTimeout)


@pytest.mark.requirement("C-18")
@pytest.mark.parametrize("error", [EXPIRED, 'Session realm="orders", error="session_revoked"'])
def test_a_late_refusal_of_an_old_token_costs_no_login(
    orders: Orders, client: requests.Session, server: Server, error: str
) -> None:
    arrived, go = threading.Event(), threading.Event()

    def late(sent: Sent) -> Reply:
        if sent.path == "/slow" and sent.token == "t1":
            arrived.set()
            go.wait(10)
            return refusal(error)
        return orders(sent)

    client.get(server.url)
    server.answer = late
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(client.get, f"{server.url}/slow")
        arrived.wait(10)
        orders.alive += 1
        client.get(server.url)
        go.set()
        assert slow.result(10).status_code == 200
    assert orders.logins == 2


@pytest.mark.requirement("C-19")
def test_one_request_leads_one_login_and_is_replayed_twice_at_most(
    orders: Orders, client: requests.Session, server: Server
) -> None:
    server.answer = lambda sent: refusal(EXPIRED)
    assert client.get(server.url).status_code == 401
    assert orders.logins == 1
    assert len(server.sent) <= 3


@pytest.mark.requirement("C-19")
def test_logins_are_bounded_within_a_time(orders: Orders, server: Server) -> None:
    server.answer = lambda sent: refusal(EXPIRED)
    with session_for(orders.login, server.url, budget=(3, 60.0)) as client:
        told = [outcome(client.get(server.url)) for _ in range(5)]
    assert orders.logins == 3
    assert told[-1] is Outcome.OVER_BUDGET


@pytest.mark.requirement("C-20")
def test_a_refused_password_is_not_tried_again(orders: Orders, server: Server) -> None:
    def login(context: Any) -> str:
        orders.login(context)
        raise reauth.LoginRefused("wrong password")

    with session_for(login, server.url) as client:
        for _ in range(3):
            with pytest.raises(reauth.LoginRefused):
                client.get(server.url)
    assert orders.logins == 1


@pytest.mark.requirement("C-22")
@pytest.mark.parametrize("code", ["session_expired", "session_invalid"])
def test_a_refused_token_is_not_sent_again(
    orders: Orders, client: requests.Session, server: Server, code: str
) -> None:
    client.get(server.url)
    orders.refused = refusal(f'Session realm="orders", error="{code}"')
    orders.alive += 1
    for _ in range(2):
        client.get(server.url)
    assert server.tokens == [None, "t1", "t1", "t3", "t3"]


# Replay


@pytest.mark.requirement("C-23")
def test_the_hop_that_was_refused_is_replayed_and_no_earlier_one(
    orders: Orders, client: requests.Session, server: Server
) -> None:
    def posted(sent: Sent) -> Reply:
        return Reply(303, (("Location", "/done"),)) if sent.method == "POST" else orders(sent)

    server.answer = posted
    assert client.post(server.url, data=b"once").status_code == 200
    assert [sent.method for sent in server.sent] == ["POST", "GET", "GET"]


@pytest.mark.requirement("C-23")
def test_two_principals_share_nothing(server: Server) -> None:
    server.answer = lambda sent: Reply() if sent.token else refusal(EXPIRED)
    with (
        session_for(lambda _: "ada", server.url) as ada,
        session_for(lambda _: "bob", server.url) as bob,
    ):
        for client in (ada, bob, ada, bob):
            client.get(server.url)
    assert server.tokens == [None, "ada", None, "bob", "ada", "bob"]


@pytest.mark.requirement("C-24")
@pytest.mark.parametrize(
    ("challenge", "had_token", "replayed"),
    [(EXPIRED, True, True), ("Session", True, False), ("Session", False, True)],
)
def test_a_post_is_replayed_on_a_promise_alone(
    orders: Orders,
    client: requests.Session,
    server: Server,
    challenge: str,
    had_token: bool,
    replayed: bool,
) -> None:
    orders.refused = refusal(challenge)
    if had_token:
        client.get(server.url)
        orders.alive += 1
    response = client.post(server.url, data=b"order")
    assert response.status_code == (200 if replayed else 401)
    assert outcome(response) is (Outcome.REPLAYED if replayed else Outcome.RENEWED_NOT_REPLAYED)


@pytest.mark.requirement("C-24")
def test_a_post_that_the_transport_has_sent_twice_is_not_replayed(
    orders: Orders, client: requests.Session, server: Server
) -> None:
    def trouble_first(sent: Sent) -> Reply:
        return Reply(503) if len(server.sent) == 1 else orders(sent)

    server.answer = trouble_first
    retries = Retry(1, status_forcelist=[503], allowed_methods=None, backoff_factor=0)
    client.mount(server.url, HTTPAdapter(max_retries=retries))
    response = client.post(server.url, data=b"order")
    assert (response.status_code, outcome(response)) == (401, Outcome.RENEWED_NOT_REPLAYED)
    assert len(server.sent) == 2


@pytest.mark.requirement("C-25")
@pytest.mark.parametrize(
    ("body", "whole"),
    [
        (lambda: b"content", True),
        (lambda: io.BytesIO(b"content"), True),
        (lambda: (part for part in [b"con", b"tent"]), False),
    ],
    ids=["bytes", "file", "generator"],
)
def test_a_body_is_replayed_whole_or_not_at_all(
    client: requests.Session, server: Server, body: Callable[[], Any], whole: bool
) -> None:
    response = client.put(server.url, data=body())
    assert response.status_code == (200 if whole else 401)
    assert [sent.body for sent in server.sent] == [b"content"] * (2 if whole else 1)
