"""What each signal says of an answer, and how much of a body it looks at."""

from typing import Any

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st
from requests.structures import CaseInsensitiveDict

from relogin import SessionError
from relogin.client.logins.forms.page import form_with, forms
from relogin.client.signals import (
    MOST_OCTETS,
    Signal,
    html_form,
    json_field,
    problem,
    redirect_to,
    signalled,
    signalled_async,
    status,
)
from relogin.client.terms.answer import Answer, Unread, member

EXPIRED = SessionError.EXPIRED
URL = "https://www.example.com/orders/7"


def answer(code: int = 200, body: bytes = b"", kind: str | None = None, **headers: str) -> Answer:
    if kind is not None:
        headers["Content-Type"] = kind
    return Answer(code, CaseInsensitiveDict(headers), URL, body)


class Body:
    """Hands over a body piece by piece, and knows how often it was asked."""

    def __init__(self, *pieces: bytes) -> None:
        self.pieces = list(pieces)
        self.asked = 0

    def more(self) -> bytes:
        self.asked += 1
        return self.pieces.pop(0) if self.pieces else b""


def ask(signal: Signal, body: Body, code: int = 200, kind: str = "application/json") -> object:
    unread = answer(code, kind=kind)
    unread.reading = True
    return signalled([signal], unread, body.more)


# status


@pytest.mark.parametrize(("code", "said"), [(440, EXPIRED), (419, EXPIRED), (200, None)])
def test_status_takes_any_of_the_codes_it_names(code: int, said: object) -> None:
    assert status(440, 419)(answer(code)) == said


# redirect_to


@pytest.mark.parametrize(
    "location",
    [
        "/login",
        "/login?next=%2Forders",
        "/login#top",
        "../login",
        "https://www.example.com/login",
        "https://id.example.org/login?x",
        "https://id.example.org/in?x",
        "/login/?next=%2Forders",
        "/login;jsessionid=1A2B",
        "https://id.example.org/in;jsessionid=1A2B?x",
    ],
)
def test_a_redirect_to_the_login_page_is_a_signal(location: str) -> None:
    signal = redirect_to("/login", "https://id.example.org/in")
    assert signal(answer(302, Location=location)) == EXPIRED


@pytest.mark.parametrize(
    ("code", "location"),
    [
        (302, "/orders/8"),
        (302, "/login/help"),
        (302, "https://www.example.com/in"),
        (302, "http://id.example.org/in"),
        (302, "//["),
        (200, "/login"),
        (201, "/login"),
        (304, "/login"),
    ],
)
def test_all_other_redirects_are_no_signals(code: int, location: str) -> None:
    signal = redirect_to("/login", "https://id.example.org/in")
    assert signal(answer(code, Location=location)) is None


@pytest.mark.parametrize(
    ("place", "location"),
    [("/login/", "/login"), ("/", "/?next=a"), ("https://www.example.com", "/"), ("/a;b", "/a;b")],
)
def test_a_slash_at_the_end_of_a_place_changes_nothing(place: str, location: str) -> None:
    assert redirect_to(place)(answer(302, Location=location)) == EXPIRED


def test_a_redirect_without_a_location_is_no_signal() -> None:
    assert redirect_to("/login")(answer(302)) is None


# json_field and problem


@pytest.mark.parametrize(
    ("name", "value", "body"),
    [
        ("success", False, b'{"success": false}'),
        ("success", False, b'\xef\xbb\xbf {"success": false} trailing'),
        ("code", 401, b'{"code": 401}'),
        ("code", None, b'{"code": null}'),
        ("/error/code", "expired", b'{"error": {"code": "expired"}}'),
        ("/errors/0/a~b", "x", b'{"errors": [{"a~b": "x"}]}'),
    ],
)
@pytest.mark.parametrize(
    "kind",
    [
        "application/json",
        "application/hal+json; charset=utf-8",
        "text/html",
        "text/plain",
        "application/x-json",
        "text/json",
    ],
)
def test_a_member_with_the_value_is_a_signal(
    name: str, value: object, body: bytes, kind: str
) -> None:
    assert json_field(name.replace("~", "~0"), value)(answer(200, body, kind)) == EXPIRED


@pytest.mark.parametrize(
    "body",
    [
        b'{"success": true}',
        b'{"success": 0}',
        b'{"success": null}',
        b'{"success": false',
        b'[{"success": false}]',
        b"{}",
        b"[]",
        b"",
        b"false",
        b"<p>no",
        b"[" * 50_000,
    ],
)
def test_all_other_bodies_are_no_signals(body: bytes) -> None:
    assert json_field("success", False)(answer(200, body, "application/json")) is None


def test_json_is_not_looked_for_where_none_is_sent() -> None:
    endless = Body(b'{"success": false}')
    for kind in ("text/event-stream", "application/octet-stream", "image/png", "text/csv"):
        assert ask(json_field("success", False), endless, kind=kind) is None
    assert endless.asked == 0


def test_a_problem_has_its_own_media_type_and_its_code_is_the_error() -> None:
    body = b'{"error": "csrf_invalid"}'
    signal = problem("csrf_invalid")
    assert signal(answer(403, body, "application/problem+json")) == "csrf_invalid"
    assert signal(answer(403, body, "application/json")) is None
    assert signal(answer(403, b'{"error": "other"}', "application/problem+json")) is None


# html_form

PAGE = b'<title>Log in</title><form><input name="user"><input type=password name="pw"></form>'


@pytest.mark.parametrize("charset", ["undefined", "idna", "punycode", "a\0b", "x-unknown", "zip"])
def test_a_charset_that_cannot_decode_a_page_does_no_harm(charset: str) -> None:
    page = PAGE + b"\xff"
    assert html_form()(answer(200, page, f"text/html; charset={charset}")) == EXPIRED


def test_a_page_with_the_form_is_a_signal() -> None:
    for signal in (html_form(), html_form("user"), html_form("user", "pw")):
        assert signal(answer(200, PAGE, "text/html; charset=x-unknown")) == EXPIRED
        assert signal(answer(200, PAGE, "application/xhtml+xml")) == EXPIRED


def test_a_page_without_the_form_is_no_signal() -> None:
    assert html_form("user", "otp")(answer(200, PAGE, "text/html")) is None
    assert html_form()(answer(200, b'<form><input name="password"></form>', "text/html")) is None
    assert html_form("user")(answer(200, PAGE, "text/plain")) is None


@pytest.mark.parametrize(
    "page",
    [
        "<!-- <form><input name=user></form> -->",
        "<script>'<form><input name=user></form>'</script>",
        "<form></form><input name=user>",
        "<form><p>input name=user",
        "<formula><input name=user>",
        "<!-- <form><input name=user></form>",
    ],
)
def test_what_is_no_form_for_a_browser_is_none_here(page: str) -> None:
    assert form_with(page, ["user"]) is None


@pytest.mark.parametrize(
    ("page", "values"),
    [
        ("<FORM><INPUT NAME=a VALUE='1>2'>", {"a": "1>2"}),
        ("<form><input/name=a value=/b/c >", {"a": "/b/c"}),
        ('<form><input name="a" name="b" value="&quot;&#65;">', {"a": '"A'}),
        ("<form><input name=a type=checkbox checked><input name=b type=radio>", {"a": "on"}),
        ("<form><input name=a type=checkbox value=x checked>", {"a": "x"}),
        ("<form><input name=a type=submit><input name=b type=file><button name=c>", {"b": ""}),
        ("<form><select name=a><textarea name=b></textarea><input value=x>", {"b": ""}),
        ("<form><input name=a value='", {"a": ""}),
        ('<form><input name=a value="', {"a": ""}),
        (f"<form><input name=a value='&#{'9' * 5000};'>", {"a": f"&#{'9' * 5000};"}),
    ],
)
def test_a_form_sends_what_a_browser_would(page: str, values: dict[str, str]) -> None:
    (form,) = forms(page)
    assert form.values == values


elements = st.sampled_from(
    ["form", "/form", "INPUT", "select", "option", "textarea", "/textarea", "!--"]
)
attributes = st.sampled_from(
    [" name=a", " name='b'", ' value="&#65;"', " type=radio", " checked='"]
)
tags = st.builds(
    "<{}{}{}".format, elements, st.lists(attributes).map("".join), st.sampled_from([">", "/>", ""])
)


@given(st.lists(tags | st.text(max_size=3)).map("".join))
def test_of_no_page_is_more_sent_than_its_controls(page: str) -> None:
    for form in forms(f"<form>{page}"):
        assert form.values.keys() <= form.names


# What they stand for


@pytest.mark.parametrize(
    ("signal", "found"),
    [
        (status(440, error="session_revoked"), answer(440)),
        (redirect_to("/in", error="session_revoked"), answer(302, Location="/in")),
        (
            json_field("a", 1, error="session_revoked"),
            answer(200, b'{"a": 1}', "application/json"),
        ),
        (
            problem("csrf_invalid", error="session_revoked"),
            answer(403, b'{"error": "csrf_invalid"}', "application/problem+json"),
        ),
        (html_form("user", error="session_revoked"), answer(200, PAGE, "text/html")),
    ],
)
def test_a_signal_stands_for_the_error_it_is_told(signal: Signal, found: Answer) -> None:
    assert signal(found) == "session_revoked"


def test_a_callable_that_says_yes_means_an_expired_session() -> None:
    def more() -> bytes:
        raise AssertionError("nobody needs the body")

    assert signalled([lambda found: found.status == 599], answer(599), more) == EXPIRED
    assert signalled([lambda found: "x.own"], answer(), more) == "x.own"
    assert signalled([lambda found: False, lambda found: None], answer(), more) is None
    assert signalled([], answer(), more) is None


@pytest.mark.parametrize("said", [["a"], {"a": 1}, 1, object()])
def test_whatever_else_is_true_means_an_expired_session_too(said: Any) -> None:
    assert signalled([lambda found: said], answer(), bytes) == EXPIRED


def test_the_first_signal_that_says_yes_counts() -> None:
    signals = [status(440), status(419, error="a.b"), status(419, error="c.d")]
    assert signalled(signals, answer(419), bytes) == "a.b"


# How much they look at


def test_json_is_read_until_its_first_value_ends() -> None:
    body = Body(b'{"succ', b'ess": false}', b"never asked for")
    assert ask(json_field("success", False), body) == EXPIRED
    assert body.asked == 2


def test_a_page_is_read_until_the_form_is_there() -> None:
    body = Body(b"<html><form><inp", b'ut name="user">', b"never asked for")
    assert ask(html_form("user"), body, kind="text/html") == EXPIRED
    assert body.asked == 2


def test_a_page_is_not_read_on_for_json() -> None:
    body = Body(b"<html>", b"never asked for")
    assert ask(json_field("success", False), body, kind="text/html") is None
    assert body.asked == 1


@pytest.mark.parametrize("signal", [json_field("success", False), html_form("user")])
def test_no_more_than_64_kib_are_looked_at(signal: Signal) -> None:
    body = Body(b"[", *[b" " * 10_000] * 10)
    assert ask(signal, body, kind="text/html") is None
    assert body.asked == 1 + -(-MOST_OCTETS // 10_000)


def test_a_callable_may_look_at_the_body_as_octets_and_as_text() -> None:
    seen: list[object] = []

    def look(found: Answer) -> None:
        seen.extend((found.body, found.text, found.cut))

    ask(look, Body(b"gr\xfc", b"n"), kind="text/plain; charset=latin-1")
    assert seen == [b"gr\xfcn", "grün", False]


def test_of_a_long_body_a_callable_sees_the_beginning() -> None:
    seen: list[object] = []

    def look(found: Answer) -> None:
        seen.extend((len(found.body), found.cut))

    ask(look, Body(b"x" * 100_000))
    assert seen == [MOST_OCTETS, True]


def test_a_callable_that_catches_all_exceptions_does_not_stop_the_reading() -> None:
    def careless(found: Answer) -> bool:
        try:
            return bool(found.json()["gone"])
        except Exception:  # noqa: BLE001 - as users write
            return False

    assert ask(careless, Body(b'{"gone":', b" 1}")) == EXPIRED


def test_what_must_be_read_may_be_awaited() -> None:
    body = Body(b'{"succ', b'ess": false}')

    async def more() -> bytes:
        await anyio.sleep(0)
        return body.more()

    async def main() -> object:
        unread = answer(kind="application/json")
        unread.reading = True
        return await signalled_async([json_field("success", False)], unread, more)

    assert anyio.run(main) == EXPIRED


# Answers


def test_who_needs_more_than_is_read_says_so() -> None:
    unread = answer(kind="application/json")
    unread.reading = True
    for look in (lambda: unread.body, lambda: unread.text, unread.json):
        with pytest.raises(Unread):
            look()


def test_no_json_is_a_value_error_without_the_text() -> None:
    with pytest.raises(ValueError, match="the body is not JSON") as raised:
        answer(body=b'{"token": "s3cret"').json()
    assert raised.value.__context__ is None


@pytest.mark.parametrize(
    ("document", "name"),
    [({}, "a"), ([], "a"), ([], "/0"), ([1], "/-1"), ("a", "/0"), ({"a": 1}, "/a/b"), (None, "a")],
)
def test_a_member_that_is_not_there_is_a_lookup_error(document: object, name: str) -> None:
    with pytest.raises(LookupError):
        member(document, name)
