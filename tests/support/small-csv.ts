/** Sixty rows with a rule in them, and none like another's. */
export function smallCsv(next: () => number): Buffer {
  const rows = Array.from({ length: 60 }, () => {
    const [a, b] = [next(), next()];
    return `${a.toFixed(6)},${b.toFixed(6)},${next().toFixed(3)},${a + b > 1 ? "high" : "low"}`;
  });
  return Buffer.from(`a,b,noise,label\n${rows.join("\n")}\n`);
}
