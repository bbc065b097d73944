"""Every vector, in every direction: README.md beside this file says what they are."""

import json
import re
from collections import Counter
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

import jsonschema
import pytest

import relogin
from relogin.client.driver.lifetime import lifetime
from relogin.client.responders import SESSION
from relogin.server.gate import Gate
from relogin.server.request import Request
from relogin.session import SessionChallenge
from relogin.wire.faults import KINDS
from tests.scheme import spec
from tests.vectors.decisions import Client, answered

HERE = Path(__file__).parent
SCHEMA = json.loads((HERE / "schema.json").read_text("utf-8"))
README = (HERE / "README.md").read_text("utf-8")
FILES = sorted({path.stem for path in HERE.glob("*.json")} - {"schema"})
FIELDS = ("challenges", "recovered", "wild")

Row: TypeAlias = dict[str, Any]


@cache
def read(file: str) -> list[Row]:
    rows: list[Row] = json.loads((HERE / f"{file}.json").read_text("utf-8"))
    return rows


def each(
    files: str | tuple[str, ...], keep: Callable[[Row], object] = bool
) -> pytest.MarkDecorator:
    """The rows of these files that are kept, each a test of its name."""
    named = [files] if isinstance(files, str) else files
    found = [(file, row) for file in named for row in read(file) if keep(row)]
    rows = [pytest.param(row, id=f"{file}: {row['name']}") for file, row in found]
    return pytest.mark.parametrize("row", rows)


def well_formed(row: Row) -> bool:
    return "expected" in row


def must_fail(row: Row) -> bool:
    return "must_fail" in row


def malformed(row: Row) -> bool:
    return "recovered" in row


def lines(row: Row) -> list[str]:
    return [row["field"][0] * row["times"]] if "times" in row else row["field"]


def said(value: relogin.Challenge | relogin.Credentials) -> Row:
    params = [list(pair) for pair in value.params.items()]
    return {"scheme": value.scheme, "token68": value.token68, "params": params}


def challenge(row: Row) -> relogin.Challenge:
    return relogin.Challenge(row["scheme"], row["params"], token68=row["token68"])


# The files


@pytest.mark.parametrize("file", FILES)
def test_a_file_follows_the_schema(file: str) -> None:
    jsonschema.validate(read(file), SCHEMA | {"$ref": f"#/$defs/{file}.json"})


@pytest.mark.parametrize("file", FILES)
def test_a_name_is_that_of_one_row(file: str) -> None:
    assert [
        name for name, times in Counter(row["name"] for row in read(file)).items() if times > 1
    ] == []


@pytest.mark.parametrize("file", FILES)
def test_what_a_row_proves_exists(file: str) -> None:
    named = {name for row in read(file) for name in row["proves"] if "-" in name}
    assert named <= set(spec.requirements())


def test_each_file_is_told_in_the_readme() -> None:
    assert sorted(re.findall(r"^\| `([\w-]+)\.json` \|", README, re.MULTILINE)) == FILES


def test_each_kind_of_fault_has_a_vector_and_a_line_in_the_readme() -> None:
    shown = {fault["kind"] for row in read("recovered") for fault in row["faults"]}
    _, _, kinds = README.partition("## Kinds of faults")
    told = re.findall(r"^\| `([\w-]+)` \|", kinds, re.MULTILINE)
    assert shown == set(told) == set(KINDS)
    assert told == sorted(told)


# Challenges


@each(FIELDS, well_formed)
def test_challenges_read_as_expected(row: Row) -> None:
    assert [said(one) for one in relogin.parse(lines(row))] == row["expected"]
    assert [said(one) for one in relogin.parse(", ".join(lines(row)))] == row["expected"]


@each(FIELDS, well_formed)
def test_challenges_are_written_canonically(row: Row) -> None:
    assert relogin.serialize(map(challenge, row["expected"])) == row["canonical"]


@each(FIELDS, well_formed)
def test_the_canonical_form_reads_back(row: Row) -> None:
    assert [said(one) for one in relogin.parse(row["canonical"])] == row["expected"]


@each(FIELDS, must_fail)
def test_a_malformed_challenge_is_refused(row: Row) -> None:
    with pytest.raises(relogin.ChallengeSyntaxError):
        relogin.parse(lines(row))


@pytest.mark.requirement("R-1")
@each("challenges", lambda row: must_fail(row) and not malformed(row))
def test_a_field_that_is_too_long_is_refused_by_a_recovering_reader_too(row: Row) -> None:
    with pytest.raises(relogin.ChallengeSyntaxError, match="characters long"):
        relogin.parse(lines(row), lenient=True)


# What is wrong, and what was meant


@pytest.mark.requirement("R-1")
@each(FIELDS, well_formed)
def test_a_recovering_reader_finds_nothing_wrong_with_what_is_well_formed(row: Row) -> None:
    diagnosis = relogin.diagnose(lines(row))
    assert (diagnosis.wellformed, diagnosis.faults) == (True, ())
    assert [said(one) for one in diagnosis.challenges] == row["expected"]
    assert relogin.parse(lines(row), lenient=True) == relogin.parse(lines(row))


@pytest.mark.requirement("R-10")
@each(FIELDS, malformed)
def test_a_recovering_reader_returns_what_was_meant(row: Row) -> None:
    assert [said(one) for one in relogin.parse(row["field"], lenient=True)] == row["recovered"]


@pytest.mark.requirement("R-7")
@pytest.mark.parametrize("file", FIELDS)
def test_what_was_meant_can_be_written_and_read_back(file: str) -> None:
    for row in filter(malformed, read(file)):
        meant = [challenge(one) for one in row["recovered"]]
        assert relogin.parse(relogin.serialize(meant)) == meant, row["name"]


@pytest.mark.requirement("R-10")
@each(FIELDS, malformed)
def test_each_fault_is_named_and_where_it_stands(row: Row) -> None:
    faults = relogin.diagnose(row["field"]).faults
    found = [{"kind": one.kind, "start": one.start, "end": one.end} for one in faults]
    assert found == row["faults"]


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


def of(header: str, *keys: str) -> Callable[[Row], bool]:
    return lambda row: row["header"] == header and all(key in row for key in keys)


def view(session: SessionChallenge) -> Row:
    names = ("realm", "error", "effective_error", "error_description", "max_age")
    return {name: getattr(session, name) for name in names} | {
        "acr_values": list(session.acr_values)
    }


def typed(row: Row) -> SessionChallenge:
    given = {name: value for name, value in row.items() if name != "effective_error"}
    return SessionChallenge(**given | {"acr_values": tuple(row["acr_values"])})


@each("session", of("WWW-Authenticate", "session", "field"))
def test_a_session_challenge_reads_as_its_typed_view(row: Row) -> None:
    (received,) = relogin.parse(row["field"])
    assert view(SessionChallenge.from_challenge(received)) == row["session"]


@each("session", of("WWW-Authenticate", "canonical"))
def test_a_typed_view_is_written_canonically(row: Row) -> None:
    assert str(typed(row["session"])) == row["canonical"]
    (received,) = relogin.parse(row["canonical"])
    assert SessionChallenge.from_challenge(received) == typed(row["session"])


@each("session", lambda row: "session" in row and "canonical" not in row)
def test_what_no_server_may_send_is_refused(row: Row) -> None:
    with pytest.raises(ValueError):
        typed(row["session"])


@pytest.mark.requirement("C-1")
@each("session", of("WWW-Authenticate", "field", "must_fail"))
def test_what_is_no_challenge_of_this_scheme_is_ignored(row: Row) -> None:
    (received,) = relogin.parse(row["field"])
    assert SESSION.read(received) is None
    with pytest.raises(ValueError):
        SessionChallenge.from_challenge(received)


def claimed(lines: list[str]) -> tuple[str | None, str | None]:
    """The token that a server finds in these Authorization lines, or else the code it answers."""
    gate = Gate("orders")
    claim = gate.claim(Request("GET", "/", lambda name: lines if name == "authorization" else []))
    refused = gate.decide(claim, "a session").refused
    return claim.token, None if refused is None else refused.error


@pytest.mark.requirement("S-6")
@each("session", of("Authorization", "token"))
def test_a_server_finds_the_token(row: Row) -> None:
    assert claimed(row["field"]) == claimed([row["canonical"]]) == (row["token"], None)


@pytest.mark.requirement("C-5")
@each("session", of("Authorization", "token"))
def test_a_client_sends_the_token(row: Row) -> None:
    assert SESSION.carried(row["token"]).headers == {"Authorization": row["canonical"]}


@pytest.mark.requirement("S-4", "S-7")
@each("session", of("Authorization", "must_fail"))
def test_a_server_finds_no_token_and_says_so(row: Row) -> None:
    assert claimed(row["field"]) == (None, row["error"])


@pytest.mark.requirement("C-6")
@each("session", of("Authentication-Info", "expires_in"))
def test_a_client_finds_the_seconds(row: Row) -> None:
    (field,) = row["field"]
    assert lifetime(field, row.get("age")) == row["expires_in"]
    assert "canonical" not in row or lifetime(row["canonical"]) == row["expires_in"]


@pytest.mark.requirement("C-6")
@each("session", of("Authentication-Info", "must_fail"))
def test_a_client_ignores_a_lifetime_that_is_none(row: Row) -> None:
    assert lifetime(*row["field"]) is None


# Decisions


@pytest.mark.requirement("C-28")
@each("client")
def test_a_client_decides_so(row: Row) -> None:
    assert Client(row).decide() == {name: row[name] for name in ("action", "drops", "then")}


@pytest.mark.requirement("S-14")
@each("server")
def test_a_server_answers_so(row: Row) -> None:
    assert answered(row) == (row["status"], row["error"])
