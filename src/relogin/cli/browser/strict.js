/**
 * The strict reader of SPEC.md, Appendices A.1 and B.
 *
 * @typedef {[string, string]} Param
 * @typedef {{scheme: string, token68: string | null, params: Param[]}} Challenge
 */

/** [D-1] */
export const MAX_LENGTH = 16384;

/** A field that a strict reader refuses; `position` is the character at which it stops. */
export class FieldError extends Error {
  /** @param {string} message @param {number} position */
  constructor(message, position) {
    super(`${message} at ${position}`);
    this.name = "FieldError";
    this.position = position;
  }
}

const TOKEN = /[!#$%&'*+\-.^_`|~0-9A-Za-z]+/y;
const TOKEN68 = /[A-Za-z0-9\-._~+/]+=*(?=[ \t]*(?:,|$))/y;
const PARAM_START = /([!#$%&'*+\-.^_`|~0-9A-Za-z]+)[ \t]*=[ \t]*/y;
const QUOTED = /"((?:[\t !#-[\]-~\x80-\xff]|\\[\t -~\x80-\xff])*)"/y;
const OWS = /[ \t]*/y;
const SP = / +/y;

/** @param {string[]} lines */
export const join = (lines) => lines.join(", ");

/** Reads one field value from left to right. */
class Scanner {
  /** @param {string} text */
  constructor(text) {
    if (text.length > MAX_LENGTH && [...text].length > MAX_LENGTH) {
      throw new FieldError("the field is too long", MAX_LENGTH);
    }
    this.text = text;
    this.at = 0;
    /** The names of the parameters read since the last scheme. */
    this.names = new Set();
  }

  /** @param {RegExp} pattern @returns {RegExpExecArray | null} */
  take(pattern) {
    pattern.lastIndex = this.at;
    const match = pattern.exec(this.text);
    if (match) this.at = pattern.lastIndex;
    return match;
  }

  get ended() {
    return this.at === this.text.length;
  }

  /** @param {string} message @returns {never} */
  fail(message) {
    throw new FieldError(message, this.at);
  }

  /** What follows an element: a comma or the end, with whitespace before it. */
  endElement() {
    this.take(OWS);
    if (!this.ended && this.text[this.at] !== ",") this.fail("expected a comma");
  }

  /** Skips empty elements. */
  skipEmpty() {
    for (;;) {
      this.take(OWS);
      if (this.text[this.at] !== ",") return;
      this.at += 1;
    }
  }

  /**
   * Reads a parameter, if there is one here.
   * @param {Param[]} params
   */
  param(params) {
    const start = this.at;
    const match = this.take(PARAM_START);
    if (!match) return false;
    const name = match[1].toLowerCase();
    const quoted = this.take(QUOTED);
    const value = quoted ? quoted[1].replace(/\\([^])/g, "$1") : this.take(TOKEN)?.[0];
    if (value === undefined) this.fail("expected a value");
    if (this.names.has(name)) {
      this.at = start;
      this.fail("a parameter occurs twice");
    }
    this.names.add(name);
    params.push([name, value]);
    return true;
  }

  /**
   * Reads a scheme with its token68 or first parameter.
   * @returns {{challenge: Challenge, open: boolean}} open: whether parameters may follow
   */
  challenge() {
    const scheme = this.take(TOKEN)?.[0];
    if (scheme === undefined) this.fail("expected a scheme");
    /** @type {Challenge} */
    const challenge = { scheme, token68: null, params: [] };
    this.names = new Set();
    let open = false;
    if (this.take(SP)) {
      challenge.token68 = this.take(TOKEN68)?.[0] ?? null;
      open = challenge.token68 === null;
      if (open) this.param(challenge.params);
    }
    this.endElement();
    return { challenge, open };
  }
}

/**
 * Reads WWW-Authenticate or Proxy-Authenticate.
 * @param {string[]} lines
 * @returns {Challenge[]}
 */
export function parseChallenges(lines) {
  const scanner = new Scanner(join(lines));
  /** @type {Challenge[]} */
  const challenges = [];
  let open = false;
  for (scanner.skipEmpty(); !scanner.ended; scanner.skipEmpty()) {
    if (open && scanner.param(/** @type {Challenge} */ (challenges.at(-1)).params)) {
      scanner.endElement();
      continue;
    }
    const read = scanner.challenge();
    challenges.push(read.challenge);
    open = read.open;
  }
  return challenges;
}

/**
 * Reads Authorization or Proxy-Authorization.
 * @param {string[]} lines
 * @returns {Challenge}
 */
export function parseCredentials(lines) {
  const scanner = new Scanner(join(lines));
  scanner.take(OWS);
  const { challenge, open } = scanner.challenge();
  if (open) {
    readParams(scanner, challenge.params);
  } else if (!scanner.ended) {
    scanner.fail("expected the end");
  }
  return challenge;
}

/**
 * Reads Authentication-Info.
 * @param {string[]} lines
 * @returns {Param[]}
 */
export function parseInfo(lines) {
  const scanner = new Scanner(join(lines));
  /** @type {Param[]} */
  const params = [];
  readParams(scanner, params);
  return params;
}

/** @param {Scanner} scanner @param {Param[]} params */
function readParams(scanner, params) {
  for (scanner.skipEmpty(); !scanner.ended; scanner.skipEmpty()) {
    if (!scanner.param(params)) scanner.fail("expected a parameter");
    scanner.endElement();
  }
}
