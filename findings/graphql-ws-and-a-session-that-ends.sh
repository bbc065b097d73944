#!/usr/bin/env bash
# A server ends a GraphQL subscription because its session has ended: by the close code, graphql-ws gives up for good, or connects many times a second.
#
# Versions:  graphql-ws 6.4.2, ws 8.23.0, graphql 17.1.0 (npm, Node 20). Needs node and npm.
# Behaviour: the client's token comes from a function, which graphql-ws calls for each connection. So it could renew, if it connected.
#            After 4401 ("Unauthorized" in its own protocol) and 1008 (which FastAPI's documentation uses) it never does:
#            the subscription ends with an error. After 4403 ("Forbidden") it does, with a new token, and the same after 1001.
#            After 1000 (a normal end) it connects at once, without a pause, because each connection that was accepted
#            sets its counter of tries back to zero: a server that closes in this way is asked for as long as the program runs,
#            and the program hears nothing of it.
# Seen (how the subscription stands after 8 seconds; tokens that were asked for: one, some, or more than 40):
#            1000  open   many
#            1001  open   some
#            1008  error  one
#            4401  error  one
#            4403  open   some
# Exits with 1 if that changes.
set -euo pipefail

for program in node npm; do
    command -v "$program" >/dev/null || { echo "this needs the program $program"; exit 2; }
done
script=$(realpath "$0")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
export HOME=$folder
npm install --silent --no-audit --no-fund --prefix "$folder" graphql-ws@6.4.2 ws@8.23.0 graphql@17.1.0 >/dev/null

cat > subscribe.mjs <<'JAVASCRIPT'
import { createClient } from "graphql-ws";
import { WebSocket, WebSocketServer } from "ws";

process.on("unhandledRejection", () => {}); // of the connection that ends with this program
const code = Number(process.argv[2]);
const server = new WebSocketServer({ port: 0, host: "127.0.0.1", handleProtocols: names => [...names][0] });
server.on("connection", socket =>
  socket.on("message", message => {
    const { type, id } = JSON.parse(message);
    if (type === "connection_init") socket.send(JSON.stringify({ type: "connection_ack" }));
    if (type !== "subscribe") return;
    socket.send(JSON.stringify({ id, type: "next", payload: { data: { order: "tea" } } }));
    setTimeout(() => socket.close(code, "The session has ended"), 30);
  })
);
server.on("listening", () => {
  let tokens = 0;
  let state = "open";
  createClient({
    url: `ws://127.0.0.1:${server.address().port}`,
    webSocketImpl: WebSocket,
    connectionParams: () => ({ token: `t${++tokens}` }),
  }).subscribe(
    { query: "subscription { order }" },
    { next() {}, error: () => (state = "error"), complete: () => (state = "complete") }
  );
  setTimeout(() => {
    console.log(`${code}  ${state.padEnd(5)}  ${tokens > 40 ? "many" : tokens > 1 ? "some" : "one"}`);
    process.exit();
  }, 8000);
});
JAVASCRIPT

as_expected=0
for code in 1000 1001 1008 4401 4403; do node subscribe.mjs "$code" > "$code" & done
wait
for code in 1000 1001 1008 4401 4403; do
    cat "$code"
    grep -qxF "#            $(cat "$code")" "$script" || as_expected=1
done
exit "$as_expected"
