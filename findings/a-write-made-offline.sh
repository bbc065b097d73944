#!/usr/bin/env bash
# Somebody writes while offline, and the session dies meanwhile: a 401 ends PouchDB's sync for good, despite `retry: true`, and three queues drop the write.
#
# Versions:  pouchdb-core, -adapter-memory, -adapter-http, -replication 9.0.0 (against express-pouchdb 4.2.0),
#            @urql/exchange-graphcache 9.0.2 (its offlineExchange) with @urql/core 6.0.3, @redux-offline/redux-offline 2.6.0 with
#            redux 4.2.1, @tanstack/query-core 5.108.4 (npm, Node 20). Needs node and npm.
# Behaviour: each library keeps a write until it can reach the server; that is what it is for. When the device is online again, the
#            session is dead for a few seconds. Then somebody logs in.
#            PouchDB's `sync` with `live: true, retry: true` survives a 503 and a login page. A 401 or a 403 ends it: it
#            sends nothing any more, later writes neither, until the program starts another one.
#            urql, redux-offline and TanStack Query, as they are, keep the write until they have sent it once, and drop it after
#            the 401. To redux-offline a 503 is a reason to wait, and a login page a success.
# Seen (does the server have the write, 15 seconds after the login; what the application was told):
#                           alive            401                403                login page       503
#            pouchdb        yes              no  error          no  error          yes              yes
#            urql           yes data         no  error          no  error          no  error        no  error
#            redux-offline  yes commit       no  rollback       no  rollback       no  commit       yes commit
#            tanstack       yes data         no  error          no  error          no  error        no  error
# Exits with 1 if that changes.
set -euo pipefail

script=$(realpath "$0")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
export HOME=$folder NODE_NO_WARNINGS=1 npm_config_update_notifier=false
npm init -y > /dev/null
npm install --silent --no-audit --no-fund --ignore-scripts pouchdb-core@9.0.0 pouchdb-adapter-memory@9.0.0 \
    pouchdb-adapter-http@9.0.0 pouchdb-replication@9.0.0 pouchdb-mapreduce@9.0.0 express-pouchdb@4.2.0 express@4.22.1 \
    @urql/exchange-graphcache@9.0.2 @urql/core@6.0.3 graphql@16.12.0 @redux-offline/redux-offline@2.6.0 redux@4.2.1 \
    @tanstack/query-core@5.108.4

cat > try.mjs <<'JAVASCRIPT'
import { readFileSync } from "node:fs"
import { createRequire } from "node:module"
import { setTimeout as sleep } from "node:timers/promises"
import { MutationObserver, QueryClient, onlineManager } from "@tanstack/query-core"
import { Client, fetchExchange, gql } from "@urql/core"
import { offlineExchange } from "@urql/exchange-graphcache"

const require = createRequire(import.meta.url)
const express = require("express")
const { applyMiddleware, compose, createStore } = require("redux")
const { createOffline } = require("@redux-offline/redux-offline")
const defaults = require("@redux-offline/redux-offline/lib/defaults").default
const PouchDB = require("pouchdb-core")
for (const part of ["adapter-memory", "adapter-http", "replication", "mapreduce"]) PouchDB.plugin(require(`pouchdb-${part}`))
const LOGIN = "<!DOCTYPE html><title>Log in</title><form method=post action=/login><input name=user><input name=password></form>"
const ERRORS = { 401: "unauthorized", 403: "forbidden", 503: "unavailable" }

/** A server with a CouchDB, GraphQL and REST; `state` says how it answers. */
async function serve() {
  const seen = { state: "alive", requests: 0, orders: [] }
  seen.Database = PouchDB.defaults({ adapter: "memory", prefix: `server-${Math.random()}-` })
  const app = express()
  app.use((request, response, next) => {
    seen.requests++
    if (seen.state === "alive") return next()
    if (seen.state === "login page") return response.type("html").send(LOGIN)
    if (seen.state === "401") response.set("WWW-Authenticate", 'Session realm="orders", error="session_expired"')
    response.status(Number(seen.state)).json({ error: ERRORS[seen.state], reason: seen.state })
  })
  app.post("/orders", express.json(), (request, response) => {
    seen.orders.push(request.body.name)
    response.json({ ok: true })
  })
  app.post("/graphql", express.json(), (request, response) => {
    const { name } = request.body.variables
    seen.orders.push(name)
    response.json({ data: { addOrder: { __typename: "Order", id: "1", name } } })
  })
  app.use("/db", require("express-pouchdb")(seen.Database, { mode: "minimumForPouchDB", inMemoryConfig: true, logPath: "log.txt" }))
  await new Promise(resolve => { const server = app.listen(0, "127.0.0.1", () => { seen.url = `http://127.0.0.1:${server.address().port}`; resolve() }) })
  seen.arrived = async () => seen.orders.includes("tea")
  return seen
}

async function pouchdb(server, told) {
  const local = new PouchDB(`local-${server.url}`, { adapter: "memory" })
  server.arrived = async () => (await new server.Database("orders").allDocs()).rows.some(row => row.id === "tea")
  const sync = local.sync(new PouchDB(`${server.url}/db/orders`), { live: true, retry: true })
  for (const name of ["error", "denied", "complete"]) sync.on(name, () => told.push(name))
  sync.catch(() => {})
  await new Promise(resolve => sync.once("paused", resolve))
  return { write: () => local.put({ _id: "tea" }), online() {} }
}

async function urql(server, told) {
  let offline = false, comeBack, metadata = null
  const storage = {
    readData: async () => ({}),
    writeData: async () => {},
    readMetadata: async () => metadata,
    writeMetadata: value => { metadata = value },
    onOnline: callback => { comeBack = callback },
  }
  const asChromiumSays = () => Promise.reject(new TypeError("Failed to fetch"))
  const client = new Client({
    url: `${server.url}/graphql`,
    fetch: (...call) => (offline ? asChromiumSays() : fetch(...call)),
    exchanges: [offlineExchange({ storage, optimistic: { addOrder: order => ({ __typename: "Order", id: "new", name: order.name }) } }), fetchExchange],
    preferGetMethod: false,
  })
  const ADD = gql`mutation Add($name: String!) { addOrder(name: $name) { id name } }`
  return {
    write() {
      offline = true
      client.mutation(ADD, { name: "tea" }).subscribe(result => told.push(result.error ? "error" : "data"))
    },
    online() {
      offline = false
      comeBack()
    },
  }
}

async function reduxOffline(server, told) {
  let network
  const { enhanceStore, middleware, enhanceReducer } = createOffline({
    ...defaults,
    persist: null,
    detectNetwork: callback => { network = callback },
    retry: () => 500,
  })
  const reducer = (state = {}, action) => {
    if (["commit", "rollback"].includes(action.type)) told.push(action.type)
    return state
  }
  const store = createStore(enhanceReducer(reducer), compose(enhanceStore, applyMiddleware(middleware)))
  const effect = { url: `${server.url}/orders`, method: "POST", json: { name: "tea" } }
  return {
    write() {
      network({ online: false })
      store.dispatch({ type: "add", meta: { offline: { effect, commit: { type: "commit" }, rollback: { type: "rollback" } } } })
    },
    online: () => network({ online: true }),
  }
}

async function tanstack(server, told) {
  const client = new QueryClient()
  client.mount()
  const mutationFn = async name => {
    const response = await fetch(`${server.url}/orders`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ name }) })
    if (!response.ok) throw new Error(response.status)
    return response.json()
  }
  return {
    write() {
      onlineManager.setOnline(false)
      new MutationObserver(client, { mutationFn }).mutate("tea").then(() => told.push("data"), () => told.push("error"))
    },
    online: () => onlineManager.setOnline(true),
  }
}

async function until(condition, seconds) {
  for (let waited = 0; waited < seconds * 10 && !(await condition()); waited++) await sleep(100)
}

const LIBRARIES = { pouchdb, urql, "redux-offline": reduxOffline, tanstack }
const STATES = ["alive", "401", "403", "login page", "503"]
const cases = []
for (const [name, make] of Object.entries(LIBRARIES))
  for (const state of STATES) {
    const server = await serve(), told = []
    cases.push({ name, state, server, told, ...(await make(server, told)) })
  }
await sleep(500)
for (const one of cases) {
  one.server.state = one.state
  one.server.requests = 0
  await one.write()
}
await sleep(500)
for (const one of cases) one.online()
await until(() => cases.every(one => one.server.requests > 0), 20)
await sleep(2000)
for (const one of cases) {
  one.server.state = "alive"
  one.online()
}
await Promise.all(cases.map(one => until(one.server.arrived, 15)))
const wanted = readFileSync(process.argv[2], "utf8").split("\n").map(line => line.slice(1).trim())
let asExpected = true
for (const name of Object.keys(LIBRARIES)) {
  const cells = []
  for (const one of cases.filter(one => one.name === name))
    cells.push(`${(await one.server.arrived()) ? "yes" : "no "} ${one.told.join(" ")}`.padEnd(one.state.startsWith("40") ? 19 : 17))
  const line = `${name.padEnd(15)}${cells.join("")}`.trim()
  asExpected &&= wanted.includes(line)
  console.log(line)
}
process.exit(asExpected ? 0 : 1)
JAVASCRIPT

node try.mjs "$script"
