const beginOf = (command: string): string => `<!-- By \`${command}\` from here -->`;
const end = "<!-- to here -->";

/** A row of a table in Markdown. */
export const tableRow = (...cells: readonly string[]): string => `| ${cells.join(" | ")} |`;

/**
 * A document that is written by hand, with its generated part made anew.
 * @param command what makes it, as its mark says
 * @throws Error when the place for it is not marked
 */
export function withGeneratedPart(
  path: string,
  document: string,
  lines: readonly string[],
  command = "npm run monitoring:generate",
): string {
  const begin = beginOf(command);
  const [before, rest] = document.split(begin);
  const after = rest?.split(end)[1];
  if (before === undefined || after === undefined) throw new Error(`${path} lacks ${begin} or ${end}`);
  return `${before}${begin}\n\n${lines.join("\n")}\n\n${end}${after}`;
}
