import { readSecretFiles } from "./secret-files.ts";

const ofAllSignals = "OTEL_EXPORTER_OTLP_HEADERS";

/** What is sent with every export, mostly a token: each can also stand in a file, which NAME_FILE names. */
export const headerNames: readonly string[] = [
  ofAllSignals,
  "OTEL_EXPORTER_OTLP_TRACES_HEADERS",
  "OTEL_EXPORTER_OTLP_LOGS_HEADERS",
  "OTEL_EXPORTER_OTLP_METRICS_HEADERS",
];

/** A token of RFC 9110, and what Node lets through as a value; anything else would fail each export. */
const headerName = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const headerValue = /^[\t\x20-\x7e\x80-\xff]+$/;

function pair(text: string): [string, string] | undefined {
  const [, key = "", rest = ""] = /^([^=]+)=(.+)$/s.exec(text) ?? [];
  try {
    const [name, value] = [decodeURIComponent(key.trim()), decodeURIComponent(rest.trim())];
    // The exporter cuts a value at a semicolon that is not encoded.
    return headerName.test(name) && headerValue.test(value) && !rest.includes(";") ? [name, value] : undefined;
  } catch {
    return undefined; // a lone %
  }
}

/**
 * Reads the headers of a signal's exports, those for all signals and its own, from the environment or from files.
 * @returns undefined where there are none; faults name the setting, never the content
 */
export function readOtlpHeaders(
  env: NodeJS.ProcessEnv,
  signal: string,
): { headers: Readonly<Record<string, string>> | undefined; faults: string[] } {
  const names = [ofAllSignals, `OTEL_EXPORTER_OTLP_${signal}_HEADERS`];
  const { fromFiles, faults } = readSecretFiles(env, names);
  const headers: Record<string, string> = {};
  for (const name of names) {
    const fromFile = fromFiles.get(name);
    if (fromFile === "unusable") continue;
    const parts = (fromFile?.text ?? env[name] ?? "").split(",").filter((part) => part.trim() !== "");
    const pairs = parts.map(pair);
    if (pairs.includes(undefined))
      faults.push(`${name} must be key=value pairs, separated by commas, with what is special in a value as %XX`);
    Object.assign(headers, Object.fromEntries(pairs.filter((each) => each !== undefined)));
  }
  return { headers: Object.keys(headers).length > 0 ? headers : undefined, faults };
}
