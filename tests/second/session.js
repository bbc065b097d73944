/**
 * The Session scheme, one layer above the fields (SPEC.md §3, §4, §A.2).
 *
 * @typedef {import("./strict.js").Challenge} Challenge
 * @typedef {import("./strict.js").Param} Param
 * @typedef {{realm: string, error: string | null, effective_error: string | null,
 *   error_description: string | null, max_age: number | null, acr_values: string[]}} SessionChallenge
 * @typedef {{kind: "token", token: string} | {kind: "malformed"} | {kind: "other"} | {kind: "none"}
 *   | {kind: "unreadable"}} Presented
 */

import { parseCredentials, parseInfo } from "./strict.js";
import { writeChallenges, writeCredentials, writeInfo } from "./write.js";
import { recover } from "./recover.js";

const CODES = ["session_expired", "session_invalid", "session_revoked", "insufficient_user_authentication"];
const PRIVATE_NAME = /^[A-Za-z0-9\-_]+(?:\.[A-Za-z0-9\-_]+)+$/;
const SAFE_TEXT = /^[\x20-\x21\x23-\x2b\x2d-\x5b\x5d-\x7e]*$/;
const OPAQUE = /^[\x21\x23-\x5b\x5d-\x7e]+$/;
const SECONDS = /^[0-9]{1,10}$/;

/** @param {string} scheme */
const isSession = (scheme) => scheme.toLowerCase() === "session";

/** @param {string} value [C-3] */
const withoutSingleQuotes = (value) => (/^'[^]*'$/.test(value) && value.length > 1 ? value.slice(1, -1) : value);

/**
 * What a client reads in a challenge, or null if it is none of this scheme ([C-1]).
 * @param {Challenge} challenge
 * @returns {SessionChallenge | null}
 */
export function viewChallenge(challenge) {
  if (!isSession(challenge.scheme) || challenge.token68 !== null) return null;
  const values = new Map(challenge.params.map(([name, value]) => [name, withoutSingleQuotes(value)]));
  const error = values.get("error") ?? null;
  const maxAge = values.get("max_age") ?? "";
  return {
    realm: values.get("realm") ?? "",
    error,
    effective_error: error === null || CODES.includes(error) ? error : "session_invalid",
    error_description: values.get("error_description") ?? null,
    max_age: SECONDS.test(maxAge) ? Number(maxAge) : null,
    acr_values: (values.get("acr_values") ?? "").split(/[ \t]+/).filter(Boolean),
  };
}

/**
 * The challenges of this scheme in a field, well-formed or not ([C-14]).
 * @param {string[]} lines
 * @returns {SessionChallenge[]}
 */
export function readSessionChallenges(lines) {
  return recover(lines).challenges.map(viewChallenge).filter((view) => view !== null);
}

/**
 * How a server writes a challenge; throws for a value that no server may send ([S-3]).
 * @param {SessionChallenge} session
 */
export function writeSessionChallenge(session) {
  const { realm, error, error_description: description, max_age: maxAge, acr_values: acrValues } = session;
  /** @type {Param[]} */
  const params = [["realm", realm]];
  if (error !== null) params.push(["error", error]);
  if (description !== null) params.push(["error_description", description]);
  if (maxAge !== null) params.push(["max_age", String(maxAge)]);
  if (acrValues.length) params.push(["acr_values", acrValues.join(" ")]);
  const allowed = SAFE_TEXT.test(realm)
    && (error === null || CODES.includes(error) || PRIVATE_NAME.test(error))
    && (description === null || SAFE_TEXT.test(description))
    && (maxAge === null || SECONDS.test(String(maxAge)))
    && acrValues.every((value) => OPAQUE.test(value));
  if (!allowed) throw new TypeError("a server must not send this value");
  return writeChallenges([{ scheme: "Session", token68: null, params }]);
}

/** @param {string} line [S-7] */
const saysSession = (line) => line.split(",").some((part) => /^[ \t]*session(?![!#$%&'*+\-.^_`|~0-9A-Za-z])/i.test(part));

/**
 * What a server finds in Authorization ([S-6], [S-7], [S-12]).
 * @param {string[]} lines
 * @returns {Presented}
 */
export function readAuthorization(lines) {
  if (lines.length === 0 || (lines.length === 1 && /^[ \t]*$/.test(lines[0]))) return { kind: "none" };
  /** @type {Presented} */
  const malformed = { kind: lines.some(saysSession) ? "malformed" : "unreadable" };
  if (lines.length > 1) return malformed;
  try {
    const { scheme, params } = parseCredentials(lines);
    if (!isSession(scheme)) return { kind: "other" };
    const token = params.find(([name]) => name === "token")?.[1];
    return token !== undefined && OPAQUE.test(token) ? { kind: "token", token } : { kind: "malformed" };
  } catch {
    return malformed;
  }
}

/** @param {string} token [C-5] */
export function writeAuthorization(token) {
  if (!OPAQUE.test(token)) throw new TypeError("not a session token");
  return writeCredentials({ scheme: "Session", token68: null, params: [["token", token]] });
}

/**
 * The seconds that a client finds in Authentication-Info, or null ([C-6]).
 * @param {string[]} lines
 * @param {string} [age] the Age field
 */
export function readExpiresIn(lines, age = "") {
  try {
    const value = parseInfo(lines).find(([name]) => name === "expires_in")?.[1] ?? "";
    if (!SECONDS.test(value)) return null;
    const passed = /^[ \t]*([0-9]+)[ \t]*(?:,|$)/.exec(age);
    return Math.max(0, Number(value) - (passed ? Number(passed[1]) : 0));
  } catch {
    return null;
  }
}

/** @param {number} seconds */
export function writeExpiresIn(seconds) {
  if (!SECONDS.test(String(seconds))) throw new TypeError("not a number of seconds");
  return writeInfo([["expires_in", String(seconds)]]);
}
