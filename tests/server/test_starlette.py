"""Starlette's own sessions, its CORS layer, and FastAPI's dependency."""

import asyncio
import re
from base64 import b64encode
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from weakref import ReferenceType, ref

import pytest
from fastapi import FastAPI, Security
from itsdangerous import TimestampSigner
from starlette.applications import Starlette
from starlette.datastructures import Secret
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import HTTPConnection, Request
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

import relogin
from relogin.server.request import Request as Facts
from relogin.server.starlette import CurrentSession, OwnSession, SessionGate
from relogin.server.verifiers import unblocking
from tests.programs import python
from tests.server.orders import averify
from tests.server.serving import Answer, ask, serving_asgi

GOOD = ("Authorization", 'Session token="good"')
DEAD = ("Authorization", 'Session token="expired"')


# Starlette's own sessions


async def sign_in(request: Request) -> PlainTextResponse:
    request.session["user"] = "ada"
    return PlainTextResponse("in")


async def visit(request: Request) -> PlainTextResponse:
    request.session["basket"] = "7"
    return PlainTextResponse("visited")


async def home(request: Request) -> PlainTextResponse:
    return PlainTextResponse(f"{request.session} {request.scope['relogin.session']}")


@pytest.fixture(scope="module")
def own() -> Iterator[int]:
    routes = [Route("/login", sign_in), Route("/visit", visit), Route("/{rest:path}", home)]
    gate = Middleware(
        SessionGate,
        verify=OwnSession("a secret", max_age=900),
        cookie="session",
        realm="orders",
        public=["/login", "/visit", "/home"],
    )
    sessions = Middleware(SessionMiddleware, secret_key="a secret", max_age=None)
    with serving_asgi(Starlette(routes=routes, middleware=[sessions, gate])) as port:
        yield port


def cookie(answer: Answer) -> tuple[str, str]:
    (line,) = answer.lines("Set-Cookie")
    return "Cookie", line.partition(";")[0]


def turn_on(monkeypatch: pytest.MonkeyPatch) -> None:
    stamp = int((datetime.now(UTC) + timedelta(minutes=16)).timestamp())
    monkeypatch.setattr(TimestampSigner, "get_timestamp", lambda self: stamp)


def test_a_login_is_admitted(own: int) -> None:
    session = cookie(ask(own, "/login"))
    assert ask(own, "/orders", session).body == b"{'user': 'ada'} {'user': 'ada'}"


def test_a_visitor_without_a_user_counts_as_none(own: int) -> None:
    visitor = cookie(ask(own, "/visit"))
    assert ask(own, "/orders", visitor).lines("WWW-Authenticate") == ['Session realm="orders"']


def test_a_forged_session_is_invalid(own: int) -> None:
    assert ask(own, "/orders", ("Cookie", "session=forged")).error == "session_invalid"


def test_an_old_session_is_expired_and_nothing_revives_it(
    own: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = cookie(ask(own, "/login"))
    turn_on(monkeypatch)
    refused = ask(own, "/orders", session)
    assert (refused.error, refused.lines("Set-Cookie")) == ("session_expired", [])
    public = ask(own, "/home", session)
    assert (public.body, public.lines("Set-Cookie")) == (b"{} None", [])


def test_a_starlette_that_would_revive_an_old_session_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delattr("starlette.middleware.sessions.Session")
    with pytest.raises(ImportError, match=r"OwnSession needs Starlette 1\.0"):
        OwnSession("a secret", max_age=900)


def test_a_login_with_a_dead_cookie_begins_a_new_session(
    own: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    dead = cookie(ask(own, "/login"))
    turn_on(monkeypatch)
    fresh = cookie(ask(own, "/login", dead))
    assert fresh != dead
    assert ask(own, "/orders", fresh).status == 200


# CORS

SHOP = "https://shop.example"


def test_with_the_cors_layer_outside_a_foreign_page_reads_the_reason() -> None:
    app = FastAPI(openapi_url=None)
    app.add_middleware(SessionGate, verify=averify, realm="orders")
    app.add_middleware(
        CORSMiddleware, allow_origins=[SHOP], allow_credentials=True, allow_methods=["PUT"]
    )
    with serving_asgi(app) as port:
        answer = ask(port, "/orders", ("Origin", SHOP), DEAD)
        assert (answer.status, answer.error) == (401, "session_expired")
        assert answer.lines("Access-Control-Allow-Origin") == [SHOP]
        assert "WWW-Authenticate" in answer.listed("Access-Control-Expose-Headers")
        preflight = [("Access-Control-Request-Method", "PUT"), ("Origin", SHOP)]
        allowed = ask(port, "/orders", *preflight, method="OPTIONS")
        assert (allowed.status, allowed.lines("Access-Control-Allow-Origin")) == (200, [SHOP])


def test_a_signature_is_judged_in_the_loop_without_a_thread() -> None:
    verify = OwnSession("a secret", 900)
    assert unblocking(verify) is verify


def test_a_secret_may_be_starlettes_own() -> None:
    signed = TimestampSigner("a secret").sign(b64encode(b'{"user": "ada"}')).decode()
    admitted = OwnSession(Secret("a secret"), 900)(signed)
    assert admitted is not None
    assert admitted.session == {"user": "ada"}


# Mounts


def test_patterns_are_matched_below_the_mount() -> None:
    async def endpoint(request: Request) -> PlainTextResponse:
        return PlainTextResponse("ok")

    inner = Starlette(routes=[Route("/{rest:path}", endpoint)])
    gate = SessionGate(inner, averify, realm="orders", public=["/docs/*"])
    with serving_asgi(Starlette(routes=[Mount("/api", gate)])) as port:
        assert ask(port, "/api/docs/a").status == 200
        assert ask(port, "/api/docs%2Fa").status == 401
        assert ask(port, "/api/orders").status == 401


def test_a_refusal_in_a_mounted_application_is_none_of_its_failures() -> None:
    async def refuse(request: Request) -> PlainTextResponse:
        raise relogin.Refused("session_revoked")

    async def fail(request: Request) -> PlainTextResponse:
        raise LookupError

    inner = Starlette(routes=[Route("/refuse", refuse), Route("/fail", fail)])
    app = Starlette(routes=[Mount("/api", inner)])
    app.add_middleware(SessionGate, verify=averify, realm="orders", public=["/api/*"])
    with serving_asgi(app) as port:
        answer = ask(port, "/api/refuse", GOOD)
        assert (answer.status, answer.error) == (401, "session_revoked")
        assert answer.problem["error"] == "session_revoked"
        failed = ask(port, "/api/fail", GOOD)
        assert (failed.status, failed.lines("Vary")) == (500, ["Authorization"])


def test_an_application_may_answer_a_refusal_in_its_own_way() -> None:
    async def refuse(request: Request) -> PlainTextResponse:
        raise relogin.Refused("session_revoked")

    async def own(request: Request, why: Exception) -> PlainTextResponse:
        return PlainTextResponse(str(why), 409)

    app = Starlette(routes=[Route("/", refuse)], exception_handlers={relogin.Refused: own})
    app.add_middleware(SessionGate, verify=averify, realm="orders", public=["/*"])
    with serving_asgi(app) as port:
        answer = ask(port, "/", GOOD)
        assert (answer.status, answer.body) == (409, b"session_revoked")


@pytest.mark.parametrize("public", [[], ["/*"]])
def test_middleware_outside_finds_the_route_and_the_session_afterwards(public: list[str]) -> None:
    async def endpoint(request: Request) -> PlainTextResponse:
        return PlainTextResponse("ok")

    logged = []

    def access_log(app: ASGIApp) -> ASGIApp:
        async def middleware(scope: Scope, receive: Receive, send: Send) -> None:
            await app(scope, receive, send)
            if scope["type"] == "http":
                logged.append((scope["endpoint"], scope["relogin.session"]))

        return middleware

    gate = Middleware(SessionGate, verify=averify, realm="orders", public=public)
    app = Starlette(routes=[Route("/", endpoint)], middleware=[Middleware(access_log), gate])
    with serving_asgi(app) as port:
        ask(port, "/", GOOD)
    assert logged == [(endpoint, "ada")]


@pytest.mark.parametrize(
    ("path", "field", "why"),
    [
        ("/", DEAD, (None, "session_expired")),
        ("/public", DEAD, (None, "session_expired")),
        ("/", GOOD, ("ada", "session_revoked")),
        ("/mounted/", GOOD, ("ada", "session_revoked")),
    ],
)
def test_middleware_outside_finds_why_a_request_was_refused(
    path: str, field: tuple[str, str], why: tuple[str | None, str]
) -> None:
    async def endpoint(request: Request) -> PlainTextResponse:
        raise relogin.Refused("session_revoked" if request.scope["relogin.session"] else None)

    logged = []

    def access_log(app: ASGIApp) -> ASGIApp:
        async def middleware(scope: Scope, receive: Receive, send: Send) -> None:
            async def log(message: Message) -> None:
                if message["type"] == "http.response.start":
                    logged.append((scope["relogin.session"], scope["relogin.refused"].error))
                await send(message)

            await app(scope, receive, log)

        return middleware

    gate = Middleware(SessionGate, verify=averify, realm="orders", public=["/public"])
    routes = [Route("/", endpoint), Route("/public", endpoint)]
    mounted = Mount("/mounted", Starlette(routes=routes))
    app = Starlette(routes=[*routes, mounted], middleware=[Middleware(access_log), gate])
    with serving_asgi(app) as port:
        assert ask(port, path, field).status == 401
    assert logged == [why]


class Freed(dict[str, Any]):
    """A scope that can be watched."""


@pytest.mark.parametrize("path", ["/", "/mounted/"])
def test_a_refused_request_needs_no_garbage_collection(path: str) -> None:
    async def endpoint(request: Request) -> PlainTextResponse:
        raise relogin.Refused("session_revoked") from KeyError(request)

    routes = [Route("/", endpoint)]
    inside = Starlette(routes=[*routes, Mount("/mounted", Starlette(routes=routes))])
    gate = SessionGate(inside, averify, realm="orders")

    async def ask_once() -> ReferenceType[Freed]:
        headers = [(b"authorization", b'Session token="good"')]
        scope = Freed(type="http", method="GET", path=path, headers=headers)
        scope |= {"query_string": b"", "root_path": "", "http_version": "1.1"}

        async def receive() -> Message:
            return {"type": "http.request"}

        async def send(message: Message) -> None:
            assert message.get("status") in {None, 401}

        await gate(scope, receive, send)
        assert scope["relogin.refused"]
        return ref(scope)

    assert asyncio.run(ask_once())() is None


@pytest.mark.parametrize("public", [[], ["/*"]])
def test_a_login_page_gets_the_path_that_was_asked_for_not_what_a_router_left_of_it(
    public: list[str],
) -> None:
    async def refuse(request: Request) -> PlainTextResponse:
        raise relogin.Refused("session_expired")

    def login_page(challenge: relogin.SessionChallenge, request: Facts) -> str:
        return request.path

    options: Any = {"public": public, "login_page": login_page}
    gate = Middleware(SessionGate, verify=averify, realm="orders", **options)
    routes = [Mount("/api", routes=[Route("/refuse", refuse)])]
    with serving_asgi(Starlette(routes=routes, middleware=[gate])) as port:
        refused = ask(port, "/api/refuse", GOOD, ("Accept", "text/html"))
    assert refused.body == b"/api/refuse"


# FastAPI

by_header = CurrentSession()
by_cookie = CurrentSession(cookie="sid")


def fastapi() -> FastAPI:
    app = FastAPI()

    @app.get("/orders")
    def orders(session: Annotated[str, Security(by_header)]) -> str:
        return session

    @app.get("/either")
    def either(
        session: Annotated[str, Security(by_header)], _: Annotated[str, Security(by_cookie)]
    ) -> str:
        return session

    @app.get("/health")
    def health() -> str:
        return "ok"

    return app


def test_the_dependency_is_the_session_and_refuses_where_there_is_none() -> None:
    app = fastapi()
    app.add_middleware(SessionGate, verify=averify, realm="orders", public=["/*"])
    with serving_asgi(app) as port:
        assert ask(port, "/orders", GOOD).body == b'"ada"'
        assert ask(port, "/either", GOOD).body == b'"ada"'
        assert ask(port, "/health", DEAD).body == b'"ok"'
        answer = ask(port, "/orders", DEAD)
        assert (answer.status, answer.error) == (401, "session_expired")
        assert answer.problem["error"] == "session_expired"
        assert ask(port, "/orders").lines("WWW-Authenticate") == ['Session realm="orders"']


def test_the_dependency_names_the_connection_by_its_class() -> None:
    # FastAPI before 0.123.7 takes an annotation in text for a parameter of the query.
    assert CurrentSession.__call__.__annotations__["connection"] is HTTPConnection


def test_openapi_is_told_the_scheme_and_the_cookie_as_alternatives() -> None:
    told = fastapi().openapi()
    assert told["components"]["securitySchemes"] == {
        "Session": {"type": "http", "scheme": "Session"},
        "SessionCookie": {"type": "apiKey", "in": "cookie", "name": "sid"},
    }
    assert told["paths"]["/orders"]["get"]["security"] == [{"Session": []}]
    assert told["paths"]["/either"]["get"]["security"] == [{"Session": []}, {"SessionCookie": []}]
    assert "security" not in told["paths"]["/health"]["get"]
    # OpenAPI 3.1, Components Object
    assert all(re.fullmatch(r"[\w.-]+", name) for name in told["components"]["securitySchemes"])


def test_bearer_is_told_by_openapis_own_word() -> None:
    assert CurrentSession("Bearer").model.scheme == "bearer"


def test_without_the_middleware_current_session_says_what_is_missing() -> None:
    with pytest.raises(RuntimeError, match="add the middleware"):
        CurrentSession.__call__(by_header, Request({"type": "http"})).send(None)


def test_starlette_alone_is_enough() -> None:
    program = (
        "import sys; sys.modules['fastapi'] = None\n"
        "from relogin.server.starlette import SessionGate\n"
        "print(SessionGate.__name__)"
    )
    assert python(program).stdout == "SessionGate\n"


def test_without_fastapi_its_dependency_says_what_to_install() -> None:
    program = (
        "import sys; sys.modules['fastapi'] = None\n"
        "from relogin.server.starlette import CurrentSession\n"
        "CurrentSession()"
    )
    error = python(program).stderr
    assert error.splitlines()[-1].endswith("dependency of FastAPI: pip install fastapi")
