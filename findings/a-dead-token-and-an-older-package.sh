#!/usr/bin/env bash
# The token for your own package index is dead, and pip and Poetry install the older version from the public one, with exit code 0.
#
# Versions:  pip 26.3, uv 0.13.9, poetry 2.5.1 (PyPI, Python 3.11).
# Behaviour: shop 2.0 is on a private index, shop 1.0 on a public one. The project names both, the private one first. Then the token
#            for the private one expires: it answers 401, 403, or a login page with 200. pip and Poetry treat an index that refuses
#            as one that does not have the package, and go on to the next: a build gets the older version and ends with 0. At most
#            a line in the log says so, and after a 403 pip, after a login page both, say nothing. uv stops at the first index that
#            refuses, but not with unsafe-best-match, the strategy closest to that of pip.
# Seen (exit code and installed version; "!" if the output says why):
#                                   alive     401       403       login page
#            pip                    0 2.0     0 1.0 !   0 1.0     0 1.0
#            uv                     0 2.0     1 - !     1 - !     1 -
#            uv, unsafe-best-match  0 2.0     0 1.0     0 1.0     0 1.0
#            poetry                 0 2.0     0 1.0 !   0 1.0 !   0 1.0
# Exits with 1 if that changes.
set -euo pipefail

script=$(realpath "$0")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
for tool in pip==26.3 uv==0.13.9 poetry==2.5.1; do
    python3 -m venv "${tool%%==*}"
    "${tool%%==*}/bin/python" -m pip install -qq --disable-pip-version-check "$tool"
done

cat > try.py <<'PYTHON'
import hashlib, http.server, io, os, pathlib, shutil, subprocess, sys, threading, zipfile

LOGIN = b"<!DOCTYPE html><title>Log in</title><form method=post action=/login><input name=user><input name=password></form>"
PROJECT = '[project]\nname = "till"\nversion = "1"\nrequires-python = ">=3.11"\ndependencies = ["shop"]\n'
home = pathlib.Path.cwd()
work = home / "work"


def wheel(version):
    """A wheel of shop."""
    info, content = f"shop-{version}.dist-info", io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("shop.py", f"version = '{version}'\n")
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: shop\nVersion: {version}\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", f"shop.py,,\n{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n")
    return content.getvalue()


def index(version):
    """A package index that has one version of shop, and its address."""
    content = wheel(version)
    name, digest = f"shop-{version}-py3-none-any.whl", hashlib.sha256(content).hexdigest()
    page = f'<!DOCTYPE html><title>shop</title><a href="/files/{name}#sha256={digest}">{name}</a>'.encode()

    class Index(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        state = "alive"

        def do_GET(self):
            if self.state == "401":
                self.answer(401, b"", "WWW-Authenticate", 'Basic realm="packages"')
            elif self.state == "403":
                self.answer(403, b"", "Content-Type", "text/html")
            elif self.state == "page":
                self.answer(200, LOGIN, "Content-Type", "text/html")
            elif self.path.endswith(".whl"):
                self.answer(200, content, "Content-Type", "application/octet-stream")
            elif "/shop" in self.path:
                self.answer(200, page, "Content-Type", "text/html")
            else:
                self.answer(404, b"", "Content-Type", "text/html")

        def answer(self, status, content, name, value):
            self.send_response(status)
            self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

        do_HEAD = do_GET

        def log_message(self, *_):
            pass

    class Server(http.server.ThreadingHTTPServer):
        def handle_error(self, *_):
            """uv closes connections in the middle of a wheel."""

    server = Server(("127.0.0.1", 0), Index)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return Index, f"127.0.0.1:{server.server_port}"


ours, private_address = index("2.0")
public = f"http://{index('1.0')[1]}/simple/"
bare, private = f"http://{private_address}/simple/", f"http://ada:s3cret@{private_address}/simple/"


def run(tool, *arguments, **variables):
    environment = os.environ | {"HOME": str(work), "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring"} | variables
    command = [str(home / tool / "bin" / tool), *arguments]
    return subprocess.run(command, cwd=work, env=environment, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=110)


def pip():
    return run("pip", "install", "--no-cache-dir", "--no-input", "--target=site", f"--index-url={private}", f"--extra-index-url={public}", "shop")


def uv(*strategy):
    return run("uv", "pip", "install", "--no-cache", "--target=site", f"--index={private}", f"--default-index={public}", *strategy, "shop")


def poetry():
    sources = f'[[tool.poetry.source]]\nname = "ours"\nurl = "{bare}"\n[[tool.poetry.source]]\nname = "public"\nurl = "{public}"\n'
    (work / "pyproject.toml").write_text(PROJECT + "[tool.poetry]\npackage-mode = false\n" + sources)
    password = {"POETRY_HTTP_BASIC_OURS_USERNAME": "ada", "POETRY_HTTP_BASIC_OURS_PASSWORD": "s3cret"}
    return run("poetry", "install", "-n", "--no-cache", POETRY_VIRTUALENVS_IN_PROJECT="true", **password)


TOOLS = {
    "pip": pip,
    "uv": uv,
    "uv, unsafe-best-match": lambda: uv("--index-strategy=unsafe-best-match"),
    "poetry": poetry,
}
EXPECTED = {}
for line in pathlib.Path(sys.argv[1]).read_text().splitlines():
    name, *seen = line.removeprefix("#").strip().split("  ") if line.startswith("#   ") else [""]
    if name in TOOLS:
        EXPECTED[name] = [part.strip() for part in seen if part.strip()]
as_expected = EXPECTED.keys() == TOOLS.keys()
print(f"{'':23}{'alive':10}{'401':10}{'403':10}login page")
for name, tool in TOOLS.items():
    seen = []
    for ours.state in ("alive", "401", "403", "page"):
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir()
        done = tool()
        output = done.stdout + done.stderr
        if "-v" in sys.argv:
            print(ours.state, output[-900:])
        found = sorted(path.name.split("-")[1].removesuffix(".dist") for path in work.rglob("shop-*.dist-info"))
        told = " !" if any(word in output for word in ("401", "403", "Authorization error")) else ""
        seen.append(f"{done.returncode} {' '.join(found) or '-'}{told}")
    as_expected &= seen == EXPECTED.get(name)
    print(f"{name:23}" + "".join(f"{part:10}" for part in seen).rstrip(), flush=True)
sys.exit(not as_expected)
PYTHON

pip/bin/python try.py "$script" "$@"
