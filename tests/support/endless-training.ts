/** With `noiseCsv` a training that no test sees the end of: minutes, where a second would be enough for the real data. */
export const endless = {
  mode: "heavy",
  parameters: { rounds: 5000, earlyStoppingRounds: 5000, maxDepth: 10, learningRate: 0.001 },
} as const;

/** Many rows without a rule in them, so that trees grow to their full depth; target `label`, five classes. */
export function noiseCsv(): string {
  const noise = (row: number, column: number): number => {
    const value = Math.sin(row * 12.9898 + column * 78.233) * 43_758.5453;
    return value - Math.floor(value);
  };
  const rows = Array.from({ length: 20_000 }, (_, row) => {
    const numbers = Array.from({ length: 6 }, (_, column) => noise(row, column).toFixed(4));
    return [...numbers, `class ${Math.floor(noise(row, 6) * 5)}`].join(",");
  });
  return `a,b,c,d,e,f,label\n${rows.join("\n")}\n`;
}
