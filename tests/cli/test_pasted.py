"""What people paste: `pasted.json` has, for each tool, a text as it shows one and what is read."""

import json
import time
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from relogin.cli import main
from relogin.cli.fields import read_responses
from relogin.wire import MAX_LENGTH

ROWS: list[dict[str, Any]] = json.loads(Path(__file__).with_name("pasted.json").read_text("utf-8"))
FIELD = 'Bearer realm="api"'


def found(text: str) -> list[tuple[int | None, list[str]]]:
    return [
        (response.status, [line for field in response.fields.values() for line in field.lines])
        for response in read_responses(text)
    ]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: str(row["seen"]))
def test_the_header_is_found_as_each_tool_shows_it(row: dict[str, Any]) -> None:
    assert found(row["text"]) == [(row["status"], row["lines"])]


def test_each_response_of_a_har_file_that_has_or_lacks_a_challenge_is_read() -> None:
    headers = [{"name": "Content-Type", "value": "text/html"}]
    asked = [{"name": "WWW-Authenticate", "value": FIELD}]
    entries = [
        {"response": {"status": status, "headers": named}}
        for status, named in [(200, headers), (401, asked), (401, headers), (401, asked)]
    ]
    assert found(json.dumps({"log": {"entries": entries}})) == [
        *((401, [FIELD]), (401, []), (401, [FIELD])),
    ]


@pytest.mark.parametrize(
    "headers",
    [
        ["Server", "x", "WWW-Authenticate", FIELD, "Date", "y"],
        [["Server", "x"], ["WWW-Authenticate", FIELD]],
        {"www-authenticate": [{"key": "WWW-Authenticate", "value": FIELD}]},
        {"Www-Authenticate": [FIELD]},
        {"header": "www-authenticate", "value": FIELD},
    ],
    ids=["rawHeaders", "pairs", "CloudFront", "lists", "header and value"],
)
def test_headers_in_json_are_found_whatever_their_structure(headers: Any) -> None:
    assert found(json.dumps({"statusCode": "401", "headers": headers})) == [(401, [FIELD])]
    assert found(json.dumps({"a": [1, None, {"b": headers}]})) == [(None, [FIELD])]


def test_a_header_without_a_text_for_its_value_is_not_taken_for_one() -> None:
    assert found('{"WWW-Authenticate": null, "headers": {"www-authenticate": {"a": 1}}}') == [
        (None, ['{"WWW-Authenticate": null, "headers": {"www-authenticate": {"a": 1}}}'])
    ]


@pytest.mark.parametrize(
    "text",
    [
        r'"HTTP/1.1 401 No\r\nWWW-Authenticate: Bearer realm=\"api\"\r\n\r\n"',
        r"""b'HTTP/1.1 401 No\r\nWWW-Authenticate: Bearer realm="api"\r\n\r\n'""",
    ],
)
def test_a_printed_response_is_read_as_what_it_prints(text: str) -> None:
    assert found(text) == [(401, [FIELD])]


@pytest.mark.parametrize(
    "text",
    [
        'header("WWW-Authenticate: " . $e->getAuthenticateHeader());',
        'Console.WriteLine("WWW-Authenticate: " + challenge);',
        '#define NAME "WWW-Authenticate: "',
        """header("WWW-Authenticate: " . 'Basic);""",
    ],
)
def test_a_name_that_code_joins_to_a_variable_has_no_value(text: str) -> None:
    assert found(text) == []


@pytest.mark.parametrize(
    "field",
    [
        'Bearer realm="api", error_description="no WWW-Authenticate: Basic"',
        'Bearer {"WWW-Authenticate":"Basic"',
        '"Bearer realm=api"',
        "'Bearer realm=api'",
        '{"error":"x"}',
        "[Basic realm=x]",
        "401",
    ],
)
def test_a_field_is_explained_as_it_is_whatever_it_mentions(field: str) -> None:
    assert found(field) == [(None, [field])]


def test_a_text_without_a_challenge_is_told_to_have_none(
    capsys: pytest.CaptureFixture[str],
) -> None:
    text = "Traceback (most recent call last):\n  File x\nHTTPError: refused\n"
    assert found(text) == []
    assert main(["explain", text]) == 2
    assert "there is no WWW-Authenticate or Proxy-Authenticate header" in capsys.readouterr().err


@pytest.mark.parametrize(
    "header",
    ["Authorization: Bearer s3cret", "Set-Cookie: sid=s3cret; Path=/", "Host: a\nCookie: b=s3cret"],
)
def test_another_header_is_no_challenge_and_its_secret_is_not_shown(
    header: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert found(header) == []
    assert main(["explain", header]) == 2
    shown = capsys.readouterr()
    assert "s3cret" not in shown.out + shown.err


@pytest.mark.parametrize(
    "text",
    [
        "Vary: Cookie, WWW-Authenticate, Accept",
        "Without WWW-Authenticate, browsers show nothing.\nSee RFC 9110.",
        "access-control-expose-headers: WWW-Authenticate, X-Request-Id\ndate: now",
    ],
)
def test_a_comma_behind_a_name_begins_no_value(text: str) -> None:
    assert found(text) == []


@pytest.mark.parametrize(
    "line",
    [
        'if "WWW-Authenticate" == name:',
        "if ('WWW-Authenticate' === name) {",
        'if name == "WWW-Authenticate":',
        "if (name !== 'WWW-Authenticate') {",
        'case "WWW-Authenticate":',
        "['WWW-Authenticate', 'Set-Cookie'] are filtered",
        '{"WWW-Authenticate", "Proxy-Authenticate"};',
        'names = ["WWW-Authenticate", "X-Own", "Date"]',
        "expose_headers=['www-authenticate', 'x-total-count', 'link']",
        '.exposedHeaders("WWW-Authenticate", "Content-Disposition")',
        'const WWW_AUTHENTICATE = "www-authenticate";',
    ],
)
def test_source_code_that_only_names_the_header_has_no_value(line: str) -> None:
    assert found(line) == []
    assert found(f"{line}\n    return value\n") == []


def test_a_field_of_an_unknown_scheme_may_name_the_header() -> None:
    field = 'Custom realm="see WWW-Authenticate"'
    assert found(field) == [(None, [field])]


def test_a_comma_before_a_text_in_quotes_begins_a_value() -> None:
    assert found(f"headers = [(b'www-authenticate', b'{FIELD}'), *others]") == [(None, [FIELD])]


@pytest.mark.parametrize("scheme", ["ApiKey", "X-API-Key", "Cookie", "Own"])
def test_a_scheme_alone_behind_a_comma_is_a_value(scheme: str) -> None:
    assert found(f'set("WWW-Authenticate", "{scheme}")') == [(None, [scheme])]


def test_behind_a_comma_a_scheme_with_parameters_may_begin_as_another_header_does() -> None:
    field = "Cookie realm=a"
    assert found(f'set("WWW-Authenticate", "{field}")') == [(None, [field])]


def test_of_two_statuses_in_a_log_neither_counts() -> None:
    text = f"status=401 then status=200 WWW-Authenticate: {FIELD}"
    assert found(text) == [(None, [FIELD])]


def test_of_the_statuses_that_developer_tools_show_the_first_counts() -> None:
    assert found(f"Status: 401\n\n:status: 200\nWWW-Authenticate: {FIELD}") == [(401, [FIELD])]


def test_a_value_in_a_list_of_yaml_is_found() -> None:
    text = f"Www-Authenticate:\n- {FIELD}\nDate:\n- now\n"
    assert found(text) == [(None, [FIELD])]


@pytest.mark.parametrize("piece", ["[", "{", '{"a":', "'", '"', "www-authenticate", "\\x", "- "])
def test_hostile_text_costs_neither_an_error_nor_much_memory(piece: str) -> None:
    tracemalloc.start()
    try:
        read_responses(piece * 20_000)
        assert tracemalloc.get_traced_memory()[1] < 100_000_000
    finally:
        tracemalloc.stop()


# Each took minutes, or raised, before it was found.
@pytest.mark.parametrize(
    "text",
    [
        "\n" * 300_000 + "x",
        '"www-authenticate":' + " " * 300_000,
        "www-authenticate\nstatus" + " " * 300_000,
        "x www-authenticate: a" + r"\r\n" * 150_000 + "x",
        '{"a":' * 600 + "1" + "}" * 600,
        "x www-authenticate: a\n" * 250_000,
        "x www-authenticate>" * 60_000,
    ],
    ids=[
        *("line ends", "spaces after a name", "spaces after status", "written line ends", "nested"),
        *("log", "tags in one line"),
    ],
)
def test_a_text_without_a_challenge_is_read_in_time_that_grows_with_its_length(text: str) -> None:
    began = time.thread_time()  # what others do on this machine counts for nothing
    read_responses(text)
    assert time.thread_time() - began < 20


def test_a_folded_line_of_many_megabytes_is_read_no_further_than_any_field() -> None:
    folded = "HTTP/1.1 401 x\nWWW-Authenticate: Basic\n" + " a\n" * 100_000
    [response] = read_responses(folded)
    assert len(response.fields["WWW-Authenticate"].lines[0]) in range(MAX_LENGTH, MAX_LENGTH + 9)
