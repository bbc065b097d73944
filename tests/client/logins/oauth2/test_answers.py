"""OAuth 2.0 logins: what they make of each response of a token endpoint (RFC 6749 §5)."""

import json
from typing import Any

import pytest

from relogin import LoginRefused, LoginUnavailable
from relogin.client.logins import OAuth2Login
from relogin.errors import InvalidGrant
from tests.client.log_in import LogIn, answers
from tests.client.logins.oauth2.asking import ask, says
from tests.client.server import Answer, Server
from tests.client.token_server import JSON, TokenServer, error

HTML = (("Content-Type", "text/html; charset=utf-8"),)


# What is answered


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        (3600, 3600),
        (1.5, 1.5),
        ("3600", 3600),
        ("59.5", 59.5),
        ("soon", None),
        ("", None),
        (True, None),
        (-1, None),
        (1e300, None),
        ("9" * 11, None),
        (None, None),
        ([], None),
    ],
)
def test_expires_in_is_a_number_or_one_as_text(
    server: Server, said: object, seconds: float | None
) -> None:
    url = says(server, {"access_token": "t", "expires_in": said})
    assert ask(OAuth2Login(url, "job", "s3cret")).expires_in == seconds


@pytest.mark.parametrize(
    ("said", "held"),
    [
        ("write read", ("write", "read")),
        (["read", "write"], ("read", "write")),
        ("", ("asked",)),
        (None, ("asked",)),
        (7, ("asked",)),
        ([["read"]], ("asked",)),
        ('a"b', ("asked",)),
    ],
)
def test_the_scopes_held_are_those_of_the_answer_or_those_asked_for(
    server: Server, said: object, held: tuple[str, ...]
) -> None:
    url = says(server, {"access_token": "t", "scope": said})
    assert ask(OAuth2Login(url, "job", "s3cret", scope=["asked"])).scope == held


@pytest.mark.parametrize("kind", ["Bearer", "bearer", "BEARER", "BearerToken", None])
def test_bearer_is_taken_in_any_case(server: Server, kind: str | None) -> None:
    url = says(server, {"access_token": "t", "token_type": kind})
    assert ask(OAuth2Login(url, "job", "s3cret")).token == "t"


@pytest.mark.parametrize(("kind", "named"), [("DPoP", ": DPoP"), ("mac", ": mac"), (7, "; ")])
def test_a_token_of_another_type_is_refused_by_its_name(
    server: Server, kind: object, named: str
) -> None:
    url = says(server, {"access_token": "t0ken", "token_type": kind})
    with pytest.raises(InvalidGrant, match=f"token_type that is not Bearer{named}") as raised:
        ask(OAuth2Login(url, "job", "s3cret"))
    assert "t0ken" not in str(raised.value)


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (
            {"token": "v4lue", "id_token": "v4lue"},
            "without a string in access_token; it has id_token, token",
        ),
        (
            {"access_token": "", "a b": "v4lue"},
            "without a string in access_token; it has access_token",
        ),
        ({"access_token": {"v4lue": 1}}, "without a string in access_token; it has access_token"),
        ({"\x1b[2J": "v4lue", "s3cret": 1}, "without a string in access_token; it has no members"),
        (["v4lue"], "its JSON is a list, not an object"),
    ],
)
def test_an_answer_without_a_token_is_told_by_its_members_never_by_their_values(
    server: Server, document: object, message: str
) -> None:
    with pytest.raises(LoginUnavailable, match=message) as raised:
        ask(OAuth2Login(says(server, document), "job", "s3cret"))
    assert "v4lue" not in str(raised.value)
    assert "s3cret" not in str(raised.value)


@pytest.mark.parametrize("status", [200, 400, 401, 403])
def test_invalid_client_is_refused_and_told_from_invalid_grant(server: Server, status: int) -> None:
    url = says(server, {"error": "invalid_client"}, status)
    with pytest.raises(LoginRefused, match=f"{status} invalid_client: the client's id or secret"):
        ask(OAuth2Login(url, "job", "s3cret"))
    url = says(server, {"error": "invalid_grant"}, status)
    with pytest.raises(LoginRefused, match=f"{status} invalid_grant: the username or the password"):
        ask(OAuth2Login(url, "app", username="ada", password="wrong"))


@pytest.mark.parametrize(
    "code", ["invalid_request", "unauthorized_client", "unsupported_grant_type", "invalid_scope"]
)
def test_other_errors_are_outages_that_say_their_code(server: Server, code: str) -> None:
    url = says(server, {"error": code}, 400)
    with pytest.raises(LoginUnavailable, match=f"answered 400 {code}"):
        ask(OAuth2Login(url, "job", "s3cret"))


def test_invalid_request_may_mean_a_wrong_password_and_is_not_sent_again(server: Server) -> None:
    url = says(server, {"error": "invalid_request"}, 400)
    with pytest.raises(LoginRefused, match="invalid_request: the username or the password"):
        ask(OAuth2Login(url, "app", username="ada", password="wrong"))


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_a_busy_endpoint_is_an_outage_whatever_it_says(server: Server, status: int) -> None:
    content = b'{"error": "invalid_client"}'
    url = answers(server, Answer(status, (*JSON, ("Retry-After", "9")), content))
    with pytest.raises(LoginUnavailable, match=f"answered {status}") as raised:
        ask(OAuth2Login(url, "job", "s3cret"))
    assert raised.value.retry_after == 9


@pytest.mark.parametrize("status", [408, 425])
def test_an_endpoint_that_got_the_request_too_late_or_too_early_refuses_no_password(
    server: Server, status: int
) -> None:
    url = says(server, {"error": "invalid_request"}, status)
    with pytest.raises(LoginUnavailable, match=f"answered {status}"):
        ask(OAuth2Login(url, "app", username="ada", password="s3cret"))


@pytest.mark.parametrize("name", ["error", "errorCode", "ErrorCode"])
def test_a_code_beside_a_token_is_no_error(server: Server, name: str) -> None:
    url = says(server, {name: "0", "access_token": "t0ken"}, 200)
    assert ask(OAuth2Login(url, "job", "s3cret")).token == "t0ken"


@pytest.mark.parametrize("headers", [(), HTML])
def test_a_refusal_without_json_is_one_all_the_same(server: Server, headers: Any) -> None:
    url = answers(server, Answer(401, headers, b"<html>no</html>"))
    with pytest.raises(LoginRefused, match="answered 401: the client's id or secret"):
        ask(OAuth2Login(url, "job", "s3cret"))


def test_a_400_in_json_without_a_code_is_a_refusal_too(server: Server) -> None:
    with pytest.raises(LoginRefused, match=r"answered 400$"):
        ask(OAuth2Login(says(server, {"error": {"code": 190}}, 400), "job", "s3cret"))


@pytest.mark.parametrize("status", [400, 403, 422, 502])
def test_a_page_refuses_no_secret_because_a_proxy_may_have_sent_it(
    tokens: TokenServer, status: int
) -> None:
    login = OAuth2Login(tokens.url, "job", "s3cret", refresh_token=tokens.issue())
    tokens.answer = lambda _: Answer(status, HTML, b"<html>no</html>")
    with pytest.raises(LoginUnavailable, match=f"answered {status} with an HTML page"):
        ask(login)
    tokens.answer = None
    assert ask(login).token


@pytest.mark.parametrize("status", [400, 403, 422])
def test_a_text_that_is_not_json_refuses_no_secret_either(server: Server, status: int) -> None:
    # Cloudflare and Envoy answer so.
    plain = (("Content-Type", "text/plain"),)
    url = answers(server, Answer(status, plain, b"error code: 1020"))
    with pytest.raises(LoginUnavailable, match=f"answered {status} with a text that is not JSON"):
        ask(OAuth2Login(url, "job", "s3cret"))


def test_a_page_in_place_of_a_token_is_named(server: Server) -> None:
    url = answers(server, Answer(200, HTML, b"<html>log in</html>"))
    with pytest.raises(LoginUnavailable, match="not JSON but an HTML page"):
        ask(OAuth2Login(url, "job", "s3cret"))


@pytest.mark.parametrize("code", ["access_denied", "unauthorized_client"])
def test_with_401_the_client_is_refused_whatever_the_code(server: Server, code: str) -> None:
    # Auth0 and Keycloak say this of a wrong secret.
    url = says(server, {"error": code}, 401)
    with pytest.raises(LoginRefused, match=f"401 {code}: the client's id or secret"):
        ask(OAuth2Login(url, "job", "s3cret"))


@pytest.mark.parametrize("name", ["error", "errorCode", "ErrorCode"])
def test_with_401_a_code_of_the_server_s_own_is_a_refusal_too(server: Server, name: str) -> None:
    url = says(server, {"ok": False, name: "E0000011"}, 401)
    with pytest.raises(LoginRefused, match="401 E0000011: the client's id or secret"):
        ask(OAuth2Login(url, "job", "s3cret"))
    with pytest.raises(LoginRefused, match=r"E0000011: the username .* or the client's id"):
        ask(OAuth2Login(url, "app", username="ada", password="wrong"))
    with pytest.raises(LoginUnavailable, match=r"401 E0000011$"):
        ask(OAuth2Login(url, "app", refresh_token="r1"))


@pytest.mark.parametrize("code", ["server_error", "slow_down", "temporarily_unavailable"])
def test_with_401_too_a_code_of_what_passes_is_an_outage(server: Server, code: str) -> None:
    with pytest.raises(LoginUnavailable, match=code):
        ask(OAuth2Login(says(server, {"error": code}, 401), "job", "s3cret"))


@pytest.mark.parametrize("code", ["rate_limited", "access_denied"])
def test_with_401_too_a_server_that_says_when_to_come_again_has_not_refused(
    server: Server, code: str
) -> None:
    content = json.dumps({"error": code}).encode()
    url = answers(server, Answer(401, (*JSON, ("Retry-After", "9")), content))
    with pytest.raises(LoginUnavailable, match=code) as raised:
        ask(OAuth2Login(url, "app", username="ada", password="s3cret"))
    assert raised.value.retry_after == 9


@pytest.mark.parametrize("code", ["invalid_dpop_proof", "use_dpop_nonce"])
def test_a_server_that_wants_dpop_is_told(server: Server, code: str) -> None:
    with pytest.raises(LoginRefused, match=f"{code}: the server wants DPoP"):
        ask(OAuth2Login(says(server, {"error": code}, 400), "job", "s3cret"))


@pytest.mark.parametrize("status", [200, 400])
@pytest.mark.parametrize("code", ["bad_refresh_token", "invalid_refresh_token"])
def test_other_names_of_a_dead_refresh_token_are_known(
    tokens: TokenServer, code: str, status: int
) -> None:
    login = OAuth2Login(tokens.url, "app", "s3cret", refresh_token=tokens.issue())
    tokens.answer = lambda _: error(code, status)
    with pytest.raises(LoginRefused, match=f"{code}: the refresh token has expired"):
        ask(login)
    tokens.answer = None
    with pytest.raises(LoginUnavailable, match="pass a new one"):
        ask(login)


@pytest.mark.parametrize(
    "code", ["bad_client_secret", "incorrect_client_credentials", "invalid_client_id"]
)
def test_other_names_of_a_wrong_client_are_known(server: Server, code: str) -> None:
    with pytest.raises(LoginRefused, match=f"200 {code}: the client's id or secret"):
        ask(OAuth2Login(says(server, {"error": code}), "job", "s3cret"))


@pytest.mark.parametrize("code", ["interaction_required", "mfa_required"])
def test_a_password_that_is_not_enough_is_not_sent_again(server: Server, code: str) -> None:
    url = says(server, {"error": code}, 403)
    with pytest.raises(LoginRefused, match=f"{code}: a person must log in with a browser"):
        ask(OAuth2Login(url, "app", username="ada", password="pa55"))


@pytest.mark.parametrize("code", ["s3cret", "is-s3cret-wrong", "\x1b[2J", "two words", "x" * 41])
def test_an_error_code_that_may_hold_a_secret_or_is_no_word_is_not_shown(
    server: Server, code: str
) -> None:
    url = says(server, {"error": code, "error_description": "s3cret"}, 400)
    with pytest.raises(LoginUnavailable, match="an error that is not shown") as raised:
        ask(OAuth2Login(url, "job", "s3cret"))
    assert code not in str(raised.value)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_of_a_token_endpoint_is_followed(
    server: Server, log_in: LogIn, status: int
) -> None:
    url = answers(server, Answer(status, (("Location", "/there"),)))
    answers(server, Answer(200, JSON, b'{"access_token": "t"}'), path="/there")
    with pytest.raises(
        LoginUnavailable, match=f"no secret follows a redirect.*, {server.url}/there"
    ):
        log_in(OAuth2Login(url, "job", "s3cret"))
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("location", "shown"),
    [
        ("https://auth.example.com/token?code=1#x", ", https://auth.example.com/token"),
        ("https://user:pass@auth.example.com/", ""),
        ("/token;jsessionid=1", ""),
        ("/s3cret/", ""),
        ("javascript:alert(1)", ""),
        ("", ""),
    ],
)
def test_only_a_plain_url_without_a_secret_is_named(
    server: Server, location: str, shown: str
) -> None:
    url = answers(server, Answer(307, (("Location", location),)))
    with pytest.raises(LoginUnavailable) as raised:
        ask(OAuth2Login(url, "job", "s3cret"))
    assert str(raised.value).partition("leads to")[2] == shown


OWN_CODES = ["account_locked", "E0000004", "password_expired", "two_factor_required"]


@pytest.mark.parametrize("status", [400, 403, 422])
@pytest.mark.parametrize("code", OWN_CODES)
def test_a_code_of_the_server_s_own_refuses_a_password_and_nothing_else(
    server: Server, status: int, code: str
) -> None:
    url = says(server, {"error": code}, status)
    told = f"{status} {code}: the username or the password is wrong, or the account cannot log in"
    with pytest.raises(LoginRefused, match=told):
        ask(OAuth2Login(url, "app", username="ada", password="wrong"))
    for login in (OAuth2Login(url, "job", "s3cret"), OAuth2Login(url, "app", refresh_token="r1")):
        with pytest.raises(LoginUnavailable, match=f"{status} {code}$"):
            ask(login)


@pytest.mark.parametrize(
    "code", ["rate_limit_exceeded", "TooManyRequests", "request_throttled", "quota_exceeded"]
)
@pytest.mark.parametrize("status", [400, 401, 403])
def test_a_limit_refuses_no_password(server: Server, status: int, code: str) -> None:
    with pytest.raises(LoginUnavailable, match=code):
        ask(OAuth2Login(says(server, {"error": code}, status), "app", username="a", password="b"))


@pytest.mark.parametrize("code", ["invalid_scope", "unsupported_grant_type", "access_denied"])
def test_a_code_that_is_not_about_the_password_does_not_refuse_it(
    server: Server, code: str
) -> None:
    with pytest.raises(LoginUnavailable, match=code):
        ask(OAuth2Login(says(server, {"error": code}, 400), "app", username="a", password="b"))


@pytest.mark.parametrize(("status", "code"), [(400, "scope_not_allowed"), (401, "E0000004")])
def test_a_code_of_the_server_s_own_to_more_scope_leaves_the_session_as_it_is(
    server: Server, status: int, code: str
) -> None:
    login = OAuth2Login(
        says(server, {"error": code}, status), "app", username="ada", password="pa55"
    )
    assert ask(login, error="insufficient_scope", scope=("write",)) is None


def test_the_user_may_say_what_else_is_refused(server: Server) -> None:
    url = says(server, {"access_token": "t", "active": False})
    with pytest.raises(LoginRefused):
        ask(OAuth2Login(url, "job", "s3cret", refused=lambda answer: b"false" in answer.body))
