// Runs every row of every vector file: node tests/second/run.mjs [-v] [name of a row]
import { readFileSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import { parseChallenges, parseCredentials, parseInfo } from "./strict.js";
import { writeChallenges, writeCredentials, writeInfo } from "./write.js";
import { recover } from "./recover.js";
import * as session from "./session.js";
import { answer } from "./server.js";
import { decide } from "./client.js";

const folder = new URL("../vectors/", import.meta.url);
const load = (file) => JSON.parse(readFileSync(new URL(file, folder), "utf8"));
const verbose = process.argv.includes("-v");

/** @type {string[]} */
let problems = [];

function same(what, actual, wanted) {
  if (!isDeepStrictEqual(actual, wanted)) {
    problems.push(`${what}\n      got    ${JSON.stringify(actual)}\n      wanted ${JSON.stringify(wanted)}`);
  }
}

function attempt(what, run) {
  try {
    return run();
  } catch (error) {
    problems.push(`${what}: ${error.stack.split("\n").slice(0, 2).join(" ")}`);
    return undefined;
  }
}

function refuses(what, run) {
  try {
    problems.push(`${what}: not refused, but ${JSON.stringify(run())}`);
  } catch {
    // As it should be.
  }
}

const lines = (row) => (row.times ? [row.field[0].repeat(row.times)] : row.field);
const sorted = (faults) => faults.map(({ kind, start, end }) => ({ kind, start, end }))
  .sort((a, b) => a.start - b.start || a.end - b.end || (a.kind < b.kind ? -1 : 1));
const schemeless = (list) => list.map((one) => ({ ...one, scheme: one.scheme.toLowerCase() }));

function challengeRow(row) {
  const field = lines(row);
  if (row.must_fail) {
    refuses("strict", () => parseChallenges(field));
    if (!row.recovered) return refuses("recovering", () => recover(field));
    const read = attempt("recover", () => recover(field));
    if (!read) return undefined;
    same("recovered", schemeless(read.challenges), schemeless(row.recovered));
    same("faults", sorted(read.faults), sorted(row.faults));
    const written = attempt("R-7 write", () => writeChallenges(read.challenges));
    same("R-7", attempt("R-7 read", () => parseChallenges([written])), read.challenges);
    return undefined;
  }
  same("strict", attempt("strict", () => parseChallenges(field)), row.expected);
  same("recover", attempt("recover", () => recover(field)), { challenges: row.expected, faults: [] });
  same("canonical", attempt("write", () => writeChallenges(row.expected)), row.canonical);
  same("again", attempt("again", () => parseChallenges([row.canonical])), row.expected);
  return undefined;
}

function credentialsRow(row) {
  if (row.must_fail) return refuses("strict", () => parseCredentials(lines(row)));
  same("strict", attempt("strict", () => parseCredentials(lines(row))), row.expected);
  same("canonical", attempt("write", () => writeCredentials(row.expected)), row.canonical);
  same("again", attempt("again", () => parseCredentials([row.canonical])), row.expected);
  return undefined;
}

function infoRow(row) {
  if (row.must_fail) return refuses("strict", () => parseInfo(lines(row)));
  same("strict", attempt("strict", () => parseInfo(lines(row))), row.expected.params);
  same("canonical", attempt("write", () => writeInfo(row.expected.params)), row.canonical);
  same("again", attempt("again", () => parseInfo([row.canonical])), row.expected.params);
  return undefined;
}

function sessionRow(row) {
  switch (row.header) {
    case "WWW-Authenticate":
      if (row.field) {
        const [view = null] = attempt("read", () => session.readSessionChallenges(lines(row))) ?? [];
        same("session", view, row.must_fail ? null : row.session);
      }
      if (!row.session) break;
      if (row.canonical === undefined) refuses("write", () => session.writeSessionChallenge(row.session));
      else same("canonical", attempt("write", () => session.writeSessionChallenge(row.session)), row.canonical);
      break;
    case "Authorization": {
      const read = session.readAuthorization(lines(row));
      if (row.must_fail) {
        same("error", read.kind === "malformed" ? "session_invalid" : null, row.error);
        if (read.kind === "token") problems.push("found a token");
      } else {
        same("token", read, { kind: "token", token: row.token });
        same("canonical", attempt("write", () => session.writeAuthorization(row.token)), row.canonical);
      }
      break;
    }
    default:
      same("expires_in", session.readExpiresIn(lines(row), row.age), row.must_fail ? null : row.expires_in);
      if (row.canonical !== undefined) {
        same("canonical", attempt("write", () => session.writeExpiresIn(row.expires_in)), row.canonical);
      }
  }
}

const files = {
  "challenges.json": challengeRow,
  "recovered.json": challengeRow,
  "wild.json": challengeRow,
  "credentials.json": credentialsRow,
  "authentication-info.json": infoRow,
  "session.json": sessionRow,
  "client.json": (row) => same("decision", attempt("decide", () => decide(row)),
    { action: row.action, drops: row.drops, then: row.then }),
  "server.json": (row) => same("answer", attempt("answer", () => answer(row)), { status: row.status, error: row.error }),
};

let passed = 0;
let total = 0;
for (const [file, check] of Object.entries(files)) {
  const rows = load(file);
  const failed = [];
  for (const row of rows) {
    problems = [];
    attempt("row", () => check(row));
    if (problems.length) failed.push({ row, problems });
  }
  console.log(`${file}: ${rows.length - failed.length}/${rows.length}`);
  for (const one of failed) {
    console.log(`  FAILED ${one.row.name}`);
    if (verbose) {
      console.log(`    field ${JSON.stringify(one.row.field ?? one.row.request)}${one.row.note ? `\n    note ${one.row.note}` : ""}`);
      for (const problem of one.problems) console.log(`    ${problem.slice(0, 3000)}`);
    }
  }
  passed += rows.length - failed.length;
  total += rows.length;
}
console.log(`in all: ${passed}/${total}`);
process.exitCode = passed === total ? 0 : 1;
