"""OAuth 2.0 logins: what they send, and what they make of each answer (RFC 6749)."""

import base64
import json
import pickle
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any
from urllib.parse import parse_qs

import pytest
import requests

from relogin import Grant, LoginRefused, LoginUnavailable
from relogin.client.logins import OAuth2Login
from relogin.errors import InvalidGrant
from tests.client.log_in import WAYS, LogIn, answers, context
from tests.client.server import Answer, Server
from tests.client.token_server import JSON, TokenServer, basic, error, form

HTML = (("Content-Type", "text/html; charset=utf-8"),)


@pytest.fixture(params=list(WAYS))
def log_in(request: pytest.FixtureRequest) -> LogIn:
    return WAYS[request.param]


@pytest.fixture
def tokens(server: Server) -> TokenServer:
    return TokenServer(server)


def ask(login: OAuth2Login, **facts: Any) -> Any:
    with requests.Session() as http:
        return login(replace(context(http), **facts))


def says(server: Server, document: object, status: int = 200) -> str:
    return answers(server, Answer(status, JSON, json.dumps(document).encode()))


# What is sent


def test_client_credentials_are_asked_for_with_basic(tokens: TokenServer, log_in: LogIn) -> None:
    tokens.expires_in = 60
    grant = log_in(OAuth2Login(tokens.url, "job", "s3cret", scope="read write"))
    (request,) = tokens.server.requests
    assert grant == Grant(token="access-1", expires_in=60, scope="read write")
    assert request.method == "POST"
    assert request.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert form(request) == {"grant_type": "client_credentials", "scope": "read write"}
    assert basic(request) == ("job", "s3cret")


def test_id_and_secret_are_form_encoded_before_basic(server: Server) -> None:
    url = says(server, {"access_token": "t"})
    ask(OAuth2Login(url, "a:b c", "p%+é€"))
    field = server.requests[0].headers["Authorization"].removeprefix("Basic ")
    assert base64.b64decode(field) == b"a%3Ab+c:p%25%2B%C3%A9%E2%82%AC"


def test_post_puts_the_secret_into_the_form_and_nowhere_else(tokens: TokenServer) -> None:
    ask(OAuth2Login(tokens.url, "job", "s3cret", auth="post"))
    (request,) = tokens.server.requests
    assert "Authorization" not in request.headers
    assert form(request) == {
        "grant_type": "client_credentials",
        "client_id": "job",
        "client_secret": "s3cret",
    }


def test_a_public_client_says_its_id(tokens: TokenServer) -> None:
    ask(OAuth2Login(tokens.url, "app", username="ada", password="pa55"))
    (request,) = tokens.server.requests
    assert "Authorization" not in request.headers
    assert form(request) == {
        "grant_type": "password",
        "client_id": "app",
        "username": "ada",
        "password": "pa55",
    }


def test_further_parameters_are_sent_along(tokens: TokenServer) -> None:
    ask(OAuth2Login(tokens.url, "job", "s3cret", parameters={"audience": "https://api"}))
    assert tokens.asked[0]["audience"] == "https://api"


def test_callables_are_asked_at_each_login(tokens: TokenServer) -> None:
    secrets = iter(["wrong", "s3cret"])
    login = OAuth2Login(tokens.url, lambda: "job", lambda: next(secrets))
    with pytest.raises(LoginRefused, match="invalid_client"):
        ask(login)
    assert ask(login).token


# Refresh tokens


def test_the_given_refresh_token_comes_first_and_what_replaced_it_is_granted(
    tokens: TokenServer, log_in: LogIn
) -> None:
    given = tokens.issue()
    grant = log_in(OAuth2Login(tokens.url, "job", "s3cret", refresh_token=given))
    assert tokens.asked == [{"grant_type": "refresh_token", "refresh_token": given}]
    assert grant is not None
    assert grant.refresh == tokens.fresh != given


def test_the_refresh_token_of_the_last_grant_is_used_next(tokens: TokenServer) -> None:
    login = OAuth2Login(tokens.url, "job", "s3cret", username="ada", password="pa55")
    first = ask(login)
    second = ask(login, previous=first)
    assert tokens.grants == ["password", "refresh_token"]
    assert second.refresh not in {None, first.refresh}


def test_a_refresh_token_that_does_not_rotate_is_kept(tokens: TokenServer) -> None:
    tokens.rotates = False
    login = OAuth2Login(tokens.url, "job", "s3cret", refresh_token=tokens.issue())
    grant = ask(login)
    assert ask(login, previous=grant).refresh == grant.refresh == tokens.fresh


def test_client_credentials_need_no_refresh_token(tokens: TokenServer) -> None:
    tokens.members = {"refresh_token": "r"}
    login = OAuth2Login(tokens.url, "job", "s3cret")
    grant = ask(login)
    assert grant.refresh is None
    ask(login, previous=replace(grant, refresh="r"))
    assert tokens.grants == ["client_credentials"] * 2


def test_invalid_grant_on_a_refresh_leads_to_one_full_grant(
    tokens: TokenServer, log_in: LogIn
) -> None:
    dead = Grant(token="t", refresh="revoked")
    login = OAuth2Login(tokens.url, "job", "s3cret", username="ada", password="pa55")
    ask(login, previous=dead)
    ask(login, previous=dead)
    assert tokens.grants == ["refresh_token", "password", "password"]


def test_invalid_grant_on_a_refresh_is_refused_where_there_is_nothing_else(
    tokens: TokenServer,
) -> None:
    login = OAuth2Login(tokens.url, "job", "s3cret", refresh_token="revoked")
    with pytest.raises(LoginRefused, match=r"invalid_grant: the refresh token has expired") as it:
        ask(login)
    assert it.value.refresh_spent
    with pytest.raises(LoginUnavailable, match="pass a new one"):
        ask(login)
    assert len(tokens.asked) == 1


def test_a_refresh_token_whose_request_was_cancelled_before_it_was_sent_is_sent_later(
    tokens: TokenServer,
) -> None:
    login = OAuth2Login(tokens.url, "job", "s3cret", refresh_token=tokens.issue())
    for posted in (False, True):
        cancelled = context(None)
        cancelled.progress.posted = posted
        steps = login._steps(cancelled)
        assert b"refresh_token=refresh-1" in (next(steps).content or b"")
        steps.close()
    with pytest.raises(LoginUnavailable, match="it is out with another request, or was lost"):
        ask(login)


def test_a_new_refresh_token_is_taken_from_a_callable(tokens: TokenServer) -> None:
    given = ["revoked"]
    login = OAuth2Login(tokens.url, "job", "s3cret", refresh_token=lambda: given[-1])
    with pytest.raises(LoginRefused):
        ask(login)
    given.append(tokens.issue())
    assert ask(login).token


def test_a_given_refresh_token_is_not_sent_after_a_login_of_another_process(
    tokens: TokenServer,
) -> None:
    login = OAuth2Login(tokens.url, "job", "s3cret", refresh_token=tokens.issue())
    with pytest.raises(LoginUnavailable, match="no usable refresh token"):
        ask(login, previous=Grant(token="t"))
    assert tokens.asked == []


def test_a_refresh_token_that_is_out_with_another_request_is_not_sent(
    tokens: TokenServer,
) -> None:
    login = OAuth2Login(tokens.url, "job", "s3cret", username="ada", password="pa55")
    held = Grant(token="t", refresh=tokens.issue())
    met: list[Any] = []

    def meanwhile(fields: dict[str, str]) -> None:
        tokens.answer = None
        tokens._lock.release()
        met.append(ask(login, previous=held))
        tokens._lock.acquire()

    tokens.answer = meanwhile
    ask(login, previous=held)
    assert tokens.grants == ["refresh_token", "password"]
    assert met[0].token


@pytest.mark.parametrize("way", list(WAYS))
def test_a_lost_answer_to_a_refresh_leads_to_one_full_grant(tokens: TokenServer, way: str) -> None:
    login = OAuth2Login(tokens.url, "job", "s3cret", username="ada", password="pa55")
    held = Grant(token="t", refresh=tokens.issue())
    tokens.lost = 1
    WAYS[way](partial_of(login, previous=held))
    WAYS[way](partial_of(login, previous=held))
    assert tokens.grants == ["refresh_token", "password", "password"]
    assert tokens.reused == 0


def partial_of(login: OAuth2Login, **facts: Any) -> Any:
    """The login as a login of which the context knows more."""

    class Known:
        def __call__(self, context: Any) -> Any:
            return login(replace(context, **facts))

        async def acall(self, context: Any) -> Any:
            return await login.acall(replace(context, **facts))

    return Known()


def test_a_lost_answer_is_told_where_there_is_nothing_else(tokens: TokenServer) -> None:
    login = OAuth2Login(tokens.url, "job", "s3cret", refresh_token=tokens.issue())
    tokens.lost = 1
    for _ in range(3):
        with pytest.raises(LoginUnavailable, match="pass a new one") as raised:
            ask(login)
        assert raised.value.refresh_spent
    assert len(tokens.asked) == 1


def test_a_lost_answer_does_not_spend_a_token_that_has_been_seen_to_stay(
    tokens: TokenServer,
) -> None:
    tokens.rotates = False
    login = OAuth2Login(tokens.url, "job", "s3cret", refresh_token=tokens.issue())
    grant = ask(login)
    tokens.lost = 1
    with pytest.raises(LoginUnavailable) as raised:
        ask(login, previous=grant)
    assert not raised.value.refresh_spent
    assert ask(login, previous=grant).token


@pytest.mark.parametrize(
    "trouble",
    [
        Answer(503, (("Retry-After", "7"),)),
        Answer(429, (*JSON, ("Retry-After", "7")), b'{"error": "invalid_grant"}'),
        error("invalid_client", 401),
        error("unauthorized_client"),
        Answer(308, (("Location", "/token2"),)),
    ],
)
def test_a_refresh_token_outlives_an_answer_that_did_not_use_it(
    tokens: TokenServer, trouble: Answer
) -> None:
    login = OAuth2Login(tokens.url, "job", "s3cret", refresh_token=tokens.issue())
    tokens.answer = lambda fields: trouble
    with pytest.raises((LoginUnavailable, LoginRefused)) as raised:
        ask(login)
    assert not raised.value.refresh_spent
    tokens.answer = None
    assert ask(login).token


@pytest.mark.parametrize(
    "trouble",
    [Answer(504), Answer(200, JSON, b'{"access_token": "t'), Answer(200, JSON, b"{}")],
)
def test_a_refresh_token_does_not_outlive_an_answer_that_may_have_used_it(
    tokens: TokenServer, trouble: Answer
) -> None:
    login = OAuth2Login(tokens.url, "job", "s3cret", refresh_token=tokens.issue())
    tokens.answer = lambda fields: trouble
    with pytest.raises(LoginUnavailable, match="pass a new one") as raised:
        ask(login)
    assert raised.value.refresh_spent
    tokens.answer = None
    with pytest.raises(LoginUnavailable):
        ask(login)


@pytest.mark.parametrize("code", ["expired_token", "invalid_request", "unauthorized_client"])
def test_a_password_helps_whatever_code_an_old_refresh_token_gets(
    tokens: TokenServer, code: str
) -> None:
    login = OAuth2Login(tokens.url, "app", username="ada", password="pa55")
    first = ask(login)
    tokens.answer = lambda fields: error(code) if "refresh_token" in fields else None
    assert ask(login, previous=first).token
    assert tokens.grants == ["password", "refresh_token", "password"]


@pytest.mark.parametrize("code", ["temporarily_unavailable", "server_error", "slow_down"])
def test_a_password_is_not_sent_for_what_passes(tokens: TokenServer, code: str) -> None:
    login = OAuth2Login(tokens.url, "app", username="ada", password="pa55")
    first = ask(login)
    tokens.answer = lambda fields: error(code)
    with pytest.raises(LoginUnavailable, match=code):
        ask(login, previous=first)
    tokens.answer = None
    assert ask(login, previous=first).token
    assert tokens.grants == ["password", "refresh_token", "refresh_token"]


def test_a_refresh_token_outlives_a_connection_that_was_never_made(
    tokens: TokenServer, log_in: LogIn
) -> None:
    login = OAuth2Login(tokens.url, "job", "s3cret", refresh_token=tokens.issue())
    away = replace_url(login, "http://127.0.0.1:9/token")
    with pytest.raises(LoginUnavailable, match="no answer") as raised:
        log_in(away)
    assert not raised.value.refresh_spent
    with pytest.raises(LoginUnavailable, match="used up its time"):
        log_in(away, timeout=0.0)
    object.__setattr__(away, "url", login.url)
    assert log_in(away) is not None


def replace_url(login: OAuth2Login, url: str) -> OAuth2Login:
    return OAuth2Login(url, "job", "s3cret", refresh_token=login.refresh_token)


def test_thousands_of_refresh_tokens_are_forgotten_and_the_given_one_is_not(
    tokens: TokenServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    login = OAuth2Login(tokens.url, "job", "s3cret", refresh_token=tokens.issue())
    monkeypatch.setattr(type(login._sent), "_MOST", 3)
    grant = ask(login)
    for _ in range(10):
        grant = ask(login, previous=grant)
    assert len(login._sent._claims) <= 5
    with pytest.raises(LoginUnavailable):
        ask(login)
    assert tokens.reused == 0


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
            "without a text in access_token; it has id_token, token",
        ),
        (
            {"access_token": "", "a b": "v4lue"},
            "without a text in access_token; it has access_token",
        ),
        ({"access_token": {"v4lue": 1}}, "without a text in access_token; it has access_token"),
        ({"\x1b[2J": "v4lue", "s3cret": 1}, "without a text in access_token; it has no members"),
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


def test_a_refusal_in_json_without_a_code_is_one_too(server: Server) -> None:
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
    with pytest.raises(LoginRefused, match=f"{code}: a person must log in in a browser"):
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


def test_the_user_may_say_what_else_is_refused(server: Server) -> None:
    url = says(server, {"access_token": "t", "active": False})
    with pytest.raises(LoginRefused):
        ask(OAuth2Login(url, "job", "s3cret", refused=lambda answer: b"false" in answer.body))


# Scopes


def test_a_step_up_asks_for_the_scopes_held_and_those_demanded(tokens: TokenServer) -> None:
    login = OAuth2Login(tokens.url, "job", "s3cret", scope="read")
    grant = ask(login, error="insufficient_scope", scope=("read", "write"))
    assert tokens.asked[0]["scope"] == "read write"
    assert set(grant.scope) == {"read", "write"}


def test_a_step_up_with_a_password_takes_no_refresh_token(tokens: TokenServer) -> None:
    login = OAuth2Login(tokens.url, "job", "s3cret", username="ada", password="pa55")
    held = ask(login)
    ask(login, previous=held, error="insufficient_scope", scope=("read", "write"))
    assert tokens.grants == ["password", "password"]
    assert tokens.asked[1]["scope"] == "read write"


def test_a_step_up_with_a_refresh_token_alone_asks_for_what_its_user_may_have_granted(
    tokens: TokenServer,
) -> None:
    login = OAuth2Login(tokens.url, "job", "s3cret", scope="read", refresh_token=tokens.issue())
    held = ask(login)
    ask(login, previous=held, error="insufficient_scope", scope=("read", "write"))
    assert [fields["scope"] for fields in tokens.asked] == ["read", "read write"]


def test_a_step_up_beyond_what_is_granted_declines_and_spends_nothing(
    tokens: TokenServer,
) -> None:
    login = OAuth2Login(tokens.url, "job", "s3cret", refresh_token=tokens.issue())
    held = ask(login)
    step_up = partial(ask, login, previous=held, error="insufficient_scope", scope=("root",))
    assert step_up() is None
    assert ask(login, previous=held).token
    tokens.answer = lambda fields: Answer(503)
    with pytest.raises(LoginUnavailable):
        step_up()


@pytest.mark.parametrize("allowed", [False, "write", ["write", "x"], ()])
def test_scopes_up_bounds_what_a_challenge_may_add(tokens: TokenServer, allowed: Any) -> None:
    login = OAuth2Login(tokens.url, "job", "s3cret", scope="read", scopes_up=allowed)
    assert ask(login, error="insufficient_scope", scope=("read", "root")) is None
    assert tokens.asked == []
    widened = ask(login, error="insufficient_scope", scope=("read", "write"))
    assert (widened is not None) == bool(allowed)


def test_scopes_that_were_widened_stay_so_at_the_next_login(tokens: TokenServer) -> None:
    ask(OAuth2Login(tokens.url, "job", "s3cret", scope="read"), scope=("read", "write"))
    assert tokens.asked[0]["scope"] == "read write"


# Mistakes, and secrets

URL = "https://auth.example.com/token"
job: Callable[..., OAuth2Login] = partial(OAuth2Login, URL, "job")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: OAuth2Login("http://auth.example.com/token", "job"), "is not https"),
        (
            lambda: OAuth2Login("https://u:p@auth.example.com/", "job"),
            "must not contain a user name",
        ),
        (lambda: OAuth2Login(URL + "#here", "job"), "must not have a fragment"),
        (lambda: job("s", auth="Basic"), 'auth= must be "basic" or "post"'),
        (lambda: job(username="ada"), "username= needs password="),
        (lambda: job(password="pa55"), "username= needs password="),
        (lambda: job(""), "client_secret= is empty"),
        (lambda: job(refresh_token=""), "refresh_token= is empty"),
        (lambda: job(scope='a"b'), "visible ASCII"),
        (lambda: job(parameters={"scope": "x"}), "parameters= takes no scope"),
    ],
)
def test_words_that_do_not_go_together_are_told_when_the_login_is_made(
    make: Callable[[], object], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        make()


async def a_secret() -> str:
    raise AssertionError


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: OAuth2Login(7, "job"), "must be a str, not int"),  # type: ignore[arg-type]
        (lambda: OAuth2Login(URL, None), "client_id= must be a str or a function"),  # type: ignore[arg-type]
        (lambda: job(b"s3cret"), "client_secret= must be a str or a function, not bytes"),
        (lambda: job(a_secret), "must be a plain function"),
        (lambda: job(scope=7), "scope=: scopes must be a str or a list of str, not int"),
        (lambda: job(scope=[7]), "visible ASCII"),
        (lambda: job(parameters="audience=x"), "parameters= must be a mapping, .* not str"),
    ],
)
def test_words_of_another_type_are_told_when_the_login_is_made(
    make: Callable[[], object], message: str
) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        make()


def test_a_callable_that_returns_no_text_is_told_by_its_name(tokens: TokenServer) -> None:
    with pytest.raises(LoginUnavailable, match="client_secret= returned a NoneType"):
        ask(OAuth2Login(tokens.url, "job", lambda: None))  # type: ignore[arg-type,return-value]


def read_secret() -> str:
    return "s3cret"


def test_it_is_pickled_with_callables_and_not_with_a_literal_secret(tokens: TokenServer) -> None:
    login = OAuth2Login(tokens.url, "job", read_secret, scope="read", scopes_up="write")
    copied = pickle.loads(pickle.dumps(login))
    assert ask(copied).scope == ("read",)
    assert repr(copied) == f"<OAuth2Login {tokens.url}>"
    for secrets in (
        {"client_secret": "s3cret"},
        {"client_secret": read_secret, "refresh_token": "s3cret"},
        {"client_secret": read_secret, "username": "ada", "password": "s3cret"},
        {"client_secret": read_secret, "parameters": {"assertion": "s3cret"}},
    ):
        with pytest.raises(pickle.PicklingError, match="contains a secret"):
            pickle.dumps(OAuth2Login(tokens.url, "job", **secrets))
    pickle.dumps(OAuth2Login(tokens.url, "job"))
    pickle.dumps(OAuth2Login(tokens.url, "job", parameters={"audience": "a", "x": read_secret}))


def test_parameters_may_be_functions_and_lists(tokens: TokenServer) -> None:
    parameters: Any = {
        "assertion": read_secret,
        "resource": ["https://a.example", "https://b.example"],
    }
    ask(OAuth2Login(tokens.url, "job", "s3cret", parameters=parameters))
    sent = parse_qs(tokens.server.requests[-1].body.decode())
    assert sent["assertion"] == ["s3cret"]
    assert sent["resource"] == ["https://a.example", "https://b.example"]
