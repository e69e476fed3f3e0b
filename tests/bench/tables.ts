import { seededRandom } from "../support/seeded-random.ts";

/** A CSV of 12 columns, one of them text, 1 % of the cells empty, as long as fits into the default upload limit. */
export function tenMebibytes(): Buffer {
  const random = seededRandom(1);
  const columns = 12;
  const kinds = ["north", "south", "east", "west"];
  const parts = [`${Array.from({ length: columns - 1 }, (_, index) => `feature_${index}`).join(",")},target\n`];
  let sizeBytes = parts[0]!.length;
  for (;;) {
    const cells = Array.from({ length: columns }, (_, column) => {
      if (random() < 0.01) return "";
      if (column === 3) return kinds[Math.floor(random() * kinds.length)]!;
      return (random() * 1000).toFixed(column === columns - 1 ? 0 : 4);
    });
    const line = `${cells.join(",")}\n`;
    if (sizeBytes + line.length > 10_485_760) break;
    parts.push(line);
    sizeBytes += line.length;
  }
  return Buffer.from(parts.join(""));
}

/** 15,000 rows of 20 numbers (11,250 of them to learn from) and two classes that depend on six of them, with noise. */
export function heavyTable(): Buffer {
  const random = seededRandom(2);
  const normal = (): number => random() + random() + random() + random() - 2;
  const lines = [`${Array.from({ length: 20 }, (_, index) => `x${index}`).join(",")},label`];
  for (let row = 0; row < 15_000; row += 1) {
    const x = Array.from({ length: 20 }, normal);
    const score = x[0]! * x[1]! * 3 + x[2]! - x[3]! + Math.sin(x[4]! * 3) + x[5]! ** 2 + normal() * 0.5;
    lines.push(`${x.map((value) => value.toFixed(5)).join(",")},${score > 0.3 ? "yes" : "no"}`);
  }
  return Buffer.from(`${lines.join("\n")}\n`);
}
