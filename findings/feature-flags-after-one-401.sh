#!/usr/bin/env bash
# One 401 from the server of the feature flags: PostHog's flags are gone until the next poll, LaunchDarkly's stay as they are for minutes.
#
# Versions:  posthog 7.91.1, launchdarkly-server-sdk 9.20.0, UnleashClient 6.9.1, flagsmith 6.3.0, configcat-client 10.0.1
#            (PyPI, Python 3.11), each evaluating flags in the process and asking the server each second (LaunchDarkly: by its stream,
#            which it opens again after a second).
# Behaviour: the flag is on, then the server answers 401 for a while, or a login page with 200, then it lives again and the flag is off.
#            Three SDKs keep the last flags and ask on. posthog forgets all flags at the first 401, and returns None for each, which is
#            as good as off; a login page does not do that. launchdarkly-server-sdk waits two to three minutes after one 401
#            (one to two seconds after another error), and shows the old flags meanwhile.
# Seen (what the flag is while the server refuses, and six seconds after it has come back with the flag off):
#                           401            login page
#            posthog        None  False    True  False
#            launchdarkly   True  True     True  -
#            unleash        True  False    True  False
#            flagsmith      True  False    True  False
#            configcat      True  False    True  False
#            (LaunchDarkly's waits after a login page double, so the last one differs from run to run)
# Exits with 1 if that changes.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -qq --disable-pip-version-check posthog==7.91.1 launchdarkly-server-sdk==9.20.0 \
    UnleashClient==6.9.1 flagsmith==6.3.0 configcat-client==10.0.1
cd "$folder"
export HOME=$folder

cat > ask.py <<'PYTHON'
import os, sys, tempfile, time, urllib.request

url, sdk, trouble = sys.argv[1:]


def posthog():
    from posthog import Posthog

    client = Posthog("k", host=url, personal_api_key="p", poll_interval=1)
    return lambda: client.feature_enabled("f", "ada", only_evaluate_locally=True, send_feature_flag_events=False)


def launchdarkly():
    import ldclient
    from ldclient.config import Config

    ldclient.set_config(Config("sdk-key", base_uri=url, stream_uri=url, send_events=False))
    client, ada = ldclient.get(), ldclient.Context.create("ada")
    return lambda: client.variation("f", ada, "none")


def unleash():
    from UnleashClient import UnleashClient

    client = UnleashClient(f"{url}/api", "shop", refresh_interval=1, disable_metrics=True, cache_directory=tempfile.mkdtemp())
    client.initialize_client()
    return lambda: client.is_enabled("f")


def flagsmith():
    from flagsmith import Flagsmith

    client = Flagsmith(environment_key="ser.k", api_url=f"{url}/api/v1/", enable_local_evaluation=True, environment_refresh_interval_seconds=1)
    return lambda: client.get_environment_flags().is_feature_enabled("f")


def configcat():
    import configcatclient
    from configcatclient.pollingmode import PollingMode

    options = configcatclient.ConfigCatOptions(base_url=url, polling_mode=PollingMode.auto_poll(poll_interval_seconds=1))
    client = configcatclient.get("configcat-sdk-1/" + "a" * 22 + "/" + "b" * 22, options)
    return lambda: client.get_value("f", None)


def become(state):
    urllib.request.urlopen(f"{url}/become/{state}").read()


flag = locals()[sdk]()
for _ in range(100):
    if flag() is True:
        break
    time.sleep(0.1)
else:
    sys.exit("the flag is not on")
become(trouble)
time.sleep(4)
refused = flag()
become("off")
time.sleep(6)
print(refused, flag(), flush=True)
os._exit(0)  # their threads
PYTHON

cat > try.py <<'PYTHON'
import concurrent.futures, http.server, json, subprocess, sys, threading, time

LOGIN = b"<!DOCTYPE html><title>Log in</title><form method=post action=/login><input name=user><input name=password></form>"


def document(sdk, on):
    if sdk == "posthog":
        groups = {"groups": [{"properties": [], "rollout_percentage": 100}]}
        return {"flags": [{"id": 1, "key": "f", "active": on, "filters": groups}], "group_type_mapping": {}, "cohorts": {}}
    if sdk == "launchdarkly":
        flag = {"key": "f", "version": 1 if on else 2, "on": True, "fallthrough": {"variation": 0}, "variations": [on], "salt": "s",
                "rules": [], "targets": [], "prerequisites": [], "offVariation": 0}
        return {"flags": {"f": flag}, "segments": {}}
    if sdk == "unleash":
        return {"version": 2, "features": [{"name": "f", "enabled": on, "strategies": [{"name": "default"}]}]}
    if sdk == "configcat":
        return {"p": {"u": "", "r": 0, "s": "s"}, "f": {"f": {"t": 0, "v": {"b": on}}}}
    organisation = {"id": 1, "name": "o", "feature_analytics": False, "stop_serving_flags": False, "persist_trait_data": True}
    project = {"id": 1, "name": "p", "hide_disabled_flags": False, "segments": [], "organisation": organisation}
    state = {"enabled": on, "feature_state_value": None, "feature": {"id": 1, "name": "f", "type": "STANDARD"}, "django_id": 1,
             "featurestate_uuid": "a8e1c9b0-0000-4000-8000-000000000000", "multivariate_feature_state_values": [],
             "feature_segment": None, "segment_id": None}
    return {"name": "e", "id": 1, "api_key": "ser.k", "updated_at": "2026-01-01T00:00:00Z", "project": project,
            "feature_states": [state], "identity_overrides": []}


class Quiet(http.server.ThreadingHTTPServer):
    def handle_error(self, *_):
        pass  # a program has ended while it was answered


def watch(sdk, trouble):
    state = ["on"]

    class Server(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            self.rfile.read(int(self.headers["Content-Length"] or 0))
            if self.path.startswith("/become/"):
                state[0] = self.path.split("/")[-1]
                self.answer(200, b"")
            elif state[0] == "401":
                self.answer(401, b"", "WWW-Authenticate", 'Bearer realm="flags", error="invalid_token"')
            elif state[0] == "page":
                self.answer(200, LOGIN, "Content-Type", "text/html")
            elif sdk == "launchdarkly":
                self.send_response(200)
                self.send_header("Content-Type", "text/event-stream")
                self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()
                put = {"path": "/", "data": document(sdk, state[0] == "on")}
                event = f"event: put\ndata: {json.dumps(put)}\n\n".encode()
                self.wfile.write(b"%x\r\n%s\r\n" % (len(event), event))
                began = state[0]
                while state[0] == began:
                    time.sleep(0.1)
                self.wfile.write(b"0\r\n\r\n")
            else:
                self.answer(200, json.dumps(document(sdk, state[0] == "on")).encode(), "Content-Type", "application/json")

        do_POST = do_GET

        def answer(self, status, content, name="Content-Language", value="en"):
            self.send_response(status)
            self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_):
            pass

    server = Quiet(("127.0.0.1", 0), Server)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    command = [sys.executable, "ask.py", f"http://127.0.0.1:{server.server_port}", sdk, trouble]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, timeout=90, check=True)
    state[0] = "over"
    return done.stdout.split()


EXPECTED = {
    "posthog": (["None", "False"], ["True", "False"]),
    "launchdarkly": (["True", "True"], ["True", "-"]),
    "unleash": (["True", "False"], ["True", "False"]),
    "flagsmith": (["True", "False"], ["True", "False"]),
    "configcat": (["True", "False"], ["True", "False"]),
}
as_expected = True
with concurrent.futures.ThreadPoolExecutor(10) as pool:
    running = {sdk: [pool.submit(watch, sdk, trouble) for trouble in ("401", "page")] for sdk in EXPECTED}
    for sdk, expected in EXPECTED.items():
        seen = tuple(future.result() for future in running[sdk])
        if sdk == "launchdarkly":
            seen[1][1] = "-"
        as_expected &= seen == expected
        print(f"{sdk:14}", *(f"{refused:5} {later:8}" for refused, later in seen), flush=True)
sys.exit(not as_expected)
PYTHON

"$folder/venv/bin/python" try.py
