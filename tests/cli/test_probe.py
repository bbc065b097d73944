"""`relogin probe` asks once, follows nothing and sends nothing secret; what came is explained."""

import json
from pathlib import Path

import pytest

from relogin.cli import main
from tests.cli.probed import answering


def test_the_status_and_every_challenge_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    lines = [("WWW-Authenticate", 'Bearer realm="a"'), ("WWW-Authenticate", 'Session realm="b"')]
    with answering(401, *lines) as server:
        assert main(["probe", server.url]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("401 Unauthorized\n")
    assert "Bearer" in shown
    assert "Session" in shown


def test_a_fault_is_exit_code_1(capsys: pytest.CaptureFixture[str]) -> None:
    with answering(401, ("WWW-Authenticate", "Bearer realm='the api'")) as server:
        assert main(["probe", server.url]) == 1
    assert "single-quotes" in capsys.readouterr().out


def test_the_lines_of_a_field_are_kept_apart(capsys: pytest.CaptureFixture[str]) -> None:
    lines = [("WWW-Authenticate", "Basic realm=a"), ("WWW-Authenticate", "Negotiate")]
    with answering(401, *lines) as server:
        assert main(["probe", server.url, "--json"]) == 0
    [field] = json.loads(capsys.readouterr().out)
    assert field["status"] == 401
    assert field["field"] == ["Basic realm=a", "Negotiate"]


def test_a_redirect_is_shown_and_not_followed(capsys: pytest.CaptureFixture[str]) -> None:
    with answering(302, ("Location", "/login")) as server:
        assert main(["probe", server.url]) == 0
    assert len(server.asked) == 1
    assert "Location: /login (not followed)" in capsys.readouterr().out


def test_an_answer_without_a_challenge_is_said_to_have_none(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with answering(200) as server:
        assert main(["probe", server.url]) == 0
    assert "No WWW-Authenticate" in capsys.readouterr().out


def test_a_401_without_a_challenge_is_a_fault(capsys: pytest.CaptureFixture[str]) -> None:
    with answering(401) as server:
        assert main(["probe", server.url]) == 1
    assert "must have the field WWW-Authenticate" in capsys.readouterr().out


def test_no_credential_of_netrc_is_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login ada password secret\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    with answering(200) as server:
        main(["probe", server.url])
    [(method, path, fields)] = server.asked
    assert (method, path) == ("GET", "/orders")
    assert "Authorization" not in fields
    assert "Cookie" not in fields


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("api.example.com", "begin with https://"),
        ("ftp://api.example.com", "begin with https://"),
        ("https://", "begin with https://"),
        ("http://[", "not a URL"),
        ("http://127.0.0.1:99999/", "out of range"),
        ("https://ada:hunter2@api.example.com", "no credential"),
    ],
)
def test_what_cannot_be_asked_is_said_without_a_secret(
    url: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["probe", url]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert "hunter2" not in error


def test_a_server_that_is_not_there_is_said_in_the_words_of_the_system(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with answering(200) as server:
        url = server.url
    assert main(["probe", url]) == 2
    assert "refused" in capsys.readouterr().err


def test_what_a_server_sends_reaches_the_terminal_without_control_characters(
    capsys: pytest.CaptureFixture[str],
) -> None:
    escape = "\x1b]0;pwned\x07\x9b31m"
    fields = [("Location", f"/{escape}"), ("WWW-Authenticate", f'Basic realm="{escape}"')]
    with answering(302, *fields) as server:
        main(["probe", server.url])
    shown = capsys.readouterr().out
    assert "pwned" in shown
    assert not set(shown) & {"\x1b", "\x07", "\x9b"}
