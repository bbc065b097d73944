#!/usr/bin/env bash
# Five npm packages read ten well-formed WWW-Authenticate fields: only one reads all ten.
#
# Versions:  oauth4webapi 3.8.8, auth-header 1.0.0, http-auth-utils 6.0.1, www-authenticate 0.6.3,
#            @modelcontextprotocol/sdk 1.32.2.
# Behaviour: RFC 9110 §11.6.1 lets a field hold several challenges, white space around "=", empty list elements, escaped
#            quotes, a scheme alone, and names in any case. A reader is right here if the first challenge comes out as it
#            stands in the field. Only oauth4webapi knows all of that. The MCP SDK looks for three names anywhere: it takes
#            `error` from another scheme's challenge, and `scope` from inside an error_description, backslashes and all.
# Seen (right of ten; + right, - wrong, ! an exception or the package's own error):
#            oauth4webapi      10  ++++++++++
#            auth-header        4  +-+!!+-!-+
#            http-auth-utils    1  +!-!!!-!!-
#            www-authenticate   2  +-!-!+!!-!
#            mcp                8  ++++++++--
# Exits with 1 if that changes. Needs Node 20 with npm.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

npm install --silent --no-audit --no-fund \
    oauth4webapi@3.8.8 auth-header@1.0.0 http-auth-utils@6.0.1 www-authenticate@0.6.3 @modelcontextprotocol/sdk@1.32.2

cat > read.mjs <<'JAVASCRIPT'
import { createRequire } from "node:module";

import { extractWWWAuthenticateParams } from "@modelcontextprotocol/sdk/client/auth.js";
import * as authHeader from "auth-header";
import * as oauth from "oauth4webapi";

const require = createRequire(import.meta.url);
const httpAuthUtils = require("http-auth-utils");
const wwwAuthenticate = require("www-authenticate");

// field, scheme and parameters of its first challenge
const fields = [
  ['Bearer realm="orders", error="invalid_token"', "bearer", { realm: "orders", error: "invalid_token" }],
  ['Basic realm="a", Bearer realm="b", error="invalid_token"', "basic", { realm: "a" }],
  ['Bearer error_description="say \\"hi\\""', "bearer", { error_description: 'say "hi"' }],
  ['Negotiate, Basic realm="x"', "negotiate", {}],
  ["Bearer", "bearer", {}],
  ['bearer REALM="x"', "bearer", { realm: "x" }],
  ['Bearer realm = "x", scope="a b"', "bearer", { realm: "x", scope: "a b" }],
  [', Bearer realm="x",, error="invalid_token",', "bearer", { realm: "x", error: "invalid_token" }],
  ['Bearer scope="read", DPoP algs="ES256", error="use_dpop_nonce"', "bearer", { scope: "read" }],
  ['Bearer error_description="scope=\\"admin\\" is missing"', "bearer", { error_description: 'scope="admin" is missing' }],
];

const refusal = (field) => new Response("", { status: 401, headers: { "www-authenticate": field } });

const readers = {
  async oauth4webapi(field) {
    const options = { [oauth.customFetch]: async () => refusal(field) };
    try {
      await oauth.protectedResourceRequest("token", "GET", new URL("https://api.example/"), undefined, undefined, options);
    } catch (error) {
      return [error.cause[0].scheme, error.cause[0].parameters];
    }
  },
  "auth-header"(field) {
    const challenge = authHeader.parse(field);
    if (challenge.token !== null) return ["", {}];
    return [challenge.scheme, challenge.params];
  },
  "http-auth-utils"(field) {
    const challenge = httpAuthUtils.parseWWWAuthenticateHeader(field);
    return [challenge.type, challenge.data];
  },
  "www-authenticate"(field) {
    const challenge = new wwwAuthenticate.parsers.WWW_Authenticate(field);
    if (challenge.err) throw challenge.err;
    return [challenge.scheme, challenge.parms];
  },
  mcp(field, scheme, params) {
    const read = extractWWWAuthenticateParams(refusal(field));
    const right = ["error", "scope"].every((name) => read[name] === undefined || read[name] === params[name]);
    return right ? [scheme, params] : ["", {}];
  },
};

const expected = {
  oauth4webapi: "++++++++++",
  "auth-header": "+-+!!+-!-+",
  "http-auth-utils": "+!-!!!-!!-",
  "www-authenticate": "+-!-!+!!-!",
  mcp: "++++++++--",
};

const sorted = (params) => JSON.stringify(Object.entries(params).map(([name, text]) => [name.toLowerCase(), text]).sort());
let changed = false;
for (const [name, read] of Object.entries(readers)) {
  let marks = "";
  for (const [field, scheme, params] of fields) {
    try {
      const [itsScheme, itsParams] = await read(field, scheme, params);
      marks += itsScheme.toLowerCase() === scheme && sorted(itsParams) === sorted(params) ? "+" : "-";
    } catch {
      marks += "!";
    }
  }
  changed ||= marks !== expected[name];
  console.log(name.padEnd(17), String(marks.split("+").length - 1).padStart(2), "", marks);
}
process.exit(changed ? 1 : 0);
JAVASCRIPT

node read.mjs
