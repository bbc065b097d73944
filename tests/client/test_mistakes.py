"""Mistakes in what a SessionAuth is given: each is an error at once that says what to give."""

from __future__ import annotations

from typing import Any

import pytest

import relogin.client.httpx
import relogin.client.requests
from relogin import InvalidGrant
from relogin.client.logins import DigestLogin, JSONLogin
from relogin.client.responders import BEARER
from relogin.client.responders.registry import REGISTRY
from relogin.client.signals import html_form, redirect_to, status
from relogin.client.stores import Entry, Snapshot
from relogin.client.stores.memory import MemoryStore

ORIGIN = "https://api.example.com"


@pytest.fixture(params=[relogin.client.requests.SessionAuth, relogin.client.httpx.SessionAuth])
def kind(request: pytest.FixtureRequest) -> Any:
    return request.param


def login(_: object) -> str:
    return "t"


async def awaited(_: object) -> bool:
    return True


VALUES: dict[str, tuple[dict[str, Any], str]] = {
    "no timeout": ({"login_timeout": None}, "login_timeout must be a number above 0.*not None"),
    "timeout of nothing": ({"login_timeout": 0}, "login_timeout must be a number above 0"),
    "timeout without end": ({"login_timeout": float("inf")}, "at most 86400, not inf"),
    "timeout of 400 digits": ({"login_timeout": 10**400}, "at most 86400, not 1000"),
    "budget of nothing": ({"budget": (0, 30.0)}, "the first number of budget must be"),
    "budget without time": ({"budget": (10, float("nan"))}, "the second number of budget must be"),
    "budget in words": ({"budget": (10, "30")}, "the second number of budget must be"),
    "check elsewhere": (
        {"check": "https://b.example/"},
        "check= must be a whole URL at one of the origins",
    ),
    "check of a path": ({"check": "/me"}, "check= must be a whole URL at one of the origins"),
    "check with a user": ({"check": "https://a:b@api.example.com"}, "check= must be an http"),
    "check of a socket": ({"check": "wss://api.example.com"}, "check= must be an http"),
    "check in two lines": ({"check": f"{ORIGIN}/\r\nX: y"}, "check= must be an http"),
    "preemptive Digest": (
        {"preemptive": True, "responders": DigestLogin("ada", "pw").responders},
        "preemptive=True logs in before the first request, .* a Digest challenge first",
    ),
    "preemptive for a registry": (
        {"preemptive": True, "responders": [REGISTRY]},
        "preemptive=True .* needs a Bearer challenge first: leave preemptive= out",
    ),
    "no responder": ({"responders": []}, "responders= is empty"),
    "unknown action": (
        {"actions": {None: "ignore"}},
        "actions= takes renew, .* stop, not 'ignore'",
    ),
    "fresh in vain": ({"fresh": "always"}, "fresh= sets when the store is read"),
    "fresh by truth": ({"fresh": True, "store": MemoryStore()}, 'fresh= must be "always" or None'),
    "fresh of many": (
        {"fresh": ["always"], "store": MemoryStore()},
        'fresh= must be "always" or None',
    ),
}

KINDS: dict[str, tuple[dict[str, Any], str]] = {
    "realm": ({"realm": 5}, "realm= must be a str or None, not int"),
    "preemptive in words": ({"preemptive": "yes"}, "preemptive= must be a bool, not str"),
    "account": ({"account": None}, "account= must be a str, not NoneType"),
    "check by number": ({"check": 1}, "check= must be a URL, True or False, not int"),
    "responder by name": (
        {"responders": ["BEARER"]},
        "responders= must be a list of Responders of",
    ),
    "one responder": ({"responders": BEARER}, r"responders= must be .* such as \[BEARER\]"),
    "number of responders": ({"responders": 1}, "responders= must be a list of Responders of"),
    "one signal": ({"signals": status(440)}, r"signals= must be .* such as \[status\(440\)\]"),
    "signals that are none": ({"signals": [440]}, "signals= must be a list of functions"),
    "signal that is awaited": ({"signals": [awaited]}, "a signal must be a plain function"),
    "signal without brackets": ({"signals": [html_form]}, r"signals= needs html_form\(…\)"),
    "number of signals": ({"signals": 440}, "signals= must be a list of functions"),
    "list of actions": ({"actions": ["stop"]}, "actions= must be a mapping of error codes"),
    "budget without time": ({"budget": 10}, "budget= must be a number of logins and of seconds"),
    "budget of one": ({"budget": (10,)}, "budget= must be a number of logins and of seconds"),
    "client by name": ({"http": "requests"}, "http= must be a session or client, not str"),
    "events nowhere": ({"on_event": "log"}, "on_event= must be a function, not str"),
    "store by its path": (
        {"store": "s.db"},
        r"store= must be a store, such as SQLiteStore\(path\) .*, not str",
    ),
    "class of a store": ({"store": MemoryStore}, r"pass an instance, not the class: MemoryStore\("),
}


@pytest.mark.parametrize("mistake", VALUES)
def test_a_value_that_makes_no_sense_is_refused(kind: Any, mistake: str) -> None:
    options, message = VALUES[mistake]
    with pytest.raises(ValueError, match=f"^SessionAuth: .*{message}"):
        kind(login, ORIGIN, **options)


@pytest.mark.parametrize("mistake", KINDS)
def test_what_is_of_another_kind_is_refused(kind: Any, mistake: str) -> None:
    options, message = KINDS[mistake]
    with pytest.raises(TypeError, match=f"^SessionAuth: .*{message}"):
        kind(login, ORIGIN, **options)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (None, "a login must be a function or other callable, not NoneType"),
        (("ada", "s3cret"), "a login must be a function or other callable, not tuple"),
        ("https://api.example.com/login", "a login must be a function or other callable, not str"),
        (JSONLogin, r"pass an instance, not the class: JSONLogin\("),
    ],
)
def test_what_is_no_login_is_refused_and_not_shown(kind: Any, given: Any, message: str) -> None:
    with pytest.raises(TypeError, match=f"^SessionAuth: {message}") as caught:
        kind(given, ORIGIN)
    assert "s3cret" not in str(caught.value)


def test_a_listener_that_must_be_awaited_is_refused(kind: Any) -> None:
    async def listen(event: object) -> None:
        raise NotImplementedError

    with pytest.raises(TypeError, match=r"^SessionAuth: on_event= must be a plain function"):
        kind(login, ORIGIN, on_event=listen)


def test_an_unknown_word_names_the_class_that_users_know(kind: Any) -> None:
    with pytest.raises(TypeError, match=r"^SessionAuth\.__init__\(\) got .* 'timeout'"):
        kind(login, ORIGIN, timeout=5)


def test_a_store_that_must_be_awaited_is_no_store_for_requests() -> None:
    class Awaited:
        async def get(self, origin: str, account: str) -> Snapshot:
            raise NotImplementedError

        async def put(self, origin: str, account: str, realm: str, entry: Entry) -> bool:
            raise NotImplementedError

    with pytest.raises(TypeError, match="an asynchronous store needs an asynchronous client"):
        relogin.client.requests.SessionAuth(login, ORIGIN, store=Awaited())
    relogin.client.httpx.SessionAuth(login, ORIGIN, store=Awaited())


# Origins


@pytest.mark.parametrize(
    ("origins", "message"),
    [
        ("", "'' is not an absolute URL: write it with scheme"),
        (["https://api.example.com", ""], "'' is not an absolute URL"),
        ("api.example.com/v1?key=s3cret", r"'api\.example\.com' is not an absolute URL"),
        ("localhost:8000", "'localhost' is not an absolute URL"),
        ("ada:s3cret@api.example.com", r"'api\.example\.com' is not an absolute URL"),
        ("ada:s3cret", "'ada' is not an absolute URL"),
        ("*", r"'\*' is not an absolute URL"),
        ("https://*.example.com", "no wildcards: every path"),
        ("https://a.example/*", "no wildcards: every path of an origin counts"),
        ("https://a.example/v1/*/orders", "no wildcards: every path of an origin counts"),
        ("https://a.example,https://b.example", "no wildcards, so name each URL"),
        ("https://ada:s3cret@api.example.com", "must not contain a user or password: "),
        ("https://ada:s3/cret@api.example.com", "with a port up to 65535"),
        ("https://ada:s3cret", "with a port up to 65535"),
        ("https://api.example.com:0", "with a port up to 65535"),
        ("https://api.exam\nple.com", "a backslash or space before the path"),
        ("ftp://api.example.com", "ftp: the URL must be of http or https"),
        ([], "is empty"),
    ],
)
def test_an_origin_that_is_none_is_refused_and_no_password_shown(
    kind: Any, origins: Any, message: str
) -> None:
    with pytest.raises(ValueError, match=f"^SessionAuth: .*{message}") as caught:
        kind(login, origins)
    error: BaseException | None = caught.value
    while error is not None:
        assert "s3" not in str(error)
        error = error.__cause__ or error.__context__


@pytest.mark.parametrize("origins", [5, [None], [b"https://api.example.com"], b"https://a"])
def test_what_is_no_text_is_no_origin(kind: Any, origins: Any) -> None:
    with pytest.raises(TypeError, match=r"^SessionAuth: origins= must be a URL or a list"):
        kind(login, origins)


@pytest.mark.parametrize(
    "origins",
    [
        "https://api.example.com",
        ["https://api.example.com/v1?tenant=5#top"],
        ("HTTPS://API.Example.com:443/", "https://api.example.com"),
        {"https://api.example.com:"},
    ],
)
def test_of_one_url_or_several_scheme_host_and_port_count(kind: Any, origins: Any) -> None:
    assert kind(login, origins)._cache.policy.origins == {"https://api.example.com:443"}


@pytest.mark.parametrize(
    "origin", ["https://[::1]:8443", "https://10.0.0.1:443", "https://a_b.xn--bcher-kva.example:1"]
)
def test_addresses_and_odd_names_are_origins_too(kind: Any, origin: str) -> None:
    assert kind(login, origin)._cache.policy.origins == {origin}


# Logins and signals


@pytest.mark.parametrize("url", [None, b"https://api.example.com/login", ["https://a"]])
def test_the_url_of_a_login_is_a_text(url: Any) -> None:
    with pytest.raises(TypeError, match="the URL of a login must be a str, not "):
        JSONLogin(url, {"user": "ada"})


@pytest.mark.parametrize("codes", [(), ("440",), ([440],), (440, None)])
def test_a_status_that_no_answer_has_is_no_signal(codes: Any) -> None:
    with pytest.raises(TypeError, match=r"status\(440, 419\)"):
        status(*codes)


@pytest.mark.parametrize(
    "places",
    [
        (),
        ("",),
        ("login",),
        ("/login", "www.example.com/login"),
        ("/index.php?page=login",),
        ("/#/login",),
    ],
)
def test_a_place_where_no_redirect_leads_is_no_signal(places: Any) -> None:
    with pytest.raises(ValueError, match=r'redirect_to\("/login"\)'):
        redirect_to(*places)


def no_argument() -> str:
    return "t"


def two_arguments(user: str, password: str) -> str:
    return "t"


def by_name(*, password: str = "s3cret") -> str:
    return "t"


@pytest.mark.parametrize(
    ("function", "parameters"),
    [
        (no_argument, "none"),
        (lambda: "t", "none"),
        (two_arguments, "user, password"),
        (by_name, "password"),
    ],
)
def test_a_function_that_does_not_take_the_context_is_told_at_once(
    kind: Any, function: Any, parameters: str
) -> None:
    message = rf"def %s\(context\)\. This one takes: {parameters}$"
    with pytest.raises(TypeError, match=message % "login") as caught:
        kind(function, ORIGIN)
    assert "s3cret" not in str(caught.value)
    with pytest.raises(TypeError, match=message % "logout"):
        kind(login, ORIGIN, logout=function)


class Own:
    def __call__(self, context: object, *more: object, password: str = "") -> str:
        return "t"

    def method(self, context: object) -> str:
        return "t"


OWN: list[Any] = [Own(), Own().method, lambda *_: "t", lambda context, other="x": "t"]


@pytest.mark.parametrize("function", OWN)
def test_whatever_takes_the_context_will_do(kind: Any, function: Any) -> None:
    assert kind(function, ORIGIN, logout=function)


def test_what_cannot_be_looked_into_is_believed(kind: Any) -> None:
    class Odd:
        __signature__ = "unknown"

        def __call__(self, context: object) -> str:
            return "t"

    assert kind(Odd(), ORIGIN)


def test_a_token_that_bearer_forbids_is_told_with_what_sends_it() -> None:
    bearer: Any = BEARER.authorization
    with pytest.raises(InvalidGrant, match=r'carry=Authorization\("Bearer"\) sends it as it is'):
        bearer("a b")
