"""Rules 6 and 7: who gets a credential, and whose challenges cause a login."""

from collections.abc import Iterator

import pytest
import requests

from relogin import Grant
from relogin.client import Outcome, outcome
from relogin.client.events import Event, EventKind
from relogin.client.requests import SessionAuth
from relogin.client.terms.grant import Context
from relogin.client.terms.origins import origin_of, sent_to, trusted
from tests.client.server import Answer, Request, Server, serve


@pytest.fixture
def foreign() -> Iterator[Server]:
    """Another origin, which refuses everybody."""
    with serve(Server(refuse_all=True)) as running:
        yield running


def went_to(place: str) -> Answer:
    return Answer(307, (("Location", place),))


def credentials(server: Server) -> list[str]:
    """All that reached this server and could be a credential."""
    fields = ("Authorization", "Cookie")
    return [r.headers[name] for r in server.requests for name in fields if r.headers[name]]


@pytest.mark.requirement("C-8")
def test_a_challenge_from_an_origin_that_was_not_named_is_the_answer(
    server: Server, foreign: Server, session: requests.Session
) -> None:
    told: list[Event] = []
    session.auth = SessionAuth(server.login, server.url, on_event=told.append)
    session.get(f"{server.url}/first")
    answer = session.get(f"{foreign.url}/orders")
    assert (answer.status_code, outcome(answer)) == (401, Outcome.FOREIGN)
    assert (server.logins, foreign.logins, credentials(foreign)) == (1, 0, [])
    assert told[-1] == Event(EventKind.REFUSED, origin_of(foreign.url), reason="foreign")


@pytest.mark.requirement("C-8")
@pytest.mark.parametrize("binding", ["token", "cookie"])
def test_a_challenge_met_through_a_redirect_to_another_origin_is_the_answer(
    server: Server, foreign: Server, session: requests.Session, binding: str
) -> None:
    server.binding = "token" if binding == "token" else "cookie"
    session.auth = SessionAuth(server.login, server.url)
    session.get(f"{server.url}/first")
    server.routes["/moved"] = lambda _: went_to(f"{foreign.url}/orders")
    answer = session.get(f"{server.url}/moved")
    assert (answer.status_code, outcome(answer)) == (401, Outcome.FOREIGN)
    assert (server.logins, credentials(foreign)) == (1, [])


@pytest.mark.requirement("C-8")
def test_the_same_server_under_another_name_is_another_origin(
    server: Server, alive: requests.Session
) -> None:
    answer = alive.get(f"{server.other_host}/orders")
    assert outcome(answer) is Outcome.FOREIGN
    assert server.seen("/orders")[0].headers["Authorization"] is None


@pytest.mark.requirement("C-8")
def test_what_comes_back_to_the_origin_through_another_one_costs_no_login(
    server: Server, foreign: Server, alive: requests.Session
) -> None:
    server.routes["/out"] = lambda _: went_to(f"{foreign.url}/back")
    foreign.routes["/back"] = lambda _: went_to(f"{server.url}/orders")
    assert alive.get(f"{server.url}/out").status_code == 200
    assert server.logins == 1
    assert [request.token for request in server.seen("/orders")] == [None, "s3cret-1"]


def test_a_401_on_the_hop_of_a_redirect_is_answered_on_that_hop(
    server: Server, session: requests.Session
) -> None:
    session.auth = SessionAuth(server.login, server.url)
    server.routes["/moved"] = lambda _: went_to("/orders")
    answer = session.post(f"{server.url}/moved", data=b"x")
    assert (answer.content, outcome(answer)) == (b"x", Outcome.REPLAYED)
    assert [len(server.seen(path)) for path in ("/moved", "/orders")] == [1, 2]


def test_a_redirect_after_the_replay_is_sent_signed(server: Server, dead: requests.Session) -> None:
    def moved(request: Request) -> Answer:
        return (
            went_to("/orders")
            if request.token == server.living
            else server.refuse("session_expired")
        )

    server.routes["/moved"] = moved
    assert dead.post(f"{server.url}/moved", data=b"x").content == b"x"
    assert [request.token for request in server.seen("/orders")] == ["s3cret-2"]


def test_each_of_two_origins_has_a_session_of_its_own(
    server: Server, session: requests.Session
) -> None:
    with serve() as other:

        def login(context: Context) -> Grant:
            mine = server if context.url.startswith(server.url) else other
            return mine.login(context)

        session.auth = SessionAuth(login, [server.url, other.url])
        server.routes["/moved"] = lambda _: went_to(f"{other.url}/orders")
        session.get(f"{server.url}/first")
        assert session.get(f"{server.url}/moved").status_code == 200
        assert (server.logins, other.logins) == (1, 1)
        assert [r.token for r in other.seen("/orders")] == [None, "s3cret-1"]


@pytest.mark.parametrize("location", ["app://callback?code=1", "//", "", "mailto:x"])
def test_a_redirect_to_what_is_no_origin_is_the_user_s_to_see(
    server: Server, alive: requests.Session, location: str
) -> None:
    server.routes["/moved"] = lambda _: went_to(location)
    answer = alive.get(f"{server.url}/moved", allow_redirects=False)
    assert answer.headers["Location"] == location


@pytest.mark.requirement("C-8")
@pytest.mark.parametrize("where", ["https://127.0.0.1/", "http://localhost/", "app://x"])
def test_a_redirect_to_another_origin_is_prepared_without_the_token(
    server: Server, alive: requests.Session, where: str
) -> None:
    server.routes["/moved"] = lambda _: went_to(where)
    prepared = alive.prepare_request(requests.Request("GET", f"{server.url}/moved"))
    answer = alive.send(prepared, allow_redirects=False)
    assert "Authorization" not in prepared.headers  # requests makes the next hop of this one
    assert answer.request.headers["Authorization"] == 'Session token="s3cret-1"'


@pytest.fixture
def with_netrc(session: requests.Session, netrc: None) -> requests.Session:
    """A session that looks into a netrc, where there is a password for the server."""
    session.trust_env = True
    return session


def test_netrc_on_a_redirect_costs_a_replay_and_no_login(
    server: Server, with_netrc: requests.Session
) -> None:
    session = with_netrc
    session.auth = SessionAuth(server.login, server.url)
    server.routes["/moved"] = lambda _: went_to("/orders")
    session.get(f"{server.url}/first")
    assert session.get(f"{server.url}/moved").status_code == 200
    assert server.logins == 1
    sent = [request.headers["Authorization"] for request in server.seen("/orders")]
    assert [value.partition(" ")[0] for value in sent] == ["Basic", "Session"]


def test_netrc_does_not_reach_a_login(server: Server, with_netrc: requests.Session) -> None:
    with_netrc.auth = SessionAuth(server.login, server.url)
    with_netrc.get(f"{server.url}/first")
    assert server.seen("/login")[0].headers["Authorization"] is None


@pytest.mark.requirement("C-10")
def test_nothing_in_a_challenge_is_an_address(
    server: Server, foreign: Server, session: requests.Session
) -> None:
    foreign.routes["/token"] = lambda _: Answer()
    url = f"{foreign.url}/token"
    names = ("realm", "login", "token", "authorization_uri", "error_description")
    server.challenges = lambda _: ["Session " + ", ".join(f'{name}="{url}"' for name in names)]
    session.auth = SessionAuth(server.login, server.url)
    assert session.get(f"{server.url}/orders").status_code == 200
    assert foreign.requests == []


# Whose challenges are answered


def test_a_bare_callable_needs_origins() -> None:
    with pytest.raises(ValueError, match="origins= is required"):
        SessionAuth(lambda _: "t")


def test_a_login_that_knows_its_url_needs_none() -> None:
    class Login:
        url = "https://api.example.com/login"

        def __call__(self, context: object) -> str:
            return "t"

    assert trusted(Login(), None, insecure=False) == {"https://api.example.com:443"}


def test_an_empty_list_of_origins_is_refused() -> None:
    with pytest.raises(ValueError, match="is empty"):
        SessionAuth(lambda _: "t", [])


@pytest.mark.requirement("C-9")
@pytest.mark.parametrize(
    "origin",
    ["http://api.example.com", "http://127.0.0.1.example.com", "http://10.0.0.1", "http://[::2]"],
)
def test_an_origin_that_others_can_listen_to_is_refused(origin: str) -> None:
    with pytest.raises(ValueError, match="not https"):
        SessionAuth(lambda _: "t", origin)


@pytest.mark.requirement("C-9")
@pytest.mark.parametrize(
    "origin",
    [
        "https://api.example.com",
        "http://127.0.0.1:8000",
        "http://[::1]",
        "http://localhost",
        "http://api.localhost:3000",
    ],
)
def test_https_and_loopback_are_taken(origin: str) -> None:
    SessionAuth(lambda _: "t", origin)


def test_insecure_takes_any_origin_by_name() -> None:
    SessionAuth(lambda _: "t", "http://api.example.com", insecure=True)


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://api.example.com", "https://api.example.com:443"),
        ("HTTPS://user:pw@API.example.com:443/orders?a=1#x", "https://api.example.com:443"),
        ("http://api.example.com/", "http://api.example.com:80"),
        ("http://[::1]:8000/", "http://[::1]:8000"),
        ("https://api.example.com/\\@evil.example/", "https://api.example.com:443"),
        ("https://api.example.com:8443?x", "https://api.example.com:8443"),
        ("wss://api.example.com/chat", "https://api.example.com:443"),
        ("sse://api.example.com/events", "https://api.example.com:443"),
        ("psse://api.example.com/events", "http://api.example.com:80"),
        ("wss+rfc8441://api.example.com/chat", "https://api.example.com:443"),
    ],
)
def test_an_origin_is_scheme_host_and_port(url: str, origin: str) -> None:
    assert origin_of(url) == sent_to(url) == origin


@pytest.mark.parametrize(
    "url",
    [
        "",
        "api.example.com",
        "/orders",
        "file:///etc/hosts",
        "mailto:x@example.com",
        "ftp://host/",
        "https://",
        "https://:443",
        "http+unix://socket/x",
        "https://host:99999",
        "http://[bad",
        "https://api.example.com\\@evil.example/",
        "https://api.example.com\\.evil.example/",
    ],
)
def test_what_is_no_origin_is_a_clear_error_and_never_trusted(url: str) -> None:
    with pytest.raises(ValueError):
        origin_of(url)
    assert sent_to(url) == ""


def test_a_request_of_another_scheme_is_untouched(session: requests.Session) -> None:
    session.auth = SessionAuth(lambda _: "t", "https://api.example.com")
    prepared = session.prepare_request(requests.Request("GET", "file:///etc/hosts"))
    assert "Authorization" not in prepared.headers


@pytest.mark.parametrize("written", ["https://bücher.example", "https://BÜCHER.example:443/a"])
def test_an_internationalised_origin_is_the_one_that_requests_asks(written: str) -> None:
    prepared = requests.Request("GET", "https://bücher.example/orders").prepare()
    assert origin_of(written) == origin_of(str(prepared.url))


def test_a_name_that_no_host_can_have_is_refused() -> None:
    with pytest.raises(ValueError, match="not a host name"):
        origin_of("https://b\u2028.example")
