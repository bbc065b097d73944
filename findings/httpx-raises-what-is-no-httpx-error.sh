#!/usr/bin/env bash
# A server wants a client certificate and gets none: "except httpx.HTTPError" catches that in threads and on trio, not on asyncio.
#
# Versions:  httpx 0.28.1 (httpcore 1.0.9), httpx2 2.16.2, anyio 4.16.0, trio 0.33.0, requests 2.34.2, aiohttp 3.14.5;
#            HAProxy 2.6.12, Apache 2.4.71, OpenSSL 3.0 (Debian 12). Needs the programs haproxy and apache2.
# Behaviour: in TLS 1.3 the client has finished its handshake when the server finds no certificate, so the alert comes
#            where the response should. httpx turns the exceptions of its backends into its own. On asyncio that is anyio,
#            which raises the ssl.SSLError of an alert as it is, and httpcore has no entry for it. So a program that
#            catches httpx.HTTPError, as the documentation says, survives an expired client certificate in a thread
#            and on trio, and ends on asyncio: its retries, its fallback and its error page never see the exception.
#            With TLS 1.2 the handshake fails, and all of them raise a ConnectError.
# Seen:                        haproxy                apache
#            requests          SSLError               SSLError
#            aiohttp           ClientOSError          ClientOSError
#            httpx sync        ReadError              ReadError
#            httpx trio        ReadError              ReadError
#            httpx asyncio     ssl.SSLError, missed   ssl.SSLError, missed
#            httpx2 sync       ReadError              ReadError
#            httpx2 trio       ReadError              ReadError
#            httpx2 asyncio    ssl.SSLError, missed   ssl.SSLError, missed
# Exits with 1 if that changes.
set -euo pipefail

for program in haproxy apache2 openssl; do
    command -v "$program" >/dev/null || { echo "this needs the program $program"; exit 2; }
done
folder=$(mktemp -d)
servers=()
trap '[ ${#servers[@]} -eq 0 ] || kill "${servers[@]}" 2>/dev/null || true; rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
python=$folder/venv/bin/python
"$python" -m pip install -qq --disable-pip-version-check httpx==0.28.1 httpcore==1.0.9 httpx2==2.16.2 anyio==4.16.0 \
    trio==0.33.0 requests==2.34.2 aiohttp==3.14.5 2>/dev/null
cd "$folder"
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost \
    -out server.pem -keyout server.key 2>/dev/null
cat server.pem server.key > both.pem
free() { "$python" -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
haproxy_port=$(free) apache_port=$(free)

cat > haproxy.cfg <<CONF
defaults
  mode http
  timeout connect 5s
  timeout client 5s
  timeout server 5s
frontend orders
  bind 127.0.0.1:$haproxy_port ssl crt $folder/both.pem ca-file $folder/server.pem verify required
  http-request return status 200
CONF
haproxy -db -f haproxy.cfg >/dev/null 2>&1 & servers+=($!)

cat > apache.conf <<CONF
LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so
LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
LoadModule ssl_module /usr/lib/apache2/modules/mod_ssl.so
Listen 127.0.0.1:$apache_port
ServerName localhost
PidFile $folder/apache.pid
ErrorLog $folder/apache.log
DocumentRoot $folder
SSLEngine on
SSLCertificateFile $folder/server.pem
SSLCertificateKeyFile $folder/server.key
SSLCACertificateFile $folder/server.pem
SSLVerifyClient require
CONF
apache2 -X -f "$folder/apache.conf" >/dev/null 2>&1 & servers+=($!)
for port in $haproxy_port $apache_port; do
    for _ in $(seq 200); do (: < "/dev/tcp/127.0.0.1/$port") 2>/dev/null && break; sleep 0.05; done
done

cat > ask.py <<'PYTHON'
import asyncio, ssl, sys

import aiohttp, httpx, httpx2, requests, trio

trusted = ssl.create_default_context(cafile="server.pem")
urls = [f"https://localhost:{port}/" for port in sys.argv[1:]]


def named(error, caught):
    name = type(error).__name__
    return name if isinstance(error, caught) else f"{type(error).__module__}.{name}, missed"


def with_requests(url):
    try:
        return str(requests.get(url, verify="server.pem").status_code)
    except Exception as error:
        return named(error, requests.RequestException)


def with_aiohttp(url):
    async def main():
        async with aiohttp.ClientSession() as session:
            try:
                async with session.get(url, ssl=trusted) as response:
                    return str(response.status)
            except Exception as error:
                return named(error, aiohttp.ClientError)

    return asyncio.run(main())


def in_thread(library):
    def get(url):
        try:
            with library.Client(verify=trusted) as client:
                return str(client.get(url).status_code)
        except Exception as error:
            return named(error, library.HTTPError)

    return get


def on_loop(library, run):
    async def get(url):
        try:
            async with library.AsyncClient(verify=trusted) as client:
                return str((await client.get(url)).status_code)
        except Exception as error:
            return named(error, library.HTTPError)

    return lambda url: run(get, url)


ways = {"requests": with_requests, "aiohttp": with_aiohttp}
for library in (httpx, httpx2):
    name = library.__name__
    ways[f"{name} sync"] = in_thread(library)
    ways[f"{name} trio"] = on_loop(library, trio.run)
    ways[f"{name} asyncio"] = on_loop(library, lambda get, url: asyncio.run(get(url)))

missed = "ssl.SSLError, missed"
wanted = {"requests": "SSLError", "aiohttp": "ClientOSError", "httpx asyncio": missed, "httpx2 asyncio": missed}
changed = False
for name, get in ways.items():
    seen = [get(url) for url in urls]
    print(f"{name:15} {seen[0]:22} {seen[1]}")
    changed |= seen != 2 * [wanted.get(name, "ReadError")]
sys.exit(changed)
PYTHON
"$python" ask.py "$haproxy_port" "$apache_port"
