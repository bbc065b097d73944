#!/usr/bin/env bash
# A token expires while ten tools are called: the MCP SDK for TypeScript fails nine calls, and deletes the new tokens of the tenth.
#
# Versions:  @modelcontextprotocol/sdk 1.32.2, @modelcontextprotocol/client 2.4.0 (npm, Node 20). Needs node and npm.
# Behaviour: the server answers 401 with error="invalid_token" and resource_metadata, as the specification of MCP wants it, and each
#            refresh token is valid once (RFC 9700, 4.14.2). One call alone gets its new token. Of ten at once, each sends the same
#            refresh token: the first gets new tokens, the others invalid_grant. The SDK then asks the program to delete its tokens,
#            which are the new ones, and sends the user to the login page, up to nine times. From then on nobody is logged in. Where a
#            refresh token may be used again, most of the ten calls fail with a 401 "after successful authentication".
# Seen:                                                 well  of ten  tokens kept  next call
#            sdk 1.32.2, refresh tokens serve once      1     failed  none         UnauthorizedError
#            sdk 1.32.2, they may be used again         3     failed  yes          well
#            client 2.4.0, refresh tokens serve once    1     failed  none         UnauthorizedError
#            client 2.4.0, they may be used again       2     failed  yes          well
#            The number of those that go well differs from run to run; one alone always does.
# Exits with 1 if that changes.
set -euo pipefail

for program in node npm; do
    command -v "$program" >/dev/null || { echo "this needs the program $program"; exit 2; }
done
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
export HOME=$folder
npm install --silent --no-audit --no-fund --prefix "$folder" @modelcontextprotocol/sdk@1.32.2 @modelcontextprotocol/client@2.4.0 >/dev/null

cat > ask.mjs <<'JAVASCRIPT'
const [library, url] = process.argv.slice(2);
const at = path => (library === "@modelcontextprotocol/sdk" ? `${library}/client/${path}` : library);
const { Client } = await import(at("index.js"));
const { StreamableHTTPClientTransport } = await import(at("streamableHttp.js"));

const issuer = `${url}/`;
let tokens = { access_token: "first", refresh_token: "first", token_type: "Bearer", issuer };
const provider = {
  redirectUrl: "http://127.0.0.1/callback",
  clientMetadata: { client_name: "program", redirect_uris: ["http://127.0.0.1/callback"] },
  clientInformation: () => ({ client_id: "program", issuer }),
  tokens: () => tokens,
  saveTokens: saved => { tokens = saved; },
  redirectToAuthorization: () => {},
  saveCodeVerifier: () => {},
  codeVerifier: () => "verifier",
  invalidateCredentials: which => { if (which === "tokens" || which === "all") tokens = undefined; },
};
console.warn = () => {};
const client = new Client({ name: "program", version: "1" });
await client.connect(new StreamableHTTPClientTransport(new URL(`${url}/mcp`), { authProvider: provider }));
const call = () => client.callTool({ name: "weather", arguments: {} }).then(() => "well", error => error.constructor.name);
const expire = () => fetch(`${url}/expire`, { method: "POST" });

await expire();
const alone = await call();
await expire();
const together = await Promise.all(Array.from({ length: 10 }, call));
console.log(JSON.stringify({ alone, well: together.filter(told => told === "well").length, kept: tokens !== undefined, next: await call() }));
process.exit(0);
JAVASCRIPT

cat > try.py <<'PYTHON'
import http.server, json, subprocess, sys, threading, urllib.parse

lock = threading.Lock()


class Server(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    once = True
    access = refresh = "first"
    issued = 0

    def do_GET(self):
        url = f"http://{self.headers['Host']}"
        if self.path.startswith("/.well-known/oauth-protected-resource"):
            self.answer(200, {"resource": f"{url}/mcp", "authorization_servers": [f"{url}/"]})
        elif self.path.startswith("/.well-known/"):
            self.answer(200, {
                "issuer": f"{url}/", "authorization_endpoint": f"{url}/authorize", "token_endpoint": f"{url}/token",
                "response_types_supported": ["code"], "code_challenge_methods_supported": ["S256"],
                "token_endpoint_auth_methods_supported": ["none"]})
        else:
            self.answer(405)

    def do_POST(self):
        content = self.rfile.read(int(self.headers["Content-Length"] or 0))
        if self.path == "/expire":
            Server.access = "none"
            self.answer(202)
        elif self.path == "/token":
            self.renew(dict(urllib.parse.parse_qsl(content.decode())))
        elif self.headers["Authorization"] != f"Bearer {Server.access}":
            metadata = f"http://{self.headers['Host']}/.well-known/oauth-protected-resource/mcp"
            self.answer(401, None, f'Bearer error="invalid_token", resource_metadata="{metadata}"')
        else:
            self.carry_out(json.loads(content))

    def renew(self, form):
        with lock:
            if form["refresh_token"] != Server.refresh:
                return self.answer(400, {"error": "invalid_grant"})
            Server.issued += 1
            Server.access = f"access-{Server.issued}"
            if Server.once:
                Server.refresh = f"refresh-{Server.issued}"
            tokens = {"access_token": Server.access, "token_type": "Bearer", "expires_in": 3600, "refresh_token": Server.refresh}
        self.answer(200, tokens)

    def carry_out(self, asked):
        if "id" not in asked:
            return self.answer(202)
        results = {
            "initialize": {"protocolVersion": "2025-06-18", "capabilities": {"tools": {}}, "serverInfo": {"name": "server", "version": "1"}},
            "tools/list": {"tools": [{"name": "weather", "inputSchema": {"type": "object"}}]},
            "tools/call": {"content": [{"type": "text", "text": "fair"}]},
        }
        self.answer(200, {"jsonrpc": "2.0", "id": asked["id"], "result": results.get(asked["method"], {})})

    def answer(self, status, document=None, challenge=None):
        content = b"" if document is None else json.dumps(document).encode()
        self.send_response(status)
        if challenge:
            self.send_header("WWW-Authenticate", challenge)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
url = f"http://127.0.0.1:{server.server_port}"
changed = False
for library in ("@modelcontextprotocol/sdk", "@modelcontextprotocol/client"):
    for Server.once in (True, False):
        Server.access = Server.refresh = "first"
        program = subprocess.run(["node", "ask.mjs", library, url], stdout=subprocess.PIPE, text=True, timeout=60, check=True)
        told = json.loads(program.stdout)
        print(library, "refresh tokens serve once:", Server.once, told)
        kept, following = (False, "UnauthorizedError") if Server.once else (True, "well")
        changed |= (told["alone"], told["kept"], told["next"]) != ("well", kept, following) or told["well"] > 5
sys.exit(changed)
PYTHON
python3 try.py
