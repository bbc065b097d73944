"""The command as a whole: what it needs, what it says where something is missing, how it ends."""

import argparse
import contextlib
import io
import os
import signal
import subprocess
import sys
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

import pytest

from relogin.cli import main
from tests.cli.processes import RELOGIN, running


def shell(line: str, *, stdin: int | None = None) -> tuple[int, str]:
    """The exit code of a line given to the shell, and what it printed."""
    ran = subprocess.run(
        line,
        shell=True,
        stdout=subprocess.PIPE,
        text=True,
        timeout=30,
        stdin=stdin,
        check=False,
    )
    return ran.returncode, ran.stdout


def without(module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a module impossible to import, for this test."""
    for name in [name for name in sys.modules if name.startswith(("relogin.cli.", f"{module}."))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, module, None)


@pytest.mark.parametrize("arguments", [["build", "Negotiate"], ["explain", "Negotiate"]])
def test_without_rich_the_text_is_plain_even_in_a_terminal(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    without("rich", monkeypatch)
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert main(arguments) == 0
    shown = capsys.readouterr().out
    assert "Negotiate" in shown
    assert "\x1b" not in shown


def test_the_command_alone_prints_what_it_can_do(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([])
    assert ended.value.code == 0
    assert "relogin explain 'Bearer realm=" in capsys.readouterr().out


def test_a_module_that_every_installation_has_is_not_done_without(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    without("requests", monkeypatch)
    with pytest.raises(ModuleNotFoundError, match="requests"):
        main(["probe", "http://127.0.0.1"])


@pytest.mark.parametrize("arguments", [["mend", "x"], ["explain"], ["build"]])
def test_a_command_line_that_makes_no_sense_is_exit_code_2(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["explain", "Bearer", "realm=x"], "put it in single quotes"),
        (["explain", "--jsn", "x"], "usage: relogin explain"),
        (["explain", "--jsn", "x"], "cannot use --jsn: write one header in single quotes"),
        (["demo", "x"], "usage: relogin demo"),
        (["demo", "--threads", "9"], "cannot use --threads 9: write nothing after demo"),
        (["probe", "http://a", "http://b"], "cannot use http://b: write one URL"),
        (["build", "X", "--token68", "Y", "a=b"], "cannot use a=b: write parameters as NAME=VALUE"),
        (["build", "X", "--realm=a"], "cannot use --realm=a: write parameters as NAME=VALUE"),
        (["build"], "required: SCHEME\n"),
        (["expain", "x"], "there is no command 'expain'; did you mean explain?"),
        (["frob"], "there is no command 'frob': choose from explain, build, probe, demo"),
        (["--json", "explain", "x"], "cannot use --json here: write the command first"),
        (["help"], "there is no command 'help': write relogin --help"),
        (["discover", "x"], "'discover': write relogin probe --discover URL"),
    ],
)
def test_what_to_do_instead_is_said(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        code: object = main(arguments)
    except SystemExit as ended:
        code = ended.code
    assert code == 2
    assert said in capsys.readouterr().err


def test_the_help_of_each_command_is_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    for command in ("explain", "build", "probe", "demo"):
        with pytest.raises(SystemExit) as ended:
            main([command, "--help"])
        assert ended.value.code == 0
        assert capsys.readouterr().out.startswith(f"usage: relogin {command} ")


@pytest.mark.parametrize("arguments", ["build Negotiate", "explain --json Negotiate"])
def test_a_reader_that_has_gone_ends_the_command_without_a_message(arguments: str) -> None:
    theirs, ours = os.pipe()
    os.close(theirs)
    assert shell(f"{RELOGIN} {arguments} 2>&1 >&0", stdin=ours) == (1, "")
    os.close(ours)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
@pytest.mark.parametrize("arguments", ["build Negotiate", "explain Negotiate"])
def test_a_full_disk_is_told_in_a_line(arguments: str) -> None:
    said = "relogin: [Errno 28] No space left on device\n"
    assert shell(f"{RELOGIN} {arguments} 2>&1 >/dev/full") == (2, said)


@pytest.mark.parametrize("empty", ["<&-", "</dev/null"])
def test_a_closed_input_is_an_empty_one(empty: str) -> None:
    said = "relogin: there is nothing to explain: the input is empty\n"
    assert shell(f"{RELOGIN} explain - {empty} 2>&1") == (2, said)


def test_a_command_with_closed_output_succeeds_and_prints_nothing() -> None:
    assert shell(f"{RELOGIN} build Negotiate 2>&1 >&-") == (0, "")


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    shown = capsys.readouterr().out
    assert all(command in shown for command in ("explain", "build", "probe", "demo"))


def test_output_may_go_to_any_text_stream() -> None:
    with contextlib.redirect_stdout(io.StringIO()) as out:
        assert main(["build", "Negotiate"]) == 0
    assert out.getvalue() == "Negotiate\n"


def test_output_in_an_encoding_that_lacks_a_character_escapes_it() -> None:
    ran = subprocess.run(
        [RELOGIN, "build", "Basic", "realm=caf\xe9"],
        env={"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "1"},
        capture_output=True,
        check=True,
        timeout=30,
    )
    assert ran.stdout == b'Basic realm="caf\\xe9"\n'


def test_a_terminal_gets_colours() -> None:
    ours, theirs = os.openpty()
    subprocess.run(
        [RELOGIN, "explain", "Basic realm=a"],
        stdout=theirs,
        env=os.environ | {"TERM": "xterm", "COLUMNS": "40"},
        check=True,
        timeout=30,
    )
    os.close(theirs)
    shown = os.read(ours, 1 << 16)
    os.close(ours)
    assert b"\x1b[1mWWW-Authenticate" in shown


def test_an_interrupt_ends_the_command_without_a_traceback() -> None:
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with running([RELOGIN, "demo"], **pipes) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (130, "")


def test_the_help_of_explain_keeps_its_example_and_the_exit_codes_apart(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit):
        main(["explain", "--help"])
    assert "nothing to read. Example: curl" in " ".join(capsys.readouterr().out.split())


def test_python_finds_the_command_where_the_shell_does_not() -> None:
    command = [sys.executable, "-m", "relogin", "explain", "Bearer realm='a b'"]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    assert (ran.returncode, ran.stderr) == (1, "")
    assert "single-quotes" in ran.stdout


def test_the_version_is_that_of_the_installed_package(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["--version"])
    assert (left.value.code, capsys.readouterr().out) == (0, f"relogin {version('relogin')}\n")


def test_an_interrupt_is_exit_code_130(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_: argparse.Namespace) -> int:
        raise KeyboardInterrupt

    # Looked up as `main` does: an earlier test may have made Python import the modules again.
    monkeypatch.setattr(import_module("relogin.cli.build"), "run", interrupted)
    assert main(["build", "Session"]) == 130
