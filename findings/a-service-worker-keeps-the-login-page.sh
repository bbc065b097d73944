#!/usr/bin/env bash
# Service workers ignore `Cache-Control: no-store`: Workbox and Angular keep a login page for the data, some for good. A 401 they leave alone.
#
# Versions:  workbox 7.4.1 (-sw, -core, -routing, -strategies), @angular/service-worker 21.2.24, playwright-core 1.65.1 (npm,
#            Node 20), Chromium 156. Needs node, npm and chromium.
# Behaviour: a page of an application asks for /orders (fetch) or opens /account while its session is dead. The server redirects to a
#            login page, or sends one with 200, or sends 401; always with `Cache-Control: no-store`. Then the user logs in.
#            Workbox's CacheFirst and Angular's "performance" go on answering with the login page, for good or until maxAge, without asking.
#            StaleWhileRevalidate does so once more. NetworkFirst and "freshness" ask again, but have put the login page over the copy that they
#            show if there is no network. Workbox keeps a redirect of a navigation as the copy, and that is an error page without network.
#            A 401 is never kept, and the older good copy stays.
# Seen (the answer to /orders and /account: while the session is dead, then the first and second after the login; and a good copy was there,
# the session died, and then there was no network; "+" good, "L" login page, "!" error, "4" the 401):
#            workbox NetworkFirst         redirect  /orders L++  /account L++  no network L !
#            workbox NetworkFirst         page      /orders L++  /account L++  no network L L
#            workbox NetworkFirst         401       /orders 4++  /account 4++  no network + +
#            workbox StaleWhileRevalidate redirect  /orders LL+  /account LL+  no network L !
#            workbox StaleWhileRevalidate page      /orders LL+  /account LL+  no network L L
#            workbox StaleWhileRevalidate 401       /orders 4++  /account 4++  no network + +
#            workbox CacheFirst           redirect  /orders LLL  /account L++  no network + +
#            workbox CacheFirst           page      /orders LLL  /account LLL  no network + +
#            workbox CacheFirst           401       /orders 4++  /account 4++  no network + +
#            angular freshness            redirect  /orders L++  /account L++  no network L +
#            angular freshness            page      /orders L++  /account L++  no network L L
#            angular freshness            401       /orders 4++  /account 4++  no network + +
#            angular performance          redirect  /orders LLL  /account L++  no network + +
#            angular performance          page      /orders LLL  /account LLL  no network + +
#            angular performance          401       /orders 4++  /account 4++  no network + +
# Exits with 1 if that changes.
set -euo pipefail

for program in node npm chromium; do
    command -v "$program" >/dev/null || { echo "this needs the program $program"; exit 2; }
done
script=$(realpath "$0")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
export HOME=$folder
npm install --silent --no-audit --no-fund --ignore-scripts --legacy-peer-deps --prefix "$folder" workbox-sw@7.4.1 workbox-core@7.4.1 \
    workbox-routing@7.4.1 workbox-strategies@7.4.1 @angular/service-worker@21.2.24 playwright-core@1.65.1 >/dev/null

cat > try.mjs <<'JAVASCRIPT'
import fs from "node:fs";
import http from "node:http";
import { chromium } from "playwright-core";

const workbox = "/workbox";
const byWorkbox = strategy => ["/sw.js", `
  importScripts("${workbox}/workbox-sw.js");
  workbox.setConfig({ modulePathPrefix: "${workbox}/", debug: false });
  self.skipWaiting();
  workbox.core.clientsClaim();
  workbox.routing.registerRoute(({ url }) => /^.(orders|account)$/.test(url.pathname), new workbox.strategies.${strategy}());`];
const byAngular = strategy => ["/ngsw-worker.js", JSON.stringify({
  configVersion: 1, timestamp: 1, index: "/index.html", assetGroups: [], hashTable: {}, navigationUrls: [],
  dataGroups: [{ name: "api", patterns: ["\\/orders", "\\/account"], strategy, maxSize: 100, maxAge: 3600000, timeoutMs: 5000, version: 1 }],
})];
const WORKERS = {
  "workbox NetworkFirst": byWorkbox("NetworkFirst"),
  "workbox StaleWhileRevalidate": byWorkbox("StaleWhileRevalidate"),
  "workbox CacheFirst": byWorkbox("CacheFirst"),
  "angular freshness": byAngular("freshness"),
  "angular performance": byAngular("performance"),
};
const LOGIN = "<!DOCTYPE html><title>Log in</title><form method=post><input name=user><input name=password type=password></form>";
const FILES = { "/ngsw-worker.js": "node_modules/@angular/service-worker/ngsw-worker.js" };
for (const name of ["sw", "core", "routing", "strategies"]) {
  const file = name === "sw" ? "workbox-sw.js" : `workbox-${name}.prod.js`;
  FILES[`${workbox}/${file}`] = `node_modules/workbox-${name}/build/${file}`;
}
let worker, alive, dead;

const server = http.createServer((request, response) => {
  const path = new URL(request.url, "http://localhost").pathname;
  const send = (status, type, content, more) => response.writeHead(status, { "Content-Type": type, "Cache-Control": "no-store", ...more }).end(content);
  if (path === "/") send(200, "text/html", "<title>The application</title>");
  else if (path === "/sw.js" || path === "/ngsw.json") send(200, path.endsWith("js") ? "text/javascript" : "application/json", WORKERS[worker][1]);
  else if (path in FILES) send(200, "text/javascript", fs.readFileSync(FILES[path]));
  else if (path === "/login") send(200, "text/html", LOGIN);
  else if (path !== "/orders" && path !== "/account") send(404, "text/plain", "none");
  else if (alive) send(200, "text/html", "Ada's orders: tea");
  else if (dead === "redirect") send(302, "text/html", "", { Location: "/login" });
  else if (dead === "page") send(200, "text/html", LOGIN);
  else send(401, "application/problem+json", '{"error": "session_expired"}');
});
await new Promise(listening => server.listen(0, "127.0.0.1", listening));
const url = `http://127.0.0.1:${server.address().port}`;

const read = text => text.includes("tea") ? "+" : text.includes("Log in") ? "L" : text.includes("session_expired") ? "4" : "!";
const WAYS = {
  "/orders": page => page.evaluate(() => fetch("/orders").then(response => response.text(), String)),
  "/account": async page => {
    const tab = await page.context().newPage();
    try {
      await tab.goto(url + "/account", { timeout: 5000 });
      return await tab.content();
    } catch (error) {
      return String(error);
    } finally {
      await tab.close();
    }
  },
};

const register = script => new Promise(controlled => {
  navigator.serviceWorker.addEventListener("controllerchange", controlled);
  navigator.serviceWorker.register(script).then(() => navigator.serviceWorker.ready).then(() => setTimeout(controlled, 300));
});

async function opened(browser, use) {
  const context = await browser.newContext();
  const page = await context.newPage();
  alive = true;
  await page.goto(url);
  await page.evaluate(register, WORKERS[worker][0]);
  await page.goto(url);
  const said = await use(page, context);
  await context.close();
  return said;
}

const browser = await chromium.launch({ executablePath: process.argv[3], args: ["--no-sandbox"] });
const wanted = fs.readFileSync(process.argv[2], "utf8").split("\n").filter(line => line.startsWith("#   ")).map(line => line.slice(1).trim());
let asExpected = true;
for (worker of Object.keys(WORKERS)) for (dead of ["redirect", "page", "401"]) {
  const ask = async page => {
    const said = [];
    for (const way of Object.values(WAYS)) said.push(read(await way(page)));
    await page.waitForTimeout(200);
    return said;
  };
  const first = await opened(browser, async page => {
    const said = [];
    for (alive of [false, true, true]) said.push(await ask(page));
    return Object.keys(WAYS).map((path, which) => `${path} ${said.map(each => each[which]).join("")}`);
  });
  const last = await opened(browser, async (page, context) => {
    for (alive of [true, false]) await ask(page);
    await context.setOffline(true);
    return await ask(page);
  });
  const line = `${worker.padEnd(28)} ${dead.padEnd(8)}  ${first.join("  ")}  no network ${last.join(" ")}`;
  asExpected &&= wanted.includes(line);
  console.log(line);
}
await browser.close();
server.close();
process.exit(asExpected ? 0 : 1);
JAVASCRIPT

node try.mjs "$script" "$(command -v chromium)"
