"""SPEC.md is whole: each requirement has a test, each example is true, each table is the code's."""

import json
import re
from email.message import Message
from email.parser import Parser

import pytest

import relogin
from relogin.client.drain import MOST_OCTETS, MOST_SECONDS
from relogin.client.renewal import protection_spaces as spaces
from relogin.client.renewal.known_spaces import _MOST_REALMS
from relogin.client.renewal.policy import MOST_REPLAYS, Policy
from relogin.client.responders import SESSION
from relogin.session import SessionChallenge, SessionError
from relogin.wire import MAX_LENGTH
from tests.scheme import spec
from tests.wire.abnf_rules import GRAMMAR, HTTPAuth, Session, takes

BOUNDS = "- **[C-29]** A client MUST have each of these bounds and SHOULD use these defaults."
FENCES = {
    *("http", "challenge", "received", "ignored", "refused", "recovered"),
    *(
        "credentials",
        "refused-credentials",
        "authentication-info",
        "abnf http-auth",
        "abnf session",
    ),
}


# The requirements


def test_each_requirement_has_a_test_or_a_reason() -> None:
    missing = set(spec.requirements()) - set(spec.proofs()) - set(spec.BEYOND_US)
    assert not missing


def test_each_test_proves_a_requirement_that_exists() -> None:
    assert not set(spec.proofs()) - set(spec.requirements())


def test_what_is_beyond_us_exists_and_has_no_test() -> None:
    assert set(spec.BEYOND_US) <= set(spec.requirements()) - set(spec.proofs())


def test_requirements_are_numbered_without_a_gap_in_the_order_of_the_text() -> None:
    for letter in "SCIDR":
        numbers = [int(name[2:]) for name in spec.requirements() if name[0] == letter]
        assert numbers == list(range(1, len(numbers) + 1))


def test_a_requirement_says_how_strong_it_is() -> None:
    for name, text in spec.requirements().items():
        assert bool(spec.KEY_WORDS.search(text)) == (name[0] != "D"), name


def test_key_words_stand_in_requirements_alone() -> None:
    paragraphs = spec.rest().split("\n\n")
    (definition,) = [one for one in paragraphs if spec.KEY_WORDS.search(one)]
    assert "BCP 14" in definition


def test_each_requirement_that_is_referred_to_exists() -> None:
    assert set(re.findall(r"\[([SCIDR]-\d+)\]", spec.TEXT)) == set(spec.requirements())


def test_references_are_listed_and_used() -> None:
    before, _, rest = spec.TEXT.partition("## 16. References")
    listed, _, appendices = rest.partition("## Appendix")
    body = before + appendices
    tag = re.compile(r"\[(HTTP|CACHING|COOKIE|FETCH|RFC\d+)\]")
    assert set(tag.findall(body)) == set(tag.findall(listed))


# The grammar


@pytest.mark.parametrize("name", ["http-auth", "session"])
def test_the_collected_abnf_is_the_file(name: str) -> None:
    text = (GRAMMAR / f"{name}.abnf").read_text("ascii")
    assert spec.fences(f"abnf {name}") == [re.sub(r"\A(?:;.*\n)+\n", "", text)]


def test_the_parameters_are_those_of_the_typed_challenge() -> None:
    names = [row[0] for row in spec.table("## 3. The challenge")]
    assert names == list(SessionChallenge.__dataclass_fields__)


def test_each_parameter_has_a_rule() -> None:
    for row in spec.table("## 3. The challenge"):
        assert takes(Session(row[1]), "1") in {True, False}


def test_the_error_codes_are_those_of_the_code() -> None:
    text = spec.TEXT.partition("| `error` | what has happened to the session |")[2].partition(
        "### 3.1"
    )[0]
    codes = re.findall(r"^\| `(\w+)`", text, re.MULTILINE)
    assert codes == [str(code) for code in SessionError]
    assert all(takes(Session("error"), code) for code in codes)


# The examples


def test_each_fence_is_of_a_kind_that_a_test_reads() -> None:
    assert set(re.findall(r"^```(.+)$", spec.TEXT, re.MULTILINE)) == FENCES
    assert all(spec.fences(kind) for kind in FENCES)


@pytest.mark.parametrize("field", spec.lines("challenge"))
def test_a_challenge_that_a_server_writes_is_read_strictly_and_is_canonical(field: str) -> None:
    challenges = relogin.parse(field)
    assert relogin.serialize(challenges) == field
    for challenge in challenges:
        if challenge.scheme == "Session":
            assert SessionChallenge.from_challenge(challenge).to_challenge() == challenge


@pytest.mark.parametrize("field", spec.lines("received"))
def test_a_challenge_that_a_client_may_get_is_read(field: str) -> None:
    (challenge,) = relogin.parse(field)
    assert SessionChallenge.from_challenge(challenge).realm in {"", "orders"}


def test_what_a_received_challenge_counts_as() -> None:
    read = [
        SessionChallenge.from_challenge(relogin.parse(one)[0]) for one in spec.lines("received")
    ]
    expired, invalid = SessionError.EXPIRED, SessionError.INVALID
    codes = [None, expired, expired, invalid, SessionError.REVOKED, None]
    assert [one.effective_error for one in read] == codes


@pytest.mark.parametrize("field", spec.lines("ignored"))
def test_a_well_formed_challenge_that_is_none_of_the_scheme_is_ignored(field: str) -> None:
    (challenge,) = relogin.parse(field)
    assert SESSION.read(challenge) is None


@pytest.mark.parametrize("field", spec.lines("refused"))
def test_what_is_no_challenge_is_refused(field: str) -> None:
    with pytest.raises(relogin.ChallengeSyntaxError):
        relogin.parse(field)


def test_what_is_refused_is_recovered_as_the_text_says() -> None:
    shown = spec.lines("recovered")
    assert shown[::2] == spec.lines("refused")
    read = [relogin.serialize(relogin.parse(field, lenient=True)) for field in shown[::2]]
    assert [f"=> {one}" for one in read] == shown[1::2]


@pytest.mark.parametrize("field", spec.lines("credentials"))
def test_credentials_carry_a_token(field: str) -> None:
    credentials = relogin.Credentials.parse(field)
    assert credentials.scheme.lower() == "session"
    assert takes(Session("session-token"), credentials["token"])


@pytest.mark.parametrize("field", spec.lines("authentication-info"))
def test_authentication_info_carries_seconds(field: str) -> None:
    assert takes(HTTPAuth("Authentication-Info"), field)
    assert takes(Session("expires-in"), relogin.AuthInfo.parse(field)["expires_in"])


def message(text: str) -> tuple[str, Message, str]:
    start, _, rest = text.partition("\n")
    head, _, content = rest.partition("\n\n")
    return start, Parser().parsestr(head), content


@pytest.mark.parametrize("text", spec.fences("http"))
def test_a_message_holds_what_its_fields_promise(text: str) -> None:
    start, fields, content = message(text)
    if start.endswith("HTTP/1.1"):
        credentials = relogin.Credentials.parse(fields["Authorization"])
        assert str(credentials) == fields["Authorization"]
        return
    status = int(start.split()[1])
    challenges = relogin.parse(fields.get_all("WWW-Authenticate", []))
    assert bool(challenges) == (status == 401)
    assert "no-store" in fields["Cache-Control"]
    assert "Authorization" in fields["Vary"]
    relogin.AuthInfo.parse(fields.get("Authentication-Info", ""))
    if content and fields["Content-Type"] == "application/problem+json":
        problem = json.loads(content)
        assert problem["status"] == status
        assert status != 401 or problem["error"] == challenges[0]["error"]


# The bounds


@pytest.mark.requirement("C-29")
def test_the_default_of_each_bound_is_the_clients() -> None:
    policy = Policy(origins=frozenset(), responders=(SESSION,))
    pause, longest, told = spaces._FIRST_PAUSE, spaces._LONGEST_PAUSE, spaces._LONGEST_RETRY_AFTER
    assert {bound: re.findall(r"\d+", value) for bound, value in spec.table(BOUNDS)} == {
        "logins that one request leads": ["1"],
        "replays of one request": [f"{MOST_REPLAYS}"],
        "logins for one protection space": [f"{policy.budget}", f"{policy.budget_window:g}"],
        "time for one login": [f"{policy.login_timeout:g}"],
        "time after which another request takes over a renewal": [f"{policy.flight_timeout:g}"],
        "time that a request waits for a renewal": [f"{policy.wait_timeout:g}"],
        "pause, for one protection space, after a login that failed, but was not refused": [
            f"{seconds:g}" for seconds in (pause, longest, told)
        ],
        "content of a 401 that is read before a replay": [
            f"{MOST_OCTETS // 1024}",
            f"{MOST_SECONDS:g}",
        ],
        "moment of a renewal ahead of expiry": ["80", "90"],
        "methods and paths remembered for [C-26]": [
            f"{spaces._MOST_PERSISTENT}",
            f"{spaces._PERSISTS_FOR:g}",
        ],
        "realms remembered of one origin": [f"{_MOST_REALMS}"],
        "length of a field": [f"{MAX_LENGTH}", "1"],
    }
