#!/usr/bin/env bash
# A form of more than 8 KB is posted with a dead session, and Apache's mod_auth_form answers 413: no login page, no 401.
#
# Versions:  Apache 2.4.71 (Debian 12) with mod_auth_form, mod_session and mod_session_cookie. Needs apache2 and htpasswd.
# Behaviour: without a session the module looks for a user name and a password in each form that comes in, whatever it is for. It
#            reads as much as AuthFormSize allows (8192 octets by default), and refuses a longer one with 413. The same form
#            goes through with a living session, and a JSON body or an upload of any length gets the 401 (without a challenge, as this
#            module never sends one). So a client sees "too large" for what was not too large an hour ago, and logs in nowhere.
# Seen (status with a dead session, then with a living one):
#            form, 100 octets         401  200
#            form, 9,000 octets       413  200
#            JSON, 9,000 octets       401  200
#            form, AuthFormSize 1 MB  401  200
# Exits with 1 if that changes.
set -euo pipefail

modules=/usr/lib/apache2/modules
for program in apache2 htpasswd; do command -v "$program" >/dev/null || { echo "this needs the program $program"; exit 2; }; done
folder=$(mktemp -d)
server=
stop() { [ -z "$server" ] || { kill "$server"; wait "$server" || true; }; rm -rf "$folder"; }
trap stop EXIT
cd "$folder"
export HOME=$folder
python3 -m venv venv
venv/bin/python -m pip install -qq --disable-pip-version-check requests==2.34.2
port=$(python3 -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])')
mkdir -p content
for name in orders large; do printf '#!/bin/sh\ncat >/dev/null\nprintf "Content-Type: text/plain\\n\\nstored"\n' > content/$name; chmod 755 content/$name; done
htpasswd -Bbc passwords ada s3cret 2>/dev/null
form="AuthType form
    AuthName shop
    AuthFormProvider file
    AuthUserFile $folder/passwords
    Session On
    SessionCookieName session path=/"
cat > httpd.conf <<CONF
ServerName 127.0.0.1
Listen 127.0.0.1:$port
PidFile $folder/pid
ErrorLog $folder/errors
DefaultRuntimeDir $folder
DocumentRoot $folder/content
ScriptSock $folder/socket
$(for name in mpm_event authn_core authn_file authz_core authz_user request session session_cookie auth_form cgid; do echo "LoadModule ${name}_module $modules/mod_$name.so"; done)
$([ "$(id -u)" != 0 ] || printf 'User www-data\nGroup www-data\n')
<Directory $folder/content>
    Options ExecCGI
    SetHandler cgi-script
</Directory>
<Location />
    $form
    Require valid-user
</Location>
<Location /large>
    AuthFormSize 1048576
</Location>
<Location /login>
    SetHandler form-login-handler
</Location>
CONF
chmod 755 "$folder"
apache2 -D FOREGROUND -d /etc/apache2 -f "$folder/httpd.conf" 2>/dev/null &
server=$!

cat > post.py <<'PYTHON'
import sys, time

import requests

url = sys.argv[1]
for _ in range(100):
    try:
        print(requests.get(url).headers["Server"])
        break
    except requests.ConnectionError:
        time.sleep(0.1)
living = requests.Session()
living.post(f"{url}/login", data={"httpd_username": "ada", "httpd_password": "s3cret"})
CASES = {
    "form, 100 octets": ("/orders", "application/x-www-form-urlencoded", 100, (401, 200)),
    "form, 9,000 octets": ("/orders", "application/x-www-form-urlencoded", 9_000, (413, 200)),
    "JSON, 9,000 octets": ("/orders", "application/json", 9_000, (401, 200)),
    "form, AuthFormSize 1 MB": ("/large", "application/x-www-form-urlencoded", 9_000, (401, 200)),
}
as_expected = True
for name, (path, media, size, expected) in CASES.items():
    body, fields = b"note=" + b"x" * (size - 5), {"Content-Type": media}
    refused = requests.post(url + path, data=body, headers=fields)
    taken = living.post(url + path, data=body, headers=fields)
    as_expected &= (refused.status_code, taken.status_code) == expected and "WWW-Authenticate" not in refused.headers
    as_expected &= taken.text == "stored"
    print(f"{name:24} {refused.status_code}  {taken.status_code}", flush=True)
sys.exit(not as_expected)
PYTHON

venv/bin/python post.py "http://127.0.0.1:$port"
