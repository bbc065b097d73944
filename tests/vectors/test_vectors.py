"""Every vector, in every direction: README.md beside this file says what they are."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import jsonschema
import pytest

import relogin
from relogin.client.driver.lifetime import lifetime
from relogin.server.facts import Request
from relogin.server.gate import Gate
from relogin.session import SessionChallenge
from relogin.wire.faults import KINDS

HERE = Path(__file__).parent
SCHEMA = json.loads((HERE / "schema.json").read_text("utf-8"))

Row: TypeAlias = dict[str, Any]


def rows(file: str, keep: Callable[[Row], object] = bool) -> list[Any]:
    """The rows of a file that are kept, each a test of its name."""
    read: list[Row] = json.loads((HERE / f"{file}.json").read_text("utf-8"))
    return [pytest.param(row, id=row.get("name") or row["id"]) for row in read if keep(row)]


def each(file: str, keep: Callable[[Row], object] = bool) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("row", rows(file, keep))


def well_formed(row: Row) -> bool:
    return "expected" in row


def must_fail(row: Row) -> bool:
    return "must_fail" in row


def said(value: relogin.Challenge | relogin.Credentials) -> Row:
    params = [list(pair) for pair in value.params.items()]
    return {"scheme": value.scheme, "token68": value.token68, "params": params}


def challenge(row: Row) -> relogin.Challenge:
    return relogin.Challenge(row["scheme"], row["params"], token68=row["token68"])


@pytest.mark.parametrize("file", sorted({path.stem for path in HERE.glob("*.json")} - {"schema"}))
def test_a_file_follows_the_schema(file: str) -> None:
    rows_of = {"type": "array", "minItems": 1, "items": {"$ref": f"#/$defs/{file}"}}
    jsonschema.validate(json.loads((HERE / f"{file}.json").read_text("utf-8")), SCHEMA | rows_of)


# Challenges


@each("challenges", well_formed)
def test_challenges_read_as_expected(row: Row) -> None:
    field = row["field"]
    assert [said(one) for one in relogin.parse(field)] == row["expected"]
    assert [said(one) for one in relogin.parse(", ".join(field))] == row["expected"]


@each("challenges", well_formed)
def test_challenges_are_written_canonically(row: Row) -> None:
    assert relogin.serialize(map(challenge, row["expected"])) == row["canonical"]


@each("challenges", well_formed)
def test_the_canonical_form_reads_back(row: Row) -> None:
    assert [said(one) for one in relogin.parse(row["canonical"])] == row["expected"]


@each("challenges", must_fail)
def test_a_malformed_challenge_is_refused(row: Row) -> None:
    with pytest.raises(relogin.ChallengeSyntaxError):
        relogin.parse(row["field"])


@each("recovered")
def test_what_is_recovered_was_malformed(row: Row) -> None:
    with pytest.raises(relogin.ChallengeSyntaxError):
        relogin.parse(row["field"])


# What is wrong, and what was meant


def kinds(row: Row) -> set[str]:
    return {fault.kind for fault in relogin.diagnose(row["field"]).faults}


@each("challenges", well_formed)
def test_a_lenient_reader_finds_nothing_wrong_with_what_is_well_formed(row: Row) -> None:
    diagnosis = relogin.diagnose(row["field"])
    assert (diagnosis.wellformed, diagnosis.faults) == (True, ())
    assert [said(one) for one in diagnosis.challenges] == row["expected"]
    assert relogin.parse(row["field"], lenient=True) == relogin.parse(row["field"])


@each("recovered")
def test_a_lenient_reader_returns_what_was_meant(row: Row) -> None:
    assert [said(one) for one in relogin.parse(row["field"], lenient=True)] == row["recovered"]


@each("recovered")
def test_what_was_meant_can_be_written_and_read_back(row: Row) -> None:
    meant = [challenge(one) for one in row["recovered"]]
    assert relogin.parse(relogin.serialize(meant)) == meant


@each("recovered")
def test_each_fault_is_named(row: Row) -> None:
    assert not relogin.diagnose(row["field"]).wellformed
    assert kinds(row) == set(row["faults"])


@each("challenges", lambda row: "faults" in row)
def test_the_faults_of_what_must_fail_are_named(row: Row) -> None:
    assert kinds(row) == set(row["faults"])


def test_each_kind_of_fault_has_a_vector_and_a_line_in_the_readme() -> None:
    shown = {kind for row in json.loads((HERE / "recovered.json").read_text("utf-8"))
             for kind in row["faults"]}  # fmt: skip
    told = re.findall(r"^\| `([\w-]+)` \|", (HERE / "README.md").read_text("utf-8"), re.MULTILINE)
    assert shown == set(told) == set(KINDS) - {"too-many-faults"}
    assert told == sorted(told)


# Credentials and Authentication-Info


@each("credentials", well_formed)
def test_credentials_go_both_ways(row: Row) -> None:
    (field,), expected = row["field"], row["expected"]
    written = relogin.Credentials(
        expected["scheme"], expected["params"], token68=expected["token68"]
    )
    assert said(relogin.Credentials.parse(field)) == expected
    assert str(written) == row["canonical"]
    assert said(relogin.Credentials.parse(row["canonical"])) == expected


@each("credentials", must_fail)
def test_malformed_credentials_are_refused(row: Row) -> None:
    with pytest.raises(relogin.ChallengeSyntaxError):
        relogin.Credentials.parse(*row["field"])


@each("authentication-info", well_formed)
def test_authentication_info_goes_both_ways(row: Row) -> None:
    (field,), params = row["field"], row["expected"]["params"]
    assert [list(pair) for pair in relogin.AuthInfo.parse(field).params.items()] == params
    assert str(relogin.AuthInfo(params)) == row["canonical"]
    assert relogin.AuthInfo.parse(row["canonical"]) == relogin.AuthInfo(params)


@each("authentication-info", must_fail)
def test_malformed_authentication_info_is_refused(row: Row) -> None:
    with pytest.raises(relogin.ChallengeSyntaxError):
        relogin.AuthInfo.parse(*row["field"])


# The Session scheme


def of(header: str, key: str) -> Callable[[Row], bool]:
    return lambda row: row["header"] == header and key in row


def view(session: SessionChallenge) -> Row:
    names = ("realm", "error", "effective_error", "error_description", "max_age")
    return {name: getattr(session, name) for name in names} | {
        "acr_values": list(session.acr_values)
    }


def typed(row: Row) -> SessionChallenge:
    given = {name: value for name, value in row.items() if name != "effective_error"}
    return SessionChallenge(**given | {"acr_values": tuple(row["acr_values"])})


@each("session", lambda row: "session" in row and "field" in row)
def test_a_session_challenge_reads_as_its_typed_view(row: Row) -> None:
    (received,) = relogin.parse(row["field"])
    assert view(SessionChallenge.from_challenge(received)) == row["session"]


@each("session", lambda row: "session" in row and "canonical" in row)
def test_a_typed_view_is_written_canonically(row: Row) -> None:
    assert str(typed(row["session"])) == row["canonical"]
    (received,) = relogin.parse(row["canonical"])
    assert SessionChallenge.from_challenge(received) == typed(row["session"])


@each("session", lambda row: "session" in row and "canonical" not in row)
def test_what_no_server_may_send_is_refused(row: Row) -> None:
    with pytest.raises(ValueError):
        typed(row["session"])


def claimed(lines: list[str]) -> str | None:
    """The token that a server finds in these Authorization lines."""
    request = Request("GET", "/", lambda name: lines if name == "authorization" else [])
    return Gate("orders").claim(request).token


@pytest.mark.requirement("S-6")
@each("session", of("Authorization", "token"))
def test_a_server_finds_the_token(row: Row) -> None:
    assert claimed(row["field"]) == claimed([row["canonical"]]) == row["token"]
    assert str(relogin.Credentials.parse(*row["field"])) == row["canonical"]


@pytest.mark.requirement("S-7")
@each("session", of("Authorization", "must_fail"))
def test_a_server_finds_no_token_in_malformed_credentials(row: Row) -> None:
    assert claimed(row["field"]) is None


@each("session", of("Authentication-Info", "expires_in"))
def test_a_client_finds_the_seconds(row: Row) -> None:
    assert lifetime(*row["field"]) == lifetime(row["canonical"]) == row["expires_in"]


@pytest.mark.requirement("C-6")
@each("session", of("Authentication-Info", "must_fail"))
def test_a_client_ignores_a_lifetime_that_is_none(row: Row) -> None:
    assert lifetime(*row["field"]) is None


# The corpus


@each("wild", lambda row: row["wellformed"])
def test_a_well_formed_field_of_a_real_server_reads_as_it_means(row: Row) -> None:
    assert [said(one) for one in relogin.parse(row["field"])] == row["expect"]


@each("wild", lambda row: not row["wellformed"])
def test_a_malformed_field_of_a_real_server_is_refused(row: Row) -> None:
    with pytest.raises(relogin.ChallengeSyntaxError):
        relogin.parse(row["field"])


@each("wild", lambda row: not row["wellformed"])
def test_a_malformed_field_of_a_real_server_is_recovered_and_its_faults_named(row: Row) -> None:
    assert [said(one) for one in relogin.parse(row["field"], lenient=True)] == row["expect"]
    assert set(row["faults"]) <= kinds(row)
