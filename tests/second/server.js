/**
 * What a server answers (SPEC.md §4.4, §5.1).
 *
 * @typedef {"unknown" | "alive" | "timed out" | "ended" | "trouble"} SessionState
 * @typedef {{authorization: string[], cookie: string[], csrf: "right" | "wrong"}} Request
 * @typedef {{request: Request, resource: {step_up: boolean}, sessions: Record<string, SessionState>,
 *   collapses: boolean}} Situation
 * @typedef {{status: number, error: string | null}} Answer
 */

import { readAuthorization } from "./session.js";

/** @type {Answer} */
const BARE = { status: 401, error: null };
/** @type {Answer} */
const INVALID = { status: 401, error: "session_invalid" };

/**
 * The different values of the session cookie; an empty one is none.
 * @param {string[]} lines
 */
function cookieTokens(lines) {
  const pairs = lines.flatMap((line) => line.split(";")).map((pair) => /^\s*([^=\s]*)\s*=\s*(.*?)\s*$/s.exec(pair));
  return [...new Set(pairs.flatMap((pair) => (pair && pair[1] === "sid" && pair[2] ? [pair[2]] : [])))];
}

/**
 * @param {Situation} situation
 * @returns {Answer}
 */
export function answer(situation) {
  const { request } = situation;
  const presented = readAuthorization(request.authorization);
  switch (presented.kind) {
    case "token":
      return answerToken(presented.token, situation);
    case "malformed":
      return INVALID;
    case "unreadable":
      return BARE;
    default: {
      const tokens = cookieTokens(request.cookie);
      if (tokens.length > 1) return INVALID;
      return tokens.length ? answerToken(tokens[0], situation) : BARE;
    }
  }
}

/**
 * @param {string} token
 * @param {Situation} situation
 * @returns {Answer}
 */
function answerToken(token, { request, resource, sessions, collapses }) {
  const state = Object.hasOwn(sessions, token) ? sessions[token] : "unknown";
  switch (state) {
    case "trouble":
      return { status: 503, error: null };
    case "timed out":
      return collapses ? INVALID : { status: 401, error: "session_expired" };
    case "ended":
      return collapses ? INVALID : { status: 401, error: "session_revoked" };
    case "alive":
      if (resource.step_up) return { status: 401, error: "insufficient_user_authentication" };
      return { status: request.csrf === "wrong" ? 403 : 200, error: null };
    default:
      return INVALID;
  }
}
