"""`relogin build` writes what every reader reads back, and refuses the rest with exit code 2."""

import pytest

import relogin
from relogin.cli import main


def test_a_scheme_and_its_parameters_become_a_challenge(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["build", "Session", "realm=api", "error=session_expired"]) == 0
    assert capsys.readouterr().out == 'Session realm="api", error="session_expired"\n'


def test_quotes_and_backslashes_in_a_value_are_escaped(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["build", "Basic", 'realm=say "hi" \\o/']) == 0
    [challenge] = relogin.parse(capsys.readouterr().out.strip())
    assert challenge.realm == 'say "hi" \\o/'


def test_a_value_may_hold_an_equals_sign_or_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["build", "Custom", "a=b=c", "d="]) == 0
    [challenge] = relogin.parse(capsys.readouterr().out.strip())
    assert dict(challenge.params) == {"a": "b=c", "d": ""}


def test_a_comma_may_end_the_last_value(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["build", "Custom", "a=b", "c=d,"]) == 0
    [challenge] = relogin.parse(capsys.readouterr().out.strip())
    assert challenge["c"] == "d,"


def test_a_token68_follows_its_scheme(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["build", "Negotiate", "--token68", "YWJj"]) == 0
    assert capsys.readouterr().out == "Negotiate YWJj\n"


def test_a_scheme_alone_is_a_challenge(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["build", "Negotiate"]) == 0
    assert capsys.readouterr().out == "Negotiate\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["Negotiate", "YWJj"], "write --token68 YWJj"),
        (["Negotiate", "YWI=="], "write --token68 YWI=="),
        (["Basic", "realm:a"], "'realm:a' is not NAME=VALUE\n"),
        (["Basic", ""], "'' is not NAME=VALUE\n"),
        (["realm=a", "Basic"], "the scheme comes first"),
        (["WWW-Authenticate:", "Basic", "realm=a"], "begin with the scheme"),
        (["Basic", "realm=a,", "charset=UTF-8"], "only spaces stand between"),
        (["Basic", 'realm="a b"'], "leave out the double quotes"),
        (["Negotiate", "--token68", "YWI", "--token68", "YWJj"], "write --token68 once"),
        (["Basic", "realm=a\r\nSet-Cookie: x"], "realm"),
        (["Ba sic", "realm=a"], "scheme"),
        (["Basic", "realm=a", "realm=b"], "realm"),
        (["Basic", "realm=a", "--token68", "YWJj"], "token68"),
        (["Session", "realm=a, Basic realm=b"], "comma"),
        (["Session", "error=session_expierd"], "session_expired"),
        (["Session", "erorr=session_expired"], "erorr"),
        (["Session", "max_age=soon"], "max_age"),
        (["Session", "--token68", "YWJj"], "token68"),
    ],
)
def test_what_cannot_be_sent_is_refused(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["build", *arguments]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert said in printed.err
