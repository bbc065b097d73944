"""SPEC.md §4, §6.1 and §6.2: what a client sends, to whom, and what it acts on."""

import logging
import pickle
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

import relogin
from relogin.client import outcome
from relogin.client.terms.outcomes import Outcome
from tests.client.server import Answer, Request, Server
from tests.scheme import spec
from tests.scheme.orders import (
    EXPIRED,
    Client,
    Opening,
    Orders,
    cookie_login,
    lasts,
    later,
    refusal,
)

# The credential


@pytest.mark.requirement("C-4")
def test_a_challenge_without_realm_is_not_for_every_realm(
    session_for: Opening, orders: Orders, server: Server
) -> None:
    orders.refused = refusal("Session")
    with session_for(orders.login, server.url, realm="orders") as client:
        assert client.get(server.url).status_code == 401
    assert orders.logins == 0


@pytest.mark.requirement("C-5")
def test_the_token_travels_quoted_in_one_line(client: Client, server: Server) -> None:
    assert client.get(server.url).status_code == 200
    assert server.requests[-1].headers.get_all("Authorization") == ['Session token="t1"']


@pytest.mark.requirement("C-6", "C-21")
def test_a_session_that_is_about_to_end_is_renewed_when_a_request_comes(
    orders: Orders, client: Client, server: Server
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
    orders: Orders, client: Client, server: Server, field: str
) -> None:
    orders.accepted = lasts(field)
    client.get(server.url)
    later(client, 61)
    client.get(server.url)
    assert orders.logins == 1


@pytest.mark.requirement("C-6")
def test_a_lifetime_in_answer_to_a_cookie_is_ignored(
    session_for: Opening, orders: Orders, server: Server
) -> None:
    orders.accepted = lasts("expires_in=60")
    with session_for(cookie_login(orders), server.url) as client:
        client.get(server.url)
        later(client, 61)
        assert client.get(server.url).status_code == 200
    assert orders.logins == 1


@pytest.mark.requirement("C-6")
def test_a_lifetime_on_a_refusal_is_ignored(orders: Orders, client: Client, server: Server) -> None:
    client.get(server.url)
    told = ("Authentication-Info", "expires_in=60")
    revoked = refusal('Session realm="orders", error="session_revoked"')
    server.answers = lambda sent: Answer(401, (*revoked.headers, told))
    client.get(server.url)
    server.answers = orders
    later(client, 61)
    assert client.get(server.url).status_code == 200
    assert orders.logins == 1


@pytest.mark.requirement("C-6")
def test_a_lifetime_counts_from_when_it_was_written(
    orders: Orders, client: Client, server: Server
) -> None:
    orders.accepted = lasts("expires_in=600", ("Age", "540"))
    client.get(server.url)
    later(client, 61)
    client.get(server.url)
    assert orders.logins == 2


@pytest.mark.requirement("C-7")
@pytest.mark.parametrize("cookie", ["sid=; Max-Age=0", "sid=anonymous"])
def test_a_refusal_of_an_old_cookie_cannot_touch_the_new_one(
    session_for: Opening, orders: Orders, server: Server, cookie: str
) -> None:
    orders.refused = Answer(401, (*orders.refused.headers, ("Set-Cookie", cookie)))
    with session_for(cookie_login(orders), server.url) as client:
        client.cookies.set("sid", "old")
        assert [client.get(server.url).status_code for _ in range(2)] == [200, 200]
    assert [sent.headers["Cookie"] for sent in server.requests] == ["sid=old", "sid=t1", "sid=t1"]


@pytest.mark.requirement("C-7")
@pytest.mark.parametrize("status", [200, 401])
def test_a_late_answer_to_an_old_cookie_cannot_touch_the_new_one(
    session_for: Opening, orders: Orders, server: Server, status: int
) -> None:
    arrived, go = threading.Event(), threading.Event()

    def late(sent: Request) -> Answer:
        if sent.path == "/slow" and sent.headers["Cookie"] == "sid=t1":
            arrived.set()
            go.wait(10)
            return Answer(status, (*orders.refused.headers, ("Set-Cookie", "sid=rolled")))
        return orders(sent)

    with session_for(cookie_login(orders), server.url) as client, ThreadPoolExecutor(1) as pool:
        client.get(server.url)
        server.answers = late
        slow = pool.submit(client.get, f"{server.url}/slow")
        arrived.wait(10)
        orders.alive += 1
        client.get(server.url)
        go.set()
        assert slow.result(10).status_code == 200
        client.get(server.url)
    assert server.requests[-1].headers["Cookie"] == "sid=t3"
    assert orders.logins == 2


# Whom to trust


@pytest.mark.requirement("C-8")
def test_a_foreign_origin_gets_neither_login_nor_token(
    orders: Orders, client: Client, server: Server, foreign: Server
) -> None:
    assert client.get(foreign.url).status_code == 401
    client.get(server.url)
    assert outcome(client.get(foreign.url)) is Outcome.FOREIGN
    assert (orders.logins, foreign.tokens) == (1, [None, None])


@pytest.mark.requirement("C-8")
def test_a_foreign_origin_that_a_redirect_leads_to_gets_neither_login_nor_token(
    orders: Orders, client: Client, server: Server, foreign: Server
) -> None:
    orders.accepted = Answer(307, (("Location", foreign.url),))
    assert client.get(server.url).status_code == 401
    assert (orders.logins, foreign.tokens) == (1, [None])


@pytest.mark.requirement("C-8")
def test_origins_are_configured_and_never_learnt(session_for: Opening) -> None:
    with pytest.raises(ValueError, match="origins"):
        session_for(lambda context: "token")


@pytest.mark.requirement("C-9")
def test_no_token_travels_without_tls_unless_its_user_says_so(session_for: Opening) -> None:
    with pytest.raises(ValueError, match="https"):
        session_for(lambda context: "token", "http://api.example.com")
    session_for(lambda context: "token", "http://api.example.com", insecure=True).close()


@pytest.mark.requirement("C-10")
def test_no_address_in_a_challenge_is_followed(
    orders: Orders, client: Client, server: Server, foreign: Server
) -> None:
    url = foreign.url
    orders.refused = refusal(
        f'Session realm="{url}", error="session_expired", error_uri="{url}", '
        f'error_description="{url}", login="{url}"'
    )
    assert client.get(server.url).status_code == 200
    assert foreign.requests == []


@pytest.mark.requirement("C-11")
@pytest.mark.parametrize("line", ['Basic realm="orders"', 'Digest realm="orders", nonce="n"'])
def test_another_schemes_challenge_is_not_answered(
    orders: Orders, client: Client, server: Server, line: str
) -> None:
    orders.refused = refusal(line)
    assert client.get(server.url).status_code == 401
    assert (orders.logins, len(server.requests)) == (0, 1)


@pytest.mark.requirement("C-12")
def test_a_token_is_in_no_log_representation_or_pickle(
    session_for: Opening, orders: Orders, server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    events: list[object] = []

    def login(context: Any) -> relogin.Grant:
        orders.login(context)
        return relogin.Grant(token=f"t{orders.alive}", refresh="refresh-secret")

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
def test_a_token_does_not_travel_in_a_pickle(
    session_for: Opening, orders: Orders, server: Server
) -> None:
    with session_for(named_login, server.url) as client:
        client.get(server.url)
    assert "token-of-named-login" in server.tokens
    assert b"token-of-named-login" not in pickle.dumps(client.auth)


def named_login(context: object) -> str:
    return "token-of-named-login"


# What to act on


@pytest.mark.requirement("C-13")
@pytest.mark.parametrize("status", [200, 403, 404, 419, 440, 503])
def test_only_a_401_says_that_a_session_is_dead(
    orders: Orders, client: Client, server: Server, status: int
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
    orders: Orders, client: Client, server: Server, lines: list[str]
) -> None:
    orders.refused = refusal(*lines)
    assert client.get(server.url).status_code == 200


_CODES = "| `error` | what has happened to the session | what a client does by default |"
DEFAULTS = {row[0]: row[2] for row in spec.table(_CODES)}


@pytest.mark.requirement("C-15")
@pytest.mark.parametrize("code", DEFAULTS)
def test_the_client_does_by_default_what_the_table_says(
    orders: Orders, client: Client, server: Server, code: str
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
    orders: Orders, client: Client, server: Server
) -> None:
    client.get(server.url)
    server.answers = lambda sent: refusal('Session error="insufficient_user_authentication"')
    client.get(server.url)
    server.answers = orders
    assert client.get(server.url).status_code == 200
    assert server.tokens == [None, "t1", "t1", "t1"]


@pytest.mark.requirement("C-15")
def test_a_login_that_can_is_asked_to_step_up(
    session_for: Opening, orders: Orders, server: Server
) -> None:
    class Login:
        steps_up = True

        def __call__(self, context: Any) -> Any:
            return orders.login(context)

    orders.refused = refusal('Session error="insufficient_user_authentication", max_age="60"')
    with session_for(Login(), server.url) as client:
        assert client.get(server.url).status_code == 200
    assert orders.seen[0].challenge["max_age"] == "60"


@pytest.mark.requirement("C-16")
@pytest.mark.parametrize("status", [200, 403])
def test_the_content_alone_is_not_acted_upon(
    orders: Orders, client: Client, server: Server, status: int
) -> None:
    problem = ("Content-Type", "application/problem+json")
    orders.refused = Answer(status, (problem,), b'{"error": "session_expired"}')
    assert client.get(server.url).status_code == status
    assert orders.logins == 0


@pytest.mark.requirement("C-16")
def test_the_field_decides_over_the_content(orders: Orders, client: Client, server: Server) -> None:
    field = ("WWW-Authenticate", 'Session realm="orders", error="session_revoked"')
    orders.refused = Answer(401, (field,), b'{"error": "session_expired"}')
    assert client.get(server.url).status_code == 401
    assert orders.logins == 0
