#!/usr/bin/env bash
# A 401 in the middle of an upload: axios-auth-refresh sends an empty body after it renews, and so does got for an async generator.
#
# Versions:  axios 1.21.1 with axios-auth-refresh 5.0.2, got 14.6.6, ky 1.14.3, ofetch 1.5.1, wretch 2.11.1 (npm, Node 20).
#            Needs node and npm.
# Behaviour: each client renews its token after a 401 in the way that its manual shows, and sends the request again. A body that
#            can be read once has been read. axios takes the stream that has ended, sends nothing, and the caller gets a 200;
#            got raises an error for a stream, but sends nothing for an async generator. ofetch and wretch raise an error; ky
#            keeps a copy of the stream, and sends it all.
# Seen (octets of the two requests, and what the caller gets; the file has 180,000):
#            axios, stream               180000       0  200
#            got, async generator        180000       0  200
#            got, stream                 180000          RetryError
#            ofetch, stream              180000          FetchError
#            wretch, stream              180000          TypeError
#            ky, stream                  180000  180000  200
#            axios, bytes                180000  180000  200
# Exits with 1 if that changes.
set -euo pipefail

for program in node npm; do
    command -v "$program" >/dev/null || { echo "this needs the program $program"; exit 2; }
done
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
export HOME=$folder
npm install --silent --no-audit --no-fund --prefix "$folder" \
    axios@1.21.1 axios-auth-refresh@5.0.2 got@14.6.6 ky@1.14.3 ofetch@1.5.1 wretch@2.11.1 >/dev/null

cat > upload.mjs <<'JAVASCRIPT'
import { createReadStream, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { Readable } from "node:stream";
import axios from "axios";
import { createAuthRefresh } from "axios-auth-refresh";
import got from "got";
import ky from "ky";
import { ofetch } from "ofetch";
import wretch from "wretch";

writeFileSync("file", "tea, ink\n".repeat(20000));
const sizes = [];
const server = createServer((request, response) => {
  let size = 0;
  request.on("data", part => (size += part.length));
  request.on("end", () => {
    sizes.push(size);
    const lives = request.headers.authorization === "Bearer new";
    response.writeHead(lives ? 200 : 401, lives ? {} : { "WWW-Authenticate": 'Bearer realm="files", error="invalid_token"' });
    response.end();
  });
});
await new Promise(resolve => server.listen(0, "127.0.0.1", resolve));
const url = `http://127.0.0.1:${server.address().port}/file`;

const stream = () => createReadStream("file");
const web = () => Readable.toWeb(stream());
const bytes = () => readFileSync("file");
async function* generator() {
  for await (const part of stream()) yield part;
}
const headers = { authorization: "Bearer new" };

const client = axios.create();
createAuthRefresh(client, async failed => {
  failed.response.config.headers.Authorization = headers.authorization;
});
const renewing = got.extend({
  retry: { limit: 0 },
  hooks: {
    afterResponse: [(response, retryWithMergedOptions) => (response.statusCode === 401 ? retryWithMergedOptions({ headers }) : response)],
  },
});
const ofKy = ky.extend({
  retry: 0,
  hooks: {
    afterResponse: [
      (request, options, response) => {
        if (response.status !== 401) return response;
        request.headers.set("Authorization", headers.authorization);
        return ky(request);
      },
    ],
  },
});
const ofOfetch = body => {
  let tries = 0;
  const onRequest = ({ options }) => void (tries++ && options.headers.set("Authorization", headers.authorization));
  return ofetch.raw(url, { method: "PUT", body, duplex: "half", retry: 1, retryStatusCodes: [401], onRequest });
};
const ofWretch = wretch(url, { duplex: "half" }).catcher(401, (error, request) => request.auth(headers.authorization).fetch().res());

const CASES = {
  "axios, stream": [[180000, 0], 200, async () => (await client.put(url, stream())).status],
  "got, async generator": [[180000, 0], 200, async () => (await renewing.put(url, { body: generator() })).statusCode],
  "got, stream": [[180000], "RetryError", async () => (await renewing.put(url, { body: stream() })).statusCode],
  "ofetch, stream": [[180000], "FetchError", async () => (await ofOfetch(web())).status],
  "wretch, stream": [[180000], "TypeError", async () => (await ofWretch.body(web()).put().res()).status],
  "ky, stream": [[180000, 180000], 200, async () => (await ofKy.put(url, { body: web(), duplex: "half" })).status],
  "axios, bytes": [[180000, 180000], 200, async () => (await client.put(url, bytes())).status],
};
let asExpected = true;
for (const [name, [expected, told, upload]] of Object.entries(CASES)) {
  sizes.length = 0;
  const seen = await upload().catch(error => error.name);
  asExpected &&= String(sizes) === String(expected) && seen === told;
  console.log(name.padEnd(26), String(sizes[0]).padStart(7), String(sizes[1] ?? "").padStart(7), "", seen);
}
process.exit(asExpected ? 0 : 1);
JAVASCRIPT

node upload.mjs
