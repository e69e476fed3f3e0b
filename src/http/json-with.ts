/**
 * JSON of an object with one more member behind those that it has, whose JSON is at hand: half a megabyte is neither parsed nor
 * written again for an answer.
 * @param json null where there is none
 * @param last members behind that one
 */
export function jsonWith(rest: object, name: string, json: string | null, last: object = {}): string {
  const end = JSON.stringify(last).slice(1);
  return `${JSON.stringify(rest).slice(0, -1)},${JSON.stringify(name)}:${json ?? "null"}${end === "}" ? "" : ","}${end}`;
}
