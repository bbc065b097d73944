"""What is remembered of a client that logins share: whose its cookies are."""

from __future__ import annotations

import gc
from dataclasses import dataclass
from typing import Any

import pytest
import requests

from relogin.client.logins import FormLogin, JSONLogin, accounts
from relogin.client.logins.per_client import PerClient
from tests.client.log_in import ACCOUNT, answers, context
from tests.client.server import Answer, Server


@dataclass
class WithoutHash(requests.Session):
    name: str = "orders"

    def __post_init__(self) -> None:
        super().__init__()


def test_a_session_that_is_a_dataclass_may_log_in(server: Server) -> None:
    url = answers(server, Answer(200, (("Set-Cookie", "sid=1; Path=/"),)))
    with WithoutHash() as http:
        assert JSONLogin(url, ACCOUNT, token=None, cookies=True)(context(http))


def test_nothing_is_kept_of_a_client_that_is_gone() -> None:
    known: PerClient[list[int]] = PerClient(list)
    http = requests.Session()
    known[http].append(1)
    assert known[http] == [1]
    del http
    gc.collect()
    assert not known._known


@pytest.mark.parametrize(
    ("pages", "kept"),
    [
        ([{"tenant": "t"}, {"user": "ada"}], True),
        ([{"tenant": "t"}, {"user": "bob"}], False),
        ([{"tenant": lambda: "t"}, {"user": "ada"}], True),
        ([{"tenant": "t"}, {"user": lambda: "ada"}], False),
        ([{"tenant": "t"}, lambda: {"user": "ada"}], False),
        ([{"tenant": "t"}, {"user": "ada"}, {"password": lambda: "pa55"}], True),
        ([], False),
    ],
)
def test_before_it_begins_a_login_calls_functions_of_its_first_page_alone(
    pages: list[Any], kept: bool
) -> None:
    """What a later page asks for may depend on the first; in doubt, the account is another one."""
    login, other = (FormLogin("https://www.example.com/login", {"user": "-"}) for _ in range(2))
    first = [
        accounts.Filled(page, page, {"password": "password"})
        for page in ({"tenant": "t"}, {"user": "ada"}, {"password": "pa55"})
    ]
    with requests.Session() as http:
        http.cookies.set("sid", "1", domain="www.example.com")
        accounts.remember_account(http, ["https://www.example.com"], login, first)
        accounts.remember_owner(context(http), [("www.example.com", "/", "sid")], login)
        accounts.forget_others(
            context(http), http.cookies, other, ["https://www.example.com"], pages
        )
        assert bool(http.cookies) is kept


@pytest.mark.parametrize(
    ("host", "domain", "goes"),
    [
        ("www.example.com", "www.example.com", True),
        ("www.example.com", ".example.com", True),
        ("example.com", "www.example.com", False),
        ("anexample.com", ".example.com", False),
        ("localhost", "localhost.local", True),
        ("::1", "[::1].local", True),
        ("::1", "::1", True),
    ],
)
def test_a_cookie_goes_to_its_host_and_its_domain(host: str, domain: str, goes: bool) -> None:
    assert accounts._goes_to(host, domain) is goes


def test_a_session_that_nothing_names_is_of_its_own_login_alone() -> None:
    origin, fields = "https://www.example.com", {"answer": "42"}
    login, other = (FormLogin(f"{origin}/login", fields) for _ in range(2))
    with requests.Session() as http:
        accounts.remember_account(http, [origin], login, [accounts.Filled(fields, fields, {})])
        known = [accounts.is_known_as(one, http, [origin], [fields]) for one in (login, other)]
    assert known == [True, False]
