/* Which search results come first: Sphinx's own scores, then what kind of page it is. */
const RANKS = [
  [/^docs\/(tutorials\/client|how-to\/(my-server|troubleshooting))$/, 6], // where most questions end
  [/\/index$/, 1],
  [/^docs\/(tutorials|how-to)\//, 4],
  [/^docs\/reference\/api\//, -1],
  [/^docs\//, 1],
  [/./, -4], // SPEC, changelog, findings, vectors
]

var Scorer = {
  objNameMatch: 11,
  objPartialMatch: 2,
  objPrio: { 0: 5, 1: 0, 2: -5 },
  objPrioDefault: 0,
  title: 15,
  partialTitle: 7,
  term: 5,
  partialTerm: 2,
  score: ([page, , , , score, , kind]) =>
    score + RANKS.find(([pattern]) => pattern.test(page))[1] + (kind === "title" ? 3 : 0),
}
