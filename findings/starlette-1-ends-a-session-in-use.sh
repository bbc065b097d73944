#!/usr/bin/env bash
# Starlette 1.0 writes a session only if a key of it was set: a session in use ends all the same, and `session["cart"].append(...)` is lost.
#
# Versions:  Starlette 0.52.1, 1.0.0 and 1.10.0 (PyPI, Python 3.11), its SessionMiddleware, which FastAPI has too.
# Behaviour: up to 0.52 each response had the session's cookie again, with a new time. So a session lived for max_age (14 days) after its last
#            use, and a change inside a value was kept. Since 1.0 only a change of the dict itself counts. A session that is used all the
#            time ends max_age after it was last written, in the middle of the work, and what is appended to a list in it, or set
#            in a dict in it, is gone at the next request. No error, no warning: `pip install -U fastapi` is enough.
# Seen:                              0.52.1  1.0.0  1.10.0
#            appended to a list      kept    lost   lost
#            set in a dict           kept    lost   lost
#            used every second,
#            max_age=3, after 6 s    alive   dead   dead
# Exits with 1 if that changes.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat > use.py <<'PYTHON'
import sys
import time
import warnings

import starlette
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.responses import JSONResponse
from starlette.routing import Route

warnings.simplefilter("ignore")
from starlette.testclient import TestClient


def login(request):
    request.session.update(user="ada", cart=["lamp"], settings={"theme": "light"})
    return JSONResponse(None)


def change(request):
    request.session["cart"].append("tea")
    request.session["settings"]["theme"] = "dark"
    return JSONResponse(None)


def show(request):
    return JSONResponse(dict(request.session))


app = Starlette(
    routes=[Route("/login", login), Route("/change", change), Route("/", show)],
    middleware=[Middleware(SessionMiddleware, secret_key="secret", max_age=3)],
)
client = TestClient(app)
client.get("/login")
client.get("/change")
session = client.get("/").json()
words = ["kept" if "tea" in session["cart"] else "lost", "kept" if session["settings"]["theme"] == "dark" else "lost"]
for _ in range(6):
    time.sleep(1)
    user = client.get("/").json().get("user")
words.append("alive" if user == "ada" else "dead")
print(starlette.__version__, *words, flush=True)
if words != sys.argv[1:]:
    sys.exit(1)
PYTHON
as_expected=0
while read -r version words; do
    python3 -m venv "$version"
    "$version/bin/python" -m pip install -qq --disable-pip-version-check "starlette==$version" itsdangerous==2.2.0 httpx==0.28.1 2>/dev/null
    # shellcheck disable=SC2086  # three words
    "$version/bin/python" use.py $words || as_expected=1
done <<'VERSIONS'
0.52.1 kept kept alive
1.0.0 lost lost dead
1.10.0 lost lost dead
VERSIONS
exit "$as_expected"
