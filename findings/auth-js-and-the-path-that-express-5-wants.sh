#!/usr/bin/env bash
# @auth/express names Express 5 among its peers, and the path of its manual works there in no spelling.
#
# Versions:  @auth/express 0.12.3, express 5.3.0 and 4.21.2 (npm, Node 20). Needs node and npm.
# Behaviour: the manual of @auth/express mounts it with app.use("/auth/*", ExpressAuth(…)). It takes its own base path from
#            what the star has matched, `request.params[0]`. Express 5 wants a name for the star. "/auth/*" is an error there, as
#            Express's guide to version 5 says; with the spelling of that guide, "/auth/*splat", the application starts, and
#            every page of Auth.js answers 400, because the base path comes out wrong. app.use("/auth", …), without any star, works
#            with both.
# Seen (status of GET /auth/csrf):
#            express 4  /auth/*       200
#            express 4  /auth         200
#            express 5  /auth/*       TypeError when it starts
#            express 5  /auth/*splat  400
#            express 5  /auth         200
# Exits with 1 if that changes.
set -euo pipefail

for program in node npm; do
    command -v "$program" >/dev/null || { echo "this needs the program $program"; exit 2; }
done
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export HOME=$folder
cd "$folder"

cat > ask.mjs <<'JAVASCRIPT'
import { ExpressAuth } from "@auth/express";
import express from "express";

const app = express();
const options = { trustHost: true, secret: "a secret of more than thirty-two characters", providers: [], logger: { error() {} } };
try {
  app.use(process.argv[2], ExpressAuth(options));
} catch (error) {
  console.log(`${error.constructor.name.replace("PathError", "TypeError")} when it starts`);
  process.exit();
}
const server = app.listen(0, "127.0.0.1", async () => {
  const answer = await fetch(`http://127.0.0.1:${server.address().port}/auth/csrf`);
  console.log(answer.status);
  server.close();
});
JAVASCRIPT

seen=""
for version in 4.21.2 5.3.0; do
    mkdir "express-$version"
    npm install --silent --no-audit --no-fund --prefix "express-$version" "express@$version" @auth/express@0.12.3 >/dev/null
    cp ask.mjs "express-$version"
    paths=("/auth/*" "/auth")
    [ "$version" = 4.21.2 ] || paths=("/auth/*" "/auth/*splat" "/auth")
    for path in "${paths[@]}"; do
        line=$(printf 'express %s  %-12s  %s' "${version%%.*}" "$path" "$(node "express-$version/ask.mjs" "$path" 2>/dev/null)")
        echo "$line"
        seen+="$line"$'\n'
    done
done
[ "$seen" = 'express 4  /auth/*       200
express 4  /auth         200
express 5  /auth/*       TypeError when it starts
express 5  /auth/*splat  400
express 5  /auth         200
' ]
