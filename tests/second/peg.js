/**
 * An interpreter for the notation of grammar/recovery.peg: a packrat parser. What a rule takes depends on
 * nothing but the position, so it is remembered; and so is where a repetition ends, from each place that it
 * came through. Reading therefore takes linear time.
 *
 * @typedef {{name: string, start: number, end: number}} Find
 * @typedef {Record<string, [number, number]>} Taken what each label of a rule took last
 * @typedef {(state: State, at: number, finds: Find[], taken: Taken) => number} Matcher the end, or -1
 * @typedef {{chars: number[], memo: Map<string, ({end: number, finds: Find[]} | undefined)[]>,
 *   ends: Map<Matcher, number[]>}} State
 */

const WORD = /^[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{N}\p{Join_Control}]$/u;
const SPACE = /^\p{White_Space}$/u;

/** @param {number} code */
const isSpace = (code) => SPACE.test(String.fromCodePoint(code));

/** @param {number} code */
const lower = (code) => (code >= 65 && code <= 90 ? code + 32 : code);

/** Reads the text of one rule. */
class RuleReader {
  /** @param {string} text @param {Map<string, Matcher>} rules */
  constructor(text, rules) {
    this.text = text;
    this.at = 0;
    this.rules = rules;
  }

  /** @param {RegExp} pattern a sticky pattern */
  take(pattern) {
    pattern.lastIndex = this.at;
    const match = pattern.exec(this.text);
    if (match) this.at = pattern.lastIndex;
    return match;
  }

  space() {
    this.take(/\s*/y);
  }

  /** @returns {Matcher} */
  choice() {
    const options = [this.sequence()];
    for (this.space(); this.take(/\//y); this.space()) options.push(this.sequence());
    if (options.length === 1) return options[0];
    return (state, at, finds, taken) => {
      const before = finds.length;
      for (const option of options) {
        const end = option(state, at, finds, taken);
        if (end >= 0) return end;
        finds.length = before;
      }
      return -1;
    };
  }

  /** @returns {Matcher} */
  sequence() {
    /** @type {Matcher[]} */
    const parts = [];
    for (;;) {
      this.space();
      if (this.at === this.text.length || /[/)]/.test(this.text[this.at])) break;
      parts.push(this.prefixed());
    }
    if (parts.length === 1) return parts[0];
    return (state, at, finds, taken) => {
      let end = at;
      for (const part of parts) {
        end = part(state, end, finds, taken);
        if (end < 0) return -1;
      }
      return end;
    };
  }

  /** @returns {Matcher} */
  prefixed() {
    const sign = this.take(/[&!]/y)?.[0];
    if (sign) {
      const inner = this.prefixed();
      const wanted = sign === "&";
      return (state, at, _finds, taken) => ((inner(state, at, [], taken) >= 0) === wanted ? at : -1);
    }
    const label = this.take(/([A-Za-z][A-Za-z0-9-]*):/y)?.[1];
    if (label) {
      const inner = this.prefixed();
      return (state, at, finds, taken) => {
        const find = { name: label, start: at, end: at };
        finds.push(find);
        find.end = inner(state, at, finds, taken);
        taken[label] = [at, find.end];
        return find.end;
      };
    }
    return this.suffixed();
  }

  /** @returns {Matcher} */
  suffixed() {
    const refersBack = /[=~]/.test(this.text[this.at]);
    const inner = this.primary();
    const suffix = this.take(/[?*+]|\{(\d+)(,)?\}/y);
    if (!suffix) return inner;
    const [least, most] = suffix[1]
      ? [Number(suffix[1]), suffix[2] ? Infinity : Number(suffix[1])]
      : { "?": [0, 1], "*": [0, Infinity], "+": [1, Infinity] }[/** @type {"?"} */ (suffix[0])];
    if (most === Infinity && !refersBack) return repetition(inner, least);
    return (state, at, finds, taken) => {
      let end = at;
      for (let count = 0; count < most; count += 1) {
        const before = finds.length;
        const next = inner(state, end, finds, taken);
        if (next < 0) {
          finds.length = before;
          return count < least ? -1 : end;
        }
        end = next;
      }
      return end;
    };
  }

  /** @returns {Matcher} */
  primary() {
    if (this.take(/\(/y)) {
      const inner = this.choice();
      this.space();
      if (!this.take(/\)/y)) throw new SyntaxError(`no closing bracket: ${this.text}`);
      return inner;
    }
    if (this.take(/\^\^/y)) return (state, at) => (at === 0 || isSpace(state.chars[at - 1]) ? at : -1);
    if (this.take(/\^/y)) return (_state, at) => (at === 0 ? at : -1);
    if (this.take(/\$/y)) return (state, at) => (at === state.chars.length ? at : -1);
    if (this.take(/\./y)) return (state, at) => (at < state.chars.length ? at + 1 : -1);
    if (this.take(/</y)) {
      const test = this.charClass();
      return (state, at) => (at > 0 && test(state.chars[at - 1]) ? at : -1);
    }
    if (this.text[this.at] === "[") {
      const test = this.charClass();
      return (state, at) => (at < state.chars.length && test(state.chars[at]) ? at + 1 : -1);
    }
    const literal = this.take(/"((?:[^"\\]|\\.)*)"(i?)|'((?:[^'\\]|\\.)*)'(i?)/y);
    if (literal) return sameText(unescape(literal[1] ?? literal[3]), Boolean(literal[2] ?? literal[4]));
    const back = this.take(/([=~])([A-Za-z][A-Za-z0-9-]*)/y);
    if (back) {
      return (state, at, finds, taken) => {
        const [start, end] = taken[back[2]];
        return sameText(state.chars.slice(start, end), back[1] === "~")(state, at, finds, taken);
      };
    }
    const name = this.take(/[A-Za-z][A-Za-z0-9-]*/y)?.[0];
    if (!name) throw new SyntaxError(`cannot read: ${this.text.slice(this.at)}`);
    return this.call(name);
  }

  /** @param {string} name @returns {Matcher} */
  call(name) {
    return (state, at, finds) => {
      let memo = state.memo.get(name);
      if (!memo) state.memo.set(name, (memo = []));
      let result = memo[at];
      if (!result) {
        const rule = this.rules.get(name);
        if (!rule) throw new SyntaxError(`no rule ${name}`);
        /** @type {Find[]} */
        const found = [];
        const end = rule(state, at, found, {});
        memo[at] = result = { end, finds: found };
      }
      if (result.end >= 0) finds.push(...result.finds);
      return result.end;
    };
  }

  /** @returns {(code: number) => boolean} */
  charClass() {
    const match = this.take(/\[(\^?)((?:[^\]\\]|\\.)+)\]/y);
    if (!match) throw new SyntaxError(`cannot read: ${this.text.slice(this.at)}`);
    const items = match[2].match(/\\x..|\\u....|\\.|[^]/gu) ?? [];
    /** @type {((code: number) => boolean)[]} */
    const tests = [];
    for (let i = 0; i < items.length; i += 1) {
      if (items[i] === "\\s") tests.push(isSpace);
      else if (items[i] === "\\w") tests.push((code) => WORD.test(String.fromCodePoint(code)));
      else {
        const low = unescape(items[i])[0];
        const ranged = items[i + 1] === "-" && i + 2 < items.length;
        const high = ranged ? unescape(items[i + 2])[0] : low;
        if (ranged) i += 2;
        tests.push((code) => code >= low && code <= high);
      }
    }
    const negated = match[1] === "^";
    /** @param {number} code */
    const test = (code) => tests.some((one) => one(code)) !== negated;
    const table = Array.from({ length: 256 }, (_, code) => test(code));
    return (code) => (code < 256 ? table[code] : test(code));
  }
}

/**
 * As often as possible. If nothing was found on the way, the end is the same from every place on it.
 * @param {Matcher} inner
 * @param {number} least
 * @returns {Matcher}
 */
function repetition(inner, least) {
  return (state, at, finds, taken) => {
    let ends = state.ends.get(inner);
    if (!ends) state.ends.set(inner, (ends = []));
    const atFirst = finds.length;
    /** @type {number[]} */
    const places = [];
    let end = at;
    for (let count = 0; ; count += 1) {
      if (count >= least) {
        if (ends[end] !== undefined) {
          end = ends[end];
          break;
        }
        places.push(end);
      }
      const before = finds.length;
      const next = inner(state, end, finds, taken);
      if (next < 0) {
        finds.length = before;
        if (count < least) return -1;
        break;
      }
      if (next === end && count >= least) break;
      end = next;
    }
    if (finds.length === atFirst) for (const place of places) ends[place] = end;
    return end;
  };
}

/** @param {string} text @returns {number[]} */
function unescape(text) {
  const plain = text.replace(/\\(?:x(..)|u(....)|([^]))/gu, (_, x, u, c) =>
    x || u ? String.fromCodePoint(parseInt(x || u, 16)) : { t: "\t", r: "\r", n: "\n" }[/** @type {"t"} */ (c)] ?? c);
  return Array.from(plain, (c) => /** @type {number} */ (c.codePointAt(0)));
}

/** @param {number[]} codes @param {boolean} anyCase @returns {Matcher} */
function sameText(codes, anyCase) {
  return (state, at) => {
    for (let i = 0; i < codes.length; i += 1) {
      const code = state.chars[at + i];
      if (code === undefined) return -1;
      if (anyCase ? lower(code) !== lower(codes[i]) : code !== codes[i]) return -1;
    }
    return at + codes.length;
  };
}

/**
 * @param {string} text a grammar
 * @returns {(chars: number[]) => (rule: string, at: number) => {end: number, finds: Find[]}}
 */
export function compile(text) {
  /** @type {Map<string, Matcher>} */
  const rules = new Map();
  for (const rule of text.split(/\n(?=\S)/)) {
    const head = /^([a-z0-9-]+)\s+=/.exec(rule);
    if (!head) throw new SyntaxError(`not a rule: ${rule}`);
    const reader = new RuleReader(rule.slice(head[0].length), rules);
    rules.set(head[1], reader.choice());
  }
  const entry = new RuleReader("", rules);
  return (chars) => {
    const state = { chars, memo: new Map(), ends: new Map() };
    return (rule, at) => {
      /** @type {Find[]} */
      const finds = [];
      return { end: entry.call(rule)(state, at, finds, {}), finds };
    };
  };
}
