/**
 * The canonical writer (SPEC.md §A.3).
 *
 * @typedef {import("./strict.js").Challenge} Challenge
 * @typedef {import("./strict.js").Param} Param
 */

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const TOKEN68 = /^[A-Za-z0-9\-._~+/]+=*$/;
const TEXT = /^[\t -~\x80-\xff]*$/;

/** @type {Record<"challenge" | "credentials", string[]>} */
const DIGEST_UNQUOTED = { challenge: ["stale", "algorithm"], credentials: ["algorithm", "qop", "nc"] };

/**
 * @param {Param[]} params
 * @param {string[]} [unquoted] names whose values are written as tokens
 */
function writeParams(params, unquoted = []) {
  const seen = new Set();
  return params.map(([rawName, value]) => {
    const name = rawName.toLowerCase();
    if (!TOKEN.test(name) || !TEXT.test(value) || seen.has(name)) throw new TypeError("this parameter cannot be written");
    seen.add(name);
    if (unquoted.includes(name) && TOKEN.test(value)) return `${name}=${value}`;
    return `${name}="${value.replace(/["\\]/g, "\\$&")}"`;
  }).join(", ");
}

/** @param {Challenge} challenge @param {"challenge" | "credentials"} kind */
function writeOne(challenge, kind) {
  const { scheme, token68, params } = challenge;
  if (!TOKEN.test(scheme)) throw new TypeError("this scheme cannot be written");
  if (token68 !== null) {
    if (!TOKEN68.test(token68) || params.length) throw new TypeError("this token68 cannot be written");
    return `${scheme} ${token68}`;
  }
  if (!params.length) return scheme;
  return `${scheme} ${writeParams(params, scheme.toLowerCase() === "digest" ? DIGEST_UNQUOTED[kind] : [])}`;
}

/** @param {Challenge[]} challenges */
export const writeChallenges = (challenges) => challenges.map((one) => writeOne(one, "challenge")).join(", ");

/** @param {Challenge} credentials */
export const writeCredentials = (credentials) => writeOne(credentials, "credentials");

/** @param {Param[]} params */
export const writeInfo = (params) => writeParams(params);
