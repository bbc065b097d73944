#!/usr/bin/env bash
# A session dies while a job works: the job is done, its program fails, and the servers of Prefect and Luigi say that it runs.
#
# Versions:  prefect 3.9.1, luigi 3.8.1 (PyPI, Python 3.11), each with its own server.
# Behaviour: the job has done all of its work, and its library tells the server so with one last request. If the session has died by then,
#            a gate in front of the server refuses it with 401, or answers with a login page. The library does not keep the request
#            for later (Luigi sends it again a few times, here twice within a second): the job ends with an error although nothing is
#            missing, and the server has a run that still runs. Whoever looks at the exit code repeats the work, and whoever looks at
#            the server waits for it.
# Seen (what the job did, what its program got, and what the server says five seconds after the session is alive again):
#            prefect  alive  done  no error                Completed
#            prefect  401    done  PrefectHTTPStatusError  Running
#            prefect  page   done  JSONDecodeError         Running
#            luigi    alive  done  no error                DONE
#            luigi    401    done  RPCError                RUNNING
#            luigi    page   done  JSONDecodeError         RUNNING
# Exits with 1 if that changes.
set -euo pipefail

script=$(realpath "$0")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -qq --disable-pip-version-check prefect==3.9.1 luigi==3.8.1
cd "$folder"
export HOME=$folder PREFECT_HOME=$folder/prefect PREFECT_SERVER_ANALYTICS_ENABLED=false PREFECT_LOGGING_LEVEL=CRITICAL DO_NOT_TRACK=1 \
    LUIGI_CONFIG_PATH=$folder/luigi.cfg
printf '[core]\nrpc-retry-attempts=2\nrpc-retry-wait=1\n' > luigi.cfg

cat > prefect_job.py <<'PYTHON'
import job
from prefect import flow


@flow(name="orders")
def orders():
    job.work()


job.run(orders)
PYTHON

cat > luigi_job.py <<'PYTHON'
import job
import luigi


class Orders(luigi.Task):
    mode = luigi.Parameter(default=job.MODE)

    def output(self):
        return luigi.LocalTarget(f"luigi-{self.mode}")

    def run(self):
        with self.output().open("w") as file:
            file.write("done")
        job.work()


job.run(lambda: luigi.build([Orders()], scheduler_url=job.URL, log_level="CRITICAL"))
PYTHON

cat > job.py <<'PYTHON'
import logging, os, pathlib, sys, warnings

MODE, URL = sys.argv[1:]
warnings.simplefilter("ignore")
logging.disable()
os.environ["PREFECT_API_URL"] = f"{URL}/api"
did = []


def work():
    did.append("done")
    pathlib.Path("mode").write_text(MODE)  # from here on the session is alive, or dead


def run(orders):
    error = "no error"
    try:
        orders()
    except Exception as failed:
        error = type(failed).__name__
    print("job:", *did, error)
PYTHON

cat > try.py <<'PYTHON'
import http.client, http.server, json, pathlib, subprocess, sys, threading, time, urllib.request

LOGIN = b"<!DOCTYPE html><title>Log in</title><form method=post action=/login><input name=user><input name=password></form>"
MODE = pathlib.Path("mode")


def free_port():
    with http.server.HTTPServer(("127.0.0.1", 0), None) as unused:
        return unused.server_port


class Gate(http.server.BaseHTTPRequestHandler):
    """In front of a server: refuses for it while the session is dead."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self):
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        mode = MODE.read_text()
        if mode == "401":
            status, kind, content = 401, "application/json", b'{"error": "session_expired"}'
        elif mode == "page":
            status, kind, content = 200, "text/html", LOGIN
        else:
            upstream = http.client.HTTPConnection("127.0.0.1", self.server.upstream, timeout=30)
            fields = {name: value for name, value in self.headers.items() if name.lower() not in ("host", "connection", "accept-encoding")}
            upstream.request(self.command, self.path, content, fields)
            response = upstream.getresponse()
            status, kind, content = response.status, response.headers.get("Content-Type", "text/plain"), response.read()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer


def asked(url, content=None):
    request = urllib.request.Request(url, None if content is None else json.dumps(content).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=20) as response:
        return json.load(response)


def by_prefect(url):
    return asked(f"{url}/api/flow_runs/filter", {"sort": "START_TIME_DESC", "limit": 1})[0]["state_name"]


def by_luigi(url):
    tasks = asked(f"{url}/api/task_list?data=%7B%22status%22%3A%22%22%2C%22upstream_status%22%3A%22%22%7D")["response"]
    return max(tasks.values(), key=lambda task: task["start_time"])["status"]


bin = pathlib.Path(sys.executable).parent
SERVERS = {
    "prefect": (by_prefect, "/api/health", [bin / "prefect", "server", "start", "--host", "127.0.0.1", "--port"]),
    "luigi": (by_luigi, "/api/task_list", [bin / "luigid", "--address", "127.0.0.1", "--port"]),
}
ports = {name: free_port() for name in SERVERS}
log = open("servers.log", "wb")
running = [subprocess.Popen([*command, str(ports[name])], stdout=log, stderr=log) for name, (_, _, command) in SERVERS.items()]
wanted = [line[1:].split() for line in pathlib.Path(sys.argv[1]).read_text().splitlines() if line.startswith("#   ")]
as_expected = True
try:
    for name, (state, health, _) in SERVERS.items():
        direct = f"http://127.0.0.1:{ports[name]}"
        for _ in range(180):
            try:
                urllib.request.urlopen(direct + health, timeout=5).close()
                break
            except OSError:
                time.sleep(0.5)
        gate = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Gate)
        gate.upstream = ports[name]
        threading.Thread(target=gate.serve_forever, daemon=True).start()
        for mode in ("alive", "401", "page"):
            MODE.write_text("alive")
            job = [sys.executable, f"{name}_job.py", mode, f"http://127.0.0.1:{gate.server_port}"]
            ran = subprocess.run(job, capture_output=True, text=True, timeout=60).stdout
            said = next((line[5:] for line in ran.splitlines() if line.startswith("job: ")), "nothing").split(maxsplit=1)
            MODE.write_text("alive")
            time.sleep(5 if mode != "alive" else 1)
            line = f"{name:8} {mode:6} {said[0]:5} {said[-1]:22}  {state(direct)}"
            as_expected &= line.split() in wanted
            print(line, flush=True)
        gate.shutdown()
finally:
    for server in running:
        server.terminate()
    for server in running:
        server.wait()
sys.exit(not as_expected)
PYTHON

"$folder/venv/bin/python" try.py "$script"
