#!/usr/bin/env bash
# pip reports a 401 from its index in the very words that it has for a project that does not exist.
#
# Versions:  pip 26.3.
# Behaviour: with --no-input, an index that answers 401 and an index that answers 404 give the same two lines on
#            standard error and the same exit code. If your session with a private index has ended, it looks as if you
#            had mistyped the name. -v does not show the 401 either; -vv does.
# Seen, for both indexes, with and without -v:
#            ERROR: Could not find a version that satisfies the requirement orders (from versions: none)
#            ERROR: No matching distribution found for orders
#            exit code 1
# Exits with 1 if that changes.
set -euo pipefail

folder=$(mktemp -d)
server=
cleanup() {
    [ -z "$server" ] || kill "$server" 2>/dev/null || true
    wait
    rm -rf "$folder"
}
trap cleanup EXIT

python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -qq --disable-pip-version-check pip==26.3
cd "$folder"

cat > index.py <<'PYTHON'
import pathlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Index(BaseHTTPRequestHandler):
    """Refuses whatever is below /refusing/, and knows nothing of all else."""

    def do_GET(self):
        refuses = self.path.startswith("/refusing/")
        self.send_response(401 if refuses else 404)
        if refuses:
            self.send_header("WWW-Authenticate", 'Basic realm="packages"')
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *arguments):
        """Print nothing."""


server = ThreadingHTTPServer(("127.0.0.1", 0), Index)
pathlib.Path("port.new").write_text(str(server.server_port))
pathlib.Path("port.new").rename("port")
server.serve_forever()
PYTHON
venv/bin/python index.py &
server=$!
for _ in $(seq 200); do [ -f port ] && break; sleep 0.05; done

# Prints what pip says of an index, and its exit code.
ask() {
    local index=$1 code=0
    shift
    venv/bin/python -m pip --isolated --disable-pip-version-check --no-input download --no-deps --dest got \
        --index-url "http://127.0.0.1:$(cat port)/$index/" "$@" orders >out 2>err || code=$?
    cat err
    echo "exit code $code"
}

changed=0
for index in refusing missing; do
    for verbosity in "" -v; do
        echo "== the $index index, pip ${verbosity:-as it is}"
        ask "$index" $verbosity | tee seen
        diff seen - <<'SEEN' || changed=1
ERROR: Could not find a version that satisfies the requirement orders (from versions: none)
ERROR: No matching distribution found for orders
exit code 1
SEEN
        ! grep -q 401 out err || changed=1
    done
done
ask refusing -vv >/dev/null
grep -q 401 out err || changed=1
exit "$changed"
