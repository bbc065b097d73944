#!/usr/bin/env bash
# Seven clients made from one OpenAPI document, and a dead session: to two a 401 is no error, to four a login page is the list of orders.
#
# Versions:  openapi-python-client 0.29.1 and bravado 12.0.1 (PyPI, Python 3.11); openapi-fetch 0.17.0, @hey-api/openapi-ts 0.95.0,
#            openapi-typescript-codegen 0.31.0, swagger-typescript-api 13.13.0, openapi-client-axios 7.9.1
#            (npm, Node 20, run by tsx 4.23.15). Needs node and npm.
# Behaviour: the document describes GET /orders with a 200, a list, and, as most documents do, says nothing of a 401. After a 401
#            without content openapi-python-client returns None (raise_on_unexpected_status is off by default), and openapi-fetch neither
#            data nor an error, so that `if (error)` passes. Of a login page with 200 bravado, openapi-ts,
#            openapi-typescript-codegen and openapi-client-axios make the list of orders, a string; swagger-typescript-api makes null
#            of it. The rest raise an error.
# Seen:                                  401                   login page with 200
#            openapi-python-client       None                  JSONDecodeError
#            openapi-fetch               {}                    SyntaxError
#            bravado                     HTTPUnauthorized      the page
#            hey-api                     {"error":{}}          the page
#            openapi-typescript-codegen  ApiError              the page
#            openapi-client-axios        AxiosError            the page
#            swagger-typescript-api      error 401             null
# Exits with 1 if that changes.
set -euo pipefail

for program in node npm; do
    command -v "$program" >/dev/null || { echo "this needs the program $program"; exit 2; }
done
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -qq --disable-pip-version-check openapi-python-client==0.29.1 bravado==12.0.1 httpx==0.28.1
cd "$folder"
export HOME=$folder PATH=$folder/venv/bin:$folder/node_modules/.bin:$PATH
npm install --silent --no-audit --no-fund --prefix "$folder" openapi-fetch@0.17.0 @hey-api/openapi-ts@0.95.0 \
    openapi-typescript-codegen@0.31.0 swagger-typescript-api@13.13.0 openapi-client-axios@7.9.1 axios@1.21.1 tsx@4.23.15 typescript@6.0.3 >/dev/null

cat > orders.json <<'JSON'
{
  "openapi": "3.0.3",
  "info": {"title": "Shop", "version": "1"},
  "paths": {"/orders": {"get": {"operationId": "listOrders", "tags": ["shop"], "responses": {"200": {
    "description": "The orders",
    "content": {"application/json": {"schema": {"type": "array", "items": {"$ref": "#/components/schemas/Order"}}}}
  }}}}},
  "components": {"schemas": {"Order": {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}}}}
}
JSON
openapi-python-client generate --path orders.json --output-path shop --meta none >/dev/null 2>&1
openapi-ts -i orders.json -o hey -c @hey-api/client-fetch >/dev/null
openapi --input orders.json --output codegen >/dev/null
swagger-typescript-api generate -p orders.json -o typescript -n api.ts >/dev/null

cat > ask.py <<'PYTHON'
import sys

url = sys.argv[1]


def by_openapi_python_client():
    import shop
    from shop.api.shop import list_orders

    return list_orders.sync(client=shop.Client(base_url=url))


def by_bravado():
    from bravado.client import SwaggerClient

    operation = {"operationId": "listOrders", "tags": ["shop"], "responses": {"200": {"description": "The orders", "schema": {
        "type": "array", "items": {"type": "object", "properties": {"name": {"type": "string"}}}}}}}
    document = {"swagger": "2.0", "info": {"title": "Shop", "version": "1"}, "host": url.split("//")[1], "schemes": ["http"],
                "produces": ["application/json"], "paths": {"/orders": {"get": operation}}}
    return SwaggerClient.from_spec(document).shop.listOrders().response().result


for library, ask in {"bravado": by_bravado, "openapi-python-client": by_openapi_python_client}.items():
    try:
        told = ask()
    except Exception as error:
        told = type(error).__name__
    print(library, told, sep="\t")
PYTHON

cat > ask.ts <<'TYPESCRIPT'
import { readFileSync } from "node:fs";
import createClient from "openapi-fetch";
import OpenAPIClientAxios from "openapi-client-axios";
import { OpenAPI, ShopService } from "./codegen";
import { client } from "./hey/client.gen";
import { listOrders as byHeyApi } from "./hey/sdk.gen";
import { Api } from "./typescript/api";

const url = process.argv[2];
const ask: Record<string, () => Promise<unknown>> = {
  "openapi-fetch": async () => {
    const { data, error } = await createClient<any>({ baseUrl: url }).GET("/orders");
    return data ?? { error };
  },
  "hey-api": async () => {
    client.setConfig({ baseUrl: url });
    const { data, error } = await byHeyApi();
    return data ?? { error };
  },
  "openapi-typescript-codegen": () => {
    OpenAPI.BASE = url;
    return ShopService.listOrders();
  },
  "openapi-client-axios": async () => {
    const definition = JSON.parse(readFileSync("orders.json", "utf8"));
    const api: any = await new OpenAPIClientAxios({ definition, axiosConfigDefaults: { baseURL: url } }).init();
    return (await api.listOrders()).data;
  },
  "swagger-typescript-api": async () => (await new Api({ baseUrl: url }).orders.listOrders()).data,
};
for (const [library, call] of Object.entries(ask)) {
  call()
    .catch(error => (error instanceof Error ? error.name : `error ${error.status}`))
    .then(told => console.log(library + "\t" + (typeof told === "string" ? told : JSON.stringify(told))));
}
TYPESCRIPT

cat > try.py <<'PYTHON'
import http.server, subprocess, sys, threading

LOGIN = b"<!DOCTYPE html><title>Log in</title><form method=post action=/login><input name=user><input name=password></form>"
session = "alive"


class Shop(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if session == "401":
            self.answer(401, b"", "WWW-Authenticate", 'Bearer realm="shop", error="invalid_token"')
        elif session == "page":
            self.answer(200, LOGIN, "Content-Type", "text/html")
        else:
            self.answer(200, b'[{"name": "tea"}]', "Content-Type", "application/json")

    def answer(self, status, content, name, value):
        self.send_response(status)
        self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Shop)
threading.Thread(target=server.serve_forever, daemon=True).start()
url = f"http://127.0.0.1:{server.server_port}"
EXPECTED = {
    "openapi-python-client": ("None", "JSONDecodeError"),
    "openapi-fetch": ("{}", "SyntaxError"),
    "bravado": ("HTTPUnauthorized", "the page"),
    "hey-api": ('{"error":{}}', "the page"),
    "openapi-typescript-codegen": ("ApiError", "the page"),
    "openapi-client-axios": ("AxiosError", "the page"),
    "swagger-typescript-api": ("error 401", "null"),
}


def ask():
    """What each client tells, by its name."""
    told = {}
    for program in ([sys.executable, "ask.py"], ["tsx", "ask.ts"]):
        done = subprocess.run([*program, url], stdout=subprocess.PIPE, text=True, check=True, timeout=60)
        told |= dict(line.split("\t") for line in done.stdout.splitlines())
    return {library: "the page" if heard == LOGIN.decode() else heard for library, heard in told.items()}


as_expected = all("tea" in heard for heard in ask().values())
session = "401"
refused = ask()
session = "page"
shown = ask()
for library, expected in EXPECTED.items():
    as_expected &= (refused[library], shown[library]) == expected
    print(f"{library:27} {refused[library]:21} {shown[library]}")
sys.exit(not as_expected)
PYTHON

venv/bin/python try.py
