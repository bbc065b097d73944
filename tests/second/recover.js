/**
 * The recovering reader (SPEC.md, Appendix C): it finds what is in each line (C.2); assemble.js makes
 * challenges of it (C.3).
 *
 * @typedef {import("./strict.js").Challenge} Challenge
 * @typedef {{kind: string, start: number, end: number}} Fault
 * @typedef {{start: number, end: number}} Span
 */

import { FieldError, MAX_LENGTH, join, parseChallenges } from "./strict.js";
import { compile } from "./peg.js";
import { GRAMMAR } from "./recovery-grammar.js";
import { Assembly, LineAssembly } from "./assemble.js";

const MAX_FAULTS = 100;
const grammar = compile(GRAMMAR);

/** @param {string} text @returns {string[]} */
const characters = (text) => Array.from(text);

/** @param {string[]} lines @returns {Challenge[] | FieldError} */
function strict(lines) {
  try {
    return parseChallenges(lines);
  } catch (error) {
    if (error instanceof FieldError) return error;
    throw error;
  }
}

/**
 * Reads WWW-Authenticate or Proxy-Authenticate, well-formed or not. Throws only if the field is too long.
 * @param {string[]} lines
 * @returns {{challenges: Challenge[], faults: Fault[]}}
 */
export function recover(lines) {
  const joined = join(lines);
  const length = characters(joined).length;
  if (length > MAX_LENGTH) throw new FieldError("the field is too long", MAX_LENGTH);
  const all = strict(lines);
  if (!(all instanceof FieldError)) return { challenges: all, faults: [] };

  const assembly = new Assembly();
  let offset = 0;
  let full = false;
  for (const line of lines) {
    const alone = strict([line]);
    if (!(alone instanceof FieldError)) {
      assembly.takeAll(alone);
    } else if (!full) {
      full = !readLine(assembly, line, offset);
    }
    offset += characters(line).length + 2;
  }
  if (!assembly.faults.length) {
    const position = characters(joined.slice(0, all.position)).length;
    assembly.fault("stray-character", position, Math.min(position + 1, length));
  }
  assembly.faults.sort((a, b) => a.start - b.start || a.end - b.end);
  return { challenges: assembly.challenges, faults: assembly.faults };
}

/**
 * Reads one malformed line.
 * @param {Assembly} assembly
 * @param {string} line
 * @param {number} offset where the line begins in the joined field
 * @returns {boolean} whether the next malformed line may be read
 */
function readLine(assembly, line, offset) {
  /** @type {Span[]} */
  const folds = [];
  const unfolded = line.replace(/(?:\r?\n[ \t]+)+/g, (fold, at) => {
    const start = characters(line.slice(0, at)).length;
    folds.push({ start, end: start + fold.length });
    return " ".repeat(fold.length);
  });
  const original = characters(unfolded);
  const skipped = /^[ \t,]*/.exec(unfolded)?.[0].length ?? 0;
  const chars = original.slice(skipped);
  const shifted = folds.map(({ start, end }) => ({ start: start - skipped, end: end - skipped }));
  const match = grammar(chars.map((c) => /** @type {number} */ (c.codePointAt(0))));
  const reader = new LineAssembly(assembly, chars, shifted, offset + skipped, offset,
    (at) => match("param", at).end >= 0);
  let reported = 0;
  /** @param {number} end */
  const reportFolds = (end) => {
    for (; reported < shifted.length && shifted[reported].start <= end; reported += 1) {
      assembly.fault("obs-fold", offset + folds[reported].start, offset + folds[reported].end);
    }
  };

  reportFolds(-1);
  for (let at = 0; at < chars.length && !reader.stopped; ) {
    if (assembly.faults.length >= MAX_FAULTS) {
      assembly.fault("too-many-faults", offset + skipped + at, offset + original.length);
      return false;
    }
    const { end, finds } = match("piece", at);
    if (end <= at) throw new Error(`the grammar takes nothing at ${at}`);
    reader.piece(finds, end);
    reportFolds(end);
    at = end;
  }
  assembly.stopped = reader.stopped;
  return true;
}
