/**
 * The text of a value (SPEC.md, C.3).
 *
 * @typedef {import("./peg.js").Find} Find
 * @typedef {import("./recover.js").Fault} Fault
 * @typedef {import("./recover.js").Span} Span
 */

const encoder = new TextEncoder();

/** @param {string} char */
const isWide = (char) => /** @type {number} */ (char.codePointAt(0)) > 0xff;

/** @param {string} char */
const isControl = (char) => /^[\x00-\x08\x0a-\x1f\x7f]$/.test(char);

/** @param {string} text */
const asLatin1 = (text) => Array.from(encoder.encode(text), (octet) => String.fromCharCode(octet)).join("");

/**
 * @param {string[]} chars the line
 * @param {Find} find
 * @param {Span[]} folds
 * @returns {{text: string, faults: Fault[]}}
 */
export function valueText(chars, find, folds) {
  const { start } = find;
  let { end } = find;
  if (find.name === "cut") {
    const stop = chars.slice(start, end).findIndex((char) => char === "\r" || char === "\n");
    if (stop >= 0) end = start + stop;
    while (end > start && /^[\x00-\x20\x7f]$/.test(chars[end - 1])) end -= 1;
  }
  /** @type {Fault[]} */
  const faults = [];
  const wide = chars.slice(start, end).findIndex(isWide);
  if (wide >= 0) {
    let last = start + wide;
    while (last < end && isWide(chars[last])) last += 1;
    faults.push({ kind: "non-latin-1", start: start + wide, end: last });
  }
  const control = chars.slice(start, end).findIndex(isControl);
  if (control >= 0) faults.push({ kind: "control-character", start: start + control, end: start + control + 1 });

  let text = "";
  let next = 0;
  for (let at = start; at < end; at += 1) {
    while (next < folds.length && folds[next].end <= at) next += 1;
    if (next === folds.length || at < folds[next].start) text += isControl(chars[at]) ? " " : chars[at];
    else if (at === Math.max(folds[next].start, start)) text += " ";
  }
  if (wide >= 0) text = asLatin1(text);
  if (find.name !== "value") text = text.replace(/\\([^])/g, "$1");
  return { text, faults };
}
