#!/usr/bin/env bash
# A collector moves, and redirects: since 1.45 OpenTelemetry's exporter for Python sends nothing there, and reports success.
#
# Versions:  opentelemetry-exporter-otlp-proto-http 1.45.2 and 1.44.0 (PyPI, Python 3.11); @opentelemetry/exporter-trace-otlp-http
#            0.223.1 (npm, Node 20) to compare with. Needs node and npm.
# Behaviour: up to 1.44 the exporter of OTLP over HTTP followed redirects as requests does. 1.45 follows none, and still
#            takes each status below 400 for a delivery: SpanExportResult.SUCCESS, nothing in the log, no second try. So a
#            collector that has moved (308) or went from http to https gets nothing from then on. Behind a single sign-on,
#            whose redirect leads to a login page, both report success; 1.44 has at least fetched the page. After a 401
#            both report a failure and drop the spans, as they should. The exporter for Node reports each redirect as a failure.
# Seen (what the exporter reports, and how often spans have arrived):
#                        308, moved     302, login page   401
#            1.44.0      success  1     success  0        failure  0
#            1.45.2      success  0     success  0        failure  0
#            Node        failure  0     failure  0        failure  0
# Exits with 1 if that changes.
set -euo pipefail

for program in node npm; do
    command -v "$program" >/dev/null || { echo "this needs the program $program"; exit 2; }
done
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
export HOME=$folder
for version in 1.44.0 1.45.2; do
    python3 -m venv "$version"
    "$version/bin/python" -m pip install -qq --disable-pip-version-check \
        "opentelemetry-exporter-otlp-proto-http==$version" "opentelemetry-sdk==$version"
done
npm install --silent --no-audit --no-fund --legacy-peer-deps --prefix "$folder" \
    @opentelemetry/exporter-trace-otlp-http@0.223.1 @opentelemetry/sdk-trace-node@2.12.1 >/dev/null

cat > export.py <<'PYTHON'
import sys

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

kept = InMemorySpanExporter()
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(kept))
provider.get_tracer("shop").start_span("order").end()
print(OTLPSpanExporter(endpoint=sys.argv[1]).export(kept.get_finished_spans()).name.lower())
PYTHON

cat > export.mjs <<'JAVASCRIPT'
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-node";

const kept = new InMemorySpanExporter();
new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(kept)] }).getTracer("shop").startSpan("order").end();
const exporter = new OTLPTraceExporter({ url: process.argv[2] });
exporter.export(kept.getFinishedSpans(), result => console.log(result.code === 0 ? "success" : "failure"));
JAVASCRIPT

cat > try.py <<'PYTHON'
import http.server, subprocess, sys, threading

LOGIN = b"<!DOCTYPE html><title>Log in</title><form method=post action=/login><input name=user><input name=password></form>"
arrived = []


class Collector(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"] or 0))
        kind = self.path.split("/")[1]
        if kind == "new":
            arrived.append(self.path)
            self.answer(200, b"", {"Content-Type": "application/x-protobuf"})
        elif kind == "moved":
            self.answer(308, b"", {"Location": "/new/v1/traces"})
        elif kind == "refused":
            self.answer(401, b"", {"WWW-Authenticate": 'Bearer realm="traces", error="invalid_token"'})
        elif kind == "login":
            self.answer(200, LOGIN, {"Content-Type": "text/html"})
        else:
            self.answer(302, b"", {"Location": "/login"})

    do_GET = do_POST

    def answer(self, status, content, fields):
        self.send_response(status)
        for name, value in fields.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Collector)
threading.Thread(target=server.serve_forever, daemon=True).start()
COMMANDS = {
    "1.44.0": (["1.44.0/bin/python", "export.py"], ["success 1", "success 0", "failure 0"]),
    "1.45.2": (["1.45.2/bin/python", "export.py"], ["success 0", "success 0", "failure 0"]),
    "Node": (["node", "export.mjs"], ["failure 0", "failure 0", "failure 0"]),
}
as_expected = True
for name, (command, expected) in COMMANDS.items():
    seen = []
    for kind in ("moved", "page", "refused"):
        arrived.clear()
        url = f"http://127.0.0.1:{server.server_port}/{kind}/v1/traces"
        done = subprocess.run([*command, url], capture_output=True, text=True, check=True, timeout=60)
        seen.append(f"{done.stdout.strip()} {len(arrived)}")
        as_expected &= "success" not in seen[-1] or done.stderr == ""
    as_expected &= seen == expected
    print(f"{name:10}", *(f"{one:14}" for one in seen), flush=True)
sys.exit(not as_expected)
PYTHON

python3 try.py
