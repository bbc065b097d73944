"""What a login form is sent as: in the order of its page, urlencoded or multipart."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import pytest
from werkzeug.formparser import parse_form_data

from relogin.client.logins import FormLogin
from tests.client.log_in import LogIn, with_requests
from tests.client.server import Answer, Request, Server

HTML = (("Content-Type", "text/html; charset=utf-8"),)
ACCOUNT = {"user": "ada", "password": "p a+\xe9"}


def sent(
    server: Server,
    form: str,
    fields: Mapping[str, Any] = ACCOUNT,
    log_in: LogIn = with_requests,
) -> Request:
    """Fill in a form, and return what came of it."""
    server.routes["/page"] = lambda _: Answer(200, HTML, form.encode())
    server.routes["/post"] = lambda _: Answer(200, (("Set-Cookie", "sid=1"),))
    log_in(FormLogin(f"{server.url}/page", fields))
    return server.requests[-1]


def without_boundary(request: Request) -> bytes:
    kind, _, boundary = request.headers["Content-Type"].partition("; boundary=")
    assert kind == "multipart/form-data"
    return request.body.replace(boundary.encode(), b"B")


USER = "<input name=user>"
PASSWORD = "<input type=password name=password>"


def test_what_is_filled_in_stands_where_the_page_has_it(server: Server) -> None:
    form = (
        "<form method=post action=/post><input type=hidden name=a value=1>"
        f"{USER}<input type=hidden name=b value=2>{PASSWORD}<button name=go value=1></button>"
    )
    assert sent(server, form).body == b"a=1&user=ada&b=2&password=p+a%2B%C3%A9&go=1"


def test_spaces_around_an_email_address_are_not_sent_and_those_of_a_password_are(
    server: Server,
) -> None:
    form = f"<form method=post action=/post><input type=email name=user>{PASSWORD}"
    fields = {"user": [" ada@example.com\t\n"], "password": " p "}
    assert sent(server, form, fields).body == b"user=ada%40example.com&password=+p+"


def test_a_hidden_default_beside_a_control_is_not_its_type(server: Server) -> None:
    form = (
        f"<form method=post action=/post><input type=hidden name=user>{USER}"
        "<input name=user type=hidden>"
    )
    assert sent(server, form, {"user": "a\nb"}).body == b"user=ab"


# What Chromium 156 sends.
def test_a_multipart_form_is_sent_as_chromium_sends_it(server: Server, log_in: LogIn) -> None:
    form = (
        "<form method=post action=/post enctype=Multipart/Form-Data>"
        "<input type=hidden name='x&quot;y&#10;z;\xe9' value='a&quot;b&#10;c'>"
        f"{USER}<input type=file name=photo>{PASSWORD}<button name=go value=1></button>"
    )
    assert without_boundary(sent(server, form, log_in=log_in)) == (
        b'--B\r\nContent-Disposition: form-data; name="x%22y%0D%0Az;\xc3\xa9"\r\n\r\n'
        b'a"b\r\nc\r\n'
        b'--B\r\nContent-Disposition: form-data; name="user"\r\n\r\nada\r\n'
        b'--B\r\nContent-Disposition: form-data; name="photo"; filename=""\r\n'
        b"Content-Type: application/octet-stream\r\n\r\n\r\n"
        b'--B\r\nContent-Disposition: form-data; name="password"\r\n\r\np a+\xc3\xa9\r\n'
        b'--B\r\nContent-Disposition: form-data; name="go"\r\n\r\n1\r\n--B--\r\n'
    )


def test_a_multipart_form_is_in_the_charset_that_it_asks_for(server: Server) -> None:
    form = (
        "<form method=post action=/post enctype=multipart/form-data accept-charset=latin1>"
        f"<input type=hidden name=_charset_><input type=hidden name=\xe9 value=\u20ac\u0438>{USER}"
    )
    assert without_boundary(sent(server, form, {"user": "\xe9"})) == (
        b'--B\r\nContent-Disposition: form-data; name="_charset_"\r\n\r\nwindows-1252\r\n'
        b'--B\r\nContent-Disposition: form-data; name="\xe9"\r\n\r\n\x80&#1080;\r\n'
        b'--B\r\nContent-Disposition: form-data; name="user"\r\n\r\n\xe9\r\n--B--\r\n'
    )


@pytest.mark.parametrize(
    ("enctype", "content"),
    [("", b"password=p+a%E9"), ("multipart/form-data", b'name="password"\r\n\r\np a\xe9\r\n--B--')],
)
def test_octets_are_sent_as_they_are(server: Server, enctype: str, content: bytes) -> None:
    form = f"<form method=post action=/post enctype='{enctype}'>{PASSWORD}"
    request = sent(server, form, {"password": b"p a\xe9"})
    assert content in (without_boundary(request) if enctype else request.body)


@pytest.mark.parametrize(
    ("form", "button", "kind"),
    [
        ("", "formenctype=multipart/form-data", "multipart/form-data"),
        ("multipart/form-data", "formenctype=''", "application/x-www-form-urlencoded"),
        ("multipart/form-data", "", "multipart/form-data"),
        (" multipart/form-data", "", "application/x-www-form-urlencoded"),
    ],
)
def test_the_button_may_say_how_the_form_is_sent(
    server: Server, form: str, button: str, kind: str
) -> None:
    page = f"<form method=post action=/post enctype='{form}'>{USER}{PASSWORD}<button {button}>"
    assert sent(server, page).headers["Content-Type"].partition(";")[0] == kind


def test_werkzeug_reads_a_multipart_form(server: Server) -> None:
    form = (
        f"<form method=post action=/post enctype=multipart/form-data>{USER}{PASSWORD}"
        "<input name=n><input type=file name=photo>"
    )
    request = sent(server, form, {"user": ["a", "b"], "password": 'p"\r\n--x', "n": 7})
    environ = {
        "wsgi.input": io.BytesIO(request.body),
        "CONTENT_LENGTH": str(len(request.body)),
        "CONTENT_TYPE": request.headers["Content-Type"],
        "REQUEST_METHOD": "POST",
    }
    _, fields, files = parse_form_data(environ)
    assert fields.to_dict(flat=False) == {"user": ["a", "b"], "password": ['p"--x'], "n": ["7"]}
    (photo,) = files.getlist("photo")
    assert (photo.filename, photo.read()) == ("", b"")
    photo.close()


# What Chromium 156 sends.
def test_a_form_of_plain_text_is_sent_line_by_line(server: Server) -> None:
    form = (
        "<form method=post action=/post enctype=text/plain><input name='b c' value='x=y&amp;z'>"
        f"<textarea name=t>1\n2</textarea>{USER}{PASSWORD}<input type=file name=f>"
    )
    request = sent(server, form, ACCOUNT | {"user": [b"ada", "eve"]})
    assert request.headers["Content-Type"] == "text/plain"
    assert request.body == (
        b"b c=x=y&z\r\nt=1\r\n2\r\nuser=ada\r\nuser=eve\r\npassword=p a+\xc3\xa9\r\nf=\r\n"
    )
