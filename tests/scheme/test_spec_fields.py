"""SPEC.md §5.5 to §5.8: what a server does, asked of the gate."""

import pytest

from tests.scheme.gate import ask

# Methods


@pytest.mark.requirement("S-25")
def test_head_is_get_without_content() -> None:
    get, head = ask(), ask(method="HEAD")
    assert (head.status, head.headers, head.body) == (401, get.headers, b"")


@pytest.mark.requirement("S-26")
def test_only_a_preflight_is_exempt_and_never_reaches_the_resource() -> None:
    preflight = {"origin": "https://a.example", "access_control_request_method": "PUT"}
    exempt = ask(method="OPTIONS", **preflight)
    assert (exempt.status < 300, exempt.reached) == (True, False)
    for left_out in preflight:
        fields = {name: value for name, value in preflight.items() if name != left_out}
        assert ask(method="OPTIONS", **fields).status == 401
    assert ask(method="GET", **preflight).status == 401


@pytest.mark.requirement("S-27")
def test_the_fields_are_exposed_by_name() -> None:
    exposed = set(ask().field("Access-Control-Expose-Headers").split(", "))
    assert exposed == {"WWW-Authenticate", "Authentication-Info"}


# Caches


@pytest.mark.requirement("S-29")
@pytest.mark.parametrize("token", ["timed-out", "trouble", "never-seen"])
def test_a_refusal_is_not_stored(token: str) -> None:
    assert "no-store" in ask(authorization=f'Session token="{token}"').field("Cache-Control")
    assert "no-store" in ask(cookie=f"sid={token}").field("Cache-Control")


@pytest.mark.requirement("S-29")
def test_what_a_session_decided_is_private() -> None:
    assert ask(cookie="sid=alive").field("Cache-Control") == "private, max-age=60"
    assert "private" in ask(authorization='Session token="alive"').field("Cache-Control")


@pytest.mark.requirement("S-30")
@pytest.mark.parametrize("path", ["/", "/public/page"])
@pytest.mark.parametrize("cookie", ["sid=alive", "sid=timed-out", "sid=trouble", ""])
def test_every_answer_varies_by_what_was_looked_at(path: str, cookie: str) -> None:
    words = {"login_page": "<form>"}
    varies = set(ask(path, words=words, cookie=cookie).field("Vary").split(", "))
    looked_at = {"Authorization", "Cookie"}
    if path == "/":  # a public page is never refused, so nobody asks how
        looked_at |= {"Accept", "Sec-Fetch-Mode"}
    assert varies == looked_at


@pytest.mark.requirement("S-33")
def test_nothing_is_said_to_or_taken_from_a_proxys_fields() -> None:
    answer = ask(proxy_authorization='Session token="alive"')
    assert (answer.status, answer.error) == (401, None)
    assert not answer.lines("Proxy-Authenticate")
