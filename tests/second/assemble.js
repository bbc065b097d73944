/**
 * What becomes of what the grammar finds (SPEC.md, C.3).
 *
 * @typedef {import("./strict.js").Challenge} Challenge
 * @typedef {import("./peg.js").Find} Find
 * @typedef {import("./recover.js").Fault} Fault
 * @typedef {import("./recover.js").Span} Span
 */

import { valueText } from "./value.js";

const KNOWN = "(?:Basic|Bearer|Concealed|Digest|DPoP|GNAP|HOBA|Mutual|Negotiate|NTLM|OAuth|PrivateToken"
  + "|SCRAM-SHA-1|SCRAM-SHA-256|Session|vapid)";
const IS_KNOWN = new RegExp(`^${KNOWN}$`, "i");
const TOKEN68_ONLY = /^(?:Negotiate|NTLM)$/i;
const ORDINARY_WORD = /^[A-Za-z]?[a-z'-]+$/;
const LAST_WORD_KNOWN = new RegExp(`[ \\t]${KNOWN}$`, "i");
const VALUES = ["value", "quoted", "cut"];
const HELPERS = ["c"];
const POSITIONAL = ["realm", "error", "error_description"];
const SEPARATING = " \t,;\r\n";
const OTHER_QUOTES = /\\"|&quot;|&#34;|[\u201c-\u201f\u2033]|\xe2\x80[\x9c-\x9f]/gu;
const PARAM_START = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+[ \t]*=/;

/** @param {string[]} chars @returns {number[]} where the quotes stand that may enclose something */
function quotesOf(chars) {
  const double = chars.map((char, at) => (char === '"' ? at : -1)).filter((at) => at >= 0);
  // A backslash takes the character after it along.
  const escaped = new Set();
  for (let at = 0; at < chars.length; at += 1) if (chars[at] === "\\") escaped.add((at += 1));
  const counted = double.filter((at) => !escaped.has(at));
  if (counted.length) return counted;
  const units = chars.map((char) => (char.length > 1 ? "?" : char)).join("");
  return Array.from(units.matchAll(OTHER_QUOTES), ({ index }) => index);
}

/** What is read of the whole field. */
export class Assembly {
  constructor() {
    /** @type {Challenge[]} */
    this.challenges = [];
    /** @type {Fault[]} */
    this.faults = [];
    /** Whether the line before stopped. */
    this.stopped = false;
    /** Whether parameters are dropped silently until the next scheme. */
    this.silent = false;
  }

  /** @param {string} kind @param {number} start @param {number} end */
  fault(kind, start, end) {
    this.faults.push({ kind, start, end });
  }

  /** @param {Challenge[]} challenges of a well-formed line */
  takeAll(challenges) {
    this.challenges.push(...challenges);
    this.stopped = false;
    if (challenges.length) this.silent = false;
  }
}

/** What is read of one malformed line. */
export class LineAssembly {
  /**
   * @param {Assembly} field
   * @param {string[]} chars the line, without what is skipped at its start
   * @param {Span[]} folds
   * @param {number} offset of `chars` in the joined field
   * @param {number} lineOffset of the whole line in the joined field
   * @param {(at: number) => boolean} isParam whether a parameter begins there
   */
  constructor(field, chars, folds, offset, lineOffset, isParam) {
    this.isParam = isParam;
    this.quotes = quotesOf(chars);
    this.quotesSeen = 0;
    this.field = field;
    this.chars = chars;
    this.folds = folds;
    this.offset = offset;
    this.lineOffset = lineOffset;
    /** Whether to stop after the current piece. */
    this.stopAfter = false;
    this.stopped = false;
    this.foldAt = new Map(folds.map((fold) => [fold.start, fold]));
    /** Behind the last character that does more than separate. */
    this.contentEnd = chars.findLastIndex((char) => !SEPARATING.includes(char)) + 1;
    this.beginsWithParam = PARAM_START.test(this.text(0, chars.length));
    const last = field.challenges.at(-1);
    /** @type {Challenge | null} the open challenge */
    this.open = last && last.token68 === null && !field.stopped ? last : null;
    this.openIsOld = this.open !== null;
    /** The names that the open challenge has. */
    this.names = new Set(this.open?.params.map(([name]) => name));
    if (this.open) field.silent = false;
    /** How many values without a name may still become parameters of the open challenge. */
    this.positional = 0;
    /** @type {Find | null} the name of the parameter begun last */
    this.name = null;
    /** Since the last separator: whether a scheme or a value was found, and what was found last. */
    this.sinceSeparator = { any: false, value: false };
    this.foundAnything = false;
    this.sawToken68OrProse = false;
    this.sawProse = false;
    /** Whether a parameter without a value is the other half of a torn token68. */
    this.half = this.open !== null && TOKEN68_ONLY.test(this.open.scheme);
    /** The end of the last piece in which anything was found, or of a scheme in this one. */
    this.lastEnd = 0;
  }

  /** @param {number} start @param {number} [end] */
  text(start, end) {
    return this.chars.slice(start, end).join("");
  }

  /** @param {string} kind @param {number} start @param {number} end */
  fault(kind, start, end) {
    this.field.fault(kind, start + this.offset, end + this.offset);
    if (this.beginsWithParam && !this.open && !this.sawToken68OrProse) this.stopAfter = true;
  }

  /** @param {number} at whether anything but separators follows there */
  somethingFollows(at) {
    return at < this.contentEnd;
  }

  /** @param {Find} find @returns {number} where a line break follows it, or -1 */
  breakAfter(find) {
    let at = find.end;
    while (this.chars[at] === " " || this.chars[at] === "\t") at += 1;
    return this.chars[at] === "\r" || this.chars[at] === "\n" ? at : -1;
  }

  /** @param {Find} find whether a line break follows, and something after it */
  beforeBreak(find) {
    return this.breakAfter(find) >= 0 && this.somethingFollows(find.end);
  }

  /** @param {Find} find whether a scheme or token68 is torn */
  isTorn(find) {
    if (this.beforeBreak(find)) return true;
    const fold = this.foldAt.get(find.end);
    if (!fold || IS_KNOWN.test(this.text(find.start, find.end))) return false;
    if (find.name === "scheme" && find.start === 0 && PARAM_START.test(this.text(fold.end))) return false;
    return !/^[ \t]*(?:[,;\r\n]|$)/.test(this.text(fold.end));
  }

  /**
   * Takes what was found in one piece.
   * @param {Find[]} allFinds
   * @param {number} end of the piece
   */
  piece(allFinds, end) {
    const finds = allFinds.filter(({ name }) => !HELPERS.includes(name));
    if (!finds.length) return;
    if (this.dropsQuotedPiece(finds) || this.dropsTornPiece(finds)) return;
    this.stopAfter = false;
    for (const find of finds) {
      this.take(find);
      this.foundAnything = true;
      if (this.stopped) return;
    }
    this.lastEnd = end;
    if (this.stopAfter) this.stopped = true;
  }

  /** @param {Find[]} finds */
  dropsQuotedPiece(finds) {
    if (this.quotes.length % 2) return false;
    const quoted = finds.find(({ name, start }) => name === "scheme" && this.quotesUpTo(start) % 2 === 1);
    if (!quoted) return false;
    this.fault("quoted-challenge", quoted.start, quoted.end);
    this.stopped = true;
    return true;
  }

  /** @param {number} at, which never goes back */
  quotesUpTo(at) {
    while (this.quotes[this.quotesSeen] <= at) this.quotesSeen += 1;
    return this.quotesSeen;
  }

  /** @param {Find[]} finds */
  dropsTornPiece(finds) {
    let known = false;
    for (const find of finds) {
      if (find.name === "scheme") known = IS_KNOWN.test(this.text(find.start, find.end));
      if ((find.name === "scheme" || (find.name === "token68" && !known)) && this.isTorn(find)) {
        const last = /** @type {Find} */ (finds.at(-1));
        const at = this.breakAfter(last);
        if (at >= 0) this.fault("line-break", at, at + 1);
        this.stopped = true;
        return true;
      }
    }
    return false;
  }

  /** @param {Find} find */
  take(find) {
    switch (find.name) {
      case "separator":
        this.sinceSeparator = { any: false, value: false };
        if (/^[\r\n]/.test(this.text(find.start, find.end)) && this.somethingFollows(find.end)) this.stopped = true;
        return;
      case "scheme":
        return this.takeScheme(find);
      case "token68":
        if (this.isTorn(find)) {
          this.half = true;
          return this.fault("bad-token68", find.start, find.end);
        }
        this.sawToken68OrProse = true;
        if (this.open) this.open.token68 = this.text(find.start, find.end);
        this.open = null;
        return;
      case "name":
        return this.takeName(find);
      case "flag":
        if (this.beforeBreak(find)) return;
        this.takeName(find);
        this.name = null;
        this.sinceSeparator = { any: true, value: true };
        if (!(this.open && this.half)) this.addParam(find, "");
        return;
      default:
        if (VALUES.includes(find.name)) this.takeValue(find);
        else this.takeFault(find);
    }
  }

  /** @param {Find} find */
  takeScheme(find) {
    if (this.sawProse && this.isWordOfSentence(find)) {
      this.open = null;
      return this.fault("stray-word", find.start, find.end);
    }
    if (this.sinceSeparator.any) this.fault("missing-comma", this.lastEnd, this.lastEnd);
    this.names = new Set();
    this.open = { scheme: this.text(find.start, find.end), token68: null, params: [] };
    this.field.challenges.push(this.open);
    this.field.silent = false;
    this.openIsOld = false;
    this.positional = POSITIONAL.length;
    this.name = null;
    this.half = TOKEN68_ONLY.test(this.open.scheme);
    this.sinceSeparator = { any: true, value: false };
    this.lastEnd = find.end;
  }

  /** @param {Find} find a scheme */
  isWordOfSentence(find) {
    const scheme = this.text(find.start, find.end);
    if (IS_KNOWN.test(scheme) || !ORDINARY_WORD.test(scheme)) return false;
    const spaces = /^ */.exec(this.text(find.end))?.[0].length ?? 0;
    const next = find.end + spaces;
    return !spaces || !(/^[A-Za-z0-9._~+/-]+=/.test(this.text(next)) || this.isParam(next));
  }

  /** @param {Find} find */
  takeName(find) {
    if (this.sinceSeparator.value) this.fault("missing-comma", this.lastEnd, this.lastEnd);
    if (this.open && this.openIsOld && !this.open.params.length && !this.foundAnything) {
      this.field.fault("comma-after-scheme", this.lineOffset - 2, this.lineOffset - 1);
    }
    this.name = find;
    this.positional = 0;
  }

  /** @param {Find} find */
  takeFault(find) {
    const text = this.text(find.start, find.end);
    if (find.name === "missing-equals") this.positional = 0;
    this.fault(find.name, find.start, find.end);
    if (find.name === "prose") this.sawProse = this.sawToken68OrProse = true;
    if (find.name === "prose" && LAST_WORD_KNOWN.test(text)) this.open = null;
    if (find.name === "stray-word") {
      const fold = this.foldAt.get(find.end);
      if (fold && PARAM_START.test(this.text(fold.end))) this.stopped = true;
    }
  }

  /** @param {Find} find */
  takeValue(find) {
    this.sinceSeparator = { any: true, value: true };
    const torn = find.name === "value" && this.beforeBreak(find);
    const name = this.name;
    this.name = null;
    if (torn) return;
    const { text, faults } = valueText(this.chars, find, this.folds);
    for (const { kind, start, end } of faults) this.fault(kind, start, end);
    if (name && text === "" && this.open && this.half && find.name !== "quoted") return; // the padding of a torn token68
    if (name) this.addParam(name, text);
    else this.takeNameless(find, text);
  }

  /** @param {Find} find @param {string} text */
  takeNameless(find, text) {
    if (/[\r\n]/.test(this.text(find.start, find.end))) this.stopAfter = true;
    const after = this.chars[find.end];
    const end = after === undefined || after === " " || after === "," ? find.end : find.end + 1;
    this.fault(this.field.challenges.length ? "positional-quoted" : "quoted-challenge", find.start - 1, end);
    if (!this.open || !this.positional) return;
    if (POSITIONAL.includes(text.toLowerCase())) {
      this.positional = 0;
      return;
    }
    const name = POSITIONAL[POSITIONAL.length - this.positional];
    this.names.add(name);
    this.open.params.push([name, text]);
    this.positional -= 1;
  }

  /** @param {Find} find the name @param {string} text */
  addParam(find, text) {
    this.positional = 0;
    const name = this.text(find.start, find.end).replaceAll("\\", "").toLowerCase();
    if (!this.open) {
      if (!this.field.silent) this.fault("missing-scheme", find.start, find.end);
      this.field.silent = true;
      if (!this.sawToken68OrProse) this.stopAfter = true;
    } else if (this.names.has(name)) {
      this.fault("duplicate-parameter", find.start, find.end);
    } else {
      this.names.add(name);
      this.open.params.push([name, text]);
    }
  }
}
