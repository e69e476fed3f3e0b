/**
 * JSON of an object with one more member at its end, whose JSON is at hand: half a megabyte is neither parsed nor written
 * again for an answer.
 * @param json null where there is none
 */
export function jsonWith(rest: object, name: string, json: string | null): string {
  return `${JSON.stringify(rest).slice(0, -1)},${JSON.stringify(name)}:${json ?? "null"}}`;
}
