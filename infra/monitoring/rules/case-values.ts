/** One value a minute in promtool's notation, equal steps taken together: [0, 8, 16, 16] becomes `0+8x2 16`. */
export function valuesOf(samples: readonly number[]): string {
  const parts: string[] = [];
  for (let from = 0; from < samples.length; ) {
    const first = samples[from] ?? 0;
    const step = rounded((samples[from + 1] ?? first) - first);
    let last = from + 1;
    while (last < samples.length && rounded((samples[last] ?? 0) - (samples[last - 1] ?? 0)) === step) last += 1;
    const repeats = last - from - 1;
    if (repeats < 2) {
      parts.push(String(rounded(first)));
      from += 1;
    } else {
      parts.push(`${rounded(first)}${step === 0 ? "" : step < 0 ? step : `+${step}`}x${repeats}`);
      from = last;
    }
  }
  return parts.join(" ");
}

const rounded = (value: number): number => Number(value.toFixed(6));

/**
 * What a counter shows that grows by these amounts. It has run for long: `rate` extrapolates a young counter back to 0
 * and no further, each counter by itself, and shares of two would be a little off.
 */
export function counterOf(increments: readonly number[], start = 1_000_000): string {
  let value = start;
  return valuesOf([start, ...increments.map((increment) => (value += increment))]);
}

/** `count` times the same. */
export function repeated<Value>(count: number, value: Value): Value[] {
  return new Array<Value>(count).fill(value);
}
