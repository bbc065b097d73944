"""FormLogin against pages as servers write them."""

from typing import Any
from urllib.parse import parse_qs

import pytest
import requests

from relogin import LoginRefused, LoginUnavailable
from relogin.client.logins import FormLogin
from relogin.client.requests import SessionAuth
from tests.client.log_in import ACCOUNT, PASSWORD, USER, LogIn, with_requests
from tests.client.server import Answer, Request, Server, flood

PAGE = """\
<!-- <form method=post><input name=user><input name=password></form> -->
<form action="/search"><input name="q"></form>
<form method="POST" action="%s">
  <input type="hidden" name="csrf" value="&lt;x&gt;">
  <input name="user" value="guest"><input name="password" type="password">
  <input type="checkbox" name="remember" checked> <input type=radio name=no value=1>
  <button name="go" value="1">Log in</button>
</form>
"""
HTML = (("Content-Type", "text/html; charset=utf-8"),)


class Site:
    """Serves a form, and logs in who fills it in with what it was given."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.action = ""
        self.success = Answer(303, (("Location", "/home"),))
        self.failure = self.page
        self.home = Answer(200, HTML, b"<p>Hello")
        server.binding = "cookie"
        server.routes["/in"] = self.in_
        server.routes["/home"] = lambda request: self.home

    def in_(self, request: Request) -> Answer:
        return self.page() if request.method == "GET" else self.post(request)

    def page(self) -> Answer:
        headers = (*HTML, ("Set-Cookie", "seed=s33d; Path=/"))
        return Answer(200, headers, (PAGE % self.action).encode())

    def post(self, request: Request) -> Answer:
        fields = parse_qs(request.body.decode())
        if request.cookies.get("seed") != "s33d" or fields["csrf"] != ["<x>"]:
            return Answer(419)
        if (fields["user"], fields["password"]) != ([USER], [PASSWORD]):
            return self.failure()
        self.server.living = "c00kie"
        cookie = ("Set-Cookie", f"sid={self.server.living}; Path=/; HttpOnly")
        return Answer(self.success.status, (*self.success.headers, cookie), self.success.body)

    def login(self, **more: Any) -> FormLogin:
        return FormLogin(f"{self.server.url}/in", ACCOUNT, **more)

    def wrong(self) -> FormLogin:
        return FormLogin(f"{self.server.url}/in", {"user": USER, "password": "wr0ng"})


@pytest.fixture
def site(server: Server) -> Site:
    return Site(server)


def names(grant: Any) -> dict[str, str]:
    return {cookie.name: cookie.value for cookie in grant.cookies}


def test_the_form_is_filled_in_with_what_the_page_gave(site: Site, log_in: LogIn) -> None:
    grant = log_in(site.login())
    assert names(grant) == {"seed": "s33d", "sid": "c00kie"}
    _, post, home = site.server.requests
    assert parse_qs(post.body.decode()) == {
        "csrf": ["<x>"],
        "user": [USER],
        "password": [PASSWORD],
        "remember": ["on"],
        "go": ["1"],
    }
    assert (post.headers["Origin"], post.headers["Referer"]) == (
        site.server.url,
        f"{site.server.url}/in",
    )
    assert (home.method, home.path, home.cookies["sid"]) == ("GET", "/home", "c00kie")


@pytest.mark.parametrize("action", ["in", "/in", "./in#there"])
def test_the_form_may_name_where_it_goes(site: Site, action: str) -> None:
    site.action = action
    assert "sid" in names(with_requests(site.login()))


def test_a_page_that_is_missing_after_the_login_does_no_harm(site: Site) -> None:
    site.home = Answer(404, HTML, b"no profile here")
    assert "sid" in names(with_requests(site.login()))


def test_a_page_that_is_endless_after_the_login_does_no_harm(site: Site, log_in: LogIn) -> None:
    site.home = Answer(200, HTML, flood())
    assert "sid" in names(log_in(site.login()))


def test_the_form_again_means_a_wrong_password(site: Site) -> None:
    with pytest.raises(LoginRefused, match="with the form again"):
        with_requests(site.wrong())


def test_a_redirect_back_to_the_form_means_a_wrong_password(site: Site) -> None:
    site.failure = lambda: Answer(302, (("Location", "/in"),))
    with pytest.raises(LoginRefused, match="with the form again"):
        with_requests(site.wrong())


def test_a_status_of_its_own_means_a_wrong_password(site: Site) -> None:
    site.failure = lambda: Answer(403, HTML, b"no")
    with pytest.raises(LoginRefused, match="answered 403"):
        with_requests(site.wrong())


def test_the_user_may_say_what_else_means_a_wrong_password(site: Site) -> None:
    with pytest.raises(LoginRefused):
        with_requests(site.login(refused=lambda answer: "Hello" in answer.text))


def test_a_503_to_the_form_is_an_outage_with_its_retry_after(site: Site) -> None:
    site.failure = lambda: Answer(503, (("Retry-After", "3"),))
    with pytest.raises(LoginUnavailable) as raised:
        with_requests(site.wrong())
    assert raised.value.retry_after == 3


@pytest.mark.parametrize("status", [403, 401, 404, 500])
def test_a_page_that_is_refused_has_refused_no_password(site: Site, status: int) -> None:
    site.server.routes["/in"] = lambda request: Answer(status, HTML, b"")
    with pytest.raises(LoginUnavailable, match=f"answered {status}"):
        with_requests(site.login())


def test_a_page_without_the_form_is_an_outage(site: Site) -> None:
    with pytest.raises(LoginUnavailable, match="without a form that has email, password"):
        with_requests(FormLogin(f"{site.server.url}/in", {"email": "a@b", "password": PASSWORD}))
    assert len(site.server.requests) == 1


@pytest.mark.parametrize(
    ("page", "told"),
    [
        ("<form><input name=mail><input type=password name=pw></form>", r"has mail, pw$"),
        ('<form><input name="<b>"><input type=password name=pw></form>', r"has pw$"),
        (
            "<div id=app></div>",
            "no form there asks for a password, perhaps because a script",
        ),
    ],
)
def test_what_the_page_has_in_place_of_the_form_is_told(site: Site, page: str, told: str) -> None:
    site.server.routes["/in"] = lambda _: Answer(200, HTML, page.encode())
    with pytest.raises(LoginUnavailable, match=told):
        with_requests(site.login())


def test_the_user_may_name_the_button_to_press(site: Site) -> None:
    page = (
        b"<form action=/search><input name=a><button name=b value=1></button>"
        b"<button name=c value=2 formaction=/post formmethod=post disabled></button></form>"
    )
    site.server.routes["/page"] = lambda _: Answer(200, HTML, page)
    site.server.routes["/post"] = lambda _: Answer(200, (("Set-Cookie", "sid=1"),))
    with_requests(FormLogin(f"{site.server.url}/page", {"a": "", "c": "3"}))
    assert site.server.requests[-1].body == b"a=&c=3"


def test_what_the_user_gives_has_the_line_ends_that_a_browser_sends(site: Site) -> None:
    page = (
        b"<form method=post action=/post><textarea name=a></textarea>"
        b"<input type=password name=b><input name=c><input type=hidden name=d></form>"
    )
    site.server.routes["/page"] = lambda _: Answer(200, HTML, page)
    site.server.routes["/post"] = lambda _: Answer(200, (("Set-Cookie", "sid=1"),))
    fields = {"a": "1\n2\r\n", "b": " x\n", "c": ["1\n", 2], "d": 3}
    with_requests(FormLogin(f"{site.server.url}/page", fields))
    assert site.server.requests[-1].body == b"a=1%0D%0A2%0D%0A&b=+x&c=1&c=2&d=3"


@pytest.mark.parametrize(("base", "target"), [("/", "/in"), ("//[/", "/deep/in")])
def test_a_form_goes_where_the_base_of_its_page_leads(site: Site, base: str, target: str) -> None:
    site.server.routes["/deep/page"] = lambda _: Answer(
        200, HTML, f'<base href="{base}"><base href=/no/>{PAGE % " in "}'.encode()
    )
    login = FormLogin(f"{site.server.url}/deep/page", ACCOUNT)
    with pytest.raises((LoginRefused, LoginUnavailable)):
        with_requests(login)
    posted = [request.path for request in site.server.requests if request.method == "POST"]
    assert posted == [target]


@pytest.mark.parametrize(
    ("charset", "body"),
    [
        ("iso-8859-1", b"a=%E9&b=%E4%26%231103%3B"),
        ("utf-8", b"a=%C3%A9&b=%C3%A4%D1%8F"),
        ("utf-16", b"a=%C3%A9&b=%C3%A4%D1%8F"),
        ("base64", b"a=%C3%A9&b=%C3%A4%D1%8F"),
    ],
)
def test_a_form_is_sent_in_the_charset_of_its_page(site: Site, charset: str, body: bytes) -> None:
    page = "<form method=post action=/post><input name=a value=\xe9><input name=b>"
    octets = page.encode("utf-8" if charset == "base64" else charset)
    headers = (("Content-Type", f"text/html; charset={charset}"),)
    site.server.routes["/page"] = lambda _: Answer(200, headers, octets)
    site.server.routes["/post"] = lambda _: Answer(200, (("Set-Cookie", "sid=1"),))
    with_requests(FormLogin(f"{site.server.url}/page", {"b": "\xe4\u044f"}))
    assert site.server.requests[-1].body == body


@pytest.mark.parametrize(
    ("form", "kind", "body"),
    [
        ("", "text/html; charset=utf-8", b"_charset_=UTF-8&a=%C3%A9%E2%82%AC"),
        ("", "text/html; charset=ISO-8859-1", b"_charset_=windows-1252&a=%E9%80"),
        ("", "text/html", b"_charset_=iso-8859-15&a=%E9%A4"),
        ("", "application/xhtml+xml", b"_charset_=UTF-8&a=%C3%A9%E2%82%AC"),
        ("us-ascii", "text/html", b"_charset_=windows-1252&a=%E9%80"),
        ("x,UTF-16 latin1", "text/html", b"_charset_=UTF-8&a=%C3%A9%E2%82%AC"),
        ("unknown undefined", "text/html", b"_charset_=iso-8859-15&a=%E9%A4"),
    ],
)
def test_a_form_is_sent_in_the_charset_that_it_or_its_page_asks_for(
    site: Site, form: str, kind: str, body: bytes
) -> None:
    page = (
        f"<meta charset=iso-8859-15><form method=post action=/post accept-charset='{form}'>"
        "<input type=hidden name=_charset_><input name=a></form>"
    )
    site.server.routes["/page"] = lambda _: Answer(200, (("Content-Type", kind),), page.encode())
    site.server.routes["/post"] = lambda _: Answer(200, (("Set-Cookie", "sid=1"),))
    with_requests(FormLogin(f"{site.server.url}/page", {"a": "\xe9\u20ac"}))
    assert site.server.requests[-1].body == body


def test_the_user_s_values_take_the_place_of_the_page_s(site: Site) -> None:
    page = (
        b"<form method=post action=/post><input name=a value=1><input name=a value=2><input name=b>"
    )
    site.server.routes["/page"] = lambda _: Answer(200, HTML, page)
    site.server.routes["/post"] = lambda _: Answer(200, (("Set-Cookie", "sid=1"),))
    with_requests(FormLogin(f"{site.server.url}/page", {"a": ["3", "4"]}))
    assert site.server.requests[-1].body == b"a=3&a=4&b="


def test_a_form_that_would_put_the_password_into_a_url_is_not_sent(site: Site) -> None:
    with pytest.raises(LoginUnavailable, match="into a URL"):
        with_requests(FormLogin(f"{site.server.url}/in", {"q": PASSWORD}))
    assert len(site.server.requests) == 1


def test_a_form_that_goes_to_another_origin_is_not_sent(site: Site) -> None:
    site.action = f"{site.server.other_host}/in"
    told = f"has a form that leads to another origin, {site.server.other_host}"
    with pytest.raises(LoginUnavailable, match=told):
        with_requests(site.login())
    assert len(site.server.requests) == 1


@pytest.mark.parametrize("status", [303, 307])
def test_a_redirect_to_another_origin_is_refused(site: Site, log_in: LogIn, status: int) -> None:
    site.success = Answer(status, (("Location", f"{site.server.other_host}/home"),))
    told = f"redirects to another origin, {site.server.other_host}.* pass landing="
    with pytest.raises(LoginUnavailable, match=told):
        log_in(site.login())
    assert len(site.server.requests) == 2


@pytest.mark.parametrize("location", ["mailto:a@b.example", "//[", "http://127.0.0.1\\@x/"])
def test_a_redirect_that_leads_nowhere_is_no_landing(
    site: Site, log_in: LogIn, location: str
) -> None:
    site.success = Answer(303, (("Location", location), ("Set-Cookie", "sid=1; Path=/")))
    with pytest.raises(LoginUnavailable):
        log_in(site.login())
    assert len(site.server.requests) == 2


def test_a_redirect_to_the_landing_is_a_success_and_is_not_followed(site: Site) -> None:
    site.success = Answer(302, (("Location", f"{site.server.other_host}/home"),))
    assert "sid" in names(with_requests(site.login(landing=site.server.other_host)))
    assert len(site.server.requests) == 2


def test_no_password_is_redirected_even_to_the_landing(site: Site) -> None:
    site.success = Answer(307, (("Location", f"{site.server.other_host}/home"),))
    with pytest.raises(LoginUnavailable, match="another origin"):
        with_requests(site.login(landing=site.server.other_host))
    assert len(site.server.requests) == 2


def test_a_login_that_sets_no_cookie_brings_no_session(site: Site) -> None:
    site.server.routes["/in"] = lambda request: Answer(
        200, HTML, b"" if request.method == "POST" else (PAGE % "").encode()
    )
    with pytest.raises(LoginUnavailable, match="without a cookie"):
        with_requests(site.login())


@pytest.mark.parametrize(
    ("attributes", "why"),
    [
        ('; Max-Age="600"', "that is kept: Python drops one whose Max-Age is in quotes"),
        ("; Domain=other.example", "that is kept: its domain, path or age may be wrong"),
    ],
)
def test_a_cookie_that_python_drops_is_named_as_the_reason(
    site: Site, attributes: str, why: str
) -> None:
    lost = Answer(200, (*HTML, ("Set-Cookie", f"sid=1{attributes}")), (PAGE % "").encode())
    site.server.routes["/in"] = lambda request: (
        lost if request.method == "GET" else Answer(200, HTML)
    )
    with pytest.raises(LoginUnavailable, match=f"answered 200 without a cookie {why}"):
        with_requests(site.login())


def test_a_cookie_that_python_drops_beside_others_is_told(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    site.success = Answer(200, (("Set-Cookie", 'sid=1; Path=/; max-age = "600"'),))
    assert with_requests(site.login())
    (told,) = caplog.messages
    assert "answered 200 without a cookie that is kept: Python drops one" in told


def test_an_adapter_renews_a_session_of_cookies(site: Site, session: requests.Session) -> None:
    session.auth = SessionAuth(site.login())
    assert session.get(f"{site.server.url}/a").status_code == 200
    site.server.kill()
    assert session.get(f"{site.server.url}/a").status_code == 200
    assert [r.method for r in site.server.seen("/in")] == ["GET", "POST", "GET", "POST"]
