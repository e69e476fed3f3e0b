import { openTelemetryVariables } from "../../../otel/settings/variables/all-variables.ts";
import { sections, type Variable } from "../../../otel/settings/variables/variable.ts";
import { tableRow, withGeneratedPart } from "./generated-part.ts";

const cell = (text: string): string => text.replaceAll("|", "\\|");
const code = (text: string): string => `\`${cell(text)}\``;

function row(name: string, { about, value, needs }: Variable): string {
  if (needs === "nothing") return tableRow(code(name), "", "", `**Without effect**: ${cell(about)}.`);
  return tableRow(code(name), value ? code(value) : "", needs ?? "", cell(about));
}

/** docs/telemetry.md with its tables made anew: every variable of OpenTelemetry's, and what it does here. */
export const telemetryDocument = (document: string): string =>
  withGeneratedPart(
    "docs/telemetry.md",
    document,
    sections.flatMap((section, index) => [
      ...(index === 0 ? [] : [""]),
      `### ${section}`,
      "",
      tableRow("variable", "default, or an example", "of what", "what it does here"),
      "|---|---|---|---|",
      ...Object.entries(openTelemetryVariables)
        .filter(([, variable]) => variable.section === section)
        .map(([name, variable]) => row(name, variable)),
    ]),
  );
