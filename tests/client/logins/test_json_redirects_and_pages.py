"""What else may come in answer to a login with JSON: a redirect, or a page."""

from __future__ import annotations

import pytest

from relogin import LoginRefused, LoginUnavailable
from relogin.client.logins import JSONLogin
from tests.client.log_in import ACCOUNT, LogIn, answers, with_requests
from tests.client.server import Answer, Server


@pytest.mark.parametrize("status", [400, 401, 403, 405])
def test_a_redirect_that_drops_what_was_posted_has_refused_nothing(
    server: Server, log_in: LogIn, status: int
) -> None:
    # Django redirects a POST to a URL without its last slash like this.
    url = answers(server, Answer(301, (("Location", "/login/"),)))
    answers(server, Answer(status), path="/login/")
    told = f"/login/ answered {status}; a redirect to it turned the POST into a GET"
    with pytest.raises(LoginUnavailable, match=told):
        log_in(JSONLogin(url, ACCOUNT))


def test_a_redirect_that_keeps_what_was_posted_may_refuse_it(server: Server) -> None:
    url = answers(server, Answer(308, (("Location", "/login/"),)))
    answers(server, Answer(401), path="/login/")
    with pytest.raises(LoginRefused, match="/login/ answered 401"):
        with_requests(JSONLogin(url, ACCOUNT))


@pytest.mark.parametrize(("status", "kind"), [(403, LoginRefused), (404, LoginUnavailable)])
def test_a_page_in_answer_to_json_names_the_login_for_pages(
    server: Server, status: int, kind: type[Exception]
) -> None:
    html = (("Content-Type", "text/html"),)
    url = answers(server, Answer(status, html, b"<h1>CSRF verification failed"))
    with pytest.raises(kind, match=f"answered {status} with an HTML page; FormLogin"):
        with_requests(JSONLogin(url, ACCOUNT))


@pytest.mark.parametrize(
    ("page", "told"),
    [
        (b"<h1>Unauthorized", r"answered 401$"),
        (b"<FORM method=post>", "answered 401 with an HTML page; FormLogin"),
    ],
)
def test_the_page_of_a_401_names_the_login_for_pages_only_if_it_has_a_form(
    server: Server, page: bytes, told: str
) -> None:
    """A wrong password, to Tryton and Buildbot; Apache's mod_auth_form shows its form."""
    url = answers(server, Answer(401, (("Content-Type", "text/html"),), page))
    with pytest.raises(LoginRefused, match=told):
        with_requests(JSONLogin(url, ACCOUNT))


def test_the_page_of_an_outage_names_no_other_login(server: Server) -> None:
    url = answers(server, Answer(502, (("Content-Type", "text/html"),), b"<h1>Bad Gateway"))
    with pytest.raises(LoginUnavailable, match=r"answered 502$"):
        with_requests(JSONLogin(url, ACCOUNT))
