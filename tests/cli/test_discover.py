"""`relogin probe --discover` follows metadata as far as that is to be believed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from relogin.cli import main
from tests.client.server import Answer, Request, Server, serve


class Site:
    """A resource and its authorization server, on one loopback origin."""

    def __init__(self, server: Server) -> None:
        self.server = server
        server.answers = self.answer
        url = server.url
        self.challenge = f'Bearer resource_metadata="{url}/meta", scope="read"'
        self.documents: dict[str, Any] = {
            "/meta": {"resource": f"{url}/mcp", "authorization_servers": [url]},
            "/.well-known/oauth-authorization-server": {
                "issuer": url,
                "authorization_endpoint": f"{url}/authorize",
                "token_endpoint": f"{url}/token",
                "registration_endpoint": f"{url}/register",
                "grant_types_supported": ["authorization_code", "refresh_token"],
                "code_challenge_methods_supported": ["S256"],
            },
        }

    @property
    def issuer(self) -> dict[str, Any]:
        found: dict[str, Any] = self.documents["/.well-known/oauth-authorization-server"]
        return found

    def answer(self, request: Request) -> Answer:
        assert "Authorization" not in request.headers
        document = self.documents.get(request.path)
        if request.path == "/mcp":
            return Answer(401, (("WWW-Authenticate", self.challenge),))
        if document is None:
            return Answer(404)
        return Answer(200, body=document if isinstance(document, bytes) else encoded(document))

    def discover(self, *options: str, code: int = 0) -> None:
        assert main(["probe", f"{self.server.url}/mcp", "--discover", *options]) == code

    @property
    def paths(self) -> list[str]:
        return [request.path for request in self.server.requests]


def encoded(document: object) -> bytes:
    return json.dumps(document).encode()


@pytest.fixture
def site() -> Iterator[Site]:
    with serve() as running:
        yield Site(running)


Capture = pytest.CaptureFixture[str]


def test_discovery_says_what_a_client_would_have_to_do(site: Site, capsys: Capture) -> None:
    site.discover()
    shown, url = capsys.readouterr().out, site.server.url
    assert shown.index(f"GET {url}/meta -> 200") < shown.index("A client would have to")
    steps = shown.partition("A client would have to\n")[2].splitlines()
    assert [step.strip()[:2] for step in steps] == ["1.", "2.", "3.", "4."]
    assert f"Register the client at {url}/register" in steps[0]
    assert f"{url}/authorize with PKCE (S256), resource={url}/mcp and scope='read'" in steps[1]
    assert f"refresh token at {url}/token" in steps[2]
    assert f"Authorization: Bearer to {url}/mcp, and nowhere else" in steps[3]
    assert site.paths == ["/mcp", "/meta", "/.well-known/oauth-authorization-server"]


def test_discovery_says_where_the_tokens_are_revoked_at_the_end(
    site: Site, capsys: Capture
) -> None:
    site.issuer["revocation_endpoint"] = f"{site.server.url}/revoke"
    site.discover()
    last = capsys.readouterr().out.strip().splitlines()[-1].split()
    assert (
        " ".join(last)
        == f"5. At the end, revoke the tokens at {site.server.url}/revoke (RFC 7009)."
    )


def test_a_probe_without_discover_follows_nothing(site: Site) -> None:
    main(["probe", f"{site.server.url}/mcp"])
    assert site.paths == ["/mcp"]


def test_client_credentials_need_no_browser(site: Site, capsys: Capture) -> None:
    site.issuer["grant_types_supported"] = ["client_credentials"]
    del site.issuer["registration_endpoint"]
    site.documents["/meta"]["scopes_supported"] = ["a", "b"]
    site.challenge = site.challenge.partition(", scope")[0]
    site.discover()
    shown = capsys.readouterr().out
    assert "Get a client_id from the operator" in shown
    assert "grant_type=client_credentials" in shown
    assert "scope='a b'" in shown
    assert "browser" not in shown


def test_discovery_says_that_a_server_lacks_pkce(site: Site, capsys: Capture) -> None:
    del site.issuer["code_challenge_methods_supported"]
    del site.issuer["grant_types_supported"]  # then it is authorization_code (RFC 8414 §2)
    site.discover()
    assert "without PKCE, as the server names no S256" in capsys.readouterr().out


def test_where_the_challenge_names_no_metadata_the_usual_place_is_asked(
    site: Site, capsys: Capture
) -> None:
    site.challenge = "Bearer"
    site.documents["/.well-known/oauth-protected-resource/mcp"] = site.documents["/meta"]
    site.discover()
    assert "A client would have to" in capsys.readouterr().out


def test_the_metadata_of_openid_connect_is_found(site: Site) -> None:
    issuer = site.documents.pop("/.well-known/oauth-authorization-server")
    base = site.server.url
    site.documents["/meta"]["authorization_servers"] = [f"{base}/tenant"]
    site.documents["/tenant/.well-known/openid-configuration"] = issuer | {
        "issuer": f"{base}/tenant"
    }
    site.discover()
    assert site.paths[2:] == [
        "/.well-known/oauth-authorization-server/tenant",
        "/.well-known/openid-configuration/tenant",
        "/tenant/.well-known/openid-configuration",
    ]


def test_a_front_page_in_the_place_of_metadata_is_passed_over(site: Site) -> None:
    issuer = site.documents.pop("/.well-known/oauth-authorization-server")
    site.documents["/.well-known/oauth-authorization-server"] = b"<html>"
    site.documents["/.well-known/openid-configuration"] = issuer
    site.discover()
    assert site.paths[-1] == "/.well-known/openid-configuration"


# What is not believed


def refused(site: Site, capsys: Capture, said: str) -> str:
    site.discover(code=1)
    shown = capsys.readouterr().out
    assert "Not used: " in shown
    assert said in shown
    assert "A client would have to" not in shown
    return shown


def test_metadata_on_another_origin_is_not_asked_for(site: Site, capsys: Capture) -> None:
    site.challenge = f'Bearer resource_metadata="{site.server.other_host}/meta"'
    refused(site, capsys, "resource_metadata is on another origin")
    assert site.paths == ["/mcp"]


@pytest.mark.parametrize(
    "place", ["http://api.example.com/meta", "https://ada:pw@127.0.0.1/meta", "file:///etc/hosts"]
)
def test_metadata_at_an_unusable_url_is_not_asked_for(
    site: Site, capsys: Capture, place: str
) -> None:
    site.challenge = f'Bearer resource_metadata="{place}"'
    refused(site, capsys, "resource_metadata cannot be used")
    assert site.paths == ["/mcp"]


@pytest.mark.parametrize("resource", ["{url}/other", "https://api.example.com/mcp", None, "x", 7])
def test_metadata_of_another_resource_is_not_used(
    site: Site, capsys: Capture, resource: Any
) -> None:
    if isinstance(resource, str):
        resource = resource.format(url=site.server.url)
    site.documents["/meta"]["resource"] = resource
    refused(site, capsys, "of another resource")
    assert site.paths == ["/mcp", "/meta"]


def test_metadata_of_another_issuer_is_not_used(site: Site, capsys: Capture) -> None:
    site.issuer["issuer"] = "https://evil.example"
    refused(site, capsys, "of another issuer")


@pytest.mark.parametrize(
    "endpoint",
    [
        *("authorization_endpoint", "token_endpoint"),
        *("registration_endpoint", "revocation_endpoint"),
    ],
)
def test_an_endpoint_without_tls_is_not_used(site: Site, capsys: Capture, endpoint: str) -> None:
    site.issuer[endpoint] = "http://login.example.com/x"
    refused(site, capsys, f"{endpoint} cannot be used")


def test_an_authorization_server_without_tls_is_not_asked(site: Site, capsys: Capture) -> None:
    site.documents["/meta"]["authorization_servers"] = ["http://login.example.com"]
    refused(site, capsys, "the authorization server cannot be used")


@pytest.mark.parametrize("servers", [None, [], "https://login.example.com", [7]])
def test_metadata_without_an_authorization_server_is_a_fault(
    site: Site, capsys: Capture, servers: Any
) -> None:
    site.documents["/meta"]["authorization_servers"] = servers
    refused(site, capsys, "names no authorization server")


@pytest.mark.parametrize("content", [b"<html>", b"[]", b"[" * 100_000, b'{"a": ' + b"1" * 70_000])
def test_what_is_no_json_object_is_not_used(site: Site, capsys: Capture, content: bytes) -> None:
    site.documents["/meta"] = content
    refused(site, capsys, "/meta answered 200 without a JSON object")


def test_missing_metadata_is_a_fault(site: Site, capsys: Capture) -> None:
    del site.documents["/meta"]
    refused(site, capsys, "/meta answered 404")


def test_the_second_authorization_server_is_asked_where_the_first_is_not_believed(
    site: Site, capsys: Capture
) -> None:
    servers = site.documents["/meta"]["authorization_servers"]
    servers.insert(0, f"{site.server.url}/gone")
    servers += [site.server.url, "https://never.example"]
    site.discover(code=1)
    shown = capsys.readouterr().out
    assert "gone: no metadata found" in shown
    assert shown.count("A client would have to") == 1
    assert "never.example" not in shown


def test_a_fault_of_the_challenge_is_exit_code_1_although_metadata_is_believed(
    site: Site, capsys: Capture
) -> None:
    site.challenge = site.challenge.replace("Bearer ", "Bearer realm='the api', ")
    site.discover(code=1)
    assert "A client would have to" in capsys.readouterr().out


@pytest.mark.parametrize("believed", [True, False])
def test_json_holds_the_fields_and_the_discovery(
    site: Site, capsys: Capture, believed: bool
) -> None:
    if not believed:
        site.issuer["issuer"] = "https://evil.example"
    site.discover("--json", code=int(not believed))
    printed = json.loads(capsys.readouterr().out)
    assert [one["header"] for one in printed["fields"]] == ["WWW-Authenticate"]
    assert printed["discovery"]["resource"]["resource"] == f"{site.server.url}/mcp"
    assert bool(printed["discovery"]["steps"]) is believed
    assert bool(printed["discovery"]["faults"]) is not believed


def test_a_server_that_does_not_answer_is_said_in_the_words_of_the_system(
    site: Site, capsys: Capture
) -> None:
    with serve() as other:
        gone = other.url
    site.documents["/meta"]["authorization_servers"] = [gone]
    site.discover(code=2)
    assert "refused" in capsys.readouterr().err
