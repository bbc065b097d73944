"""What a gate reads out of a request, and decides; SPEC.md's table is walked in tests/scheme."""

import json
from typing import Any

import pytest

import relogin
from relogin.server.gate import Admitted, Gate, Refused, StepUp
from tests.server.asking import GATE, GOOD, challenge, decide, request

# Credentials


@pytest.mark.parametrize("field", [GOOD, "session TOKEN=good", 'SESSION a=b , token="g\\ood",'])
def test_a_token_is_read_in_any_notation(field: str) -> None:
    assert GATE.claim(request(authorization=field)).token == "good"


@pytest.mark.parametrize(
    "field", ["Session", "Session a=b", 'Session token=""', 'Session token="a b"', "Session good"]
)
def test_credentials_without_a_token_give_the_verifier_nothing_to_judge(field: str) -> None:
    claim = GATE.claim(request(authorization=field))
    assert (claim.presented, claim.token) == (True, None)


@pytest.mark.parametrize("field", ["", " "])
def test_an_empty_authorization_is_none(field: str) -> None:
    claim = GATE.claim(request(authorization=field, cookie="sid=good"))
    assert (claim.token, claim.by_cookie) == ("good", True)


def test_a_field_up_to_the_bound_is_read() -> None:
    token = "a" * (16_384 - len('Session token=""'))
    assert GATE.claim(request(authorization=f'Session token="{token}"')).token == token
    assert GATE.claim(request(authorization=f'Session token="{token}a"')).token is None


def test_a_field_beyond_the_bound_is_not_read() -> None:
    decision = decide(GATE, request(authorization=f'Session token="{"a" * 20_000}"'))
    assert challenge(decision) == 'Session realm="orders", error="session_invalid"'


@pytest.mark.parametrize(
    ("lines", "error"),
    [
        (["Basic YTpi", "Basic YTpi"], False),
        (["Basic YTpi", GOOD], True),
        ([f"Basic YTpi,{GOOD}"], True),
        ([f"{GOOD},Basic YTpi"], True),
        (["Sessions a b"], False),
        ([",", ",,"], False),
    ],
)
def test_what_cannot_be_read_is_refused_and_called_a_session_if_it_meant_one(
    lines: list[str], error: bool
) -> None:
    decision = decide(GATE, request(authorization=lines, cookie="sid=good"), "ada")
    assert challenge(decision).endswith('error="session_invalid"') == error


@pytest.mark.parametrize(
    ("cookie", "token"),
    [
        ("sid=good", "good"),
        (" a=b;sid = good ;c=d", "good"),
        ('sid="good"', "good"),
        (["a=b", "sid=good"], "good"),
        ("sid=good; sid=good", "good"),
        ("sid=a=b", "a=b"),
        ("sid=good; sid=planted", None),
        ("sid=", None),
        ('sid=""', None),
        ('sid="', None),
        ("SID=good", None),
        ("xsid=good", None),
        ("sid", None),
    ],
)
def test_the_cookie_is_found_by_its_exact_name(cookie: str | list[str], token: str | None) -> None:
    assert GATE.claim(request(cookie=cookie)).token == token


def test_an_emptied_cookie_is_no_session() -> None:
    assert challenge(decide(GATE, request(cookie="sid="))) == 'Session realm="orders"'


def test_without_a_cookie_name_cookies_are_not_looked_at() -> None:
    gate = Gate("orders")
    decision = decide(gate, request(cookie="sid=good"))
    assert decision.answer is not None
    assert ("Vary", "Authorization") in decision.answer.headers


def test_a_claim_shows_no_token() -> None:
    claim = GATE.claim(request(authorization=GOOD))
    assert "good" not in repr(claim)
    assert "good" not in repr(GATE.decide(claim))


# Outcomes


@pytest.mark.parametrize("found", [None, False, Admitted(None), Admitted(False)])
def test_a_verifier_that_found_nothing_admits_nobody(found: object) -> None:
    decision = decide(GATE, request(authorization=GOOD), found)
    assert challenge(decision) == 'Session realm="orders", error="session_invalid"'


@pytest.mark.parametrize("session", ["ada", {}, 0, "", Admitted({})])
def test_any_other_answer_is_a_session(session: object) -> None:
    decision = decide(GATE, request(authorization=GOOD), session)
    assert decision.answer is None
    assert decision.session == (session.session if isinstance(session, Admitted) else session)


def test_a_verifier_can_say_that_there_is_no_session_at_all() -> None:
    assert challenge(decide(GATE, request(cookie="sid=x"), Refused())) == 'Session realm="orders"'


def test_a_vendors_own_code_is_told() -> None:
    decision = decide(GATE, request(cookie="sid=x"), Refused("example.com.device_lost"))
    assert challenge(decision).endswith('error="example.com.device_lost"')
    assert decision.answer is not None
    assert json.loads(decision.answer.body) == {
        "title": "Unauthorized",
        "status": 401,
        "error": "example.com.device_lost",
    }


@pytest.mark.parametrize(
    ("expires_in", "told"), [(540, 540), (539.9, 539), (0, 0), (-0.5, 0), (-9, 0), (None, None)]
)
def test_a_lifetime_is_told_in_whole_seconds(expires_in: Any, told: int | None) -> None:
    decision = decide(GATE, request(authorization=GOOD), Admitted("ada", expires_in=expires_in))
    assert decision.lifetime == told


@pytest.mark.parametrize("seconds", [10_000_000_000, 9_999_999_999.5, float("inf"), float("nan")])
def test_a_lifetime_that_cannot_be_told_is_refused(seconds: float) -> None:
    with pytest.raises(ValueError, match="expires_in is at most 9999999999 seconds"):
        Admitted("ada", expires_in=seconds)
    with pytest.raises(ValueError, match="auth_age is at most 9999999999 seconds"):
        Admitted("ada", auth_age=seconds)
    assert Admitted("ada", expires_in=9_999_999_999).expires_in


@pytest.mark.parametrize("name", ["expires_in", "auth_age"])
def test_a_time_that_is_no_number_is_refused_where_it_is_written(name: str) -> None:
    with pytest.raises(TypeError, match=f"{name} is a number of seconds, not str"):
        Admitted("ada", **{name: "60"})  # type: ignore[arg-type]


# Options


@pytest.mark.parametrize("schemes", [[], ["Basic"], ["Session", "Digest"]])
def test_only_session_and_bearer_are_schemes(schemes: list[str]) -> None:
    with pytest.raises(ValueError, match="Session, Bearer or both"):
        Gate("orders", schemes=schemes)


@pytest.mark.parametrize("seconds", [0, 9_999_999_999])
def test_any_other_time_to_wait_is_sent(seconds: int) -> None:
    answer = decide(Gate("orders", retry_after=seconds), request(authorization=GOOD), OSError())
    assert answer.answer is not None
    assert ("Retry-After", str(seconds)) in answer.answer.headers


def test_other_schemes_come_first_on_the_same_line() -> None:
    gate = Gate("orders", also=[relogin.Challenge("DPoP", {"algs": "ES256"})])
    assert challenge(decide(gate, request())) == 'DPoP algs="ES256", Session realm="orders"'


def test_a_login_page_may_be_made_for_the_reason() -> None:
    gate = Gate("orders", cookie="sid", login_page=lambda said: f"<p>{said.error}@{said.realm}</p>")
    navigation = request(cookie="sid=x", sec_fetch_mode="navigate")
    answer = decide(gate, navigation, Refused("session_expired")).answer
    assert answer is not None
    assert answer.body == b"<p>session_expired@orders</p>"


# Step-up


@pytest.mark.parametrize(
    ("asked", "admitted", "enough"),
    [
        (StepUp(), Admitted("ada"), True),
        (StepUp(300), Admitted("ada", auth_age=300), True),
        (StepUp(300), Admitted("ada", auth_age=301), False),
        (StepUp(300), Admitted("ada"), False),
        (StepUp(0), Admitted("ada", auth_age=0), True),
        (StepUp(acr_values=("phr", "mfa")), Admitted("ada", acr="mfa"), True),
        (StepUp(acr_values=("phr",)), Admitted("ada", acr="mfa"), False),
        (StepUp(acr_values=("phr",)), Admitted("ada"), False),
        (StepUp(300, ("phr",)), Admitted("ada", auth_age=1), False),
        (StepUp(300, ("phr",)), Admitted("ada", auth_age=301, acr="phr"), False),
    ],
)
def test_step_up_asks_for_age_and_kind(
    asked: StepUp, admitted: Admitted[str], enough: bool
) -> None:
    gate = Gate("orders", step_up={"/pay": asked})
    decision = decide(gate, request("/pay", authorization=GOOD), admitted)
    assert asked.met_by(admitted) == enough == (decision.answer is None)


def test_a_kind_of_login_may_be_asked_for_as_a_text() -> None:
    asked = StepUp(acr_values="phr mfa")  # type: ignore[arg-type]
    assert asked == StepUp(acr_values=("phr", "mfa"))
    assert not asked.met_by(Admitted("ada", acr="m"))
    assert Refused("insufficient_user_authentication", acr_values="phr").acr_values == ("phr",)


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        ({"max_age": "300"}, TypeError),
        ({"max_age": 0.5}, TypeError),
        ({"max_age": -1}, ValueError),
        ({"acr_values": ("a b",)}, ValueError),
    ],
)
def test_a_step_up_that_no_challenge_can_ask_for_is_refused(
    asked: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        StepUp(**asked)


def test_what_is_stepped_up_is_not_public() -> None:
    gate = Gate("orders", public=["/*"], step_up={"/pay": StepUp(300)})
    assert decide(gate, request("/Pay/")).answer is not None
    assert decide(gate, request("/orders")).answer is None


def test_each_of_several_step_ups_has_to_be_met() -> None:
    gate = Gate("orders", step_up={"/pay/*": StepUp(300), "/pay/big": StepUp(acr_values=("phr",))})
    admitted = Admitted("ada", auth_age=1)
    assert decide(gate, request("/pay/small", authorization=GOOD), admitted).answer is None
    refused = decide(gate, request("/pay/big", authorization=GOOD), admitted)
    assert challenge(refused).endswith('acr_values="phr"')


@pytest.mark.parametrize(("before", "warned"), [(99, True), (100, False)])
def test_the_first_hundred_requests_are_checked_for_another_path_that_a_proxy_tells(
    before: int, warned: bool, caplog: pytest.LogCaptureFixture
) -> None:
    gate = Gate("orders", step_up={"/pay/*": StepUp(300)})
    for _ in range(before):
        gate.claim(request())
    gate.claim(request(x_original_uri="/pay/7"))
    assert ("set path_from" in caplog.text) == warned


def test_the_path_that_a_proxy_tells_is_decoded_once() -> None:
    gate = Gate("orders", public=["/a b"], path_from="X-Original-URI")
    assert gate.claim(request(x_original_uri="/a%20b?c")).public
    assert not gate.claim(request(x_original_uri="/a%2520b")).public
