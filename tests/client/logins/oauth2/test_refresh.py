"""OAuth 2.0 logins: a refresh token is used once, and only while it may be good."""

from dataclasses import replace
from typing import Any

import pytest

from relogin import Grant, LoginRefused, LoginUnavailable
from relogin.client.logins import OAuth2Login
from relogin.client.logins.sending.request import Request
from tests.client.log_in import WAYS, LogIn, context
from tests.client.logins.oauth2.asking import ask
from tests.client.server import Answer
from tests.client.token_server import JSON, TokenServer, error


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
        asked = next(steps)
        assert isinstance(asked, Request)
        assert b"refresh_token=refresh-1" in (asked.content or b"")
        steps.close()
    with pytest.raises(LoginUnavailable, match="another request is using it, or it was lost"):
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
        met.append(ask(login, previous=held))

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
    with pytest.raises(LoginUnavailable, match="no response") as raised:
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


def test_a_login_of_refresh_tokens_alone_uses_those_that_another_one_has_obtained(
    tokens: TokenServer,
) -> None:
    login = OAuth2Login(tokens.url, "app", grant_type="refresh_token")
    given = tokens.issue()
    grant = ask(login, previous=Grant("t", refresh=given))
    assert grant.refresh == tokens.fresh != given
    for previous in (None, Grant("t"), Grant("t", refresh=given)):
        with pytest.raises(LoginUnavailable, match="no usable refresh token"):
            ask(login, previous=previous)
    assert tokens.grants == ["refresh_token"]


def test_the_password_after_a_refused_refresh_token_goes_with_an_assertion_of_its_own(
    tokens: TokenServer,
) -> None:
    made = iter(["first", "second"])
    login = OAuth2Login(
        tokens.url, "job", client_assertion=lambda: next(made), username="ada", password="pa55"
    )
    tokens.answer = lambda _: Answer(400, JSON, b'{"error": "invalid_grant"}')
    with pytest.raises(LoginRefused):
        ask(login, previous=Grant("t", refresh="dead"))
    assert tokens.grants == ["refresh_token", "password"]
    assert [fields["client_assertion"] for fields in tokens.asked] == ["first", "second"]


@pytest.mark.parametrize("name", ["client_secret", "parameters"])
def test_a_function_that_fails_does_not_use_up_the_refresh_token(
    tokens: TokenServer, name: str
) -> None:
    secrets: dict[str, str] = {}
    function = lambda: secrets["secret"]  # noqa: E731
    options: Any = {"client_secret": function}
    if name == "parameters":
        options = {"client_secret": "s3cret", "parameters": {"audience": function}}
    login = OAuth2Login(tokens.url, "job", refresh_token=tokens.issue(), **options)
    with pytest.raises(KeyError):
        ask(login)
    secrets["secret"] = "s3cret"
    assert ask(login).refresh == tokens.fresh
