/** Figures of several rounds: machines are noisy, so a single one says little. */
export interface Figure {
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly rounds: number;
}

export function figure(values: readonly number[]): Figure {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const median = sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
  return { median, min: sorted[0]!, max: sorted.at(-1)!, rounds: sorted.length };
}

export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)]!;
}

/** One line of the result: a figure, its unit, and what it should reach, where there is such a bound. */
export interface Line {
  readonly what: string;
  readonly unit: string;
  readonly figure: Figure;
  readonly atMost?: number;
}

const digits = (value: number): string => (Math.abs(value) >= 100 ? value.toFixed(0) : value.toPrecision(3));

/** The lines as a table in Markdown, which a terminal shows as well. */
export function table(lines: readonly Line[]): string {
  const rows = lines.map(({ what, unit, figure: { median, min, max, rounds }, atMost }) => [
    what,
    digits(median),
    `${digits(min)} to ${digits(max)}`,
    unit,
    String(rounds),
    atMost === undefined ? "" : `${digits(atMost)}${median <= atMost ? "" : " (missed)"}`,
  ]);
  const cells = [["what", "median", "range", "unit", "rounds", "at most"], ...rows];
  const widths = cells[0]!.map((_, column) => Math.max(...cells.map((row) => row[column]!.length)));
  const text = cells.map((row) => `| ${row.map((cell, column) => cell.padEnd(widths[column]!)).join(" | ")} |`);
  text.splice(1, 0, `|${widths.map((width) => "-".repeat(width + 2)).join("|")}|`);
  return text.join("\n");
}
