"""A page in a real Chromium outlives its session, and no password window gets in its way."""

import re
import signal
import subprocess
from collections.abc import Iterable, Iterator
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest

from relogin.cli.demo_browser import BrowserDemo
from relogin.server.wsgi import SessionGate
from tests.cli.chromium import Page, browsing
from tests.cli.processes import RELOGIN, running
from tests.server.serving import serving_wsgi

pytestmark = pytest.mark.needs("chromium")


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with browsing(tmp_path_factory.mktemp("profile")) as page:
        yield page


@pytest.fixture
def demo(page: Page) -> Iterator[BrowserDemo]:
    with BrowserDemo() as demo:
        page.open(demo.url)
        page.until("document.getElementById('user').textContent === 'nobody'")
        yield demo
        page.ask("Network.clearBrowserCookies")


def click(page: Page, name: str) -> None:
    page.run(f"document.getElementById('{name}').click()")


def shown(page: Page, name: str) -> str:
    text: str = page.run(f"return document.getElementById('{name}').innerText")
    return text


def log(page: Page) -> list[str]:
    """The lines of the log, once every request has its answer; they are taken out."""
    lines_of = "[...document.querySelectorAll('#log li')]"
    page.until(f"!{lines_of}.some(line => line.textContent.endsWith('...'))")
    lines: list[str] = page.run(
        f"const lines = {lines_of}.map(line => line.innerText.trim());"
        "document.getElementById('log').replaceChildren(); return lines"
    )
    return [re.sub(" +", " ", line) for line in lines]


def sign_in(page: Page, user: str = "ada") -> None:
    page.until("!document.getElementById('login').hidden")
    page.run(f"document.querySelector('[name=user]').value = '{user}'")
    page.run("document.querySelector('#login button').click()")
    page.until("document.getElementById('login').hidden")


THREE = ["/invoices", "/messages", "/orders"]


def test_three_calls_at_once_need_one_login_and_are_sent_again(
    page: Page, demo: BrowserDemo
) -> None:
    click(page, "load")
    sign_in(page)
    page.until("document.querySelectorAll('#log .good').length === 3")
    lines = log(page)
    assert sorted(lines[:3]) == [f"GET {path} 401" for path in THREE]
    assert lines[3] == "POST /login 200"
    assert sorted(lines[4:]) == [f"GET {path} 200" for path in THREE]


def test_the_user_is_told_why_and_what_was_begun_is_done(page: Page, demo: BrowserDemo) -> None:
    click(page, "buy")
    sign_in(page)
    page.until("document.querySelectorAll('#log .good').length === 1")
    click(page, "wait")
    page.until("document.querySelectorAll('#log .good').length === 2")
    log(page)
    click(page, "buy")
    page.until("!document.getElementById('login').hidden")
    assert shown(page, "why") == "You were signed out after 15 minutes idle."
    sign_in(page)
    page.until("document.querySelectorAll('#log .good').length === 1")
    assert log(page) == [
        "POST /orders 401 session_expired",
        "POST /login 200",
        "POST /orders 200",
    ]


def test_a_session_that_was_ended_on_purpose_is_not_renewed(page: Page, demo: BrowserDemo) -> None:
    click(page, "buy")
    sign_in(page)
    page.until("document.querySelectorAll('#log .good').length === 1")
    click(page, "elsewhere")
    page.until("document.querySelectorAll('#log .good').length === 2")
    log(page)
    click(page, "load")
    page.until("document.querySelectorAll('#log .dead').length === 3")
    assert log(page)[0].endswith("401 session_revoked")
    assert page.run("return document.getElementById('login').hidden")


def test_what_one_person_began_is_not_done_in_anothers_name(page: Page, demo: BrowserDemo) -> None:
    click(page, "buy")
    sign_in(page)
    page.until("document.querySelectorAll('#log .good').length === 1")
    page.open(demo.url)
    page.until("document.getElementById('user').textContent === 'ada'")
    click(page, "wait")
    page.until("document.querySelectorAll('#log .good').length === 1")
    click(page, "buy")
    sign_in(page, "grace")
    page.until("document.getElementById('user').textContent === 'grace'")
    assert [line for line in log(page) if line.startswith("POST /orders")] == [
        "POST /orders 401 session_expired"
    ]


def test_a_session_that_nobody_knows_is_renewed_too(page: Page, demo: BrowserDemo) -> None:
    page.run("document.cookie = 'sid=forged'")
    click(page, "buy")
    sign_in(page)
    page.until("document.querySelectorAll('#log .good').length === 1")
    assert log(page)[0] == "POST /orders 401 session_invalid"


def test_a_wrong_password_can_be_tried_again(page: Page, demo: BrowserDemo) -> None:
    click(page, "buy")
    page.until("!document.getElementById('login').hidden")
    page.run("document.querySelector('[name=password]').value = 'wrong'")
    page.run("document.querySelector('#login button').click()")
    page.until("document.getElementById('why').textContent === 'That is not the password.'")
    page.run("document.querySelector('[name=password]').value = 'correct horse battery staple'")
    sign_in(page)
    page.until("document.querySelectorAll('#log .good').length === 1")


SCRIPTED = """
    const { renewing } = await import("./renew.js")
    const dead = () => new Response("", { status: 401,
        headers: { "WWW-Authenticate": 'Session realm="a", error="session_expired"' } })
    let logins = 0, asked = []
"""


def test_a_late_answer_to_the_old_session_needs_no_second_login(
    page: Page, demo: BrowserDemo
) -> None:
    told = page.run(
        SCRIPTED
        + """
        let signedIn
        const login = new Promise((resolve) => { signedIn = resolve })
        window.fetch = async ({ url }) => {
          asked.push(new URL(url).pathname)
          if (logins > 0 && asked.length > 2) return new Response("ok")
          if (url.endsWith("late")) await login
          return dead()
        }
        const api = renewing(async () => { logins++; setTimeout(signedIn, 50); return "ada" })
        const answers = await Promise.all([api("/late"), api("/soon")])
        return [logins, answers.map((answer) => answer.status), asked]
        """
    )
    assert told == [1, [200, 200], ["/late", "/soon", "/soon", "/late"]]


def test_a_server_that_refuses_every_session_gets_one_login_for_each_call(
    page: Page, demo: BrowserDemo
) -> None:
    told = page.run(
        SCRIPTED
        + """
        window.fetch = async ({ url }) => { asked.push(url); return dead() }
        const api = renewing(async () => { logins++; return "ada" })
        const { status } = await api("/orders")
        return [logins, status, asked.length]
        """
    )
    assert told == [1, 401, 2]


def test_a_login_that_nobody_completes_leaves_the_401(page: Page, demo: BrowserDemo) -> None:
    told = page.run(
        SCRIPTED
        + """
        window.fetch = async ({ url }) => { asked.push(url); return dead() }
        const api = renewing(async () => null)
        const { status } = await api("/orders")
        return [status, asked.length]
        """
    )
    assert told == [401, 1]


def test_a_late_answer_is_not_sent_again_in_anothers_name(page: Page, demo: BrowserDemo) -> None:
    told = page.run(
        SCRIPTED
        + """
        let signedIn
        const login = new Promise((resolve) => { signedIn = resolve })
        window.fetch = async ({ url }) => {
          asked.push(new URL(url).pathname)
          if (url.endsWith("late")) await login
          return dead()
        }
        const grace = async () => { setTimeout(signedIn, 50); return "grace" }
        const api = renewing(grace, { user: "ada" })
        await Promise.all([api("/late"), api("/soon")])
        return asked
        """
    )
    assert told == ["/late", "/soon"]


@pytest.mark.parametrize(
    ("origin", "logins"), [("location.origin", 0), ("'https://other.example'", 1)]
)
def test_a_strangers_challenge_gets_no_login(
    page: Page, demo: BrowserDemo, origin: str, logins: int
) -> None:
    told = page.run(
        SCRIPTED
        + f"""
        window.fetch = async () => dead()
        const origin = {origin}
        const api = renewing(async () => {{ logins++; return null }}, {{ origin }})
        const {{ status }} = await api("https://other.example/orders")
        return [logins, status]
        """
    )
    assert told == [logins, 401]


def test_a_redirect_to_a_stranger_gets_no_login(page: Page, demo: BrowserDemo) -> None:
    told = page.run(
        SCRIPTED
        + """
        const there = { value: "https://other.example/orders" }
        window.fetch = async () => Object.defineProperty(dead(), "url", there)
        const api = renewing(async () => { logins++; return null })
        const { status } = await api("/orders")
        return [logins, status]
        """
    )
    assert told == [0, 401]


@pytest.mark.parametrize(
    ("field", "error"),
    [
        ('Session realm="a", error="session_expired"', "session_expired"),
        ('session error = "session_expired"', "session_expired"),
        ("Session error=session_expired, realm=a", "session_expired"),
        ('Bearer realm="a, Session error=\\"no\\"", Session error="yes"', "yes"),
        ('Session error="yes", Bearer error="no"', "yes"),
        ('Negotiate YWJj==, Session error="yes"', "yes"),
        ("Session", None),
        ('Session realm="a", Bearer error="no"', None),
        ("Session error='yes'", "yes"),
        ('Bearer realm="a\nSession error="yes"', "yes"),
    ],
)
def test_the_script_reads_the_challenge_among_others(
    page: Page, demo: BrowserDemo, field: str, error: str | None
) -> None:
    said = page.run(
        "const { sessionChallenge } = await import('./renew.js');"
        f"return sessionChallenge({field!r})"
    )
    assert said.get("error") == error


@pytest.mark.parametrize(
    "field",
    [
        *("null", "''", "'Bearer error=\"Session\"'", "'Sessions a=b'"),
        *("'Session expired'", "'Bearer realm=\", Session a=b'"),
    ],
)
def test_the_script_finds_no_session_challenge_where_there_is_none(
    page: Page, demo: BrowserDemo, field: str
) -> None:
    script = f"const m = await import('./renew.js'); return m.sessionChallenge({field})"
    assert page.run(script) is None


# The password window


def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    headers = [("Content-Type", "text/html")]
    if environ["PATH_INFO"] == "/basic":
        start_response("401 Unauthorized", [*headers, ("WWW-Authenticate", 'Basic realm="a"')])
        return [b"who?"]
    start_response("200 OK", headers)
    return [b"<p>a page"]


@pytest.fixture
def site(page: Page) -> Iterator[str]:
    gate: Any = SessionGate(application, str, realm="a", public=["/", "/basic"])
    with serving_wsgi(gate) as port:
        page.open(f"http://127.0.0.1:{port}/")
        page.events.clear()
        calls = [{"urlPattern": "*/orders"}, {"urlPattern": "*/basic"}]
        page.ask("Fetch.enable", handleAuthRequests=True, patterns=calls)
        yield f"http://127.0.0.1:{port}"
        page.ask("Fetch.disable")


def fetching(page: Page, path: str) -> None:
    """Begin to fetch, and let it through as the protocol asks."""
    page.run(f"window.answer = null; fetch('{path}').then(r => window.answer = r.status); return 1")
    paused = page.wait_for("Fetch.requestPaused")
    page.ask("Fetch.continueRequest", requestId=paused["requestId"])


def test_a_session_challenge_opens_no_password_window(page: Page, site: str) -> None:
    fetching(page, "/orders")
    page.until("window.answer === 401")
    assert not page.met("Fetch.authRequired")


def test_a_basic_challenge_opens_a_password_window(page: Page, site: str) -> None:
    fetching(page, "/basic")
    asked = page.wait_for("Fetch.authRequired")
    assert asked["authChallenge"]["scheme"] == "basic"
    assert page.run("return window.answer") is None
    page.ask(
        "Fetch.continueWithAuth",
        requestId=asked["requestId"],
        authChallengeResponse={"response": "CancelAuth"},
    )


# The command


def test_the_command_serves_the_page_until_it_is_interrupted(page: Page) -> None:
    with running([RELOGIN, "demo", "--browser"], stdout=subprocess.PIPE) as served:
        assert served.stdout is not None
        told = next(line for line in served.stdout if "http" in line)
        page.open(re.findall(r"http://\S+", told)[0])
        page.until("document.title.startsWith('relogin')")
        served.send_signal(signal.SIGINT)
        assert served.wait(10) == 0
