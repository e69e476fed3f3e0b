/** Two classes have one output, the chance of the second; here both get theirs. */
export function allProbabilities(outputs: Float64Array, classCount: number): Float64Array {
  if (classCount !== 2) return outputs;
  const probabilities = new Float64Array(outputs.length * 2);
  for (let row = 0; row < outputs.length; row++) {
    probabilities[2 * row] = 1 - outputs[row]!;
    probabilities[2 * row + 1] = outputs[row]!;
  }
  return probabilities;
}

/** Share of each class among rows, of which its number is given. */
export function sharesOf(target: Float64Array, classCount: number): number[] {
  const counts = new Array<number>(classCount).fill(0);
  for (const k of target) counts[k]! += 1;
  return counts.map((count) => count / target.length);
}
