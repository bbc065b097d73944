"""SDKs that have no place for an auth, as docs/how-to/sdks.md hands them the field of a session."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
import tusclient.client
from kubernetes.client import VersionApi
from tusclient.exceptions import TusCommunicationError

from relogin.client.requests import SessionAuth
from tests.client.server import Answer, Request, Server
from tests.docs.pages import run_page

PAGE = Path(__file__).parents[3] / "docs/how-to/sdks.md"
CHUNK = 5_000_000
CONTENT = b"tea, ink" * 1_500_000  # three chunks


@pytest.fixture(scope="module")
def page() -> Any:
    """What the examples of the page define."""
    return run_page(PAGE, {})


@pytest.fixture
def stored(server: Server, page: Any) -> bytearray:
    """What has arrived of an upload by tus; the page's session logs in to its server."""
    content = bytearray()

    def create(request: Request) -> Answer:
        admitted = server.protected(request)
        if admitted.status != 200:
            return admitted
        return Answer(201, (("Location", f"{server.url}/files/1"),))

    def take(request: Request) -> Answer:
        admitted = server.protected(request)
        if admitted.status != 200:
            return admitted
        assert int(request.headers["Upload-Offset"]) == len(content)
        content.extend(request.body)
        if len(content) == CHUNK:
            server.kill()
        return Answer(204, (("Upload-Offset", str(len(content))),))

    server.routes |= {"/files": create, "/files/1": take}
    page.session.auth = SessionAuth(server.login, server.url)
    return content


def test_an_upload_by_tus_goes_on_where_its_session_died(
    server: Server, page: Any, stored: bytearray
) -> None:
    client = tusclient.client.TusClient(f"{server.url}/files")
    page.upload(client, f"{server.url}/orders", io.BytesIO(CONTENT))
    assert stored == CONTENT
    assert server.logins == 2
    assert [request.method for request in server.seen("/files/1")] == ["PATCH"] * 4


def test_an_upload_by_tus_that_is_refused_for_good_ends_with_the_401(
    server: Server, page: Any, stored: bytearray
) -> None:
    server.routes["/files/1"] = lambda _: server.refuse("session_expired")
    client = tusclient.client.TusClient(f"{server.url}/files")
    with pytest.raises(TusCommunicationError) as caught:
        page.upload(client, f"{server.url}/orders", io.BytesIO(CONTENT))
    assert caught.value.status_code == 401
    assert len(server.seen("/files/1")) == 2
    assert stored == b""


def test_kubernetes_asks_for_a_living_token_before_each_request(server: Server, page: Any) -> None:
    parts = ["buildDate", "compiler", "gitCommit", "gitTreeState", "goVersion", "major", "minor"]
    version = json.dumps(dict.fromkeys([*parts, "platform"], "") | {"gitVersion": "v1.35"})

    def answer(request: Request) -> Answer:
        admitted = server.protected(request)
        if admitted.status != 200:
            return admitted
        return Answer(200, (("Content-Type", "application/json"),), version.encode())

    server.routes |= {"/version": answer, "/version/": answer}
    page.session.auth = SessionAuth(server.login, server.url)
    api = VersionApi(page.cluster(server.url))
    for _ in range(2):
        assert api.get_code().git_version == "v1.35"
        server.kill()
    assert server.logins == 2
