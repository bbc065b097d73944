"""With a CORS layer outside of the gate, a page of an allowed origin reads each answer."""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any, TypeAlias
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import pytest
from starlette.middleware.cors import CORSMiddleware

from tests.server.frameworks import FRAMEWORKS, Framework
from tests.server.orders import SECRET
from tests.server.serving import Answer, ask, serving_asgi, serving_wsgi

Ask: TypeAlias = Callable[..., Answer]
SHOP = "https://shop.example"
ORIGIN = ("Origin", SHOP)
PREFLIGHT = ("Access-Control-Request-Method", "PUT")


def cors(app: WSGIApplication) -> WSGIApplication:
    """The least that a CORS layer does."""

    def outer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        allowed = [("Access-Control-Allow-Origin", SHOP)]
        if "HTTP_ACCESS_CONTROL_REQUEST_METHOD" in environ:
            start_response("200 OK", [*allowed, ("Access-Control-Allow-Methods", "PUT")])
            return []

        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None, /) -> Any:
            return start_response(status, [*headers, *allowed], exc_info)

        return app(environ, start)

    return outer


@pytest.fixture(scope="module", params=FRAMEWORKS, ids=lambda framework: framework.name)
def get(request: pytest.FixtureRequest) -> Iterator[Ask]:
    framework: Framework = request.param
    app = framework.build()
    if framework.is_asgi:
        outer = CORSMiddleware(
            app, allow_origins=[SHOP], allow_methods=["PUT"], allow_credentials=True
        )
        serving = serving_asgi(outer)
    else:
        serving = serving_wsgi(cors(app))
    with serving as port:
        yield partial(ask, port)


@pytest.mark.parametrize("token", ["expired", "unknown", SECRET])
def test_a_refusal_can_be_read_with_its_reason(get: Ask, token: str) -> None:
    answer = get("/orders", ORIGIN, ("Cookie", f"sid={token}"))
    assert answer.status in {401, 503}
    assert answer.lines("Access-Control-Allow-Origin") == [SHOP]
    told = "Retry-After" if answer.status == 503 else "WWW-Authenticate"
    assert told in answer.listed("Access-Control-Expose-Headers")


def test_a_preflight_never_comes_as_far_as_the_gate(get: Ask) -> None:
    answer = get("/orders", ORIGIN, PREFLIGHT, method="OPTIONS")
    assert (answer.status, answer.lines("Access-Control-Allow-Origin")) == (200, [SHOP])
    assert "PUT" in answer.listed("Access-Control-Allow-Methods")
