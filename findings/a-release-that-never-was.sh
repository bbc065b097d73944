#!/usr/bin/env bash
# A package goes to a registry that shows its login page: eight tools of eight report success, four behind a redirect, Yarn 1 after a 401 too.
#
# Versions:  twine 7.0.0, uv 0.13.9, poetry 2.5.1, flit 4.2.0, hatch 1.18.2 (PyPI); npm as it is with Node 20 (11.19.1 here),
#            pnpm 12.21.0, yarn 1.22.22 (npm). Needs node and npm.
# Behaviour: a registry behind a single sign-on answers a dead session with a login page, at once or by a redirect. None of the
#            tools looks at what comes back for a package: a 200 is enough, and for those that follow a redirect so is the
#            200 of the page it leads to. flit turns its POST into a GET there, npm and pnpm send the package itself to the
#            login page; twine, uv, poetry and hatch do not follow. yarn 1 takes any answer to its PUT for a success:
#            "success Published." and 0 after a 401, with nothing in the registry.
# Seen (exit code after a 401, a redirect to a login page, and a login page with 200):
#            twine     1  1  0
#            uv        2  2  0
#            poetry    1  1  0
#            flit      1  0  0
#            hatch     1  1  0
#            npm       1  0  0
#            pnpm      1  0  0
#            yarn 1    0  0  0
# Exits with 1 if that changes.
set -euo pipefail

for program in node npm; do
    command -v "$program" >/dev/null || { echo "this needs the program $program"; exit 2; }
done
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -qq --disable-pip-version-check \
    twine==7.0.0 uv==0.13.9 poetry==2.5.1 flit==4.2.0 hatch==1.18.2 2>/dev/null
cd "$folder"
export HOME=$folder
npm install --silent --no-audit --no-fund --prefix "$folder" pnpm@12.21.0 yarn@1.22.22 >/dev/null
mkdir -p shop/src/shop
cat > shop/pyproject.toml <<'TOML'
[build-system]
requires = ["flit_core"]
build-backend = "flit_core.buildapi"

[project]
name = "shop"
version = "1.0"
description = "A shop"
TOML
echo '"""A shop."""' > shop/src/shop/__init__.py
(cd shop && ../venv/bin/flit build --format wheel >/dev/null 2>&1)

cat > publish.py <<'PYTHON'
import http.server, json, os, pathlib, subprocess, sys, threading

LOGIN = b"<!DOCTYPE html><title>Log in</title><form method=post action=/login><input name=user><input name=password></form>"
mode, asked = "401", []


class Registry(http.server.BaseHTTPRequestHandler):
    """A registry whose session has died; it keeps nothing."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.rfile.read(int(self.headers["Content-Length"] or 0))
        asked.append(f"{self.command} {self.path}")
        if mode == "401":
            self.answer(401, b"", {"WWW-Authenticate": 'Bearer realm="packages", error="invalid_token"'})
        elif mode == "302" and self.path != "/login":
            self.answer(302, b"", {"Location": "/login"})
        else:
            self.answer(200, LOGIN, {"Content-Type": "text/html"})

    def answer(self, status, content, fields):
        self.send_response(status)
        for name, value in fields.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    do_HEAD = do_POST = do_PUT = do_GET

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Registry)
threading.Thread(target=server.serve_forever, daemon=True).start()
url, home = f"http://127.0.0.1:{server.server_port}", pathlib.Path.cwd()
os.chdir("shop")
(wheel,) = map(str, pathlib.Path("dist").glob("*.whl"))
pathlib.Path("package.json").write_text(json.dumps({"name": "shop", "version": "1.0.0", "license": "MIT"}))
pathlib.Path(".npmrc").write_text(f"registry={url}/\n{url.removeprefix('http:')}/:_authToken=t\n")
environment = os.environ | {
    "POETRY_REPOSITORIES_SHOP_URL": f"{url}/legacy/",
    "POETRY_HTTP_BASIC_SHOP_USERNAME": "ada",
    "POETRY_HTTP_BASIC_SHOP_PASSWORD": "s3cret",
    "FLIT_INDEX_URL": f"{url}/legacy/",
    "FLIT_USERNAME": "ada",
    "FLIT_PASSWORD": "s3cret",
    "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
}
PASSWORD = ["-u", "ada", "-p", "s3cret"]
COMMANDS = {
    "twine": ([1, 1, 0], ["venv/bin/twine", "upload", "--non-interactive", "--repository-url", f"{url}/legacy/", *PASSWORD, wheel]),
    "uv": ([2, 2, 0], ["venv/bin/uv", "publish", "--publish-url", f"{url}/legacy/", *PASSWORD, wheel]),
    "poetry": ([1, 1, 0], ["venv/bin/poetry", "publish", "-n", "-r", "shop"]),
    "flit": ([1, 0, 0], ["venv/bin/flit", "publish", "--format", "wheel"]),
    "hatch": ([1, 1, 0], ["venv/bin/hatch", "publish", "-n", "-r", f"{url}/legacy/", "-u", "ada", "-a", "s3cret", wheel]),
    "npm": ([1, 0, 0], ["npm", "publish"]),
    "pnpm": ([1, 0, 0], ["node_modules/.bin/pnpm", "publish", "--no-git-checks"]),
    "yarn 1": ([0, 0, 0], ["node_modules/.bin/yarn", "publish", "--non-interactive", "--new-version", "1.0.0"]),
}
as_expected = True
for name, (expected, (program, *rest)) in COMMANDS.items():
    command = [program if "/" not in program else str(home / program), *rest]
    seen = []
    for mode in ("401", "302", "200"):
        asked.clear()
        done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, env=environment, timeout=100)
        seen.append(done.returncode)
        if not any(line.startswith(("POST", "PUT")) for line in asked):
            sys.exit(f"{name} sent nothing: {asked} {done.stdout[-900:]}{done.stderr[-900:]}")
        if "-v" in sys.argv:
            print(mode, asked, (done.stdout + done.stderr)[-300:])
    as_expected &= seen == expected
    print(f"{name:8} ", *(f"{code:2}" for code in seen), flush=True)
sys.exit(not as_expected)
PYTHON

"$folder/venv/bin/python" publish.py "$@"
