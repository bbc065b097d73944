#!/usr/bin/env bash
# A session dies under twenty callers of one SDK object: what five SDKs that log in again make of it.
#
# Versions:  keystoneauth1 5.18.1, python-arango 8.3.7, dnacentersdk 2.11.0, jira 3.10.5, aiounifi 74.
# Behaviour: all five promise to log in again after a 401, and do it for one caller. With twenty at once,
#            - python-arango and dnacentersdk log in once for each caller;
#            - keystoneauth takes the token away from its object: who finds none there takes it that nothing can be done,
#              and raises Unauthorized;
#            - jira counts its retries on the object that all callers share: who comes second gets the 401;
#            - aiounifi notes on that object that a login is under way: who comes second gets LoginRequired.
# Seen (all twenty are refused before the first of them logs in; jira varies from run to run):
#            python-arango  20 logins  20 answers
#            dnacentersdk   20 logins  20 answers
#            keystoneauth1   1 login    1 answer
#            jira           11 logins  11 answers
#            aiounifi        1 login    1 answer
# Exits with 1 if that changes.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -qq --disable-pip-version-check \
    keystoneauth1==5.18.1 python-arango==8.3.7 dnacentersdk==2.11.0 jira==3.10.5 aiounifi==74 2>/dev/null
cd "$folder"

cat > herd.py <<'PYTHON'
import asyncio, base64, collections, datetime, http.server, json, logging, sys, threading, time

logging.disable(logging.CRITICAL)

CALLERS = 20
living, logins, lock = set(), [], threading.Lock()
everybody_refused = threading.Barrier(CALLERS)  # so that no caller logs in before the last one was refused
herd = False


def new_token():
    with lock:
        logins.append(time.time())
        parts = {"alg": "HS256"}, {"exp": int(time.time()) + 3600, "iat": int(time.time()), "jti": len(logins)}
        token = ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts)
        living.add(f"{token}.c2ln")
        return f"{token}.c2ln"


class Server(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def answer(self, status, document, **headers):
        content = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_in(self):
        token = new_token()
        if self.path.startswith("/v3"):
            ends = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=1)
            document = {"token": {"methods": ["password"], "expires_at": ends.isoformat(), "catalog": []}}
            return self.answer(201, document, X_Subject_Token=token)
        if self.path.startswith("/rest/auth"):
            return self.answer(200, {"self": base, "name": "ada"}, Set_Cookie=f"JSESSIONID={token}; Path=/")
        if self.path == "/api/login":
            return self.answer(200, {"meta": {"rc": "ok"}, "data": []}, Set_Cookie=f"unifises={token}; Path=/")
        return self.answer(200, {"jwt": token, "Token": token})

    def token(self):
        if cookie := self.headers.get("Cookie"):
            return cookie.partition("=")[2]
        return self.headers.get("X-Auth-Token") or (self.headers.get("Authorization") or "").partition(" ")[2]

    def do_GET(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.command == "POST":
            return self.log_in()
        if self.path == "/":  # aiounifi asks what the server is
            return self.answer(302, {}, Location="/manage")
        if self.path.startswith("/v3"):
            links = [{"rel": "self", "href": f"{base}/v3"}]
            return self.answer(200, {"version": {"id": "v3.14", "status": "stable", "links": links}})
        if self.token() in living:
            return self.answer(200, {"self": base, "meta": {"rc": "ok"}, "data": [], "response": [], "version": "1"})
        if herd:
            everybody_refused.wait(20)
        self.answer(401, {"error": True, "code": 401, "errorNum": 11, "errorMessage": "token expired"})

    do_POST = do_GET


class Listening(http.server.ThreadingHTTPServer):
    request_queue_size = 2 * CALLERS

    def handle_error(self, *args):  # a caller that gives up is no news
        pass


server = Listening(("127.0.0.1", 0), Server)
base = f"http://127.0.0.1:{server.server_port}"
threading.Thread(target=server.serve_forever, daemon=True).start()


def die():
    global herd
    living.clear()
    logins.clear()
    herd = True


def in_threads(call):
    def caller():
        try:
            call()
            answers.append(True)
        except Exception:
            pass

    global herd
    call()
    die()
    answers = []
    threads = [threading.Thread(target=caller) for _ in range(CALLERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    herd = False
    return len(logins), len(answers)


def keystoneauth1():
    from keystoneauth1 import session
    from keystoneauth1.identity import v3

    cloud = session.Session(auth=v3.Password(
        auth_url=f"{base}/v3", username="ada", password="lovelace", user_domain_id="default", project_name="p",
        project_domain_id="default",
    ))
    return in_threads(lambda: cloud.get(f"{base}/servers"))


def python_arango():
    from arango import ArangoClient

    database = ArangoClient(hosts=base).db("_system", username="ada", password="lovelace", auth_method="jwt")
    return in_threads(database.version)


def dnacentersdk():
    from dnacentersdk import DNACenterAPI

    center = DNACenterAPI(username="ada", password="lovelace", base_url=base, version="2.3.7.6", verify=False)
    return in_threads(lambda: center._session.get("/dna/intent/api/v1/site"))


def jira():
    from jira import JIRA

    tracker = JIRA(base, auth=("ada", "lovelace"), max_retries=0, get_server_info=False)
    return in_threads(tracker.myself)


def aiounifi():
    import aiohttp
    from aiounifi.controller import Controller
    from aiounifi.models.api import ApiRequest
    from aiounifi.models.configuration import Configuration

    class Plain(Configuration):  # it speaks https only
        url = property(lambda self: base)

    async def main():
        global herd
        async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as client:
            words = {"username": "ada", "password": "lovelace", "port": server.server_port, "ssl_context": False}
            controller = Controller(Plain(client, host="127.0.0.1", **words))
            await controller.login()
            request = ApiRequest("get", "/stat/device")
            await controller.request(request)
            die()
            answers = await asyncio.gather(*(controller.request(request) for _ in range(CALLERS)), return_exceptions=True)
            herd = False
            return len(logins), sum(not isinstance(answer, Exception) for answer in answers)

    return asyncio.run(main())


expected = {
    python_arango: lambda logins, answers: (logins, answers) == (20, 20),
    dnacentersdk: lambda logins, answers: (logins, answers) == (20, 20),
    keystoneauth1: lambda logins, answers: answers < 20,
    jira: lambda logins, answers: logins > 1 and answers < 20,
    aiounifi: lambda logins, answers: (logins, answers) == (1, 1),
}
changed = False
for sdk, as_seen in expected.items():
    counted = sdk()
    changed |= not as_seen(*counted)
    print("{:14} {:2} logins  {:2} answers".format(sdk.__name__.replace("_", "-"), *counted))
sys.exit(changed)
PYTHON

venv/bin/python -W ignore herd.py
