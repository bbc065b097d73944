#!/usr/bin/env bash
# A program that polls behind mod_auth_openidc with a dead session: seven redirects, and from then on 503 for five minutes.
#
# Versions:  libapache2-mod-auth-openidc 2.4.12.3 and Apache 2.4 (Debian 12). Needs both (they are installed, not run as a service).
# Behaviour: for each request without a session the module sets one more cookie, mod_auth_openidc_state_…, so that it knows the login
#            that it has begun. A client that keeps cookies and does not log in (a program, a monitor, a page that polls in the
#            background) sends them all back; beside the seventh the module begins no more logins, and answers 503: the server
#            seems to be down, and a client that waits for a redirect or a 401 sees neither. The cookies live for 300 seconds.
#            A request that says `X-Requested-With: XMLHttpRequest`, or accepts JSON only, gets a 401 each time, and no cookie.
# Seen (statuses of ten requests, and how many cookies the client has then):
#            as a program asks                     302 302 302 302 302 302 302 503 503 503   7
#            X-Requested-With: XMLHttpRequest      401 401 401 401 401 401 401 401 401 401   0
#            Accept: application/json              401 401 401 401 401 401 401 401 401 401   0
# Exits with 1 if that changes.
set -euo pipefail

modules=/usr/lib/apache2/modules
[ -e "$modules/mod_auth_openidc.so" ] || { echo "this needs Debian's libapache2-mod-auth-openidc"; exit 2; }
folder=$(mktemp -d)
server=
stop() { [ -z "$server" ] || { kill "$server"; wait "$server" || true; }; rm -rf "$folder"; }
trap stop EXIT
cd "$folder"
export HOME=$folder
python3 -m venv venv
venv/bin/python -m pip install -qq --disable-pip-version-check requests==2.34.2
port=$(python3 -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])')
mkdir -p content/orders
echo "tea, ink" > content/orders/index.html
cat > httpd.conf <<CONF
ServerName 127.0.0.1
Listen 127.0.0.1:$port
PidFile $folder/pid
ErrorLog $folder/errors
DefaultRuntimeDir $folder
DocumentRoot $folder/content
$(for name in mpm_event authn_core authz_core authz_user auth_openidc; do echo "LoadModule ${name}_module $modules/mod_$name.so"; done)
$([ "$(id -u)" != 0 ] || printf 'User www-data\nGroup www-data\n')
OIDCProviderIssuer https://login.example
OIDCProviderAuthorizationEndpoint https://login.example/authorize
OIDCProviderTokenEndpoint https://login.example/token
OIDCProviderJwksUri https://login.example/keys
OIDCClientID shop
OIDCClientSecret s3cret
OIDCRedirectURI http://127.0.0.1:$port/orders/callback
OIDCCryptoPassphrase 0123456789abcdef0123456789abcdef
<Location /orders>
    AuthType openid-connect
    Require valid-user
</Location>
CONF
chmod 755 "$folder"
apache2 -D FOREGROUND -d /etc/apache2 -f "$folder/httpd.conf" 2>/dev/null &
server=$!

cat > poll.py <<'PYTHON'
import sys, time

import requests

url = sys.argv[1]
for _ in range(100):
    try:
        print(requests.get(url, allow_redirects=False).headers["Server"])
        break
    except requests.ConnectionError:
        time.sleep(0.1)
CASES = {
    "as a program asks": ({}, [302] * 7 + [503] * 3, 7),
    "X-Requested-With: XMLHttpRequest": ({"X-Requested-With": "XMLHttpRequest"}, [401] * 10, 0),
    "Accept: application/json": ({"Accept": "application/json"}, [401] * 10, 0),
}
as_expected = True
for name, (fields, expected, cookies) in CASES.items():
    with requests.Session() as session:
        seen = [session.get(url, headers=fields, allow_redirects=False).status_code for _ in range(10)]
        as_expected &= seen == expected and len(session.cookies) == cookies
        print(f"{name:36}", *seen, f"{len(session.cookies):3}", flush=True)
sys.exit(not as_expected)
PYTHON

venv/bin/python poll.py "http://127.0.0.1:$port/orders/"
