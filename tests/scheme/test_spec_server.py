"""SPEC.md §4 and §5.1 to §5.4: what a server does, asked of the gate."""

import asyncio
import json
import socket
import sys
import time
from typing import Any

import pytest
from itsdangerous import TimestampSigner, URLSafeTimedSerializer

import relogin
from relogin.server.asgi import SessionGate
from relogin.server.gate import Gate
from relogin.server.verifiers import Lookup, Signed
from tests.scheme import spec
from tests.scheme.gate import ask, verify
from tests.server.serving import serving_asgi

# Table 5.1: a credential in words, as fields of a request in each binding.

TOKENS = {
    "not known, or lost": "never-seen",
    "alive": "alive",
    "timed out": "timed-out",
    "ended on purpose": "ended",
    "alive, login too old or too weak": "alive",
    "alive, CSRF token wrong": "alive",
    "cannot be told: trouble in the store": "trouble",
}
PATHS = {"alive, login too old or too weak": "/pay", "alive, CSRF token wrong": "/csrf"}


def by_authorization(credential: str, state: str) -> dict[str, str]:
    return {
        "none": {},
        "of another scheme": {"authorization": "Basic YWJj"},
        "malformed": {"authorization": "Session YWJj"},
        "a token": {"authorization": f'Session token="{TOKENS.get(state)}"'},
    }[credential]


def by_cookie(credential: str, state: str) -> dict[str, str]:
    return {
        "none": {"cookie": "other=1"},
        "of another scheme": {"authorization": "Basic YWJj", "cookie": "other=1"},
        "malformed": {"cookie": "sid=alive; sid=another"},
        "a token": {"cookie": f"a=b; sid={TOKENS.get(state)}"},
    }[credential]


STATES = spec.table("### 5.1 States and responses")


@pytest.mark.requirement("S-14")
@pytest.mark.parametrize("row", STATES, ids=[row[0] for row in STATES])
@pytest.mark.parametrize("binding", [by_authorization, by_cookie])
def test_the_gate_answers_as_the_table_says(row: list[str], binding: Any) -> None:
    _, credential, state, status, error = row
    answer = ask(PATHS.get(state, "/"), **binding(credential, state))
    assert answer.status == int(status)
    assert bool(answer.challenges) == (status == "401")
    if status == "401":
        assert answer.error == (None if error == "-" else error)


@pytest.mark.requirement("S-21")
@pytest.mark.parametrize("row", STATES, ids=[row[0] for row in STATES])
@pytest.mark.parametrize("binding", [by_authorization, by_cookie])
def test_a_public_page_is_served_in_every_state(row: list[str], binding: Any) -> None:
    answer = ask("/public/page", **binding(row[1], row[2]))
    assert (answer.status, answer.challenges) == (200, [])


def test_the_table_is_read_whole() -> None:
    assert [int(row[0]) for row in STATES] == list(range(1, 12))


# The exchanges of the text


def message(text: str) -> tuple[list[str], dict[str, str], str]:
    head, _, content = text.partition("\n\n")
    start, *fields = head.splitlines()
    return start.split(), dict(field.split(": ", 1) for field in fields), content.strip()


MESSAGES = [message(text) for text in spec.fences("http")]
REQUESTS = [place for place, (start, _, _) in enumerate(MESSAGES) if start[-1] == "HTTP/1.1"]


@pytest.mark.parametrize("place", REQUESTS)
def test_the_gate_answers_as_in_the_text(place: int) -> None:
    (method, path, _), asked, _ = MESSAGES[place]
    (_, status, *_), told, content = MESSAGES[place + 1]
    words = {"cookie": None}
    answer = ask(path, method, words, authorization=asked["Authorization"])
    assert (answer.status, answer.body.decode()) == (int(status), content)
    assert told == {name: answer.field(name) for name in told}


def test_the_403_of_the_text_is_the_gates() -> None:
    _, told, content = MESSAGES[-1]
    answer = ask("/csrf", cookie="sid=alive")
    assert (answer.status, answer.body.decode()) == (403, content)
    assert told == {name: answer.field(name) for name in told}


# Credentials


@pytest.mark.requirement("S-6")
@pytest.mark.parametrize(
    "field",
    ['Session token="alive"', "session TOKEN=alive", 'Session x.example.a="1", token="alive"'],
)
def test_a_token_is_read_in_either_notation_among_unknown_parameters(field: str) -> None:
    assert ask(authorization=field).status == 200


@pytest.mark.requirement("S-7")
@pytest.mark.parametrize("field", [*spec.lines("refused-credentials"), 'Session token="a'])
def test_malformed_credentials_are_a_refused_session(field: str) -> None:
    answer = ask(authorization=field, cookie="sid=alive")
    assert (answer.status, answer.error) == (401, "session_invalid")


@pytest.mark.requirement("S-7")
def test_two_authorization_lines_are_refused_though_both_are_alive() -> None:
    line = 'Session token="alive"'
    answer = ask(authorization=f"{line}, {line}")
    assert (answer.status, answer.error) == (401, "session_invalid")


@pytest.mark.requirement("S-4")
def test_no_error_is_told_of_another_schemes_credential() -> None:
    assert ask(authorization="Basic YWJj").error is None


@pytest.mark.requirement("S-4", "S-22")
def test_the_reason_stands_in_the_challenge_of_the_scheme_that_was_used_on_one_line() -> None:
    both = {"schemes": ["Session", "Bearer"]}
    answer = ask(words=both, authorization="Bearer timed-out")
    assert len(answer.lines("WWW-Authenticate")) == 1
    bearer, session = answer.challenges
    assert (bearer.scheme, bearer["error"]) == ("Bearer", "invalid_token")
    assert (session.scheme, session.get("error")) == ("Session", None)


@pytest.mark.requirement("S-22")
def test_one_challenge_is_sent_where_there_is_one_scheme() -> None:
    assert [one.scheme for one in ask().challenges] == ["Session"]


@pytest.mark.requirement("S-23")
@pytest.mark.parametrize("scheme", ["Basic", "digest", "Negotiate", "NTLM"])
def test_no_scheme_that_opens_a_browsers_dialog_is_offered_beside_session(scheme: str) -> None:
    with pytest.raises(ValueError, match="password"):
        Gate("orders", also=[relogin.Challenge(scheme, {"realm": "a"})])


@pytest.mark.requirement("S-5")
def test_nothing_that_came_with_the_request_is_told() -> None:
    answer = ask("/injected%0d%0a", authorization='Session token="injected"', cookie="sid=injected")
    assert answer.status == 401
    assert "injected" not in repr(answer)


@pytest.mark.requirement("S-5", "S-18")
def test_trouble_in_the_store_is_told_without_its_text_and_with_a_time_to_wait() -> None:
    answer = ask(authorization='Session token="trouble"')
    assert (answer.status, answer.challenges) == (503, [])
    assert int(answer.field("Retry-After")) > 0
    assert "secret-text" not in repr(answer)


# Authentication-Info


@pytest.mark.requirement("S-8")
def test_the_lifetime_answers_an_accepted_authorization_and_nothing_else() -> None:
    accepted = ask(authorization='Session token="alive"')
    assert relogin.AuthInfo.parse(accepted.field("Authentication-Info"))["expires_in"] == "540"
    for other in (
        ask(cookie="sid=alive"),
        ask(authorization='Session token="timed-out"'),
        ask("/pay", authorization='Session token="alive"'),
        ask("/public/page"),
    ):
        assert not other.lines("Authentication-Info")


@pytest.mark.requirement("S-8")
def test_the_lifetime_is_no_trailer_though_the_server_could_send_one() -> None:
    async def streams(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for more in (True, False):
            await send({"type": "http.response.body", "body": b"part", "more_body": more})

    async def judge(token: str) -> Any:
        return verify(token)

    sent: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    scope: dict[str, Any] = {
        "type": "http",
        "method": "GET",
        "path": "/",
        "raw_path": b"/",
        "query_string": b"",
        "headers": [(b"authorization", b'Session token="alive"'), (b"te", b"trailers")],
        "extensions": {"http.response.trailers": {}},
    }
    asyncio.run(SessionGate(streams, judge, realm="orders")(scope, None, send))
    assert (b"authentication-info", b"expires_in=540") in [
        (name.lower(), value) for name, value in sent[0]["headers"]
    ]
    assert [message["type"] for message in sent] == [
        "http.response.start",
        *["http.response.body"] * 2,
    ]
    assert not sent[0].get("trailers")


# The cookie


@pytest.mark.requirement("S-9")
@pytest.mark.parametrize("token", ["timed-out", "ended", "never-seen"])
def test_the_cookie_of_a_dead_session_is_left_alone(token: str) -> None:
    assert not ask(cookie=f"sid={token}").lines("Set-Cookie")
    assert not ask("/public/wipes", cookie=f"sid={token}").lines("Set-Cookie")


@pytest.mark.requirement("S-9")
def test_a_logout_of_a_living_session_deletes_the_cookie() -> None:
    assert ask("/public/wipes", cookie="sid=alive").lines("Set-Cookie") == ["sid=; Max-Age=0"]


@pytest.mark.requirement("S-12")
def test_authorization_decides_over_the_cookie() -> None:
    dead = ask(authorization='Session token="timed-out"', cookie="sid=alive")
    assert (dead.status, dead.error) == (401, "session_expired")
    assert ask(authorization='Session token="alive"', cookie="sid=timed-out").status == 200


@pytest.mark.requirement("S-12")
def test_an_authorization_that_cannot_be_read_decides_over_the_cookie() -> None:
    assert ask(authorization="token=a", cookie="sid=alive").status == 401


@pytest.mark.requirement("S-12")
def test_another_schemes_credentials_leave_the_decision_to_the_cookie() -> None:
    assert ask(authorization="Basic YWJj", cookie="sid=alive").status == 200


@pytest.mark.requirement("S-13")
def test_two_different_session_cookies_are_refused_and_two_equal_ones_are_not() -> None:
    assert ask(cookie="sid=alive; sid=planted").error == "session_invalid"
    assert ask(cookie="sid=alive; sid=alive").status == 200


# Reasons


def signed(age: float, *, secret: str = "ours") -> str:
    """A token that was signed so many seconds ago, by us or by somebody else."""

    class Signer(TimestampSigner):
        def get_timestamp(self) -> int:
            return int(time.time() - age)

    token = URLSafeTimedSerializer(secret, signer=Signer).dumps("Ada")
    assert isinstance(token, str)
    return token


@pytest.mark.requirement("S-15")
@pytest.mark.parametrize(
    ("token", "error"),
    [
        (signed(1000), "session_expired"),
        (signed(1000, secret="theirs"), "session_invalid"),
        (signed(0, secret="theirs"), "session_invalid"),
        (signed(1000)[:-1], "session_invalid"),
        ("forged", "session_invalid"),
    ],
)
def test_of_signed_tokens_only_a_genuine_one_is_said_to_have_expired(
    token: str, error: str
) -> None:
    judge = {"verify": Signed(URLSafeTimedSerializer("ours"), max_age=900)}
    assert ask(authorization=f'Session token="{token}"', words=judge).error == error
    alive = ask(authorization=f'Session token="{signed(0)}"', words=judge)
    assert alive.status == 200


@pytest.mark.requirement("S-15")
@pytest.mark.parametrize(
    ("token", "error"),
    [("old", "session_expired"), ("ended", "session_revoked"), ("forged", "session_invalid")],
)
def test_of_tokens_on_record_only_one_that_is_there_is_said_to_have_expired_or_been_revoked(
    token: str, error: str
) -> None:
    ends = {"old": 1000.0, "ended": 3000.0}
    revoked = ends["ended"].__eq__
    judge = {"verify": Lookup(ends, expires_at=float, revoked=revoked, clock=lambda: 2000.0)}
    assert ask(authorization=f'Session token="{token}"', words=judge).error == error


@pytest.mark.requirement("S-16")
@pytest.mark.parametrize("token", ["timed-out", "ended", "forged"])
def test_the_reasons_can_be_made_one(token: str) -> None:
    told = {
        (answer.field("WWW-Authenticate"), answer.body)
        for answer in (
            ask(words={"collapse": True}, authorization=f'Session token="{one}"')
            for one in (token, "never-seen")
        )
    }
    assert len(told) == 1


@pytest.mark.requirement("S-17")
def test_a_wrong_csrf_token_is_403_with_its_code_in_the_content_alone() -> None:
    answer = ask("/csrf", cookie="sid=alive")
    assert (answer.status, answer.challenges) == (403, [])
    assert json.loads(answer.body)["error"] == "csrf_invalid"


@pytest.mark.requirement("S-19")
@pytest.mark.parametrize("token", ["timed-out", "ended", "trouble", "never-seen"])
def test_a_refusal_comes_before_the_body_is_read_and_the_resource_reached(token: str) -> None:
    assert not ask(method="POST", authorization=f'Session token="{token}"').reached
    assert ask(method="POST", authorization='Session token="alive"').reached


def whole(port: int, token: str) -> bytes:
    """What a server sends to a client that asks for leave to send its body, and is silent then."""
    head = "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n"
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        field = f'Authorization: Session token="{token}"\r\nConnection: close\r\n\r\n'
        connection.sendall((head + field).encode())
        return connection.recv(1024)


@pytest.mark.requirement("S-19")
def test_a_refused_body_gets_no_leave_to_be_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "hypercorn.protocol", raising=False)  # this is uvicorn

    async def reads(scope: Any, receive: Any, send: Any) -> None:
        await receive()

    async def judge(token: str) -> Any:
        return verify(token)

    with serving_asgi(SessionGate(reads, judge, realm="orders")) as port:
        assert whole(port, "timed-out").startswith(b"HTTP/1.1 401 ")
        assert whole(port, "trouble").startswith(b"HTTP/1.1 503 ")
        assert whole(port, "alive").startswith(b"HTTP/1.1 100 ")


@pytest.mark.requirement("S-21", "S-29")
def test_a_challenge_rides_on_a_public_page_only_when_asked_for_and_then_is_not_stored() -> None:
    words = {"announce": True}
    answer = ask("/public/page", words=words, cookie="sid=timed-out")
    assert (answer.status, answer.error) == (200, "session_expired")
    assert {"private", "no-store"} <= set(answer.field("Cache-Control").split(", "))


@pytest.mark.requirement("S-24")
@pytest.mark.parametrize("token", ["timed-out", "ended", "never-seen"])
def test_the_content_has_the_code_of_the_field(token: str) -> None:
    answer = ask(cookie=f"sid={token}")
    assert answer.field("Content-Type") == "application/problem+json"
    problem = json.loads(answer.body)
    assert (problem["status"], problem["error"]) == (401, answer.error)


@pytest.mark.requirement("S-24")
def test_a_navigation_gets_the_login_page_as_the_content_of_the_401() -> None:
    answer = ask(words={"login_page": "<form>"}, accept="text/html", sec_fetch_mode="navigate")
    assert (answer.status, answer.body, answer.error) == (401, b"<form>", None)
