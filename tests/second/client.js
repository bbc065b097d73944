/**
 * What a client decides about one response (SPEC.md §6.5).
 *
 * @typedef {import("./session.js").SessionChallenge} SessionChallenge
 * @typedef {{realm: string | null, takes_bare: boolean, steps_up: boolean}} Configuration
 * @typedef {{origin: string, method: string, path: string, realm: string | null, token: string | null,
 *   sent_once: boolean, repeatable: boolean, logins: number, replays: number}} Request
 * @typedef {{under_way: string[], logins: number, blocked: "refused" | "paused" | null, challenged: boolean,
 *   remembered: [string, string][]}} Knowledge
 * @typedef {{client: Configuration, request: Request, response: {status: number, www_authenticate: string[]},
 *   held: Record<string, string>, state: Knowledge}} Case
 * @typedef {"return" | "wait" | "replay" | "log in" | "step up"} Action
 * @typedef {{action: Action, drops: boolean, then: "replay" | "return" | null}} Decision
 */

import { readSessionChallenges } from "./session.js";

const ORIGIN = "https://api.example.com";
const IDEMPOTENT = ["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"];
/** @param {string[]} lines no challenge at all: empty elements of a list count for nothing */
const isBare = (lines) => lines.every((line) => /^[ \t,]*$/.test(line));
const MAX_LOGINS_OF_REQUEST = 1;
const MAX_REPLAYS = 2;
const MAX_LOGINS = 10;
/** The realm that `state.logins` and `state.blocked` speak of. */
const COUNTED_REALM = "orders";

/** @param {Request} request step 13 */
const mayReplay = (request) => request.repeatable && (request.sent_once || IDEMPOTENT.includes(request.method));

/**
 * The realm and the code to act on, or null (steps 1 to 4).
 * @param {Case} given
 * @returns {{realm: string, code: string | null} | null}
 */
function reason({ client, request, response }) {
  if (response.status !== 401 || request.origin !== ORIGIN) return null;
  if (isBare(response.www_authenticate)) {
    return client.takes_bare ? { realm: request.realm ?? client.realm ?? "", code: null } : null;
  }
  const challenge = readSessionChallenges(response.www_authenticate)
    .find(({ realm }) => client.realm === null || realm === client.realm);
  return challenge ? { realm: challenge.realm, code: challenge.effective_error } : null;
}

/**
 * @param {Action} action
 * @param {boolean} [drops]
 * @param {"replay" | "return" | null} [then]
 * @returns {Decision}
 */
const decision = (action, drops = false, then = null) => ({ action, drops, then });

/**
 * @param {Case} given
 * @returns {Decision}
 */
export function decide(given) {
  const { client, request, response, held, state } = given;
  const why = reason(given);
  if (!why) return decision("return");
  const { realm, code } = why;
  const carried = request.realm === realm ? request.token : null;
  const bare = isBare(response.www_authenticate);

  // Step 5
  const remembered = state.remembered.some(([method, path]) => method === request.method && path === request.path);
  if (code === null && carried !== null && (remembered || (bare && state.challenged))) return decision("return");
  // Step 6
  if (request.replays >= MAX_REPLAYS) return decision("return");
  // Step 7
  const holds = Object.hasOwn(held, realm) ? held[realm] : null;
  if (holds !== null && holds !== carried) return decision(mayReplay(request) ? "replay" : "return");
  // Step 8
  const underWay = state.under_way.includes(realm);
  if (code === "session_revoked" || (code === "insufficient_user_authentication" && !client.steps_up)
      || request.logins >= MAX_LOGINS_OF_REQUEST) {
    return decision(underWay ? "wait" : "return");
  }
  // Step 9
  const drops = code === "session_invalid" && holds !== null;
  // Step 10
  if (underWay) return decision("wait", drops);
  // Step 11
  const counted = realm === COUNTED_REALM;
  if (state.blocked === "refused" || (counted && (state.blocked === "paused" || state.logins >= MAX_LOGINS))) {
    return decision("return", drops);
  }
  // Step 12
  const action = code === "insufficient_user_authentication" ? "step up" : "log in";
  return decision(action, drops, mayReplay(request) ? "replay" : "return");
}
