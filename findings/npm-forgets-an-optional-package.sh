#!/usr/bin/env bash
# A registry refuses one optional package with 401: npm ends with 0 without it, and writes a lockfile that `npm ci` refuses from then on.
#
# Versions:  npm 11.19.1 (from the registry of packages), Node 20. Needs node and npm.
# Behaviour: packages with a part for each platform (esbuild, swc, sharp) name these parts as optional dependencies. One that
#            does not install is left out, which is meant for the wrong platform. npm does so for a 401 as well, without a word:
#            - `npm ci`, which installs "exactly what is in the lockfile", leaves the package out, and ends with 0.
#            - `npm install` without a lockfile leaves it out of the new lockfile too, and ends with 0. That lockfile is not
#              whole: `npm ci` refuses it, on each machine, with a living token. `npm install` mends it.
#            Where the package is required, npm ends with 1 and says "npm login".
# Seen (exit code, what is in node_modules, whether the lockfile has the package):
#            npm install, all allowed                    0  main native   yes
#            npm ci, its archive refused                 0  main          yes
#            npm install, its metadata refused           0  main          no
#            npm ci after that, all allowed              1  nothing       no
#            npm install after that, all allowed         0  main native   yes
#            npm ci, a required archive refused          1  nothing       yes
# Exits with 1 if that changes.
set -euo pipefail

for program in node npm; do command -v "$program" >/dev/null || { echo "this needs $program"; exit 2; }; done
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
mkdir tool home
echo '{}' > tool/package.json
npm install --silent --no-audit --no-fund --prefix tool npm@11.19.1 >/dev/null

cat > install.py <<'PYTHON'
import base64, hashlib, http.server, io, json, os, pathlib, shutil, subprocess, sys, tarfile, threading

refused = ""


def package(name, **members):
    """The metadata of a package, and its archive."""
    metadata = {"name": name, "version": "1.0.0", **members}
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as files:
        content = json.dumps(metadata).encode()
        entry = tarfile.TarInfo("package/package.json")
        entry.size = len(content)
        files.addfile(entry, io.BytesIO(content))
    return metadata, archive.getvalue()


class Registry(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        name, _, archive = self.path[1:].partition("/-/")
        if self.path == refused:
            self.answer(401, b'{"error": "token expired"}')
        elif name not in PACKAGES:
            self.answer(404, b"{}")
        elif archive:
            self.answer(200, PACKAGES[name][1])
        else:
            metadata, content = PACKAGES[name]
            digest = base64.b64encode(hashlib.sha512(content).digest()).decode()
            dist = {"tarball": f"{base}/{name}/-/{name}-1.0.0.tgz", "integrity": f"sha512-{digest}"}
            versions = {"1.0.0": {**metadata, "dist": dist}}
            self.answer(200, json.dumps({"name": name, "dist-tags": {"latest": "1.0.0"}, "versions": versions}).encode())

    def answer(self, status, content):
        self.send_response(status)
        if status == 401:
            self.send_header("WWW-Authenticate", 'Bearer realm="registry", error="invalid_token"')
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        pass


PACKAGES = {"main": package("main", optionalDependencies={"native": "1.0.0"}), "native": package("native")}
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Registry)
threading.Thread(target=server.serve_forever, daemon=True).start()
base = f"http://127.0.0.1:{server.server_port}"
npm = [str(pathlib.Path("tool/node_modules/.bin/npm").absolute()), "--registry", base, "--no-audit", "--no-fund"]
work = pathlib.Path("work")
lockfile = work / "package-lock.json"


def run(command, lock):
    shutil.rmtree(work, ignore_errors=True)
    shutil.rmtree("home/.npm", ignore_errors=True)
    work.mkdir()
    (work / "package.json").write_text('{"dependencies": {"main": "1.0.0"}}')
    if lock:
        lockfile.write_text(lock)
    environment = {**os.environ, "HOME": str(pathlib.Path("home").absolute()), "npm_config_update_notifier": "false"}
    done = subprocess.run([*npm, command], cwd=work, env=environment, capture_output=True, stdin=subprocess.DEVNULL)
    modules = work / "node_modules"
    found = sorted(path.name for path in modules.iterdir() if path.name[0] != ".") if modules.exists() else []
    locked = "yes" if "node_modules/native" in json.loads(lockfile.read_text())["packages"] else "no"
    return f"{done.returncode}  {' '.join(found) or 'nothing'}", locked


def show(what, expected, seen):
    global as_expected
    as_expected &= expected == seen
    print(f"{what:44}{seen[0]:16} {seen[1]}", flush=True)


as_expected = True
show("npm install, all allowed", ("0  main native", "yes"), run("install", None))
whole = lockfile.read_text()
refused = "/native/-/native-1.0.0.tgz"
show("npm ci, its archive refused", ("0  main", "yes"), run("ci", whole))
refused = "/native"
show("npm install, its metadata refused", ("0  main", "no"), run("install", None))
poor = lockfile.read_text()
refused = ""
show("npm ci after that, all allowed", ("1  nothing", "no"), run("ci", poor))
show("npm install after that, all allowed", ("0  main native", "yes"), run("install", poor))
refused = "/main/-/main-1.0.0.tgz"
show("npm ci, a required archive refused", ("1  nothing", "yes"), run("ci", whole))
sys.exit(not as_expected)
PYTHON

python3 install.py
