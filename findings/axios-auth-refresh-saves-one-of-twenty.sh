#!/usr/bin/env bash
# A token expires while twenty requests are under way: axios-auth-refresh 5, as it is, renews it and fails nineteen of them.
#
# Versions:  axios-auth-refresh 5.0.2 and 3.3.6 with axios 1.21.1; @urql/exchange-auth 3.0.0, refresh-fetch 0.9.0 (npm), on Node 20.
#            Needs node and npm.
# Behaviour: from version 5 on deduplicateRefresh is true without being asked: "only one refresh call runs at a time", new
#            requests wait. But those that are under way already, and get their 401 while it runs, are passed over as the
#            refresh's own would be: their callers get the 401. With the option off, as in version 3, they join the refresh.
#            None of the five remembers with which token a request went out: a 401 that comes after the refresh, to a request
#            sent before it, costs another one.
# Seen (twenty requests with a dead token: how many succeed, and how many refreshes that costs):
#                                           401s at once     401s over 0.3 s
#            axios-auth-refresh 3.3.6          20   1           20   7      (the last column varies)
#            axios-auth-refresh 5.0.2           1   1            3   3
#            the same, option off              20   1           20   5
#            urql                              20   1           20   5
#            refresh-fetch                     20   1           20   8
# Exits with 1 if that changes.
set -euo pipefail

for program in node npm; do
    command -v "$program" >/dev/null || { echo "this needs the program $program"; exit 2; }
done
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
export HOME=$folder
npm install --silent --no-audit --no-fund --legacy-peer-deps --prefix "$folder" axios@1.21.1 axios-auth-refresh@5.0.2 \
    three@npm:axios-auth-refresh@3.3.6 @urql/core@6.0.3 @urql/exchange-auth@3.0.0 graphql@16.15.0 refresh-fetch@0.9.0 >/dev/null

cat > try.mjs <<'JAVASCRIPT'
import http from "http";
import axios from "axios";
import { createAuthRefresh } from "axios-auth-refresh";
import three from "three";
import { Client, fetchExchange } from "@urql/core";
import { authExchange } from "@urql/exchange-auth";
import refreshFetch from "refresh-fetch";

const wait = milliseconds => new Promise(done => setTimeout(done, milliseconds));

// Each maker gets the server's URL and what fetches a new token, and returns what sends request number n. Token 1 is dead.
const byAxios = (install, options) => (url, refresh) => {
  let token = 1;
  const instance = axios.create({ baseURL: url });
  instance.interceptors.request.use(request => {
    request.headers.Authorization = `Bearer ${token}`;
    return request;
  });
  install(instance, async () => { token = await refresh(); }, options);
  return n => instance.get(`/n${n}`);
};
const byUrql = (url, refresh) => {
  let token = 1;
  const exchange = authExchange(async tools => ({
    addAuthToOperation: operation => tools.appendHeaders(operation, { Authorization: `Bearer ${token}` }),
    didAuthError: error => error.response?.status === 401,
    refreshAuth: async () => { token = await refresh(); },
  }));
  const client = new Client({ url, preferGetMethod: false, exchanges: [exchange, fetchExchange] });
  return async n => {
    const result = await client.query(`query n${n} { orders }`, {}, { requestPolicy: "network-only" }).toPromise();
    if (result.error) throw result.error;
  };
};
const byRefreshFetch = (url, refresh) => {
  let token = 1;
  const send = async (target, options = {}) => {
    const answer = await fetch(target, { ...options, headers: { Authorization: `Bearer ${token}` } });
    if (!answer.ok) throw Object.assign(new Error("refused"), { status: answer.status });
    return answer;
  };
  const again = refreshFetch.configureRefreshFetch({
    fetch: send, shouldRefreshToken: error => error.status === 401, refreshToken: async () => { token = await refresh(); },
  });
  return n => again(`${url}/n${n}`);
};

async function run(make, spread) {
  let living = 2, refreshes = 0;
  const server = http.createServer(async (request, response) => {
    let content = "";
    for await (const part of request) content += part;
    if (request.url === "/refresh") {
      refreshes++;
      await wait(20);
      return response.end(JSON.stringify({ token: ++living }));
    }
    const accepted = Number(request.headers.authorization.slice(7)) >= 2;  // each token but the first is good
    await wait(5 + spread * Number(/n(\d+)/.exec(request.url + content)[1]));
    response.writeHead(accepted ? 200 : 401, { "Content-Type": "application/json" });
    response.end(JSON.stringify(accepted ? { data: { orders: 1 } } : { errors: [{ message: "expired" }] }));
  });
  await new Promise(done => server.listen(0, "127.0.0.1", done));
  const url = `http://127.0.0.1:${server.address().port}`;
  const send = make(url, async () => (await (await fetch(`${url}/refresh`, { method: "POST" })).json()).token);
  const results = await Promise.allSettled(Array.from({ length: 20 }, (_, n) => send(n)));
  server.closeAllConnections();
  server.close();
  return [results.filter(one => one.status === "fulfilled").length, refreshes];
}

const makers = {
  "axios-auth-refresh 3.3.6": byAxios(three.default ?? three),
  "axios-auth-refresh 5.0.2": byAxios(createAuthRefresh),
  "the same, option off": byAxios(createAuthRefresh, { deduplicateRefresh: false }),
  "urql": byUrql,
  "refresh-fetch": byRefreshFetch,
};
let asExpected = true;
for (const [name, make] of Object.entries(makers)) {
  const [saved, once] = await run(make, 0);
  const [later, often] = await run(make, 15);
  const loses = name === "axios-auth-refresh 5.0.2";
  asExpected &&= loses ? saved < 5 && later < 10 : saved === 20 && later === 20 && often > 1;
  console.log(name.padEnd(26), ...[saved, once, later, often].map(one => String(one).padStart(5)));
}
process.exit(asExpected ? 0 : 1);
JAVASCRIPT

node try.mjs
