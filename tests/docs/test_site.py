"""The built site in a real browser: it searches, copies, explains, fits a phone and asks nobody."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.chromium import Page, browsing
from tests.docs.site import ROOT, build, serving_files
from tests.docs.test_examples import run_module

pytestmark = [
    pytest.mark.needs("chromium"),
    pytest.mark.needs("npm"),
    pytest.mark.timeout(300),
]

READY = "document.querySelector('#result')?.dataset.ready"
ERRORS = ("Runtime.exceptionThrown", "Log.entryAdded")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    complaints = build(folder)
    if "Pyodide" in complaints:  # npm has no network; in CI that is an error
        pytest.skip(complaints.strip())
    assert complaints == ""
    return folder


@pytest.fixture(scope="module")
def url(site: Path) -> Iterator[str]:
    with serving_files(site) as origin:
        yield origin


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Page]:
    with browsing(tmp_path / "profile") as opened:
        for room in ("Log", "Runtime", "Network"):
            opened.ask(f"{room}.enable")
        yield opened


def explained(page: Page) -> str:
    """What the playground says now."""
    page.until(READY)
    text: str = page.run("return document.querySelector('#result').innerText")
    return text


def write(page: Page, text: str) -> None:
    """Type a text into the playground."""
    page.run(f"document.querySelector('#field').value = {json.dumps(text)}")
    page.run("document.querySelector('#field').oninput()")


def test_search_finds_a_word_of_a_recipe(page: Page, url: str) -> None:
    page.open(f"{url}/search.html?q=refresh+token")
    page.until("document.querySelectorAll('#search-results li a').length > 0")
    found = page.run(
        "return [...document.querySelectorAll('#search-results li a')].map(link => link.pathname)"
    )
    pages = [ROOT / path.removeprefix("/").replace(".html", ".md") for path in found]
    assert any("refresh token" in one.read_text().lower() for one in pages if one.exists())


@pytest.mark.parametrize(
    ("words", "first"), [("what is logged", "metrics"), ("test my code", "testing")]
)
def test_search_puts_the_page_that_is_meant_first(
    page: Page, url: str, words: str, first: str
) -> None:
    page.open(f"{url}/search.html?q={words.replace(' ', '+')}")
    page.until("document.querySelectorAll('#search-results li a').length > 2")
    found = page.run("return document.querySelector('#search-results li a').pathname")
    assert found == f"/docs/how-to/{first}.html"


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        ("419", "how-to/signals"),
        ("440", "how-to/my-server"),
        ("retry 401", "how-to/troubleshooting"),
        ("log in once threads", "tutorials/client"),
        ("thread safe", "tutorials/client"),
        ("session timed out", "how-to/my-server"),
        ("token expired requests", "tutorials/client"),
        ("retry upload", "how-to/troubleshooting"),
        ("multiple processes", "how-to/stores"),
        ("logged out on purpose", "how-to/my-server"),
        ("403", "how-to/troubleshooting"),
        ("log out", "how-to/log-out"),
        ("two users", "how-to/several-users"),
        ("asyncio", "how-to/libraries"),
        ("oauth provider", "how-to/oauth2"),
        ("fastapi session_expired", "how-to/starlette"),
    ],
)
def test_search_shows_the_page_that_is_meant_among_the_first(
    page: Page, url: str, words: str, meant: str
) -> None:
    page.open(f"{url}/search.html?q={words.replace(' ', '+')}")
    links = "[...document.querySelectorAll('#search-results li > a')].slice(0, 4)"
    finished = "document.querySelector('.search-summary')?.innerText.includes('found')"
    page.until(f"{links}.length === 4 || {finished}")  # they are shown one after another, in order
    assert f"/docs/{meant}.html" in page.run(f"return {links}.map(link => link.pathname)")


def test_a_copy_button_copies_an_example_that_runs(page: Page, url: str, tmp_path: Path) -> None:
    page.open(f"{url}/docs/how-to/logins.html")
    page.ask("Browser.grantPermissions", origin=url, permissions=["clipboardReadWrite"])
    page.ask("Emulation.setFocusEmulationEnabled", enabled=True)
    button = "document.querySelector('.highlight-python button.copybtn')"
    page.run(f"{button}.click()")
    page.until(f"{button}.classList.contains('success')")
    copied = page.run("return navigator.clipboard.readText()")
    example = tmp_path / "copied.md"
    example.write_text(f"```python\n{copied}\nprint('ran')\n```\n\n```text\nran\n```\n")
    ran = run_module("tests.docs.pages", str(example))
    assert ran.returncode == 0, ran.stderr


@pytest.fixture
def playground(page: Page, url: str) -> Page:
    page.open(f"{url}/docs/playground.html")
    page.until(READY)
    return page


def test_the_playground_explains_a_malformed_field_without_a_network(playground: Page) -> None:
    playground.ask(
        "Network.emulateNetworkConditions",
        offline=True, latency=0, downloadThroughput=0, uploadThroughput=0,
    )  # fmt: skip
    write(playground, "Bearer realm='Orders API' error=invalid_token")
    shown = explained(playground)
    assert "single-quotes" in shown
    assert "^^^^^^^^^^^^" in shown
    assert 'Bearer realm="Orders API", error="invalid_token"' in shown
    assert "sends the request again with Authorization: Bearer" in shown


def test_a_link_carries_the_field_in_its_fragment(playground: Page) -> None:
    write(playground, 'Session realm="50 % off", error="session_revoked"')
    link = playground.run("return location.href")
    playground.open("about:blank")
    playground.open(link)
    assert "ended on purpose" in explained(playground)
    assert "50 % off" in explained(playground)


def test_a_link_is_offered_only_once_there_is_something_to_explain(playground: Page) -> None:
    hidden = "return document.querySelector('#playground button.link').hidden"
    assert playground.run(hidden)
    write(playground, "Bearer")
    assert not playground.run(hidden)


def test_a_whole_response_of_curl_is_explained(playground: Page) -> None:
    write(
        playground,
        "HTTP/1.1 407 Proxy\r\nProxy-Authenticate: Basic realm=a\r\n\r\n<p>WWW-Authenticate",
    )
    shown = explained(playground)
    assert "Response 407" in shown
    assert "well-formed" in shown
    assert "a proxy asking for its own password" in shown


def test_a_remark_on_a_well_formed_field_is_shown(playground: Page) -> None:
    write(playground, "Session error='session_revoked'")
    assert "quotes-in-value (allowed, but probably not meant)" in explained(playground)


def test_every_page_fits_a_phone_and_meets_no_error_and_no_other_host(
    page: Page, site: Path, url: str
) -> None:
    page.ask(
        "Emulation.setDeviceMetricsOverride",
        width=390, height=844, deviceScaleFactor=1, mobile=True,
    )  # fmt: skip
    paths = [file.relative_to(site) for file in site.rglob("*.html") if file.parent != site]
    assert len(paths) > 20
    too_wide = {}
    for path in paths:
        page.open(f"{url}/{path}")
        width = page.run("return document.documentElement.scrollWidth")
        if width > 390:
            too_wide[str(path)] = width
    assert too_wide == {}
    assert [one for kind in ERRORS for one in page.met(kind)] == []
    asked = {one["request"]["url"] for one in page.met("Network.requestWillBeSent")}
    assert {one for one in asked if not one.startswith((url, "data:", "blob:"))} == set()


def test_no_page_names_a_file_of_another_host(site: Path) -> None:
    loaded = re.compile(r"<(?:script|img|link|iframe)[^>]+(?:src|href)=\"(https?:[^\"]+)\"")
    found = {name for file in site.rglob("*.html") for name in loaded.findall(file.read_text())}
    assert found == set()
