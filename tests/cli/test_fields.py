"""What is found in pasted text: the fields of whole responses, or one bare field."""

import pytest

from relogin.cli.fields import read_responses

BASIC = {"WWW-Authenticate": ["Basic realm=a"]}


def found(text: str) -> list[tuple[int | None, dict[str, list[str]]]]:
    return [
        (response.status, {name: field.lines for name, field in response.fields.items()})
        for response in read_responses(text)
    ]


def test_a_bare_field_is_taken_for_www_authenticate() -> None:
    assert found('Basic realm="a"\n') == [(None, {"WWW-Authenticate": ['Basic realm="a"']})]


def test_several_bare_lines_are_lines_of_one_field() -> None:
    assert found("Basic realm=a\n\nNegotiate\r\n") == [
        (None, {"WWW-Authenticate": ["Basic realm=a", "Negotiate"]})
    ]


def test_a_bare_field_that_looks_like_another_header_line_is_taken_as_it_is() -> None:
    assert found("Bearer: realm=a") == [(None, {"WWW-Authenticate": ["Bearer: realm=a"]})]


def test_a_name_in_any_case_is_found_without_a_status() -> None:
    assert found("www-AUTHENTICATE: Basic realm=a") == [(None, BASIC)]


def test_every_challenge_of_a_head_that_curl_prints_is_found() -> None:
    text = (
        "HTTP/1.1 401 Unauthorized\r\nDate: x\r\nwww-authenticate:\tBasic realm=a \r\n"
        "WWW-Authenticate: Negotiate\r\nProxy-Authenticate: Basic realm=p\r\n\r\n"
    )
    fields = {
        "WWW-Authenticate": ["Basic realm=a", "Negotiate"],
        "Proxy-Authenticate": ["Basic realm=p"],
    }
    assert found(text) == [(401, fields)]


def test_the_responses_of_a_chain_of_redirects_are_told_apart() -> None:
    text = "HTTP/1.1 302 Found\nLocation: /\n\nHTTP/2 401 \nwww-authenticate: Basic realm=a\n\n"
    assert found(text) == [(302, {}), (401, BASIC)]


def test_the_content_of_a_response_is_not_searched() -> None:
    text = "HTTP/1.1 200 OK\n\nWWW-Authenticate: Basic realm=a\n"
    assert found(text) == [(200, {})]


def test_blank_lines_before_the_head_do_not_end_it() -> None:
    assert found("\n\nWWW-Authenticate: Basic realm=a\n") == [(None, BASIC)]


def test_a_response_that_curl_marks_as_received_is_found() -> None:
    text = (
        "* Connected\n> GET / HTTP/1.1\n> \n< HTTP/1.1 401 Unauthorized\n"
        "< WWW-Authenticate: Basic realm=a\n< \n"
    )
    assert found(text) == [(401, BASIC)]


def test_a_folded_line_is_kept_folded_for_the_diagnosis() -> None:
    assert found("WWW-Authenticate: Basic\n  realm=a\nDate: x\n y\n") == [
        (None, {"WWW-Authenticate": ["Basic\r\n  realm=a"]})
    ]


def test_indented_content_is_no_folded_line() -> None:
    assert found("HTTP/1.1 401 No\nWWW-Authenticate: Basic realm=a\n\n  <html>\n") == [(401, BASIC)]


def test_no_line_is_folded_into_the_response_before() -> None:
    text = "HTTP/1.1 401 No\nWWW-Authenticate: Basic realm=a\nHTTP/1.1 200 OK\n folded\n"
    assert found(text) == [(401, BASIC), (200, {})]


def test_an_empty_field_is_a_field() -> None:
    assert found("HTTP/1.1 401 No\nWWW-Authenticate:\n") == [(401, {"WWW-Authenticate": [""]})]


def test_a_value_that_developer_tools_copied_to_a_line_of_its_own_is_found() -> None:
    text = 'date:\nMon\nwww-authenticate:\nBearer realm="a:b"\nserver:\nnginx\n'
    assert found(text) == [(None, {"WWW-Authenticate": ['Bearer realm="a:b"']})]


def test_a_field_without_a_value_before_another_header_line_is_empty() -> None:
    assert found("WWW-Authenticate:\nServer: nginx\n") == [(None, {"WWW-Authenticate": [""]})]


@pytest.mark.parametrize(
    "printed",
    [
        """{'Server': 'a', 'WWW-Authenticate': 'Bearer realm="it\\'s"', 'Date': 'b'}""",
        """Headers({'www-authenticate': 'Bearer realm="it\\'s"'})""",
        """[('server', 'a'), ('www-authenticate', 'Bearer realm="it\\'s"')]""",
        """<CIMultiDictProxy('Server': 'a', 'WWW-Authenticate': 'Bearer realm="it\\'s"')>""",
        """{"www-authenticate": "Bearer realm=\\"it's\\"", "ok": true}""",
        """{\n  "headers": {\n    "Www-Authenticate": "Bearer realm=\\"it's\\""\n  }\n}""",
    ],
)
def test_a_challenge_in_headers_that_a_program_prints_is_found(printed: str) -> None:
    assert found(printed) == [(None, {"WWW-Authenticate": ['Bearer realm="it\'s"']})]


@pytest.mark.parametrize(
    ("literal", "value"),
    [
        (r'"Bearer realm=\"https:\/\/a\""', 'Bearer realm="https://a"'),
        (r'"Bearer realm=\u00e9"', "Bearer realm=é"),
        (r"'Bearer realm=\xe9'", "Bearer realm=é"),
        (r"'Bearer \x'", r"Bearer \x"),
    ],
)
def test_a_value_with_escapes_is_read_as_its_language_does(literal: str, value: str) -> None:
    assert found(f"{{'WWW-Authenticate': {literal}}}") == [(None, {"WWW-Authenticate": [value]})]


def test_several_fields_that_a_program_prints_are_lines_of_one() -> None:
    text = """[('WWW-Authenticate', 'Basic'), ('WWW-Authenticate', 'Bearer')]"""
    assert found(text) == [(None, {"WWW-Authenticate": ["Basic", "Bearer"]})]


def test_an_escape_that_neither_python_nor_json_knows_stays_and_nobody_is_warned() -> None:
    printed = r"""{"WWW-Authenticate": "Basic realm=\"a\d\""}"""
    assert found(printed) == [(None, {"WWW-Authenticate": [r'Basic realm="a\d"']})]
