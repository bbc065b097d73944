"""FormLogin where the password, or a code, is asked for on a page of its own."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

import pytest

from relogin import LoginRefused, LoginUnavailable
from relogin.client.logins import FormLogin
from tests.client.log_in import LogIn, with_requests
from tests.client.server import Answer, Request, Server

HTML = (("Content-Type", "text/html; charset=utf-8"),)


class Pages:
    """Asks for the user, then for the password, then for a code; each page has the next token.

    The page that asks for the password shows the user again, as it does for password managers.
    """

    def __init__(self, server: Server) -> None:
        self.server = server
        self.codes = ["1", "2"]
        server.routes["/in"] = self.first
        server.routes["/password"] = self.second
        server.routes["/code"] = self.third
        server.routes["/home"] = lambda _: Answer(200, HTML, b"<p>Hello")

    @property
    def posted(self) -> list[str]:
        return [one.path for one in self.server.requests if one.method == "POST"]

    def first(self, request: Request) -> Answer:
        if request.method == "POST" and self.fields(request).get("user") == ["ada"]:
            return Answer(303, (("Location", "/password"), ("Set-Cookie", "step=1; Path=/")))
        return self.page("<input name=user>", 0)

    def second(self, request: Request) -> Answer:
        if request.method == "POST" and self.fields(request).get("password") == ["pa55"]:
            return self.page("<input name=code>", 2, "/code")
        user = "<input name=user value=ada readonly>"
        return self.page(f"{user}<input type=password name=password>", 1)

    def third(self, request: Request) -> Answer:
        if self.fields(request)["code"] != [self.codes[0]]:
            return self.page("<input name=code>", 2, "/code")
        return Answer(303, (("Location", "/home"), ("Set-Cookie", "sid=c00kie; Path=/")))

    def page(self, controls: str, number: int, action: str = "") -> Answer:
        token = f"<input type=hidden name=token value=t{number}>"
        form = f"<form method=post action='{action}'>{token}{controls}<button>Next</button></form>"
        return Answer(200, HTML, form.encode())

    def fields(self, request: Request) -> dict[str, list[str]]:
        fields = parse_qs(request.body.decode())
        assert fields["token"] == [f"t{['/in', '/password', '/code'].index(request.path)}"]
        return fields

    def login(self, *pages: Any, **options: Any) -> FormLogin:
        return FormLogin(f"{self.server.url}/in", list(pages), **options)


@pytest.fixture
def pages(server: Server) -> Pages:
    return Pages(server)


USER, PASSWORD = {"user": "ada"}, {"password": "pa55"}


def test_each_page_is_filled_in_with_its_own_fields(pages: Pages, log_in: LogIn) -> None:
    grant: Any = log_in(pages.login(USER, PASSWORD, {"code": "1"}))
    assert {cookie.name for cookie in grant.cookies} == {"step", "sid"}
    assert pages.posted == ["/in", "/password", "/code"]
    user = [one.body for one in pages.server.requests if one.path == "/password" and one.body]
    assert user == [b"token=t1&user=ada&password=pa55"]


def test_a_code_is_asked_for_when_its_page_has_come(pages: Pages) -> None:
    def code() -> str:
        assert pages.posted == ["/in", "/password"]
        return pages.codes[0]

    assert with_requests(pages.login(USER, PASSWORD, {"code": code}))


@pytest.mark.parametrize(
    ("fields", "posted"),
    [
        ([{"user": "eve"}, PASSWORD, {"code": "1"}], 1),
        ([USER, {"password": "wr0ng"}, {"code": "1"}], 2),
        ([USER, PASSWORD, {"code": "9"}], 3),
    ],
)
def test_a_page_that_comes_again_refuses_what_was_filled_in(
    pages: Pages, fields: list[Any], posted: int
) -> None:
    with pytest.raises(LoginRefused, match="with the form again"):
        with_requests(pages.login(*fields))
    assert len(pages.posted) == posted


def to_the_first(_: Request) -> Answer:
    return Answer(303, (("Location", "/in?error=1"), ("Set-Cookie", "sid=nobody; Path=/")))


def test_a_password_that_leads_back_to_the_first_page_is_refused(pages: Pages) -> None:
    pages.server.routes["/code"] = to_the_first
    pages.server.routes["/in?error=1"] = pages.first
    with pytest.raises(LoginRefused, match="/in answered 200 with the form again"):
        with_requests(pages.login(USER, PASSWORD, {"code": "1"}))
    pages.server.routes["/password"] = lambda _: pages.page("<input name=code>", 2, "/code")
    with pytest.raises(LoginRefused, match="/in answered 200 with the form again"):
        with_requests(pages.login(USER, {"code": "1"}, PASSWORD))


def test_a_password_that_brings_the_first_form_at_once_is_refused(pages: Pages) -> None:
    pages.server.routes["/code"] = lambda _: pages.page("<input name=user>", 0)
    with pytest.raises(LoginRefused, match="/code answered 200 with the form again"):
        with_requests(pages.login(USER, PASSWORD, {"code": "1"}))


@pytest.mark.parametrize("path", ["/home", "/in"])
def test_a_page_after_the_login_may_ask_for_the_user_too(pages: Pages, path: str) -> None:
    other = "" if path == "/home" else "<input name=phone>"
    profile = pages.page(f"<input name=user>{other}", 0)
    forms = [pages.page("<input name=user>", 0)] if path == "/in" else []
    pages.server.routes[path] = lambda request: (
        pages.first(request) if request.method == "POST" else forms.pop() if forms else profile
    )
    pages.server.routes["/code"] = lambda _: Answer(
        303, (("Location", path), ("Set-Cookie", "sid=c00kie; Path=/"))
    )
    assert with_requests(pages.login(USER, PASSWORD, {"code": "1"}))


def test_a_status_of_error_refuses_at_any_page(pages: Pages) -> None:
    pages.server.routes["/code"] = lambda _: Answer(403)
    with pytest.raises(LoginRefused, match="/code answered 403"):
        with_requests(pages.login(USER, PASSWORD, {"code": "1"}))


def test_a_page_that_is_not_the_next_one_is_told_by_what_it_has(pages: Pages) -> None:
    with pytest.raises(LoginUnavailable, match="/password answered 200 without a form that has x"):
        with_requests(pages.login(USER, PASSWORD, {"x": "1"}))
    assert pages.posted == ["/in", "/password"]


def test_no_page_but_the_first_is_refused_by_what_the_user_says(pages: Pages) -> None:
    login = pages.login({"x": "1"}, PASSWORD, refused=lambda _: True)
    with pytest.raises(LoginUnavailable, match="without a form that has x"):
        with_requests(login)


def read_password() -> str:
    return "pa55"


def test_a_form_login_is_pickled_if_all_pages_have_functions_for_their_secrets(
    pages: Pages,
) -> None:
    login = pages.login(USER, {"password": read_password}, {"code": "1"}, harmless=["code"])
    assert with_requests(pickle.loads(pickle.dumps(login)))
    for secret in (pages.login(USER, PASSWORD), pages.login(USER, PASSWORD, {"code": "1"})):
        with pytest.raises(pickle.PicklingError):
            pickle.dumps(secret)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: FormLogin("https://www.example.com/login", []), "not list"),
        (lambda: FormLogin("https://www.example.com/login", [USER, "pa55"]), "not str"),  # type: ignore[list-item]
    ],
)
def test_pages_that_have_no_fields_are_told_when_the_login_is_made(
    make: Callable[[], object], message: str
) -> None:
    with pytest.raises(TypeError, match=f"fields must be a mapping, .* {message}"):
        make()
