"""Rule 11: which challenge is answered, whatever is beside it, and what its code asks for."""

from functools import partial

import pytest
import requests

from relogin import Grant, SessionError
from relogin.client import Outcome, outcome
from relogin.client.events import Event
from relogin.client.requests import SessionAuth
from relogin.client.responders import BEARER, SESSION, Action
from relogin.client.terms.grant import Context
from tests.client.server import Answer, Request, Server

EXPIRED = 'Session realm="api", error="session_expired"'


class SteppingUp:
    """A login that can also do a stronger one, and keeps what it was asked for."""

    steps_up = True

    def __init__(self, server: Server) -> None:
        self.server = server
        self.asked: list[Context] = []

    def __call__(self, context: Context) -> Grant | None:
        self.asked.append(context)
        return self.server.login(context)


@pytest.mark.requirement("C-14", "C-11")
@pytest.mark.parametrize(
    "lines",
    [
        [EXPIRED],
        ["Basic realm=x", EXPIRED],
        [f'Negotiate, NTLM, Bearer realm="a, b", {EXPIRED}, Basic realm="z"'],
        ["Digest realm=broken nonce", EXPIRED],
        ['Basic realm="never closed', EXPIRED],
        [EXPIRED, "=, ;;"],
        [f"Negotiate {'QUJD' * 5000}", EXPIRED],
        ["SESSION realm=api, error=session_expired"],
        ["Session"],
    ],
    ids=lambda lines: lines[0][:30],
)
def test_a_session_challenge_is_found_among_all_others(
    server: Server, session: requests.Session, lines: list[str]
) -> None:
    server.challenges = lambda _: lines
    session.auth = SessionAuth(server.login, server.url)
    answer = session.get(f"{server.url}/orders")
    assert (answer.status_code, outcome(answer)) == (200, Outcome.REPLAYED)


@pytest.mark.requirement("C-11")
@pytest.mark.parametrize(
    "lines",
    [
        ["Basic realm=api"],
        ['Basic realm="Session realm=api, Session"'],
        ["SessionX realm=api"],
        ["Session" + "x" * 20_000],
    ],
    ids=lambda lines: str(lines)[:30],
)
def test_where_its_scheme_is_not_there_nothing_is_done(
    server: Server, session: requests.Session, lines: list[str]
) -> None:
    server.challenges = lambda _: lines
    session.auth = SessionAuth(server.login, server.url)
    answer = session.get(f"{server.url}/orders")
    assert (answer.status_code, outcome(answer)) == (401, Outcome.UNANSWERED)
    assert server.logins == 0


def test_with_a_realm_another_realm_s_challenge_is_the_answer(
    server: Server, session: requests.Session
) -> None:
    session.auth = SessionAuth(server.login, server.url, realm="elsewhere")
    assert outcome(session.get(f"{server.url}/orders")) is Outcome.UNANSWERED


def test_a_realm_s_challenge_is_found_after_another_realm_s(
    server: Server, session: requests.Session
) -> None:
    server.challenges = lambda _: ['Session realm="other", Session realm="api"']
    realms: list[str] = []

    def login(context: Context) -> Grant:
        realms.append(context.realm)
        return server.login(context)

    session.auth = SessionAuth(login, server.url, realm="api")
    assert session.get(f"{server.url}/orders").status_code == 200
    assert realms == ["api"]


@pytest.mark.requirement("C-4")
def test_no_realm_is_the_empty_realm_and_not_every_realm(
    server: Server, session: requests.Session
) -> None:
    server.challenges = lambda _: ["Session"]
    session.auth = SessionAuth(server.login, server.url, realm="api")
    assert outcome(session.get(f"{server.url}/orders")) is Outcome.UNANSWERED
    session.auth = SessionAuth(server.login, server.url, realm="")
    assert outcome(session.get(f"{server.url}/orders")) is Outcome.REPLAYED


# Bearer


def test_bearer_is_answered_where_it_is_asked_for(
    server: Server, session: requests.Session
) -> None:
    server.scheme = "Bearer"
    server.challenges = lambda error: [
        'Bearer realm="api"' if error is None else 'Bearer realm="api", error="invalid_token"'
    ]
    server.living = "s3cret"
    server.routes["/orders"] = lambda request: _bearer(server, request)
    errors: list[object] = []

    def login(context: Context) -> Grant:
        errors.append(context.error)
        return server.login(context)

    session.auth = SessionAuth(login, server.url, responders=[BEARER])
    assert session.get(f"{server.url}/orders").status_code == 200
    server.kill()
    assert session.post(f"{server.url}/orders", data=b"x").status_code == 200
    assert errors == [None, SessionError.EXPIRED]
    assert server.seen("/orders")[-1].headers["Authorization"] == "Bearer s3cret-2"


def _bearer(server: Server, request: Request) -> Answer:
    token = request.headers.get("Authorization", "").removeprefix("Bearer ")
    return Answer() if token == server.living else server.refuse(token or None)


@pytest.mark.parametrize("error", ["insufficient_scope", "invalid_request"])
def test_what_no_new_token_cures_is_the_answer(
    server: Server, session: requests.Session, error: str
) -> None:
    server.routes["/orders"] = partial(_bearer, server)
    server.challenges = lambda given: [f'Bearer error="{error}"' if given else "Bearer"]
    session.auth = SessionAuth(server.login, server.url, responders=[BEARER])
    session.get(f"{server.url}/orders")
    server.kill()
    assert outcome(session.get(f"{server.url}/orders")) is Outcome.UNTOUCHED
    assert server.logins == 1


def test_an_invalid_request_that_had_no_token_lacked_one(
    server: Server, session: requests.Session
) -> None:
    server.routes["/orders"] = partial(_bearer, server)
    server.challenges = lambda _: ['Bearer error="invalid_request"']  # as hono has it
    session.auth = SessionAuth(server.login, server.url)
    assert outcome(session.get(f"{server.url}/orders")) is Outcome.REPLAYED


def test_an_invalid_request_is_what_the_user_says_it_is(
    server: Server, session: requests.Session
) -> None:
    server.challenges = lambda _: ['Bearer error="invalid_request"']
    session.auth = SessionAuth(server.login, server.url, actions={"invalid_request": "stop"})
    assert outcome(session.get(f"{server.url}/orders")) is Outcome.UNTOUCHED


@pytest.mark.requirement("C-2")
@pytest.mark.parametrize("error", ["insufficient_scope", "invalid_request"])
def test_the_codes_of_bearer_are_unknown_ones_in_a_session_challenge(
    server: Server, session: requests.Session, error: str
) -> None:
    server.challenges = lambda _: [f'Session error="{error}"']
    session.auth = SessionAuth(server.login, server.url)
    assert outcome(session.get(f"{server.url}/orders")) is Outcome.REPLAYED


@pytest.mark.parametrize("order", [(SESSION, BEARER), (BEARER, SESSION)])
def test_of_two_schemes_the_one_named_first_is_answered(
    server: Server, session: requests.Session, order: tuple[object, object]
) -> None:
    server.challenges = lambda _: ["Bearer realm=api, Session realm=api"]
    session.auth = SessionAuth(lambda _: "t", server.url, responders=order)  # type: ignore[arg-type]
    session.get(f"{server.url}/orders")
    scheme = server.seen("/orders")[1].headers["Authorization"].partition(" ")[0]
    assert scheme == order[0].scheme  # type: ignore[attr-defined]


# What a code asks for


@pytest.mark.requirement("C-15")
@pytest.mark.parametrize("error", [None, "session_expired", "session_invalid"])
def test_a_session_that_is_gone_is_renewed(
    server: Server, dead: requests.Session, error: str | None
) -> None:
    server.ended = dict.fromkeys(server.ended, error)
    assert outcome(dead.get(f"{server.url}/orders")) is Outcome.REPLAYED


@pytest.mark.requirement("C-15")
def test_a_session_that_was_revoked_is_not_renewed(server: Server, dead: requests.Session) -> None:
    server.ended = dict.fromkeys(server.ended, "session_revoked")
    answer = dead.get(f"{server.url}/orders")
    assert (answer.status_code, outcome(answer)) == (401, Outcome.UNTOUCHED)


def test_what_a_code_asks_for_can_be_said_otherwise(
    server: Server, session: requests.Session
) -> None:
    server.challenges = lambda _: ['Session error="session_revoked"']
    session.auth = SessionAuth(server.login, server.url, actions={"session_revoked": Action.RENEW})
    assert outcome(session.get(f"{server.url}/orders")) is Outcome.REPLAYED


def test_an_action_may_be_given_by_its_name(server: Server, session: requests.Session) -> None:
    server.challenges = lambda _: ['Session error="session_revoked"']
    # A type checker takes the name too: this file is checked by one.
    session.auth = SessionAuth(server.login, server.url, actions={"session_revoked": "renew"})
    assert outcome(session.get(f"{server.url}/orders")) is Outcome.REPLAYED


def test_stopping_can_be_said_of_any_code(server: Server, session: requests.Session) -> None:
    session.auth = SessionAuth(server.login, server.url, actions={None: Action.STOP})
    assert outcome(session.get(f"{server.url}/orders")) is Outcome.UNTOUCHED


@pytest.mark.requirement("C-2")
@pytest.mark.parametrize("error", ["SESSION_EXPIRED", "example.com.device_lost", "session_odd"])
def test_a_code_that_is_not_known_counts_as_invalid(
    server: Server, dead: requests.Session, error: str
) -> None:
    told: list[Event] = []
    dead.auth = SessionAuth(server.login, server.url, on_event=told.append)
    server.ended = dict.fromkeys(server.ended, error)
    assert outcome(dead.get(f"{server.url}/orders")) is Outcome.REPLAYED


def test_a_session_that_is_too_weak_is_kept_where_the_login_cannot_step_up(
    server: Server, dead: requests.Session
) -> None:
    server.routes["/admin"] = lambda _: server.refuse("insufficient_user_authentication")
    dead.get(f"{server.url}/renew")
    answer = dead.get(f"{server.url}/admin")
    assert (answer.status_code, outcome(answer)) == (401, Outcome.UNTOUCHED)
    assert dead.get(f"{server.url}/orders").history == []


def test_a_login_that_can_steps_up_and_is_told_how_far(
    server: Server, session: requests.Session
) -> None:
    login = SteppingUp(server)
    session.auth = SessionAuth(login, server.url)
    session.get(f"{server.url}/orders")
    weak = server.living
    challenge = 'Session error="insufficient_user_authentication", max_age=300, acr_values="mfa"'

    def admin(request: Request) -> Answer:
        if request.token != weak:
            return Answer()
        return Answer(401, (("WWW-Authenticate", challenge),))

    server.routes["/admin"] = admin
    assert session.get(f"{server.url}/admin").status_code == 200
    asked = login.asked[1].challenge
    assert asked is not None
    assert (asked["max_age"], asked["acr_values"]) == ("300", "mfa")


def test_a_step_up_that_is_declined_keeps_the_session(
    server: Server, session: requests.Session
) -> None:
    class Declining(SteppingUp):
        def __call__(self, context: Context) -> Grant | None:
            return None if self.asked else super().__call__(context)

    session.auth = SessionAuth(Declining(server), server.url)
    session.get(f"{server.url}/orders")
    server.routes["/admin"] = lambda _: server.refuse("insufficient_user_authentication")
    assert outcome(session.get(f"{server.url}/admin")) is Outcome.DECLINED
    assert session.get(f"{server.url}/orders").history == []


# What may be replayed


@pytest.mark.requirement("C-24")
@pytest.mark.parametrize(
    ("method", "challenge"),
    [
        ("POST", "Session realm=api"),
        ("PATCH", "Session realm=api"),
        ("GET", "Session realm=api"),
    ],
)
def test_after_a_401_any_method_is_replayed(
    server: Server, dead: requests.Session, method: str, challenge: str
) -> None:
    server.challenges = lambda _: [challenge]
    answer = dead.request(method, f"{server.url}/orders", data=b"x")
    assert (answer.status_code, outcome(answer)) == (200, Outcome.REPLAYED)


@pytest.mark.requirement("C-24")
def test_a_bare_challenge_to_a_request_without_credentials_replays_any(
    server: Server, session: requests.Session
) -> None:
    session.auth = SessionAuth(server.login, server.url)
    answer = session.post(f"{server.url}/orders", data=b"x")
    assert (answer.status_code, outcome(answer)) == (200, Outcome.REPLAYED)


# Realms


def guarded(server: Server, session: requests.Session, pages: dict[str, str]) -> dict[str, str]:
    """Let each page ask for its realm, and attach an auth; return the living token of each."""
    living: dict[str, str] = {}

    def login(context: Context) -> Grant:
        living[context.realm] = f"t-{context.realm}"
        return Grant(token=living[context.realm])

    def answer(request: Request) -> Answer:
        name = pages[request.path]
        if request.token == living.get(name, "none yet"):
            return Answer()
        return Answer(401, (("WWW-Authenticate", f'Session realm="{name}", error="x.y"'),))

    server.routes |= dict.fromkeys(pages, answer)
    session.auth = SessionAuth(login, server.url)
    return living


def test_each_realm_of_an_origin_has_a_session_of_its_own(
    server: Server, session: requests.Session
) -> None:
    living = guarded(server, session, {"/a/1": "a", "/a/2": "a", "/b/1": "b", "/b/2": "b"})
    for page in ("/a/1", "/b/1", "/a/2", "/b/2", "/a/1"):
        assert session.get(f"{server.url}{page}").status_code == 200
    # The first of each logs in; the first of b was tried with a's. After that the path tells.
    assert [len(server.seen(page)) for page in ("/a/1", "/b/1", "/a/2", "/b/2")] == [3, 2, 1, 1]
    assert len(living) == 2


def test_a_folder_that_was_once_asked_for_by_a_realm_is_known_for_it(
    server: Server, session: requests.Session
) -> None:
    pages = {"/a/1": "a", "/b/1": "b", "/c/1": "a", "/c/2": "a"}
    guarded(server, session, pages)
    for page in pages:
        session.get(f"{server.url}{page}")
    assert [len(server.seen(page)) for page in ("/c/1", "/c/2")] == [2, 1]
