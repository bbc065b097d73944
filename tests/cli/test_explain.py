"""`relogin explain` tells what a field holds and what is wrong; the exit code says which."""

import codecs
import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from relogin.cli import main
from relogin.cli.reaction import reaction
from tests.cli.probed import answering
from tests.cli.processes import RELOGIN


def explained(field: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    code = main(["explain", field])
    return code, capsys.readouterr().out


def as_json(field: str, capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    main(["explain", "--json", field])
    found: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
    return found


def from_stdin(text: bytes, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text)))
    return main(["explain", "-"])


def test_a_well_formed_field_is_exit_code_0(capsys: pytest.CaptureFixture[str]) -> None:
    code, shown = explained('Session realm="api", error="session_expired"', capsys)
    assert code == 0
    assert "session_expired" in shown


def test_a_malformed_field_is_exit_code_1_with_carets(capsys: pytest.CaptureFixture[str]) -> None:
    code, shown = explained("Bearer realm='the api'", capsys)
    assert code == 1
    assert "^^^^^^^^^" in shown
    assert "Use double quotes instead of single quotes." in shown


def test_every_challenge_stands_in_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    _, shown = explained("Basic realm=a, charset=UTF-8, Negotiate YWJj, NTLM", capsys)
    table = shown[shown.index("scheme ") :]
    assert [word for word in table.split() if word.isalnum() or "-" in word] == [
        *("scheme", "parameter", "value"),
        *("Basic", "realm", "a", "charset", "UTF-8"),
        *("Negotiate", "token68", "YWJj"),
        "NTLM",
    ]


def test_a_table_without_a_terminal_is_aligned_text(capsys: pytest.CaptureFixture[str]) -> None:
    _, shown = explained("Basic realm=a, charset=UTF-8, Negotiate YWJj", capsys)
    assert shown.endswith(
        "\n\n"
        "  scheme     parameter  value\n"
        "  Basic      realm      a\n"
        "             charset    UTF-8\n"
        "  Negotiate  token68    YWJj\n"
    )


def test_several_fields_stand_apart(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from_stdin(b"WWW-Authenticate: =\nProxy-Authenticate: =\n", monkeypatch)
    assert "\n\nProxy-Authenticate\n" in capsys.readouterr().out


def test_a_long_value_is_not_broken_where_there_is_no_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    _, shown = explained(f'Bearer scope="{"x" * 300}"', capsys)
    assert "x" * 300 in shown[shown.index("scheme") :]


def test_the_name_of_the_field_may_stand_before_it(capsys: pytest.CaptureFixture[str]) -> None:
    [found] = as_json("www-authenticate: Basic realm=a", capsys)
    assert found["challenges"] == [{"scheme": "Basic", "token68": None, "params": [["realm", "a"]]}]


def test_json_tells_each_fault_with_its_place(capsys: pytest.CaptureFixture[str]) -> None:
    [found] = as_json("Bearer realm='the api'", capsys)
    assert found["wellformed"] is False
    [fault] = found["faults"]
    assert fault["kind"] == "single-quotes"
    assert (fault["start"], fault["end"]) == (13, 22)
    assert fault["section"].startswith("RFC 9110")
    assert fault["sentence"].endswith(".")


def test_json_of_a_token68_holds_every_key(capsys: pytest.CaptureFixture[str]) -> None:
    [found] = as_json("Negotiate YWJj", capsys)
    assert found == {
        "status": None,
        "header": "WWW-Authenticate",
        "field": ["Negotiate YWJj"],
        "wellformed": True,
        "challenges": [{"scheme": "Negotiate", "token68": "YWJj", "params": []}],
        "faults": [],
        "remarks": [],
        "repeated": [],
        "specifications": [
            {
                "scheme": "Negotiate",
                "document": "RFC 4559",
                "client": "Send a SPNEGO token in base64, with Kerberos or NTLM inside.",
            }
        ],
        "session_auth": reaction(None, ["Negotiate YWJj"]),
    }


def test_what_session_auth_does_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    _, shown = explained('Session error="session_revoked"', capsys)
    assert "\nSessionAuth\n  It returns the 401: the session was ended on purpose." in shown


def test_nothing_is_said_of_session_auth_and_a_proxy(capsys: pytest.CaptureFixture[str]) -> None:
    _, shown = explained("Proxy-Authenticate: Basic realm=x", capsys)
    assert "SessionAuth" not in shown


def test_json_tells_what_is_hardly_meant(capsys: pytest.CaptureFixture[str]) -> None:
    [found] = as_json("Session error='session_revoked'", capsys)
    [remark] = found["remarks"]
    assert (remark["kind"], remark["start"], remark["end"]) == ("quotes-in-value", 14, 31)


def test_json_tells_every_value_of_a_parameter_that_occurs_twice(
    capsys: pytest.CaptureFixture[str],
) -> None:
    [found] = as_json('Bearer scope="a", scope="b"', capsys)
    assert found["repeated"] == [{"challenge": 0, "name": "scope", "values": ["a", "b"]}]


def test_every_value_of_a_parameter_that_occurs_twice_is_shown(
    capsys: pytest.CaptureFixture[str],
) -> None:
    _, shown = explained('Bearer scope="a", scope="b"', capsys)
    assert "scope occurs more than once: 'a', 'b'" in shown


def test_where_a_scheme_is_specified_is_said_once(capsys: pytest.CaptureFixture[str]) -> None:
    _, shown = explained('Basic realm="a", Basic realm="b"', capsys)
    assert shown.count("RFC 7617") == 1


def test_a_token_of_the_server_on_a_200_asks_for_no_answer(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from_stdin(b"HTTP/1.1 200 OK\r\nWWW-Authenticate: Negotiate oRQw\r\n\r\n", monkeypatch)
    shown = capsys.readouterr().out
    assert "the server's own token" in shown
    assert "SPNEGO" not in shown


def test_a_field_over_the_bound_is_a_fault_and_no_traceback(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code, shown = explained(f'Basic realm="{"x" * 20_000}"', capsys)
    assert code == 1
    assert "16384" in shown


def test_whole_responses_are_read_from_standard_input(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (
        b"HTTP/1.1 302 Found\r\nLocation: /\r\n\r\n"
        b"HTTP/1.1 401 Unauthorized\r\nwww-authenticate: Basic realm=a\r\n"
        b"WWW-Authenticate: Negotiate\r\nProxy-Authenticate: Bearer\r\n\r\n"
    )
    assert from_stdin(text, monkeypatch) == 0
    shown = capsys.readouterr().out
    assert "401 WWW-Authenticate" in shown
    assert "401 Proxy-Authenticate" in shown


def test_a_bare_field_is_read_from_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    assert from_stdin(b'Basic realm="caf\xe9"\n', monkeypatch) == 0


@pytest.mark.parametrize(
    "octets",
    [
        codecs.BOM_UTF8 + b'WWW-Authenticate: Basic realm="caf\xe9"\r\n',
        'HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm="caf\xe9"\r\n'.encode("utf-16"),
        codecs.BOM_UTF16_BE + 'Basic realm="caf\xe9"\r\n'.encode("utf-16-be"),
    ],
)
def test_a_file_that_windows_has_written_is_read(
    octets: bytes, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert from_stdin(octets, monkeypatch) == 0
    assert 'well-formed\n  Basic realm="caf\xe9"\n' in capsys.readouterr().out


def test_a_fault_in_one_response_is_exit_code_1(monkeypatch: pytest.MonkeyPatch) -> None:
    text = b"HTTP/2 401\nwww-authenticate: Basic realm=a\n\nHTTP/2 401\nwww-authenticate: =\n"
    assert from_stdin(text, monkeypatch) == 1


def test_a_folded_line_is_a_fault(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = b"HTTP/1.1 401 No\r\nWWW-Authenticate: Basic\r\n realm=a\r\n"
    assert from_stdin(text, monkeypatch) == 1
    assert "obs-fold (RFC 9112 §5.2)" in capsys.readouterr().out


@pytest.mark.parametrize("status", [401, 407])
def test_a_status_that_must_have_a_challenge_and_has_none_is_a_fault(
    status: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert from_stdin(b"HTTP/1.1 %d X\r\n\r\n" % status, monkeypatch) == 1
    assert f"A {status} must have the field" in capsys.readouterr().out


def test_responses_without_a_challenge_are_said_to_have_none(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert from_stdin(b"HTTP/2 301\r\n\r\nHTTP/2 200\r\n\r\n", monkeypatch) == 0
    shown = capsys.readouterr().out
    assert "the status is 301." in shown
    assert "the status is 200." in shown


@pytest.mark.parametrize("text", [b"", b"\r\n \n"])
def test_nothing_to_read_is_exit_code_2(
    text: bytes, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert from_stdin(text, monkeypatch) == 2
    assert "empty" in capsys.readouterr().err


def test_control_characters_do_not_reach_the_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (
        b'HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm="\x1b[31m\x07\x9b\x7f\x08", a=\x1b\r\n'
    )
    from_stdin(text, monkeypatch)
    assert not set(capsys.readouterr().out) & set("\x1b\x07\x9b\x7f\x08\r")


def test_markup_of_a_server_is_shown_and_not_obeyed(capsys: pytest.CaptureFixture[str]) -> None:
    _, shown = explained('Basic realm="[bold]a[/bold] :smile:"', capsys)
    assert "[bold]a[/bold] :smile:" in shown[shown.index("scheme") :]


@pytest.mark.needs("curl")
@pytest.mark.parametrize("options", ["-sI", "-si", "-sv", "-sIL"])
def test_what_curl_prints_is_understood(options: str) -> None:
    with answering(401, ("WWW-Authenticate", "Bearer realm='the api'")) as server:
        ran = subprocess.run(
            f"curl {options} {server.url} 2>&1 | {RELOGIN} explain -",
            shell=True,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
    assert ran.returncode == 1
    assert "single-quotes" in ran.stdout


def test_a_field_that_a_gateway_has_renamed_is_read_and_told(
    capsys: pytest.CaptureFixture[str],
) -> None:
    said = 'Session realm="a", error="session_expired"'
    pasted = f"HTTP/2 401\nx-amzn-remapped-www-authenticate: {said}\n"
    code, shown = explained(pasted, capsys)
    assert code == 1
    assert "401 x-amzn-Remapped-WWW-Authenticate" in shown
    assert "session_expired" in shown
    assert "API Gateway has renamed it to x-amzn-Remapped-WWW-Authenticate" in shown


def test_the_name_of_a_file_is_refused_with_how_to_read_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pasted = tmp_path / "pasted.txt"
    pasted.write_text("HTTP/2 401\nwww-authenticate: Basic realm=x\n")
    assert main(["explain", str(pasted)]) == 2
    assert f"relogin explain - < {pasted}" in capsys.readouterr().err


def test_a_scheme_with_the_name_of_a_file_is_a_scheme(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "Basic").touch()
    monkeypatch.chdir(tmp_path)
    assert main(["explain", "Basic"]) == 0
    assert "well-formed" in capsys.readouterr().out


def test_a_url_is_refused_with_how_to_ask_its_server(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "https://api.example.com/"]) == 2
    assert "relogin probe https://api.example.com/" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("curl -i https://api.example.com/", "paste or pipe what it prints"),
        ("$ http GET https://api.example.com/", "paste or pipe what it prints"),
        ("<Response [401]>", "print(response.headers)"),
        ("<Response [401 Unauthorized]>\n", "print(response.headers)"),
        ("<ClientResponse(https://a.example/) [401 Unauthorized]>", "print(response.headers)"),
    ],
)
def test_a_text_that_cannot_hold_a_header_is_refused_with_what_to_paste(
    text: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["explain", text]) == 2
    assert told in capsys.readouterr().err


def test_a_header_longer_than_the_name_of_a_file_is_read(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["explain", f'Basic realm="{"a." * 3000}"']) == 0
    assert "well-formed" in capsys.readouterr().out
