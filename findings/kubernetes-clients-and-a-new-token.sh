#!/usr/bin/env bash
# The token of a kubeconfig is replaced: the official clients for Python go on sending the dead one, three others ask for the new one.
#
# Versions:  kubernetes 37.0.2, kubernetes-asyncio 36.1.0, kr8s 0.20.15, lightkube 1.0.1, pykube-ng 23.6.0 (PyPI, Python 3.11)
# Behaviour: a kubeconfig gets its token from a command (exec), which may say when the token expires, or from a file (tokenFile).
#            Then the server accepts only a new token, which the command and the file now have. kubectl reads the file once a minute, and runs
#            the command again after a 401. kr8s, lightkube and pykube-ng run the command again too. kubernetes does so only
#            if the command had said when the token ends, and that time has come; kubernetes-asyncio never does, although it was
#            told the time. Both answer each later call with the same 401. Of a tokenFile lightkube alone reads the new token;
#            kubernetes and kubernetes-asyncio read it once, kr8s and pykube-ng send no token at all, and say nothing about it.
# Seen:                          exec            exec, with its end   tokenFile
#            kubernetes          200 401 401     200 200 200          200 401 401
#            kubernetes_asyncio  200 401 401     200 401 401          200 401 401
#            kr8s                200 200 200     200 200 200          none
#            lightkube           200 200 200     200 200 200          200 200 200
#            pykube              200 200 200     200 200 200          none
# Exits with 1 if that changes.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -qq --disable-pip-version-check kubernetes==37.0.2 kubernetes-asyncio==36.1.0 kr8s==0.20.15 \
    lightkube==1.0.1 pykube-ng==23.6.0
cd "$folder"
export HOME=$folder

cat > ask.py <<'PYTHON'
import asyncio, sys

library, config = sys.argv[1:]


def wait():  # until the token has been replaced
    print("asked", flush=True)
    sys.stdin.readline()


def thrice(ask):
    for number in range(3):
        try:
            ask()
        except Exception:
            pass
        if number == 0:
            wait()


def with_kubernetes():
    from kubernetes import client
    from kubernetes.config import load_kube_config

    load_kube_config(config)
    api = client.CoreV1Api()
    thrice(lambda: api.list_namespaced_pod("default"))


async def with_kubernetes_asyncio():
    from kubernetes_asyncio import client
    from kubernetes_asyncio.config import load_kube_config

    await load_kube_config(config)
    async with client.ApiClient() as connected:
        api = client.CoreV1Api(connected)
        for number in range(3):
            try:
                await api.list_namespaced_pod("default")
            except Exception:
                pass
            if number == 0:
                wait()


def with_kr8s():
    import kr8s

    try:
        api = kr8s.api(kubeconfig=config)
    except Exception:  # it asks for the version first
        return wait()
    thrice(lambda: list(api.get("pods", namespace="default")))


def with_lightkube():
    import lightkube
    from lightkube.resources.core_v1 import Pod

    client = lightkube.Client(lightkube.KubeConfig.from_file(config))
    thrice(lambda: list(client.list(Pod, namespace="default")))


def with_pykube():
    import pykube

    api = pykube.HTTPClient(pykube.KubeConfig.from_file(config))
    thrice(lambda: list(pykube.Pod.objects(api).filter(namespace="default")))


if library == "kubernetes_asyncio":
    asyncio.run(with_kubernetes_asyncio())
else:
    globals()[f"with_{library}"]()
PYTHON

cat > try.py <<'PYTHON'
import http.server, json, pathlib, subprocess, sys, threading, time

living, answered = "first", []


class Cluster(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        path, token = self.path.split("?")[0].rstrip("/"), self.headers["Authorization"]
        if token != f"Bearer {living}":
            status, document = 401, {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "Unauthorized", "code": 401}
        else:
            status, document = 200, DOCUMENTS.get(path, {"kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": []})
        if path.endswith("/pods"):
            answered.append((status, token))
        content = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        pass


DOCUMENTS = {
    "/version": {"major": "1", "minor": "37", "gitVersion": "v1.37.0"},
    "/api": {"kind": "APIVersions", "versions": ["v1"]},
    "/apis": {"kind": "APIGroupList", "apiVersion": "v1", "groups": []},
    "/api/v1": {"kind": "APIResourceList", "groupVersion": "v1", "resources": [
        {"name": "pods", "singularName": "pod", "namespaced": True, "kind": "Pod", "verbs": ["get", "list"]}]},
}
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Cluster)
threading.Thread(target=server.serve_forever, daemon=True).start()
url = f"http://127.0.0.1:{server.server_port}"
token, command, config = (pathlib.Path(name).resolve() for name in ("token", "command", "config"))
command.write_text(f"""#!{sys.executable}
import datetime, json, sys
status = {{"token": open("{token}").read()}}
if sys.argv[1] == "ends":
    end = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=2)
    status["expirationTimestamp"] = end.strftime("%Y-%m-%dT%H:%M:%SZ")
print(json.dumps({{"apiVersion": "client.authentication.k8s.io/v1beta1", "kind": "ExecCredential", "status": status}}))
""")
command.chmod(0o755)
EXEC = "exec: {apiVersion: client.authentication.k8s.io/v1beta1, command: %s, args: [%s], interactiveMode: Never}"
USERS = {"exec": EXEC % (command, "says-nothing"), "ends": EXEC % (command, "ends"), "tokenFile": f"tokenFile: {token}"}


def outcome(library, user):
    global living
    living = "first"
    token.write_text(living)
    config.write_text(f"""apiVersion: v1
kind: Config
current-context: c
clusters: [{{name: k, cluster: {{server: "{url}"}}}}]
users: [{{name: u, user: {{{USERS[user]}}}}}]
contexts: [{{name: c, context: {{cluster: k, user: u, namespace: default}}}}]
""")
    answered.clear()
    program = subprocess.Popen(["venv/bin/python", "-W", "ignore", "ask.py", library, str(config)], text=True,
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    program.stdout.readline()
    living = "second"
    token.write_text(living)
    if user == "ends":
        time.sleep(3.5)
    program.communicate("\n", timeout=60)
    if all(sent is None for _, sent in answered):
        return "none"
    if library in RENEWS and len(answered) == 4:  # the 401 after which it runs the command again
        assert answered.pop(1)[0] == 401
    return " ".join(str(status) for status, _ in answered)


RENEWS = ("kr8s", "lightkube", "pykube")
WELL, DEAD = "200 200 200", "200 401 401"
EXPECTED = {
    "kubernetes": [DEAD, WELL, DEAD],
    "kubernetes_asyncio": [DEAD, DEAD, DEAD],
    "kr8s": [WELL, WELL, "none"],
    "lightkube": [WELL, WELL, WELL],
    "pykube": [WELL, WELL, "none"],
}
seen = {library: [outcome(library, user) for user in USERS] for library in EXPECTED}
for library, row in seen.items():
    print(f"{library:20}" + "  ".join(f"{cell:14}" for cell in row))
sys.exit(seen != EXPECTED)
PYTHON
venv/bin/python try.py
