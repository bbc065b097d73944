"""SPEC.md §3 and Appendix B: what a challenge of the scheme is, and where the reader deviates."""

import subprocess

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import relogin
from relogin.server.gate import Refused
from relogin.session import SessionChallenge, SessionError
from tests.client.server import Server, serve
from tests.scheme.orders import refusal
from tests.wire.abnf_rules import Session, takes

# Short texts of the characters where a rule could be wrong.
TEXT = st.text(st.sampled_from([*'aZ0 ,"\\~!.-_;=', "\t", "\x7f", "\x80", "é", "Ā"]), max_size=4)


def sends(parts: dict[str, object]) -> bool:
    try:
        SessionChallenge(**parts)  # type: ignore[arg-type]
    except ValueError:
        return False
    return True


# Writing


@pytest.mark.requirement("S-1")
def test_every_value_of_a_challenge_is_quoted_and_none_is_a_token68() -> None:
    written = SessionChallenge(
        realm="r", error=SessionError.INSUFFICIENT, max_age=0, acr_values=("a", "b")
    )
    assert str(written) == (
        'Session realm="r", error="insufficient_user_authentication", max_age="0", acr_values="a b"'
    )
    assert written.to_challenge().token68 is None


@pytest.mark.requirement("S-2")
def test_a_challenge_always_has_a_realm() -> None:
    assert str(SessionChallenge()) == 'Session realm=""'


@pytest.mark.requirement("S-3")
@given(text=TEXT)
def test_a_server_sends_what_the_grammar_allows_and_nothing_else(text: str) -> None:
    assert sends({"realm": text}) == takes(Session("realm"), text)
    assert sends({"error_description": text}) == takes(Session("error-description"), text)
    assert sends({"error": text}) == takes(Session("error"), text)
    assert sends({"acr_values": (text,)}) == takes(Session("acr-value"), text)


@pytest.mark.requirement("S-3")
@pytest.mark.parametrize("seconds", [-1, 0, 300, 9_999_999_999, 10_000_000_000])
def test_a_server_sends_a_max_age_of_at_most_ten_digits(seconds: int) -> None:
    assert sends({"max_age": seconds}) == takes(Session("max-age"), str(seconds))


@pytest.mark.requirement("S-5")
@pytest.mark.parametrize("text", ["no, Basic realm=x", 'a"b', "a\r\nSet-Cookie: b", "Ārvalsts"])
def test_a_description_that_could_break_out_is_refused_where_it_is_written(text: str) -> None:
    with pytest.raises(ValueError, match="error_description"):
        Refused("session_expired", text)


@pytest.mark.needs("curl")
@pytest.mark.requirement("S-3")
@pytest.mark.parametrize(("text", "asked"), [("no, Basic realm=x", True), ("no Basic", False)])
def test_a_comma_in_a_text_makes_curl_send_a_password_and_without_one_it_does_not(
    text: str, asked: bool
) -> None:
    field = f'Session realm="orders", error="session_expired", error_description="{text}"'
    with serve(Server(answers=lambda sent: refusal(field))) as server:
        curl = ["curl", "-q", "-s", "--noproxy", "*", "--max-time", "10", "--anyauth"]
        subprocess.run([*curl, "-u", "ada:secret", server.url], check=True, capture_output=True)
    passwords = [sent.headers["Authorization"] for sent in server.requests]
    assert any(passwords) == asked


# Reading


def read(field: str) -> SessionChallenge:
    (challenge,) = relogin.parse(field)
    return SessionChallenge.from_challenge(challenge)


@pytest.mark.requirement("C-1")
def test_both_notations_and_any_case_of_a_name_read_alike() -> None:
    quoted = read('Session realm="api", error="session_expired", max_age="5", acr_values="mfa"')
    assert quoted == read("session REALM=api, Error=session_expired, MAX_AGE=5, acr_values=mfa")


@pytest.mark.requirement("C-1")
def test_unknown_parameters_are_ignored() -> None:
    assert read('Session realm="api", x="1", example.com.hint="y"') == read('Session realm="api"')


@pytest.mark.requirement("C-1", "C-4")
def test_a_bare_scheme_is_a_challenge_of_the_empty_realm() -> None:
    assert read("Session") == SessionChallenge(realm="")


@pytest.mark.requirement("C-2")
@given(code=st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=20))
def test_a_code_that_is_not_known_counts_as_invalid(code: str) -> None:
    assume(code not in set(SessionError))  # hypothesis draws from the texts in our source, too
    challenge = relogin.Challenge("Session", {"error": code})
    assert SessionChallenge.from_challenge(challenge).effective_error is SessionError.INVALID


@pytest.mark.requirement("C-2")
@pytest.mark.parametrize("code", list(SessionError))
def test_a_known_code_counts_as_itself_and_in_another_case_as_invalid(code: SessionError) -> None:
    assert read(f'Session error="{code}"').effective_error is code
    assert read(f'Session error="{code.upper()}"').effective_error is SessionError.INVALID


@pytest.mark.requirement("C-3")
@pytest.mark.parametrize("max_age", ["", "-1", "1.5", "+5", " 5", "five", "12345678901", "²"])
def test_a_max_age_that_is_no_number_of_seconds_is_left_out(max_age: str) -> None:
    challenge = read(f'Session error="insufficient_user_authentication", max_age="{max_age}"')
    assert (challenge.error, challenge.max_age) == (SessionError.INSUFFICIENT, None)


# Deviations


def refused(field: str | list[str]) -> bool:
    try:
        relogin.parse(field)
    except relogin.ChallengeSyntaxError:
        return True
    return False


@pytest.mark.requirement("D-1")
def test_a_field_longer_than_the_bound_is_refused_unread() -> None:
    longest = "a" * 16384
    assert not refused(longest)
    assert refused(longest + "a")
    with pytest.raises(relogin.ChallengeSyntaxError):
        relogin.Credentials.parse(longest + "a")


@pytest.mark.requirement("D-2")
def test_whitespace_around_a_value_is_ignored() -> None:
    assert relogin.parse(" \tBasic\t ") == relogin.parse("Basic")
    assert relogin.Credentials.parse("\t Basic a ") == relogin.Credentials.parse("Basic a")
    assert relogin.AuthInfo.parse(" a=b\t") == relogin.AuthInfo.parse("a=b")


@pytest.mark.requirement("D-3")
def test_characters_are_octets() -> None:
    (challenge,) = relogin.parse('Basic realm="\x80\xff"')
    assert challenge.realm == "\x80\xff"
    assert refused('Basic realm="Ā"')


@pytest.mark.requirement("D-4")
@pytest.mark.parametrize("code", [*range(0x20), 0x7F])
def test_no_control_character_but_htab_is_read(code: int) -> None:
    assert refused(f'Basic realm="a{chr(code)}b"') == (chr(code) != "\t")
    assert refused(f'Basic realm="a\\{chr(code)}b"') == (chr(code) != "\t")


@pytest.mark.requirement("D-5")
def test_one_fault_refuses_all_lines() -> None:
    assert not refused(["Negotiate", 'Basic realm="a"'])
    assert refused(["Negotiate", 'Basic realm="a'])


@pytest.mark.requirement("D-6")
def test_any_number_of_empty_elements_is_read() -> None:
    assert relogin.parse("Basic" + " ,\t" * 5000) == relogin.parse("Basic")


@pytest.mark.requirement("D-7")
def test_an_empty_field_is_an_empty_list() -> None:
    assert relogin.parse("") == relogin.parse([]) == relogin.parse(["", ","]) == []


@pytest.mark.requirement("D-8")
def test_a_realm_may_be_a_token() -> None:
    assert relogin.parse("Basic realm=a") == relogin.parse('Basic realm="a"')


@pytest.mark.requirement("D-9")
def test_a_field_is_written_in_its_canonical_form() -> None:
    field = r'Basic REALM = "\a" ,,'
    assert relogin.serialize(relogin.parse(field)) == 'Basic realm="a"'
