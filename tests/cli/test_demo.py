"""`relogin demo` shows one login for a dead session, ends by itself and shows no secret."""

import re
import socket
import subprocess
from functools import cache

import pytest
import requests

from relogin.cli import demo_server, main
from relogin.cli.demo_server import DemoServer
from tests.cli.processes import RELOGIN


@cache
def shown() -> str:
    """What the installed command prints if its output is no terminal."""
    ran = subprocess.run([RELOGIN, "demo"], capture_output=True, text=True, check=False, timeout=30)
    assert (ran.returncode, ran.stderr) == (0, "")
    return ran.stdout


def test_the_dead_session_is_named_renewed_and_the_request_replayed() -> None:
    third = shown().partition("\n3. ")[2].partition("\n4. ")[0]
    assert re.findall(r"^   (?:->|<-) (.*)$", third, re.MULTILINE) == [
        "GET /orders",
        "401",
        "POST /login    (the login)",
        "200",
        "GET /orders",
        "200",
    ]
    assert 'WWW-Authenticate: Session realm="orders", error="session_expired"' in third


def test_the_first_challenge_names_no_error() -> None:
    first = shown().partition("\n1. ")[2].partition("\n2. ")[0]
    assert 'WWW-Authenticate: Session realm="orders"\n' in first


def test_fifty_threads_need_one_login() -> None:
    assert "50 of 50 succeeded. Logins: 1." in shown()


def test_the_demo_prints_plain_text_where_there_is_no_terminal() -> None:
    assert "\x1b" not in shown()


def test_no_session_and_no_password_is_shown_in_full() -> None:
    assert demo_server.PASSWORD not in shown()
    tokens = re.findall(r'Authorization: Session token="([^"]*)"', shown())
    assert tokens
    assert all(re.fullmatch(r"[\w-]{4}\.\.\.", token) for token in tokens)


def test_the_demo_fails_where_it_could_not_show_what_it_promises(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("relogin.cli.demo.LIFETIME", 0.0)  # no session lives: no request succeeds
    assert main(["demo"]) == 1


def test_the_demo_server_refuses_a_wrong_password() -> None:
    with DemoServer(1.0) as server:
        answer = requests.post(f"{server.url}/login", json={"user": "ada"}, timeout=5)
    assert answer.status_code == 403


@pytest.mark.timeout(10)
def test_a_client_that_sends_nothing_does_not_keep_the_demo_from_ending() -> None:
    with socket.socket() as silent:
        with DemoServer(1.0) as server:
            silent.connect(("127.0.0.1", int(server.url.rpartition(":")[2])))
            requests.get(
                f"{server.url}/orders", timeout=5
            )  # the server accepts in order: so it has accepted the silent one
        silent.shutdown(socket.SHUT_WR)


def test_the_demo_server_knows_no_session_but_its_own() -> None:
    with DemoServer(1.0) as server:
        headers = {"Authorization": 'Session token="made-up"'}
        answer = requests.get(f"{server.url}/orders", headers=headers, timeout=5)
    assert 'error="session_invalid"' in answer.headers["WWW-Authenticate"]
