#!/usr/bin/env bash
# A token is dead for two seconds: six of eight SDKs that send in the background lose the event of that moment for good, two without a word.
#
# Versions:  see the installation below (PyPI, Python 3.11).
# Behaviour: each SDK takes events, log records or points from the program, and sends them from a queue. The program emits three, the
#            second while the server answers 401, a login page with 200, or 503. After a 503 all but sentry send it again. After a
#            401 amplitude does, which waits and tries again, and so does mixpanel, which keeps the event and raises an error. The
#            others drop it, four with a line that Python prints without any configuration. The login page is a success
#            to all but mixpanel.
# Seen (which of the three events have arrived in the end; "error": the program sees one; "log": the event is lost, and a line says so):
#                       503          401          login page
#            amplitude  1 2 3        1 2 3        1   3
#            mixpanel   1 2 3 error  1 2 3 error  1 2 3 error
#            influxdb   1 2 3        1   3 log    1   3
#            langfuse   1 2 3        1   3 log    1   3
#            posthog    1 2 3        1   3 log    1   3
#            segment    1 2 3        1   3 log    1   3
#            logtail    1 2 3        1   3        1   3
#            sentry     1   3        1   3        1   3
# Exits with 1 if that changes.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -qq --disable-pip-version-check amplitude-analytics==1.3.0 influxdb-client==1.50.0 \
    langfuse==5.0.4 logtail-python==0.5.3 mixpanel==5.4.1 posthog==7.91.1 \
    segment-analytics-python==2.4.0 sentry-sdk==2.75.0
cd "$folder"
export HOME=$folder

cat > emit.py <<'PYTHON'
import logging, sys, time, urllib.request

url, sdk, trouble = sys.argv[1:]


def amplitude():
    from amplitude import Amplitude, BaseEvent

    client = Amplitude("k")
    client.configuration.server_url, client.configuration.flush_interval_millis = url, 100
    return lambda name: client.track(BaseEvent(event_type=name, user_id="a-user")), client.shutdown


def influxdb():
    from influxdb_client import InfluxDBClient, WriteOptions

    options = WriteOptions(batch_size=1, flush_interval=100, retry_interval=500)
    writer = InfluxDBClient(url, token="t", org="o").write_api(write_options=options)
    return lambda name: writer.write("b", "o", f'm s="{name}"'), writer.close


def langfuse():
    from langfuse import Langfuse

    client = Langfuse(public_key="p", secret_key="s", base_url=url, flush_interval=0.2)
    return lambda name: client.start_observation(name=name).end(), client.flush


def logtail():
    from logtail import LogtailHandler

    handler = LogtailHandler(source_token="t", host=url, flush_interval=0.1)
    logging.getLogger("shop").addHandler(handler)
    return logging.getLogger("shop").warning, handler.flush


def mixpanel():
    from mixpanel import BufferedConsumer, Mixpanel

    consumer = BufferedConsumer(events_url=f"{url}/track", max_size=1, retry_backoff_factor=0.1)
    client = Mixpanel("t", consumer=consumer)
    return lambda name: client.track("a-user", name), consumer.flush


def posthog():
    from posthog import Posthog

    client = Posthog("k", host=url, flush_interval=0.1)
    return lambda name: client.capture(name, distinct_id="a-user"), client.shutdown


def segment():
    import segment.analytics as client

    client.write_key, client.host, client.upload_interval = "k", url, 0.1
    return lambda name: client.track("a-user", name), client.shutdown


def sentry():
    import sentry_sdk

    sentry_sdk.init(url.replace("//", "//k@") + "/1", default_integrations=False)
    return sentry_sdk.capture_message, sentry_sdk.flush


def emit(number):
    try:
        send(f"order-{number}-made")
    except Exception:
        print("error")


def become(state):
    urllib.request.urlopen(f"{url}/become/{state}").read()


send, flush = locals()[sdk]()
emit(1)
time.sleep(2)
become(trouble)
emit(2)
time.sleep(2.5)
become("alive")
emit(3)
time.sleep(3)
flush()
PYTHON

cat > try.py <<'PYTHON'
import concurrent.futures, gzip, http.server, json, subprocess, sys, threading, urllib.parse, zlib

LOGIN = b"<!DOCTYPE html><title>Log in</title><form method=post action=/login><input name=user><input name=password></form>"
ANSWERS = {
    "amplitude": (200, b'{"code": 200}'),
    "influxdb": (204, b""),
    "langfuse": (200, b"{}"),
    "logtail": (202, b""),
    "mixpanel": (200, b'{"status": 1, "error": null}'),
}


def watch(sdk, trouble):
    """What arrives of three events, and what the program hears of it."""
    state, arrived = ["alive"], []

    class Server(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            content = self.rfile.read(int(self.headers["Content-Length"] or 0))
            if self.path.startswith("/become/"):
                state[0] = self.path.split("/")[-1]
                self.answer(200, b"")
            elif state[0] == "401":
                self.answer(401, b"", ("WWW-Authenticate", 'Bearer realm="events", error="invalid_token"'))
            elif state[0] == "503":
                self.answer(503, b"")
            elif state[0] == "page":
                self.answer(200, LOGIN, ("Content-Type", "text/html"))
            else:
                encoding = self.headers["Content-Encoding"] or ""
                content = gzip.decompress(content) if "gzip" in encoding else zlib.decompress(content) if "deflate" in encoding else content
                arrived.append(urllib.parse.unquote_plus(content.decode(errors="replace")))
                self.answer(*ANSWERS.get(sdk, (200, b'{"success": true}')), ("Content-Type", "application/json"))

        do_GET = do_POST

        def answer(self, status, content, *fields):
            self.send_response(status)
            for name, value in fields:
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    command = [sys.executable, "emit.py", f"http://127.0.0.1:{server.server_port}", sdk, trouble]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=True)
    events = " ".join(str(n) if f"order-{n}-made" in "".join(arrived) else " " for n in (1, 2, 3))
    heard = " error" if "error" in done.stdout else " log" if "2" not in events and done.stderr.strip() else ""
    return (events + heard).rstrip()


EXPECTED = {
    "amplitude": ("1 2 3", "1 2 3", "1   3"),
    "mixpanel": ("1 2 3 error", "1 2 3 error", "1 2 3 error"),
    "influxdb": ("1 2 3", "1   3 log", "1   3"),
    "langfuse": ("1 2 3", "1   3 log", "1   3"),
    "posthog": ("1 2 3", "1   3 log", "1   3"),
    "segment": ("1 2 3", "1   3 log", "1   3"),
    "logtail": ("1 2 3", "1   3", "1   3"),
    "sentry": ("1   3", "1   3", "1   3"),
}
as_expected = True
with concurrent.futures.ThreadPoolExecutor(12) as pool:
    running = {sdk: [pool.submit(watch, sdk, trouble) for trouble in ("503", "401", "page")] for sdk in EXPECTED}
    for sdk, expected in EXPECTED.items():
        seen = tuple(future.result() for future in running[sdk])
        as_expected &= seen == expected
        print(f"{sdk:10} {seen[0]:12} {seen[1]:12} {seen[2]}", flush=True)
sys.exit(not as_expected)
PYTHON

"$folder/venv/bin/python" try.py
