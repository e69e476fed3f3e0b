// Embeddings, overrides and isolates turn letters around, or end what keeps a name apart. No name needs them; marks (LRM, RLM) it may.
const turning = /[\u202a-\u202e\u2066-\u2069]/g;
// Hebrew to Arabic with their presentation forms, and marks of direction.
const otherDirection = /[\u0590-\u08ff\u200e\u200f\ufb1d-\ufdff\ufe70-\ufefc]/;

/**
 * A name or value of somebody's table as it stands in a sentence, a heading or a list: what runs from right to left stays within
 * itself (isolates of UAX #9, as `<bdi>` makes them, which no option of a select can hold), and signs that would show it
 * reversed are seen as �.
 */
export function shownName(name: string): string {
  const seen = name.replaceAll(turning, "\ufffd");
  return otherDirection.test(seen) ? `\u2068${seen}\u2069` : seen;
}
