// Reads a JSON array of fields, each an array of lines, and writes what the recovering reader returns for each.
import { readFileSync } from "node:fs";
import { recover } from "./recover.js";

const fields = JSON.parse(readFileSync(0, "utf8"));
const read = fields.map(recover).map(({ challenges, faults }) => [
  challenges.map(({ scheme, token68, params }) => [scheme, token68, params]),
  faults.map(({ kind, start, end }) => [kind, start, end]),
]);
process.stdout.write(JSON.stringify(read));
