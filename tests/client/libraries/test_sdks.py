"""SDKs that are given a client of one's own, or its auth: a dead session is renewed within them."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Callable
from typing import Any, cast

import anthropic
import atlassian
import docker  # type: ignore[import-untyped]
import elastic_transport
import elasticsearch
import fsspec  # type: ignore[import-untyped]
import github
import github.Requester
import gitlab
import gql
import httpx
import httpx2
import httpx_sse
import huggingface_hub
import hvac  # type: ignore[import-untyped]
import mcp
import ollama
import openai
import opensearchpy
import owslib.util  # type: ignore[import-untyped]
import pynetbox  # type: ignore[import-untyped]
import pysolr  # type: ignore[import-untyped]
import pytest
import requests
import tusclient.client
import zeep
from gql.transport.httpx import HTTPXTransport
from gql.transport.requests import RequestsHTTPTransport
from huggingface_hub.utils._http import default_client_factory
from jira import JIRA
from mcp.client.streamable_http import streamable_http_client
from owslib.wms import WebMapService  # type: ignore[import-untyped]
from requests_futures.sessions import FuturesSession  # type: ignore[import-untyped]
from sseclient import SSEClient
from tusclient.exceptions import TusCommunicationError
from webdav3.client import Client as WebDAV  # type: ignore[import-untyped]

from relogin.client import aiohttp as for_aiohttp
from relogin.client import httpx as for_httpx
from relogin.client import httpx2 as for_httpx2
from relogin.client import outcome
from relogin.client import requests as for_requests
from relogin.client.carry import Header
from relogin.client.signals import status
from tests.client.server import Answer, Request, Server
from tests.client.streaming import goes_on, streaming
from tests.server.mcp_authority import serving


@pytest.fixture
def session(server: Server, session: requests.Session) -> requests.Session:
    session.auth = for_requests.SessionAuth(server.login, server.url)
    return session


def answering(server: Server, path: str, document: object, *headers: tuple[str, str]) -> None:
    """Answer JSON to whoever has the living session."""
    body = json.dumps(document).encode()

    def answer(request: Request) -> Answer:
        admitted = server.protected(request)
        if admitted.status != 200:
            return admitted
        return Answer(200, (("Content-Type", "application/json"), *headers), body)

    server.routes[path] = answer


def twice(server: Server, call: Callable[[], Any]) -> list[Any]:
    """Call with no session, and again after it has died."""
    first = call()
    server.kill()
    return [first, call()]


def test_openai_takes_a_client_of_httpx2(server: Server) -> None:
    model = {"id": "m", "object": "model", "created": 0, "owned_by": "us"}
    answering(server, "/models/m", model)
    auth = for_httpx2.SessionAuth(server.login, server.url)
    with httpx2.Client(auth=auth, trust_env=False) as client:
        api = openai.OpenAI(api_key="none", base_url=server.url, http_client=client, max_retries=0)
        assert [m.id for m in twice(server, lambda: api.models.retrieve("m"))] == ["m", "m"]
    assert server.logins == 2


def test_anthropic_takes_a_client_of_httpx2(server: Server) -> None:
    model = {"id": "m", "type": "model", "display_name": "M", "created_at": "2026-01-01T00:00:00Z"}
    answering(server, "/v1/models/m", model)
    auth = for_httpx2.SessionAuth(server.login, server.url)
    with httpx2.Client(auth=auth, trust_env=False) as client:
        api = anthropic.Anthropic(
            api_key="none", base_url=server.url, http_client=client, max_retries=0
        )
        assert [m.id for m in twice(server, lambda: api.models.retrieve("m"))] == ["m", "m"]
    assert server.logins == 2


def test_elasticsearch_takes_a_class_of_nodes_whose_session_has_an_auth(server: Server) -> None:
    auth = for_requests.SessionAuth(server.login, server.url)

    class Node(elastic_transport.RequestsHttpNode):
        def __init__(self, config: elastic_transport.NodeConfig) -> None:
            super().__init__(config)
            self.session.auth = auth

    version = {"version": {"number": "9"}}
    answering(server, "/", version, ("X-Elastic-Product", "Elasticsearch"))
    with elasticsearch.Elasticsearch(server.url, node_class=Node, max_retries=0) as api:
        assert [info["version"] for info in twice(server, api.info)] == [{"number": "9"}] * 2
    assert server.logins == 2


def test_hvac_takes_a_session_and_its_tokens_travel_in_their_own_field(
    server: Server, session: requests.Session
) -> None:
    session.auth = for_requests.SessionAuth(
        server.login, server.url, carry=Header("X-Vault-Token"), signals=[status(403)]
    )

    def secret(request: Request) -> Answer:
        if server.living is None or request.headers.get("X-Vault-Token") != server.living:
            return Answer(403, body=b'{"errors": ["permission denied"]}')
        return Answer(200, (("Content-Type", "application/json"),), b'{"data": {"k": "v"}}')

    server.routes["/v1/secret/a"] = secret
    api = hvac.Client(server.url, session=session)
    assert [a["data"] for a in twice(server, lambda: api.read("secret/a"))] == [{"k": "v"}] * 2
    assert server.logins == 2


def test_pygithub_opens_its_connections_with_classes_that_a_process_can_change(
    server: Server,
) -> None:
    auth = for_requests.SessionAuth(server.login, server.url)

    class Connection(github.Requester.HTTPRequestsConnectionClass):
        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            self.session.auth = auth

    answering(server, "/user", {"login": "ada"})
    requester: Any = github.Requester.Requester
    requester.injectConnectionClasses(Connection, Connection)
    try:
        api = github.Github(base_url=server.url, retry=None, seconds_between_requests=None)
        assert twice(server, lambda: api.get_user().login) == ["ada", "ada"]
    finally:
        requester.resetConnectionClasses()
    assert server.logins == 2


def test_tuspy_calls_requests_without_a_session_and_has_no_place_for_an_auth(
    server: Server,
) -> None:
    uploader = tusclient.client.TusClient(f"{server.url}/files").uploader(
        file_stream=io.BytesIO(b"content")
    )
    with pytest.raises(TusCommunicationError, match="401"):
        uploader.upload()
    assert server.logins == 0


def test_python_gitlab_takes_a_session(server: Server, session: requests.Session) -> None:
    answering(server, "/api/v4/version", {"version": "18", "revision": "r"})
    api = gitlab.Gitlab(server.url, session=session)
    assert twice(server, lambda: cast("Any", api.http_get("/version"))["version"]) == ["18", "18"]
    assert server.logins == 2


def test_a_token_of_its_own_takes_the_place_of_the_auth_in_python_gitlab(
    server: Server, session: requests.Session
) -> None:
    api = gitlab.Gitlab(server.url, session=session, private_token="t")
    with pytest.raises(gitlab.GitlabAuthenticationError):
        api.http_get("/version")
    assert server.logins == 0


def test_atlassian_takes_a_session(server: Server, session: requests.Session) -> None:
    answering(server, "/rest/api/2/myself", {"name": "ada"})
    api = atlassian.Jira(url=server.url, session=session)
    assert twice(server, lambda: api.get("rest/api/2/myself")) == [{"name": "ada"}] * 2
    assert server.logins == 2


def test_opensearch_takes_an_auth(server: Server) -> None:
    answering(server, "/_cluster/health", {"status": "green"})
    auth: Any = for_requests.SessionAuth(server.login, server.url)
    connection = opensearchpy.RequestsHttpConnection
    with opensearchpy.OpenSearch(server.url, http_auth=auth, connection_class=connection) as api:
        assert [told["status"] for told in twice(server, api.cluster.health)] == ["green"] * 2
    assert server.logins == 2


def test_fsspec_takes_a_middleware_of_aiohttp(server: Server) -> None:
    auth = for_aiohttp.SessionAuth(server.login, server.url)
    files = fsspec.filesystem("http", client_kwargs={"middlewares": [auth]})
    assert twice(server, lambda: files.cat(f"{server.url}/orders.csv")) == [b"content"] * 2
    assert server.logins == 2


def test_jira_has_a_session_whose_auth_can_be_set(server: Server) -> None:
    answering(server, "/rest/api/2/myself", {"name": "ada"})
    api = JIRA(server.url, get_server_info=False, max_retries=0)
    api._session.auth = for_requests.SessionAuth(server.login, server.url)
    assert twice(server, lambda: api.myself()["name"])[0] == "ada"
    assert server.logins >= 1
    api.close()  # type: ignore[no-untyped-call]


def test_docker_is_a_session_itself(server: Server) -> None:
    answering(server, "/v1.44/info", {"ID": "d"})
    with docker.APIClient(server.url, version="1.44") as api:
        api.auth = for_requests.SessionAuth(server.login, server.url)
        assert [info["ID"] for info in twice(server, api.info)] == ["d", "d"]
    assert server.logins == 2


def test_zeep_takes_a_session(server: Server, session: requests.Session) -> None:
    transport: Any = zeep.Transport(session=session)  # type: ignore[no-untyped-call]
    assert twice(server, lambda: transport.load(f"{server.url}/service")) == [b"content"] * 2
    assert server.logins == 2


def test_ollama_takes_an_auth_of_httpx(server: Server) -> None:
    answering(server, "/api/tags", {"models": [{"model": "m"}]})
    auth = for_httpx.SessionAuth(server.login, server.url)
    with ollama.Client(server.url, auth=auth, trust_env=False) as api:
        assert [listed.models[0].model for listed in twice(server, api.list)] == ["m", "m"]
    assert server.logins == 2


def test_huggingface_hub_takes_a_maker_of_clients(server: Server) -> None:
    answering(server, "/api/models/m", {"id": "m", "_id": "1", "private": False, "tags": []})
    auth = for_httpx2.SessionAuth(server.login, server.url)
    huggingface_hub.set_client_factory(lambda: httpx2.Client(auth=auth, trust_env=False))
    try:
        api = huggingface_hub.HfApi(endpoint=server.url, token=False)
        assert [model.id for model in twice(server, lambda: api.model_info("m"))] == ["m", "m"]
    finally:
        huggingface_hub.set_client_factory(default_client_factory)
    assert server.logins == 2


def test_pynetbox_takes_a_session(server: Server, session: requests.Session) -> None:
    answering(server, "/api/status/", {"netbox-version": "4"})
    api = pynetbox.api(server.url)
    api.http_session = session
    assert twice(server, api.status) == [{"netbox-version": "4"}] * 2
    assert server.logins == 2


def test_pysolr_takes_an_auth(server: Server) -> None:
    auth = for_requests.SessionAuth(server.login, server.url)
    api = pysolr.Solr(f"{server.url}/solr", auth=auth)
    assert twice(server, api.ping) == ["content"] * 2
    assert server.logins == 2
    api.get_session().close()


def test_owslib_takes_an_auth(server: Server) -> None:
    capabilities = b"""<WMS_Capabilities version="1.3.0" xmlns="http://www.opengis.net/wms">
        <Service><Title>Shops</Title></Service><Capability><Request/><Layer/></Capability>
    </WMS_Capabilities>"""

    def answer(request: Request) -> Answer:
        admitted = server.protected(request)
        return Answer(200, body=capabilities) if admitted.status == 200 else admitted

    server.routes["/wms?service=WMS&request=GetCapabilities&version=1.3.0"] = answer
    auth = owslib.util.Authentication(
        auth_delegate=for_requests.SessionAuth(server.login, server.url)
    )
    url = f"{server.url}/wms"
    titles = twice(
        server, lambda: WebMapService(url, version="1.3.0", auth=auth).identification.title
    )
    assert titles == ["Shops", "Shops"]
    assert server.logins == 2


@pytest.mark.parametrize(("ends_with", "told"), [("kill", "stream_ended"), ("nothing", "replayed")])
def test_the_end_of_a_stream_that_httpx_sse_or_sseclient_reads_tells_of_a_dead_session(
    server: Server, session: requests.Session, ends_with: str, told: str
) -> None:
    url = streaming(server, server.kill if ends_with == "kill" else goes_on)
    auth = for_httpx.SessionAuth(server.login, server.url)
    with (
        httpx.Client(auth=auth, trust_env=False) as client,
        httpx_sse.connect_sse(client, "GET", url) as source,
    ):
        assert [event.data for event in source.iter_sse()] == ["one", "two"]
    assert outcome(source.response) == told

    server.kill()
    with session.get(url, stream=True) as answer:
        assert [event.data for event in SSEClient(cast("Any", answer)).events()] == ["one", "two"]
    assert outcome(answer) == told


def test_webdavclient3_takes_a_session(server: Server, session: requests.Session) -> None:
    client = WebDAV({"webdav_hostname": server.url})
    client.session = session
    assert twice(server, lambda: client.check("orders.csv")) == [True, True]
    assert server.logins == 2


def test_requests_futures_takes_a_session(server: Server, session: requests.Session) -> None:
    with FuturesSession(session=session) as futures:
        url = f"{server.url}/orders"
        assert [a.status_code for a in twice(server, lambda: futures.get(url).result())] == [
            200
        ] * 2
    assert server.logins == 2


@pytest.mark.parametrize(
    ("transport", "ours"),
    [(RequestsHTTPTransport, for_requests), (HTTPXTransport, for_httpx2)],
)
def test_gql_takes_an_auth(server: Server, transport: Any, ours: Any) -> None:
    answering(server, "/graphql", {"data": {"name": "ada"}})
    auth = ours.SessionAuth(server.login, server.url)
    client = gql.Client(transport=transport(f"{server.url}/graphql", auth=auth))
    query = gql.gql("{ name }")
    assert twice(server, lambda: client.execute(query)) == [{"name": "ada"}] * 2
    assert server.logins == 2


def test_an_mcp_client_takes_a_client_of_httpx2() -> None:
    with serving() as authority:
        logins = []

        async def log_in(_: object) -> str:
            logins.append(1)
            authority.granted[token := f"t{len(logins)}"] = "orders:read orders:write"
            return token

        async def talk() -> list[str]:
            auth, url = for_httpx2.SessionAuth(log_in, authority.origin), f"{authority.origin}/mcp"
            async with httpx2.AsyncClient(auth=auth) as http:
                transport = streamable_http_client(url, http_client=http)
                async with mcp.Client(transport) as client:
                    results: list[Any] = [await client.call_tool("orders", {})]
                    authority.granted.clear()
                    results.append(await client.call_tool("orders", {}))
            return [result.content[0].text for result in results]

        assert asyncio.run(talk()) == ["seven orders"] * 2
        assert len(logins) == 2
