#!/usr/bin/env bash
# Over HTTP/2 nginx ends a connection gracefully after 1,000 requests: httpx and httpx2 lose the last answer, and others under way.
#
# Versions:  httpx 0.28.1, httpx2 2.16.2, h2 4.4.1 (4.1.0 does the same); nginx 1.22.1 (Debian 12). To compare with:
#            niquests 3.21.2, curl 7.88.1. Needs nginx, openssl and curl.
# Behaviour: with its thousandth answer on a connection (keepalive_requests) nginx sends GOAWAY with NO_ERROR, which names the last
#            stream that it will still answer (RFC 9113 §6.8), and answers that one and all before it. h2, on which both
#            clients stand, takes a connection that has had a GOAWAY for closed and refuses the header that follows:
#            LocalProtocolError, as if the caller had done wrong (with proxy_pass, RemoteProtocolError). A client that sends
#            one request after the other loses each thousandth answer. With ten at once others fail too, with one of
#            these or with "Server disconnected". nginx' log has a 200 for what was lost, so a POST has been carried out.
#            Neither client tries again by itself (`retries=` is for connecting). curl and niquests read on, and lose none.
# Seen (1,200 requests: failures, and how many of them stand in the log with 200):
#            httpx      one after the other     1    1
#            httpx2     one after the other     1    1
#            httpx      ten tasks               6    1      (varies)
#            httpx2     ten tasks               3    1      (varies)
#            niquests   ten tasks               0    0
#            curl       one after the other     0    0
# Exits with 1 if that changes.
set -euo pipefail

nginx=$(command -v nginx || echo /usr/sbin/nginx)
for program in "$nginx" openssl curl; do
    command -v "$program" >/dev/null || { echo "this needs the program $program"; exit 2; }
done
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
chmod 755 "$folder"
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -qq --disable-pip-version-check \
    'httpx[http2]==0.28.1' 'httpx2[http2]==2.16.2' h2==4.4.1
python3 -m venv "$folder/other"  # niquests replaces urllib3
"$folder/other/bin/python" -m pip install -qq --disable-pip-version-check niquests==3.21.2
cd "$folder"
openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -days 2 -subj /CN=localhost \
    -addext subjectAltName=DNS:localhost 2>/dev/null

cat > ask.py <<'PYTHON'
"""ask.py LIBRARY TASKS URL: send 1,200 requests, and print how many failed."""
import asyncio, importlib, ssl, sys

library, tasks, url = sys.argv[1], int(sys.argv[2]), sys.argv[3]
module = importlib.import_module(library)


def client():
    if library == "niquests":
        session = module.AsyncSession(disable_http3=True)
        session.verify, session.trust_env = "cert.pem", False
        return session
    return module.AsyncClient(http2=True, verify=ssl.create_default_context(cafile="cert.pem"), trust_env=False)


async def main():
    failed, left = [], iter(range(1200))

    async def work(http):
        for _ in left:
            try:
                answer = await http.get(url)
                assert answer.status_code == 200 and str(answer.http_version) in ("HTTP/2", "20"), answer.http_version
            except AssertionError:
                raise
            except Exception as error:
                failed.append(type(error).__name__)

    async with client() as http:
        await asyncio.gather(*(work(http) for _ in range(tasks)))
    print(len(failed), ",".join(sorted(set(failed))))


asyncio.run(main())
PYTHON

cat > try.py <<'PYTHON'
import pathlib, socket, subprocess, sys, time

here, log = pathlib.Path.cwd(), pathlib.Path("access.log")
with socket.socket() as opened:
    opened.bind(("127.0.0.1", 0))
    port = opened.getsockname()[1]
folders = "".join(f"{kind}_temp_path {here}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
pathlib.Path("nginx.conf").write_text(f"""daemon off; pid {here}/nginx.pid; error_log {here}/nginx.log; events {{}}
http {{ access_log {here}/access.log; {folders} ssl_certificate {here}/cert.pem; ssl_certificate_key {here}/key.pem;
 server {{ listen 127.0.0.1:{port} ssl http2; location / {{ return 200 "hello"; }} }} }}
""")
nginx = subprocess.Popen([sys.argv[1], "-p", f"{here}/", "-c", f"{here}/nginx.conf"])
CASES = [
    ("venv", "httpx", 1, "one after the other"),
    ("venv", "httpx2", 1, "one after the other"),
    ("venv", "httpx", 10, "ten tasks"),
    ("venv", "httpx2", 10, "ten tasks"),
    ("other", "niquests", 10, "ten tasks"),
    ("", "curl", 1, "one after the other"),
]
as_expected = True
try:
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            break
        except OSError:
            time.sleep(0.1)
    for venv, library, tasks, name in CASES:
        before = len(log.read_text().splitlines())
        url = f"https://localhost:{port}/"
        command = [f"{venv}/bin/python", "ask.py", library, str(tasks), url]
        if library == "curl":
            command = ["curl", "-s", "--http2", "--cacert", "cert.pem", "-w", "%{http_version}-%{http_code}\n", f"{url}?[1-1200]"]
        told = subprocess.run(command, capture_output=True, text=True, check=True, timeout=100).stdout.split()
        if library == "curl":
            told = [str(1200 - sum(one.endswith("2-200") for one in told))]
        time.sleep(0.2)
        lines = log.read_text().splitlines()[before:]
        failed, lost = int(told[0]), sum(' 200 ' in line for line in lines) - (1200 - int(told[0]))
        if library in ("curl", "niquests"):
            as_expected &= (failed, lost) == (0, 0)
        elif tasks == 1:
            as_expected &= (failed, lost, told[1]) == (1, 1, "LocalProtocolError")
        else:
            as_expected &= failed >= 1 and lost >= 1
        print(f"{library:10} {name:21} {failed:4} {lost:4}  {' '.join(told[1:])}", flush=True)
finally:
    nginx.terminate()
    nginx.wait()
sys.exit(not as_expected)
PYTHON

"$folder/venv/bin/python" try.py "$nginx"
