#!/usr/bin/env bash
# niquests answers Digest for a query that it does not send: a space, a quote or a bracket in it, and the request fails.
#
# Versions:  niquests 3.21.2 (urllib3-future as pip chooses it), requests 2.34.2; express 5.1.0, passport 0.7.0, passport-http 0.3.0.
# Behaviour: requests writes a URL as it will be sent when it prepares the request. niquests leaves some characters of the
#            query to urllib3, below its auth: prepared.url still holds the space, the server gets %20. So whatever signs
#            prepared.url, HTTPDigestAuth included, signs another target than the one on the wire. A server that compares
#            the two answers 400, as RFC 7616 §3.4.6 asks (passport-http, Apache, lighttpd); one that hashes what it got
#            answers 401, which reads like a wrong password. Paths are not concerned, nor queries from params=.
# Seen (status):      requests  niquests
#            /?a=b        200       200
#            /?a=b c      200       400
#            /?a=[1]      200       400
#            /?a=%20ü     200       400
#            params=      200       200
# Exits with 1 if that changes.
set -euo pipefail

folder=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null; rm -rf "$folder"' EXIT

for library in requests==2.34.2 niquests==3.21.2; do
  python3 -m venv "$folder/${library%%=*}"
  "$folder/${library%%=*}/bin/python" -m pip install -qq --disable-pip-version-check "$library" 2>/dev/null
done
cd "$folder"
npm install --silent --no-fund --no-audit express@5.1.0 passport@0.7.0 passport-http@0.3.0 >/dev/null

cat > server.js <<'JS'
const express = require("express"), passport = require("passport");
const { DigestStrategy } = require("passport-http");
passport.use(new DigestStrategy({ qop: "auth" }, (user, done) => done(null, { user }, "s3cret"), (params, done) => done(null, true)));
const app = express();
app.use(passport.initialize());
app.use(passport.authenticate("digest", { session: false }));
app.use((request, response) => response.send(request.url));
const listening = app.listen(0, "127.0.0.1", () => console.log(listening.address().port));
JS
node server.js > port 2>/dev/null &
server=$!
for _ in $(seq 200); do [ -s port ] && break; sleep 0.05; done

cat > ask.py <<'PYTHON'
import importlib, sys

library, url = importlib.import_module(sys.argv[1]), f"http://127.0.0.1:{sys.argv[2]}/"
auth = library.auth.HTTPDigestAuth
cases = [("?a=b", {}), ("?a=b c", {}), ("?a=[1]", {}), ("?a=%20ü", {}), ("", {"params": {"a": "b c"}})]
for query, more in cases:
    with library.Session() as session:
        session.trust_env = False
        print(session.get(url + query, auth=auth("ada", "s3cret"), **more).status_code)
PYTHON
for library in requests niquests; do "$library/bin/python" ask.py "$library" "$(cat port)" > "$library.seen"; done
printf '%s\n' "/?a=b" "/?a=b c" "/?a=[1]" "/?a=%20ü" "params=" | paste - requests.seen niquests.seen | tee seen
[ "$(cut -f2,3 seen | tr '\t\n' '  ')" = "200 200 200 400 200 400 200 400 200 200 " ]
