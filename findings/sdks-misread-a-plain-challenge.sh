#!/usr/bin/env bash
# Four Python SDKs and eight well-formed challenges that each of them could meet: none of the eight comes out as it stands.
#
# Versions:  prawcore 4.0.0 (the OAuth part of PRAW), azure-keyvault-secrets 4.12.0, oras 0.2.43, www-authenticate 0.9.2 (what
#            python-dxf reads with).
# Behaviour: prawcore takes what follows the last "=" for the error code, whatever its name, and raises KeyError for it.
#            azure-keyvault-secrets splits at each "," and each "=": a URL with a query is dropped, a scope with a comma cut.
#            oras sees no value without quotes, and goes on to the next pair of quotes where one is empty.
#            www-authenticate keeps one challenge of a scheme, and loses its way after the padding of a token68.
# Seen:
#            prawcore  Bearer realm="reddit"                              KeyError('reddit')
#            prawcore  Bearer error="invalid_token", realm="reddit"       KeyError('reddit')
#            azure     Bearer authorization="https://id.example/t?p=1"    ValueError('Invalid challenge parameters')
#            azure     Bearer authorization="https://id.example/t", scope="a,b"    scope: a
#            oras      Bearer realm="https://id.example/t", service=registry       service: None
#            oras      Bearer service="", realm="https://id.example/t"    service: ", realm=
#            dxf       Bearer realm="a", Bearer realm="b"                 bearer: {'realm': 'b'}
#            dxf       Negotiate YWJjZGU=, Bearer realm="x"               bearer: None
# Exits with 1 if that changes.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -qq --disable-pip-version-check \
    prawcore==4.0.0 azure-keyvault-secrets==4.12.0 oras==0.2.43 www-authenticate==0.9.2 2>/dev/null
cd "$folder"

cat > read.py <<'PYTHON'
import sys
from types import SimpleNamespace

import www_authenticate
from azure.keyvault.secrets._shared.http_challenge import HttpChallenge
from oras.auth.utils import parse_auth_header
from prawcore.util import authorization_error_class


def prawcore(field):
    response = SimpleNamespace(headers={"www-authenticate": field}, status_code=401)
    return type(authorization_error_class(response)).__name__


def azure(field):
    return f"scope: {HttpChallenge('https://vault.example/secret', field).get_scope()}"


def oras(field):
    return f"service: {parse_auth_header(field).service}"


def dxf(field):
    return f"bearer: {www_authenticate.parse(field).get('bearer')}"


expected = [
    (prawcore, 'Bearer realm="reddit"', "KeyError('reddit')"),
    (prawcore, 'Bearer error="invalid_token", realm="reddit"', "KeyError('reddit')"),
    (azure, 'Bearer authorization="https://id.example/t?p=1"', "ValueError('Invalid challenge parameters')"),
    (azure, 'Bearer authorization="https://id.example/t", scope="a,b"', "scope: a"),
    (oras, 'Bearer realm="https://id.example/t", service=registry', "service: None"),
    (oras, 'Bearer service="", realm="https://id.example/t"', 'service: ", realm='),
    (dxf, 'Bearer realm="a", Bearer realm="b"', "bearer: {'realm': 'b'}"),
    (dxf, 'Negotiate YWJjZGU=, Bearer realm="x"', "bearer: None"),
]
changed = False
for sdk, field, as_seen in expected:
    try:
        seen = sdk(field)
    except Exception as error:
        seen = repr(error)
    changed |= seen != as_seen
    print(f"{sdk.__name__:8}  {field:55}  {seen}")
sys.exit(changed)
PYTHON

venv/bin/python -W ignore read.py
